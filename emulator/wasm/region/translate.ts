/**
 * From a graph of blocks to a WebAssembly function. Registers and flags live in locals; every way out stores what was
 * changed (exits.ts). A guest call is a call of the base module, which runs the callee's translations up to its return:
 * what was changed is stored before it, what is needed loaded behind it.
 */
import { I32, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { STATUS_BUDGET, STATUS_DISPATCH, type Flow } from "../context.ts";
import { INVALID, type Instruction } from "../decode.ts";
import { VECTOR_UD } from "../../engine.ts";
import type { Producer } from "../flags.ts";
import { AT_INSTRUCTIONS, AT_RIP, type Layout } from "../layout.ts";
import { functionBody, type FunctionBody } from "../emit/module-writer.ts";
import { jumpOffset } from "../base-module.ts";
import { runtimeFunction } from "../linked-module.ts";
import { loweringOf } from "../lower/models.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import type { Block } from "./graph.ts";
import { liveFlags, type LiveFlags } from "./liveness.ts";
import { RegionContext } from "./region-context.ts";
import { choose } from "./choice.ts";
import { Sites } from "./sites.ts";
import { Structure } from "./structure.ts";

export interface TranslateOptions {
  readonly layout: Layout;
  readonly model: CpuModel;
  readonly countInstructions: boolean;
  readonly strictFloat: boolean;
  /** A number that differs between regions. */
  readonly seed: number;
  /** Told of instructions there is no lowering for; they raise #UD. */
  readonly onUnknown: (instruction: Instruction) => void;
}

/** The function of a region, which starts at the first of its blocks, for a linked module. */
export function translate(blocks: readonly Block[], options: TranslateOptions): FunctionBody {
  // A loop that brings flags of different makers to its start is written again, with its flags in memory there.
  const inMemory = new Set<number>([0]);
  for (;;) {
    const known = inMemory.size;
    const body = new RegionWriter(blocks, options, inMemory).write();
    if (inMemory.size === known) return functionBody(body);
  }
}

/** A region of fewer instructions. */
const SMALL_REGION = 100;

class RegionWriter implements Flow {
  private readonly e: Assembler;
  private readonly context: RegionContext;
  private readonly structure: Structure;
  private readonly blocks: readonly Block[];
  private readonly live: readonly LiveFlags[];
  private readonly successors: readonly (readonly number[])[];
  /** Who made the flags that come into a block, undefined where they are in memory: by the first branch to it. */
  private readonly producers = new Map<number, Producer | undefined>();
  /** Blocks whose flags come in memory. */
  private readonly inMemory: Set<number>;
  private readonly options: TranslateOptions;
  /** The block being written. */
  private block: Block;

  constructor(blocks: readonly Block[], options: TranslateOptions, inMemory: Set<number>) {
    this.inMemory = inMemory;
    this.blocks = blocks;
    this.block = blocks[0]!;
    this.options = options;
    const { layout, strictFloat, seed } = options;
    const size = blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
    this.context = new RegionContext(
      blocks.length,
      layout,
      runtimeFunction,
      { strictFloat, wideVectors: options.model === "x86-64-v3", isSmall: size < SMALL_REGION },
      new Sites(layout, blocks, seed),
    );
    this.context.flow = this;
    this.e = this.context.e;
    this.live = blocks.map(({ instructions }) => liveFlags(instructions));
    this.successors = blocks.map((block) => this.successorsOf(block));
    this.structure = new Structure(this.e, this.e.local(I32), this.successors, (block) => this.writeBlock(block));
  }

  write(): Assembler {
    this.structure.write();
    return this.context.finish();
  }

  /** Where control goes from a block: a function written out comes back from its returns. */
  private successorsOf(block: Block): number[] {
    const last = block.instructions.at(-1)!;
    const after = isReturn(last) ? this.returnBlock(block) : block.entersFunction ? undefined : block.next;
    return [...new Set([block.target, after, ...block.known].filter((number) => number !== undefined))];
  }

  /** The block behind the call that a block of a function written out returns to. */
  private returnBlock({ frame }: Block): number | undefined {
    if (!frame) return undefined;
    const found = this.blocks.findIndex((block) => block.start === frame.returnAddress && block.frame === frame.caller);
    return found < 0 ? undefined : found;
  }

  private writeBlock(number: number): void {
    const { context } = this;
    const { model, onUnknown } = this.options;
    this.block = this.blocks[number]!;
    const { instructions, next } = this.block;
    if (this.options.countInstructions) {
      this.e.i32(0).loadAt(Memory.i64_load, AT_INSTRUCTIONS).i64(instructions.length);
      this.e.op(W.i64_add).memory(Memory.i64_store, AT_INSTRUCTIONS);
    }
    context.beginBlock(number, instructions);
    const live = this.live[number]!.behind;
    context.producer = this.producers.get(number);
    instructions.forEach((instruction, i) => {
      context.begin(instruction);
      context.liveFlags = live[i]!;
      const lower = loweringOf(instruction, model);
      if (lower) lower(context);
      else {
        if (instruction.mnemonic !== INVALID) onUnknown(instruction);
        context.raise(VECTOR_UD, 0);
      }
    });
    const last = instructions.at(-1)!;
    // A branch whose other side is not in the region has left already (`count`).
    if (last.flow === "next" || (last.flow === "branch" && next !== undefined))
      this.continueAt(next, last.address + last.length);
  }

  /** Branches to a block with the flags where it expects them. */
  private branch(block: number): void {
    if (this.live[block]!.start !== 0) this.bringFlags(block);
    this.context.noteEdge(block);
    this.structure.branch(block);
  }

  private bringFlags(block: number): void {
    const { context, producers, inMemory } = this;
    const { producer } = context;
    if (!producers.has(block)) producers.set(block, inMemory.has(block) ? undefined : producer);
    const expected = producers.get(block);
    if (!expected) context.storeFlags();
    else if (!sameProducer(expected, producer)) inMemory.add(block);
  }

  goto(target: number): void {
    this.goTo(this.block.target, target);
  }

  count(next: number): void {
    if (this.block.next === undefined) this.leaveTo(next);
    else this.spendFor(next);
  }

  /** Counts a block and goes to one, or leaves for an address. */
  private goTo(block: number | undefined, address: number): void {
    if (block === undefined) this.leaveTo(address);
    else {
      this.spendFor(address);
      this.branch(block);
    }
  }

  private spendFor(address: number): void {
    this.spend(() => this.context.storeRip(address));
  }

  private leaveTo(address: number): void {
    this.context.storeRip(address);
    this.leaveCounted();
  }

  gotoLocal(target: number): void {
    const { known } = this.block;
    if (known.length > 0) this.gotoKnown(target, known);
    else this.leaveFor(target);
  }

  /** Goes to one of some blocks, or leaves for the address in a local. */
  private gotoKnown(target: number, known: readonly number[]): void {
    const { e, context } = this;
    const pushRip = (): void => void e.storeLocalAt(Memory.i64_store, AT_RIP, target);
    this.spend(pushRip);
    // One store of the flags for all that want them in memory.
    if (known.some((block) => this.inMemory.has(block) && this.live[block]!.start !== 0)) context.flushFlags();
    const miss = e.block();
    choose(
      e,
      target,
      known.map((block) => this.blocks[block]!.start),
      miss,
      (i) => this.branch(known[i]!),
    );
    e.end();
    pushRip();
    context.leave(STATUS_DISPATCH);
  }

  private leaveFor(target: number): void {
    this.e.storeLocalAt(Memory.i64_store, AT_RIP, target);
    this.leaveCounted();
  }

  /** Leaves for RIP; that counts a block. */
  private leaveCounted(): void {
    const { e, context } = this;
    context.spend();
    e.op(W.i32_eqz).i32(Math.log2(STATUS_BUDGET)).op(W.i32_shl);
    e.set(context.status);
    context.exit();
  }

  call(target: number): void {
    if (this.block.entersFunction || this.block.next === undefined) this.goto(target);
    else {
      const { context, e } = this;
      context.storeRip(target);
      this.callAtRip(() => e.i32(jumpOffset(target, this.options.layout)).call(context.runtime("callAt")));
    }
  }

  callLocal(target: number): void {
    if (this.block.next === undefined) this.leaveFor(target);
    else {
      const { context, e } = this;
      for (const block of this.block.known) {
        const { start } = this.blocks[block]!;
        e.get(target).i64(start).op(W.i64_eq);
        e.if();
        this.goTo(block, start);
        e.end();
      }
      e.storeLocalAt(Memory.i64_store, AT_RIP, target);
      this.callAtRip(() => e.call(context.runtime("call")));
    }
  }

  /** Runs the guest function at RIP, which `call` does with its return address on the stack. */
  private callAtRip(call: () => void): void {
    const { context } = this;
    this.spend(() => {});
    context.callOut(() => {
      context.pushNext();
      call();
    });
    this.continueAt(this.block.next, context.next);
  }

  return(target: number): void {
    const { e } = this;
    const { frame } = this.block;
    const back = this.returnBlock(this.block);
    if (frame && back !== undefined) {
      e.get(target).i64(frame.returnAddress).op(W.i64_eq);
      e.if();
      this.goTo(back, frame.returnAddress);
      e.end();
    }
    this.leaveFor(target);
  }

  /** Takes a unit from the budget; with the last one the region is left, behind `storeRip`. */
  private spend(storeRip: () => void): void {
    const { e, context } = this;
    context.spend();
    e.op(W.i32_eqz).unlikely();
    e.if();
    storeRip();
    context.leave(STATUS_BUDGET);
    e.end();
  }

  /** Goes to a block, or leaves for an address, without counting. */
  private continueAt(block: number | undefined, address: number): void {
    if (block !== undefined) this.branch(block);
    else {
      this.context.storeRip(address);
      this.context.leave(STATUS_DISPATCH);
    }
  }
}

const isReturn = ({ mnemonic, flow }: Instruction): boolean => flow === "stop" && mnemonic === "ret";

function sameProducer(a: Producer, b: Producer | undefined): boolean {
  return b !== undefined && a.kind === b.kind && a.size === b.size;
}
