/**
 * From a graph of blocks to a WebAssembly function. Registers and flags live in locals; every way
 * out passes the epilogue, which stores what was changed. A guest call is a call of the base module, which runs the
 * callee's translations up to its return: registers are stored before and loaded behind it.
 */
import { Assembler } from "../emit/assembler.ts";
import { I32 } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { STATUS_BUDGET, STATUS_DISPATCH, STATUS_FAULT, type Flow } from "../context.ts";
import { INVALID, type Instruction } from "../decode.ts";
import type { Producer } from "../flags.ts";
import { AT_RIP, type Layout } from "../layout.ts";
import { functionBody, type FunctionBody } from "../emit/module-writer.ts";
import { runtimeFunction } from "../linked-module.ts";
import { loweringOf } from "../lower/models.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import type { Block } from "./graph.ts";
import { liveFlags } from "./liveness.ts";
import { RegionContext } from "./region-context.ts";
import { Structure } from "./structure.ts";

const VECTOR_UD = 6;

export interface TranslateOptions {
  readonly layout: Layout;
  readonly model: CpuModel;
  /** Told of instructions there is no lowering for; they raise #UD. */
  readonly onUnknown: (instruction: Instruction) => void;
}

/** The function of a region, which starts at the first of its blocks, for a linked module. */
export function translate(blocks: readonly Block[], options: TranslateOptions): FunctionBody {
  return functionBody(new RegionWriter(blocks, options).write());
}

class RegionWriter implements Flow {
  exit = 0;
  fault = 0;
  private readonly e = new Assembler(1);
  private readonly context: RegionContext;
  private readonly structure: Structure;
  private readonly blocks: readonly Block[];
  private readonly numbers: ReadonlyMap<number, number>;
  private readonly predecessors: readonly (readonly number[])[];
  /** Who made the flags at the end of each block written so far. */
  private readonly producers: (Producer | undefined)[] = [];
  private readonly options: TranslateOptions;

  constructor(blocks: readonly Block[], options: TranslateOptions) {
    this.blocks = blocks;
    this.options = options;
    this.context = new RegionContext(this.e, options.layout, runtimeFunction);
    this.context.flow = this;
    this.numbers = new Map(blocks.map(({ start }, i) => [start, i]));
    this.predecessors = blocks.map((_, i) =>
      blocks.flatMap(({ successors }, from) => (successors.includes(i) ? [from] : [])),
    );
    this.structure = new Structure(
      this.e,
      this.e.local(I32),
      blocks.map(({ successors }) => successors),
      (block) => this.writeBlock(block),
    );
  }

  write(): Assembler {
    const { e, context } = this;
    context.loadState();
    this.exit = e.block();
    this.fault = e.block();
    this.structure.write();
    e.end();
    e.i32(STATUS_FAULT).set(context.status);
    e.end();
    context.storeState();
    return e.get(context.status);
  }

  private writeBlock(number: number): void {
    const { context } = this;
    const { model, onUnknown } = this.options;
    const { instructions } = this.blocks[number]!;
    const live = liveFlags(instructions);
    context.producer = this.producerAt(number);
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
    this.producers[number] = last.flow === "call" ? undefined : context.producer;
    if (last.flow === "next" || last.flow === "branch") this.continueAt(last.address + last.length);
  }

  /** Whose flags come into a block from all sides. Sides not yet written, and the entry, may bring anything. */
  private producerAt(number: number): Producer | undefined {
    const before = this.predecessors[number]!.map((from) => this.producers[from]);
    const [first] = before;
    if (number === 0 || first === undefined) return undefined;
    return before.every((other) => other?.kind === first.kind && other.size === first.size) ? first : undefined;
  }

  goto(target: number): void {
    this.count(target);
    this.continueAt(target);
  }

  count(target: number): void {
    const { e, context } = this;
    context.spend();
    e.op(W.i32_eqz).unlikely();
    e.if();
    context.storeRip(target);
    context.leave(STATUS_BUDGET);
    e.end();
  }

  gotoLocal(target: number): void {
    const { e, context } = this;
    e.i32(0).get(target).memory(Memory.i64_store, AT_RIP);
    context.spend();
    e.op(W.i32_eqz).i32(Math.log2(STATUS_BUDGET)).op(W.i32_shl);
    e.set(context.status).br(this.exit);
  }

  call(target: number): void {
    if (!this.numbers.has(this.context.next)) this.goto(target);
    else {
      this.context.storeRip(target);
      this.callAtRip();
    }
  }

  callLocal(target: number): void {
    if (!this.numbers.has(this.context.next)) this.gotoLocal(target);
    else {
      this.e.i32(0).get(target).memory(Memory.i64_store, AT_RIP);
      this.callAtRip();
    }
  }

  /** Runs the guest function at RIP. Where nobody has come back from one yet, it is a jump instead. */
  private callAtRip(): void {
    const { e, context } = this;
    context.spend();
    e.op(W.i32_eqz).unlikely();
    e.if();
    context.leave(STATUS_BUDGET);
    e.end();
    context.storeState();
    context.pushNext();
    e.call(context.runtime("call")).tee(context.status);
    e.if();
    e.get(context.status).return();
    e.end();
    context.loadState();
    this.continueAt(context.next);
  }

  return(target: number): void {
    this.gotoLocal(target);
  }

  /** Goes to an address without counting a block. */
  private continueAt(target: number): void {
    const number = this.numbers.get(target);
    if (number !== undefined) this.structure.branch(number);
    else {
      this.context.storeRip(target);
      this.context.leave(STATUS_DISPATCH);
    }
  }
}
