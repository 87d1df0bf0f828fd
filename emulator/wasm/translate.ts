/**
 * From blocks of guest instructions to one WebAssembly module with one function.
 *
 * The blocks lie behind one another in nested `block`s inside a `loop`; a `br_table` on the block number, which is also
 * the function's argument, leads to any of them. Jumps forward are direct branches, jumps back go over the table.
 * Registers live in locals; every way out passes the epilogue, which stores those that were changed.
 */
import { Assembler, VOID, type Label } from "./emit/assembler.ts";
import { ModuleWriter } from "./emit/module-writer.ts";
import { W } from "./emit/opcodes.ts";
import { REGION_SIGNATURE } from "./base-module.ts";
import type { Block } from "./blocks.ts";
import { Context, STATUS_BUDGET, STATUS_DISPATCH, STATUS_FAULT, type Flow } from "./context.ts";
import { INVALID, type Instruction } from "./decode.ts";
import type { Layout } from "./layout.ts";
import { liveFlags } from "./liveness.ts";
import { loweringOf } from "./lower/models.ts";
import type { CpuModel } from "./runtime/cpu-model.ts";
import { REGION_IMPORTS } from "./runtime/signatures.ts";

const LABEL_PARAMETER = 0;

export interface TranslateOptions {
  readonly layout: Layout;
  readonly model: CpuModel;
  /** Told of instructions there is no lowering for; they raise #UD. */
  readonly onUnknown: (instruction: Instruction) => void;
}

/** The module of a region whose block numbers are the indexes of `blocks`. */
export function translate(blocks: readonly Block[], options: TranslateOptions): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const imported = new Map<string, number>();
  const body = writeRegion(blocks, options, (name) => {
    let index = imported.get(name);
    if (index === undefined) imported.set(name, (index = module.import(name, REGION_IMPORTS[name]!)));
    return index;
  });
  module.define(REGION_SIGNATURE, body, "region");
  return module.finish();
}

function writeRegion(
  blocks: readonly Block[],
  { layout, model, onUnknown }: TranslateOptions,
  runtime: (name: string) => number,
): Assembler {
  const e = new Assembler(1);
  const context = new Context(e, layout, runtime);
  const exit = e.block();
  const fault = e.block();
  const region = new RegionFlow(context, blocks, exit, fault);
  context.flow = region;
  region.open();
  blocks.forEach((block, i) => {
    region.enter(i);
    writeBlock(context, region, block, model, onUnknown);
  });
  region.close();
  e.end();
  e.i32(STATUS_FAULT).set(context.status);
  e.end();
  context.writeEpilogue();
  return withPrologue(e, context);
}

/** Puts the loading of registers, known only now, in front. */
function withPrologue(e: Assembler, context: Context): Assembler {
  const prologue = new Assembler(1);
  context.writePrologue(prologue);
  const body = e.code.bytes.slice();
  e.code.length = 0;
  e.code.append(prologue.code.bytes);
  e.code.append(body);
  return e;
}

function writeBlock(
  context: Context,
  region: RegionFlow,
  block: Block,
  model: CpuModel,
  onUnknown: (instruction: Instruction) => void,
): void {
  const live = liveFlags(block.instructions);
  context.producer = undefined;
  block.instructions.forEach((instruction, i) => {
    context.begin(instruction);
    context.liveFlags = live[i]!;
    const lower = loweringOf(instruction, model);
    if (lower) lower(context);
    else {
      if (instruction.mnemonic !== INVALID) onUnknown(instruction);
      context.raise(6, 0);
    }
  });
  const last = block.instructions.at(-1)!;
  if (last.flow === "next" || last.flow === "branch") region.continueAt(last.address + last.length);
}

class RegionFlow implements Flow {
  readonly exit: Label;
  readonly fault: Label;
  private readonly context: Context;
  private readonly numbers: Map<number, number>;
  private readonly labels: Label[] = [];
  private loop: Label = 0;
  private current = 0;

  constructor(context: Context, blocks: readonly Block[], exit: Label, fault: Label) {
    this.context = context;
    this.exit = exit;
    this.fault = fault;
    this.numbers = new Map(blocks.map((block, i) => [block.start, i]));
  }

  open(): void {
    const { e } = this.context;
    this.loop = e.loop(VOID);
    const count = this.numbers.size;
    for (let i = count - 1; i >= 0; i--) this.labels[i] = e.block();
    e.get(LABEL_PARAMETER).brTable(this.labels);
  }

  enter(block: number): void {
    this.current = block;
    this.context.e.end();
  }

  close(): void {
    this.context.e.end();
  }

  goto(target: number): void {
    this.count(target);
    this.continueAt(target);
  }

  count(target: number): void {
    const { e, budget } = this.context;
    e.get(budget).i32(1).op(W.i32_sub).tee(budget).op(W.i32_eqz);
    e.if();
    this.context.storeRip(target);
    this.context.leave(STATUS_BUDGET);
    e.end();
  }

  /** Goes to an address without counting a block. */
  continueAt(target: number): void {
    const { e } = this.context;
    const number = this.numbers.get(target);
    if (number === undefined) {
      this.context.storeRip(target);
      this.context.leave(STATUS_DISPATCH);
    } else if (number > this.current) e.br(this.labels[number]!);
    else e.i32(number).set(LABEL_PARAMETER).br(this.loop);
  }
}
