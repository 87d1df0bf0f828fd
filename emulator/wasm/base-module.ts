/** The part of the engine that is the same for all programs, as one generated module: dispatcher, flags, slow memory. */
import { Assembler, I32, I64 } from "./emit/assembler.ts";
import { ModuleWriter, type Signature } from "./emit/module-writer.ts";
import { Memory, W } from "./emit/opcodes.ts";
import { STATUS_MISS } from "./context.ts";
import { writeFlagsFunction } from "./flags.ts";
import { VECTOR_FUNCTIONS } from "./runtime/avx-functions.ts";
import { AT_HIGH, AT_RIP, JUMP_ENTRIES, type Layout } from "./layout.ts";
import { BASE_FUNCTIONS, HELPER_FUNCTIONS, HOST_FUNCTIONS, type HelperName } from "./runtime/signatures.ts";

/** A region: takes the number of the block to start at, returns a status. */
export const REGION_SIGNATURE = { parameters: [I32], results: [I32] } as const;

export interface BaseExports {
  /** Runs regions until one returns something else than STATUS_DISPATCH or none is known. */
  run(): number;
  flags(operation: number, a: bigint, b: bigint, r: bigint): number;
  table: WebAssembly.Table;
}

/** Offset in the jump cache of a virtual address: mirrored by `writeRun`. */
export function jumpOffset(address: number): number {
  const low = (address % 4294967296) | 0;
  return ((low ^ (low >>> 9)) & (JUMP_ENTRIES - 1)) << 4;
}

export function baseModule(layout: Layout): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
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

  for (const [name, slow] of [
    ["read", host.readSlow],
    ["write", host.writeSlow],
  ] as const) {
    const e = new Assembler(3);
    e.storeLocalAt(Memory.i64_store, AT_RIP, 1);
    e.get(0).wrap().get(0).i64(32).op(W.i64_shr_u).wrap().get(2).call(slow);
    module.define(BASE_FUNCTIONS[name], e, name);
  }

  // V8 compiles a wrapper for every JavaScript function that a module imports, 0.3 ms a region: only this module does.
  for (const [name, signature] of Object.entries(HELPER_FUNCTIONS) as [HelperName, Signature][]) {
    const e = new Assembler(signature.parameters.length);
    signature.parameters.forEach((_, i) => e.get(i));
    module.define(signature, e.call(helpers[name]), name);
  }

  const flags = new Assembler(4);
  writeFlagsFunction(flags);
  module.define(BASE_FUNCTIONS.flags, flags, "flags");

  const raise = new Assembler(3);
  raise.storeLocalAt(Memory.i64_store, AT_RIP, 0).get(1).get(2).call(host.raiseStop);
  module.define(BASE_FUNCTIONS.raise, raise, "raise");

  const multiply = new Assembler(2);
  writeMultiply(multiply);
  module.define(BASE_FUNCTIONS.multiply, multiply, "multiply");

  for (const [name, { signature, write }] of Object.entries(VECTOR_FUNCTIONS)) {
    const e = new Assembler(signature.parameters.length);
    write(e, helpers.fma);
    module.define(signature, e, name);
  }
  return module.finish();
}

function writeRun(e: Assembler, layout: Layout, region: number): void {
  const rip = e.local(I64);
  const entry = e.local(I32);
  const status = e.local(I32);
  const again = e.loop();
  e.loadAt(Memory.i64_load, AT_RIP).tee(rip).wrap().tee(entry).get(entry).i32(9).op(W.i32_shr_u, W.i32_xor);
  e.i32(JUMP_ENTRIES - 1)
    .op(W.i32_and)
    .i32(4)
    .op(W.i32_shl)
    .tee(entry);
  e.memory(Memory.i64_load, layout.jumpCache).get(rip).op(W.i64_eq);
  e.if();
  e.get(entry).memory(Memory.i32_load, layout.jumpCache + 12);
  e.get(entry).memory(Memory.i32_load, layout.jumpCache + 8);
  e.op(0x11, region, 0).tee(status).op(W.i32_eqz).brIf(again);
  e.get(status).return();
  e.end();
  e.end();
  e.i32(STATUS_MISS);
}

/** 64 x 64 -> 128 bits from four 32-bit products. */
function writeMultiply(e: Assembler): void {
  const [a0, a1, b0, b1, low, middle, cross] = [0, 1, 2, 3, 4, 5, 6].map(() => e.local(I64)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const half = (from: number, low32: number, high32: number): void => {
    e.get(from).i64(0xffffffff).op(W.i64_and).set(low32);
    e.get(from).i64(32).op(W.i64_shr_u).set(high32);
  };
  half(0, a0, a1);
  half(1, b0, b1);
  e.get(a0).get(b0).op(W.i64_mul).set(low);
  e.get(a1).get(b0).op(W.i64_mul).get(low).i64(32).op(W.i64_shr_u, W.i64_add).set(middle);
  e.get(a0).get(b1).op(W.i64_mul).get(middle).i64(0xffffffff).op(W.i64_and, W.i64_add).set(cross);
  e.i32(0);
  e.get(a1).get(b1).op(W.i64_mul).get(middle).i64(32).op(W.i64_shr_u, W.i64_add);
  e.get(cross).i64(32).op(W.i64_shr_u, W.i64_add);
  e.memory(Memory.i64_store, AT_HIGH);
  e.get(0).get(1).op(W.i64_mul);
}
