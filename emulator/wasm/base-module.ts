/** The part of the engine that is the same for all programs, as one generated module: dispatcher, flags, slow memory. */
import { writePageHash } from "./cache/page-hash.ts";
import { Assembler, I32, I64 } from "./emit/assembler.ts";
import { ModuleWriter, type Signature } from "./emit/module-writer.ts";
import { Memory, W } from "./emit/opcodes.ts";
import { STATUS_CHAIN, STATUS_DISPATCH, STATUS_HOT, STATUS_MISS, STATUS_UNWIND } from "./context.ts";
import { CONDITION_FUNCTIONS, writeConditionFunction, writeFlagsFunction } from "./flags.ts";
import {
  BLOCK_ADDRESS,
  BLOCK_COUNTER,
  BLOCK_HEADER,
  BLOCK_LENGTH,
  RECORD_BYTES,
  RECORD_HANDLER,
  MOST_TARGETS,
  RECORD_TARGETS,
  TARGETS_COUNT,
  TARGETS_FIRST,
} from "./interpret/records.ts";
import { AT_DEPTH, AT_INSTRUCTIONS, AT_RIP, leastMemory, type Layout } from "./layout.ts";
import { AGGREGATION_FUNCTIONS, AGGREGATION_SIGNATURES } from "./runtime/string-aggregations.ts";
import { LOOK, READ, WHOLE, WITH_WINDOW, WRITE } from "./page-walk.ts";
import { writeAccessAt, writeSlowAccess } from "./windows.ts";
import { writeString } from "./runtime/string-moves.ts";
import { VECTOR_FUNCTIONS } from "./runtime/avx-functions.ts";
import type { CpuModel } from "./runtime/cpu-model.ts";
import { BASE_FUNCTIONS, HELPER_FUNCTIONS, HOST_FUNCTIONS, type HelperName } from "./runtime/signatures.ts";

/** Where the usual translator puts `interpret` in the table: it takes the first place. */
const INTERPRET_SLOT = 1;

/** Guest calls nest so deep on V8's stack. */
const DEEPEST_CALL = 100;

/** A region: takes the number of the block to start at, returns a status. */
export const REGION_SIGNATURE = { parameters: [I32], results: [I32] } as const;

export interface BaseExports {
  /** Runs regions until one returns something else than STATUS_DISPATCH or none is known. */
  run(): number;
  /** Runs the block of records at an address in RAM. */
  interpret(block: number): number;
  flags(operation: number, a: bigint, b: bigint, r: bigint): number;
  /** A hash of the page at an address in RAM. */
  hashPage(address: number): bigint;
  table: WebAssembly.Table;
}

/** Offset in the jump cache of a virtual address: mirrored by `writeRun`. */
export function jumpOffset(address: number, { jumpEntries }: Layout): number {
  const low = (address % 4294967296) | 0;
  return ((low ^ (low >>> 9)) & (jumpEntries - 1)) << 4;
}

export function baseModule(layout: Layout, countInstructions: boolean, model: CpuModel): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.leastMemory = leastMemory(layout);
  const importAll = <T extends Record<string, Signature>>(functions: T): Record<keyof T, number> =>
    Object.fromEntries(
      Object.entries(functions).map(([name, signature]) => [name, module.import(name, signature)]),
    ) as Record<keyof T, number>;
  const host = importAll(HOST_FUNCTIONS);
  const helpers = importAll(HELPER_FUNCTIONS);
  module.ownTable("table");
  const region = module.type(REGION_SIGNATURE);

  const run = new Assembler(0);
  writeRun(run, layout, region);
  module.define({ parameters: [], results: [I32] }, run, "run");

  const call = new Assembler(1);
  writeCall(call, layout, region);
  module.define(BASE_FUNCTIONS.call, call, "call");

  const callAt = new Assembler(2);
  writeCall(callAt, layout, region, 1);
  module.define(BASE_FUNCTIONS.callAt, callAt, "callAt");

  const interpret = new Assembler(1);
  writeInterpret(interpret, layout, region, countInstructions);
  module.define(REGION_SIGNATURE, interpret, "interpret");

  const hashPage = new Assembler(1);
  writePageHash(hashPage);
  module.define({ parameters: [I32], results: [I64] }, hashPage, "hashPage");

  const noteTarget = new Assembler(2);
  writeNoteTarget(noteTarget);
  module.define(BASE_FUNCTIONS.noteTarget, noteTarget, "noteTarget");

  for (const [name, how] of [
    ["read", READ],
    ["write", WRITE],
    ["readWhole", READ | WHOLE],
    ["writeWhole", WRITE | WHOLE],
    ["lookToRead", READ | WHOLE | LOOK],
    ["lookToWrite", WRITE | WHOLE | LOOK],
  ] as const) {
    const e = new Assembler(3);
    writeSlowAccess(e, host.accessBy, how, () => e.get(2));
    module.define(BASE_FUNCTIONS[name], e, name);
  }

  // V8 compiles a wrapper for every JavaScript function that a module imports, 0.3 ms a region: only this module does.
  for (const [name, signature] of Object.entries(HELPER_FUNCTIONS) as [HelperName, Signature][]) {
    const e = new Assembler(signature.parameters.length);
    if (name === "string") writeString(e, layout, helpers.string);
    else {
      signature.parameters.forEach((_, i) => e.get(i));
      e.call(helpers[name]);
    }
    module.define(signature, e, name);
  }

  for (const [name, how] of [
    ["readAt", READ | WHOLE | WITH_WINDOW],
    ["writeAt", WRITE | WHOLE | WITH_WINDOW],
    ["lookToReadAt", READ | WHOLE | WITH_WINDOW | LOOK],
    ["lookToWriteAt", WRITE | WHOLE | WITH_WINDOW | LOOK],
  ] as const) {
    const e = new Assembler(4);
    writeAccessAt(e, layout, host.accessBy, how);
    module.define(BASE_FUNCTIONS[name], e, name);
  }

  const flags = new Assembler(4);
  writeFlagsFunction(flags);
  module.define(BASE_FUNCTIONS.flags, flags, "flags");

  CONDITION_FUNCTIONS.forEach((name, i) => {
    const e = new Assembler(4);
    writeConditionFunction(e, i * 2);
    module.define(BASE_FUNCTIONS[name], e, name);
  });

  const raise = new Assembler(3);
  raise.storeLocalAt(Memory.i64_store, AT_RIP, 0).get(1).get(2).call(host.raiseStop);
  module.define(BASE_FUNCTIONS.raise, raise, "raise");

  for (const [name, { signature, write }] of Object.entries(VECTOR_FUNCTIONS)) {
    const e = new Assembler(signature.parameters.length);
    // On other models nobody calls them, and they would cost a millisecond of every start.
    if (model === "x86-64-v3") write(e, helpers.fma);
    else e.unreachable();
    module.define(signature, e, name);
  }

  for (const [name, write] of Object.entries(AGGREGATION_FUNCTIONS)) {
    const signature = AGGREGATION_SIGNATURES[name]!;
    const e = new Assembler(signature.parameters.length);
    write(e);
    module.define(signature, e, name);
  }
  return module.finish();
}

/** Sets `entry` to the offset of the jump cache's entry for RIP, or runs `miss` when that is another address's. */
function writeLookUp(e: Assembler, layout: Layout, entry: number, miss: () => void): void {
  const rip = e.local(I64);
  e.loadAt(Memory.i64_load, AT_RIP).tee(rip).wrap().tee(entry).get(entry).i32(9).op(W.i32_shr_u, W.i32_xor);
  e.i32(layout.jumpEntries - 1)
    .op(W.i32_and)
    .i32(4)
    .op(W.i32_shl)
    .tee(entry);
  e.memory(Memory.i64_load, layout.jumpCache).get(rip).op(W.i64_ne);
  e.if();
  miss();
  e.end();
}

/** Jumps into the translation at RIP, if the jump cache knows it, and leaves its status in a local; else runs `miss`. */
function writeDispatch(e: Assembler, layout: Layout, region: number, status: number, miss: () => void): void {
  const entry = e.local(I32);
  writeLookUp(e, layout, entry, miss);
  writeEnter(e, layout, region, status, entry);
}

/** Jumps into the translation of an entry of the jump cache. */
function writeEnter(e: Assembler, layout: Layout, region: number, status: number, entry: number): void {
  e.get(entry).memory(Memory.i32_load, layout.jumpCache + 12);
  e.get(entry).memory(Memory.i32_load, layout.jumpCache + 8);
  e.callIndirect(region).set(status);
}

/** Runs translations until one returns something else than STATUS_DISPATCH. */
function writeRun(e: Assembler, layout: Layout, region: number): void {
  const status = e.local(I32);
  const again = e.loop();
  e.i32(0).i32(0).memory(Memory.i32_store, AT_DEPTH);
  writeDispatch(e, layout, region, status, () => e.i32(STATUS_MISS).return());
  e.get(status).op(W.i32_eqz).brIf(again);
  e.get(status).i32(STATUS_UNWIND).op(W.i32_eq).brIf(again);
  e.end();
  e.get(status);
}

/**
 * As `run`, but ends with STATUS_DISPATCH when RIP is the return address, and goes only so deep.
 *
 * @param first a local with the offset of the jump cache's entry for RIP, where the caller knows it
 */
function writeCall(e: Assembler, layout: Layout, region: number, first?: number): void {
  const returnAddress = 0;
  const status = e.local(I32);
  const depth = e.local(I32);
  const miss = (): void => void e.i32(STATUS_MISS).return();
  e.loadAt(Memory.i32_load, AT_DEPTH).tee(depth).i32(DEEPEST_CALL).op(W.i32_ge_u).unlikely();
  e.if();
  e.i32(STATUS_UNWIND).return();
  e.end();
  e.i32(0).get(depth).i32(1).op(W.i32_add).memory(Memory.i32_store, AT_DEPTH);
  const back = e.block();
  const leaveIfBack = (): void => {
    e.get(status);
    e.if();
    e.get(status).return();
    e.end();
    e.loadAt(Memory.i64_load, AT_RIP).get(returnAddress).op(W.i64_eq).brIf(back);
  };
  if (first !== undefined) {
    e.get(first).memory(Memory.i64_load, layout.jumpCache).loadAt(Memory.i64_load, AT_RIP).op(W.i64_ne).unlikely();
    e.if();
    miss();
    e.end();
    writeEnter(e, layout, region, status, first);
    leaveIfBack();
  }
  const again = e.loop();
  writeDispatch(e, layout, region, status, miss);
  leaveIfBack();
  e.br(again);
  e.end();
  e.end();
  e.storeLocalAt(Memory.i32_store, AT_DEPTH, depth);
  e.i32(STATUS_DISPATCH);
}

/**
 * Runs a block of records (interpret/records.ts) from its header on, and those that follow as long as the interpreter has
 * them: the dispatcher's work without a call for every block.
 */
function writeInterpret(e: Assembler, layout: Layout, handler: number, countInstructions: boolean): void {
  const block = 0;
  const record = e.local(I32);
  const status = e.local(I32);
  const entry = e.local(I32);
  const nextBlock = e.loop();
  e.get(block).get(block).memory(Memory.i32_load, BLOCK_COUNTER).i32(1).op(W.i32_sub).tee(status);
  e.memory(Memory.i32_store, BLOCK_COUNTER).get(status).op(W.i32_eqz);
  e.if();
  e.i32(0).get(block).memory(Memory.i64_load, BLOCK_ADDRESS).memory(Memory.i64_store, AT_RIP);
  e.i32(STATUS_HOT).return();
  e.end();
  if (countInstructions) {
    e.i32(0).loadAt(Memory.i64_load, AT_INSTRUCTIONS).get(block).memory(Memory.i64_load32_u, BLOCK_LENGTH);
    e.op(W.i64_add).memory(Memory.i64_store, AT_INSTRUCTIONS);
  }
  e.get(block)
    .i32(BLOCK_HEADER - RECORD_BYTES)
    .op(W.i32_add)
    .set(record);
  const again = e.loop();
  e.get(record).i32(RECORD_BYTES).op(W.i32_add).tee(record);
  e.get(record).memory(Memory.i32_load, RECORD_HANDLER).callIndirect(handler).tee(status);
  e.op(W.i32_eqz).brIf(again);
  e.end();
  e.get(status)
    .i32(1 + STATUS_CHAIN)
    .op(W.i32_eq);
  e.if();
  writeLookUp(e, layout, entry, () => e.i32(STATUS_DISPATCH).return());
  e.get(entry)
    .memory(Memory.i32_load, layout.jumpCache + 12)
    .set(block);
  e.get(entry)
    .memory(Memory.i32_load, layout.jumpCache + 8)
    .i32(INTERPRET_SLOT)
    .op(W.i32_eq)
    .brIf(nextBlock);
  e.i32(STATUS_DISPATCH).return();
  e.end();
  e.end();
  e.get(status).i32(1).op(W.i32_sub);
}

/** Puts a target into the list of its jump, where there is one and it has room (interpret/records.ts). */
function writeNoteTarget(e: Assembler): void {
  const [record, target] = [0, 1];
  const [list, i] = [e.local(I32), e.local(I32)];
  const pushPlace = (): void => void e.get(list).get(i).i32(3).op(W.i32_shl, W.i32_add);
  e.get(record).memory(Memory.i32_load, RECORD_TARGETS).tee(list).op(W.i32_eqz);
  e.if();
  e.return();
  e.end();
  const full = e.block();
  const again = e.loop();
  e.get(i).get(list).memory(Memory.i32_load, TARGETS_COUNT).op(W.i32_ge_u).brIf(full);
  pushPlace();
  e.memory(Memory.i64_load, TARGETS_FIRST).get(target).op(W.i64_eq);
  e.if();
  e.return();
  e.end();
  e.get(i).i32(1).op(W.i32_add).set(i).br(again);
  e.end();
  e.end();
  e.get(i).i32(MOST_TARGETS).op(W.i32_lt_u);
  e.if();
  pushPlace();
  e.get(target).memory(Memory.i64_store, TARGETS_FIRST);
  e.get(list).get(i).i32(1).op(W.i32_add).memory(Memory.i32_store, TARGETS_COUNT);
  e.end();
}
