/** Single and double precision for the lowerings: names, lanes and scalars of vector registers. */
import { F32, F64 } from "../emit/assembler.ts";
import { Memory, simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { popVector, pushVector } from "./sse.ts";

/** What differs between single and double precision. */
export interface Format {
  readonly type: typeof F32 | typeof F64;
  readonly bytes: 4 | 8;
  readonly prefix: "f32" | "f64";
  readonly lanes: "f32x4" | "f64x2";
  /** As in ADDSS and ADDSD. */
  readonly letter: "s" | "d";
  readonly extract: number;
  readonly replace: number;
  readonly load: number;
}

export const SINGLE: Format = {
  type: F32,
  bytes: 4,
  prefix: "f32",
  lanes: "f32x4",
  letter: "s",
  extract: V.f32x4_extract_lane,
  replace: V.f32x4_replace_lane,
  load: Memory.f32_load,
};
export const DOUBLE: Format = {
  type: F64,
  bytes: 8,
  prefix: "f64",
  lanes: "f64x2",
  letter: "d",
  extract: V.f64x2_extract_lane,
  replace: V.f64x2_replace_lane,
  load: Memory.f64_load,
};

/** WebAssembly's rounding operations by MXCSR's and ROUNDxx's modes. */
export const ROUND = ["nearest", "floor", "ceil", "trunc"];

export const scalarOp = (format: Format, name: string): number =>
  (W as Record<string, number>)[`${format.prefix}_${name}`]!;
export const lanesOp = (format: Format, name: string): number => simd(`${format.lanes}_${name}`);

/** Pushes a constant. */
export function pushConstant(g: Context, format: Format, value: number): void {
  if (format === SINGLE) g.e.f32(value);
  else g.e.f64(value);
}

/** Rows of both precisions. */
export const bothFormats = (rows: (format: Format) => LoweringRows): LoweringRows => [SINGLE, DOUBLE].flatMap(rows);

/** Pushes the scalar in lane 0 of a register, or in memory. */
export function pushScalar(g: Context, operand: Operand, format: Format): void {
  if (operand.kind === "memory") {
    const address = g.t64();
    g.pushAddress(operand);
    g.e.set(address);
    g.loadThrough(address, format.bytes, format.type, (offset) => g.e.memory(format.load, offset));
  } else {
    pushVector(g, operand);
    g.e.lane(format.extract, 0);
  }
}

/** A scalar function of target and source into lane 0 of the target. */
export function scalar(format: Format, change: (g: Context, a: number, b: number) => void): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const [a, b] = [g.temp(format.type), g.temp(format.type)];
    pushScalar(g, source, format);
    e.set(b);
    pushVector(g, target);
    e.lane(format.extract, 0).set(a);
    pushVector(g, target);
    change(g, a, b);
    e.lane(format.replace, 0);
    popVector(g, target);
  };
}
