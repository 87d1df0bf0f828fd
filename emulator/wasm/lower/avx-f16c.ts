/** VCVTPH2PS and VCVTPS2PH: by helper. */
import { Memory, V } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand, Operand } from "../decode.ts";
import { AT_F16C_RESULT, AT_F16C_SOURCE } from "../runtime/f16c.ts";
import { control, isYmm, raiseUnmasked, readHalves, writeHalves, type Halves } from "./avx.ts";
import type { LoweringRows } from "./lowering.ts";
import { pushVector } from "./sse.ts";

type Pair = [Operand, Operand];

function callHelper(g: Context, toHalf: boolean, elements: number, results: number): Halves {
  const { e } = g;
  e.i32(toHalf ? 1 : 0).i32(elements);
  e.i32(toHalf ? control(g) : 0).call(g.runtime("f16c"));
  raiseUnmasked(g);
  return Array.from({ length: results }, (_, i) => {
    const half = g.tv();
    e.loadAt(V.load, AT_F16C_RESULT + i * 16).set(half);
    return half;
  });
}

function toSingles(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const wide = isYmm(target);
  const value = g.tv();
  pushVector(g, source, wide ? 16 : 8, false);
  e.set(value).storeLocalAt(V.store, AT_F16C_SOURCE, value);
  writeHalves(g, target, callHelper(g, false, wide ? 8 : 4, wide ? 2 : 1));
}

/** The upper half of a 64-bit result in a register is zero. */
function toHalves(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const wide = isYmm(source);
  const size = wide ? 16 : 8;
  // MXCSR's flags are set behind a fault only.
  const host = target.kind === "memory" ? hostOf(g, target, size) : 0;
  readHalves(g, source, wide ? 2 : 1).forEach((half, i) => e.storeLocalAt(V.store, AT_F16C_SOURCE + i * 16, half));
  e.i32(0)
    .i64(0)
    .memory(Memory.i64_store, AT_F16C_RESULT + 8);
  const [result] = callHelper(g, true, wide ? 8 : 4, 1) as [number];
  if (target.kind === "register") writeHalves(g, target, [result]);
  else {
    e.get(host).get(result);
    if (wide) e.memory(V.store);
    else e.lane(V.i64x2_extract_lane, 0).memory(Memory.i64_store);
    g.commit(host, size);
  }
}

/** A local with the host address of a memory operand to be written. */
function hostOf(g: Context, operand: MemoryOperand, size: number): number {
  const address = g.t64();
  const host = g.t32();
  g.pushAddress(operand);
  g.e.set(address);
  g.pushHost(address, size, true);
  g.e.set(host);
  return host;
}

export const AVX_F16C: LoweringRows = [
  ["vcvtph2ps", toSingles],
  ["vcvtps2ph", toHalves],
];
