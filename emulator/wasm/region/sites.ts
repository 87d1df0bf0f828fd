/**
 * Which places (layout.ts) the memory accesses of a region use: one for each base register and page of displacement, for
 * reading and writing.
 */
import { PAGE_SIZE } from "../../physical-memory.ts";
import type { MemoryOperand } from "../decode.ts";
import { SITE_ENTRIES, SITE_SIZE, type Layout } from "../layout.ts";
import { RSP } from "../../registers.ts";
import type { Block } from "./graph.ts";

/** A register that goes on by so many bytes at a time leaves its window soon, unless RAM is hardly fragmented. */
const FAR_STEP = 4096n;

export class Sites {
  private readonly layout: Layout;
  /** Base registers that are loaded through themselves or go on in large steps: they seldom stay in a window. */
  private readonly chasing = new Set<number>();
  private readonly places = new Map<string, number>();
  private next: number;

  /** @param seed spreads the places of regions, which may share them */
  constructor(layout: Layout, blocks: readonly Block[], seed: number) {
    this.layout = layout;
    this.next = (seed * 16) % SITE_ENTRIES;
    for (const { instructions } of blocks) {
      for (const { mnemonic, operands } of instructions) {
        const [target, source] = operands;
        if (target?.kind !== "register" || !source) continue;
        if (mnemonic === "mov" && source.kind === "memory" && source.base?.index === target.index) {
          this.chasing.add(target.index);
        }
        if ((mnemonic === "add" || mnemonic === "sub") && source.kind === "immediate" && isFar(source.value)) {
          this.chasing.add(target.index);
        }
      }
    }
  }

  /** Address of the place for an operand (none: the stack); undefined: it goes through the TLB. */
  place(operand: MemoryOperand | undefined, write: boolean): number | undefined {
    const base = operand ? operand.base?.index : RSP;
    if (base !== undefined && this.chasing.has(base)) return undefined;
    // Arrays at fixed addresses are told apart by the displacement.
    const page = operand ? operand.displacement / BigInt(PAGE_SIZE) : 0n;
    const key = `${base} ${page} ${write}`;
    let index = this.places.get(key);
    if (index === undefined) {
      index = this.next;
      this.places.set(key, index);
      this.next = (this.next + 1) % SITE_ENTRIES;
    }
    return (write ? this.layout.writeSites : this.layout.readSites) + index * SITE_SIZE;
  }
}

const isFar = (step: bigint): boolean => step >= FAR_STEP || step <= -FAR_STEP;
