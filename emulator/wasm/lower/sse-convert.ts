/** SSE conversions between integers, single and double precision, and rounding to integral values. */
import { I64, V128, type ValueType } from "../emit/assembler.ts";
import { Sat, simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { byRounding, enterMmx, immediateOf, popVector, pushVector, raisePendingMmx } from "./sse.ts";
import { vectors } from "./sse-integer.ts";
import {
  bothFormats,
  DOUBLE,
  lanesOp,
  pushConstant,
  pushScalar,
  ROUND,
  scalar,
  scalarOp,
  SINGLE,
  type Format,
} from "./sse-scalar.ts";
import { floating } from "./sse-strict.ts";

type Pair = [Operand, Operand];

/** To a signed integer; what does not fit becomes the integer indefinite (Intel SDM volume 1, table 4-14). */
function toInteger(format: Format, truncates: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const size = g.sizeOf(target);
    const value = g.temp(format.type);
    const result = g.t64();
    pushScalar(g, source, format);
    e.set(value);
    if (!truncates) {
      byRounding(g, format.type, (mode) => e.get(value).op(scalarOp(format, ROUND[mode]!)));
      e.set(value);
    }
    e.get(value)
      .op(format === SINGLE ? Sat.i64_trunc_sat_f32_s : Sat.i64_trunc_sat_f64_s)
      .set(result);
    if (size === 4) {
      pushFitting32(g, format, value, result);
      g.mask(4);
    } else {
      e.get(result).i64(-0x8000000000000000n).get(value);
      pushConstant(g, format, 2 ** 63);
      e.op(scalarOp(format, "lt")).get(value);
      pushConstant(g, format, -(2 ** 63));
      e.op(scalarOp(format, "ge"), W.i32_and).select();
    }
    g.write(target);
  };
}

/** Pushes a truncated number (i64) where it fits 32 bits, else the indefinite; NaN saturated to 0, which fits. */
function pushFitting32(g: Context, format: Format, value: number, truncated: number): void {
  const { e } = g;
  e.get(truncated).i64(-0x80000000).get(truncated).get(truncated).op(W.i64_extend32_s, W.i64_eq);
  e.get(value).get(value).op(scalarOp(format, "eq"), W.i32_and).select();
}

/** Replaces lane 0 of the target by the source's value as `read` pushes it, converted. */
function intoLane(to: Format, type: ValueType, read: (g: Context, source: Operand) => void, opcode: number): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const value = g.temp(type);
    read(g, source);
    e.set(value);
    pushVector(g, target);
    e.get(value).op(opcode).lane(to.replace, 0);
    popVector(g, target);
  };
}

function fromInteger(format: Format): Lowering {
  const read = (g: Context, source: Operand): void => {
    g.read(source);
    g.signExtend(g.sizeOf(source));
  };
  return intoLane(format, I64, read, scalarOp(format, "convert_i64_s"));
}

/** Between formats, lane 0. */
function changeScalar(from: Format, to: Format): Lowering {
  const opcode = to === DOUBLE ? W.f64_promote_f32 : W.f32_demote_f64;
  return intoLane(to, from.type, (g, source) => pushScalar(g, source, from), opcode);
}

/** A packed conversion of a source of `size` bytes. */
function packed(size: number, emit: (g: Context, source: number) => void): Lowering {
  return (g) => {
    const [target, source] = g.instruction.operands as Pair;
    const b = g.tv();
    raisePendingMmx(g);
    pushVector(g, source, size);
    g.e.set(b);
    enterMmx(g);
    emit(g, b);
    popVector(g, target);
  };
}

const converted = (size: number, opcode: string): Lowering =>
  packed(size, ({ e }, b) => void e.get(b).op(simd(opcode)));

/** Singles to integers: saturation and NaN become the integer indefinite. */
function singlesToIntegers(size: 8 | 16, truncates: boolean): Lowering {
  return packed(size, (g, b) => {
    const { e } = g;
    if (!truncates) {
      byRounding(g, V128, (mode) => e.get(b).op(lanesOp(SINGLE, ROUND[mode]!)));
      e.set(b);
    }
    e.i32(0x80000000).op(V.i32x4_splat).get(b).op(simd("i32x4_trunc_sat_f32x4_s"));
    // Out of range or NaN: not below 2^31. Below -2^31 saturates to the indefinite by itself.
    e.get(b)
      .f32(2 ** 31)
      .op(V.f32x4_splat, V.f32x4_lt, V.not, V.bitselect);
  });
}

function doublesToIntegers(truncates: boolean): Lowering {
  return packed(16, (g, b) => {
    const { e } = g;
    if (!truncates) {
      byRounding(g, V128, (mode) => e.get(b).op(lanesOp(DOUBLE, ROUND[mode]!)));
      e.set(b);
    }
    const value = g.tf();
    const result = g.t64();
    e.v128(new Uint8Array(16));
    for (let i = 0; i < 2; i++) {
      e.get(b).lane(V.f64x2_extract_lane, i).tee(value).op(Sat.i64_trunc_sat_f64_s).set(result);
      pushFitting32(g, DOUBLE, value, result);
      e.wrap().lane(V.i32x4_replace_lane, i);
    }
  });
}

/** CVTPI2PS: two integers into the low half. */
function integersToLowSingles(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const b = g.tv();
  raisePendingMmx(g);
  pushVector(g, source, 8);
  e.op(simd("f32x4_convert_i32x4_s")).set(b);
  enterMmx(g);
  pushVector(g, target);
  e.get(b).lane(V.i64x2_extract_lane, 0).lane(V.i64x2_replace_lane, 0);
  popVector(g, target);
}

/** ROUNDPS and family: the immediate's mode, or MXCSR's with bit 2. */
function pushRounded(g: Context, type: number, emit: (mode: number) => void): void {
  const bits = immediateOf(g);
  if ((bits & 4) !== 0) byRounding(g, type, emit);
  else emit(bits & 3);
}

const roundPacked = (format: Format): Lowering =>
  vectors((g, _a, b) => pushRounded(g, V128, (mode) => void g.e.get(b).op(lanesOp(format, ROUND[mode]!))));

const roundScalar = (format: Format): Lowering =>
  scalar(format, (g, _a, b) =>
    pushRounded(g, format.type, (mode) => void g.e.get(b).op(scalarOp(format, ROUND[mode]!))),
  );

/** Conversions whose result is floating-point need the right NaN, those to integers do not. */
const CONVERSIONS: readonly (readonly [name: string, plain: Lowering, lanes?: Format["lanes"]])[] = [
  ["cvtsi2ss", fromInteger(SINGLE)],
  ["cvtsi2sd", fromInteger(DOUBLE)],
  ["cvtss2si", toInteger(SINGLE, false)],
  ["cvtsd2si", toInteger(DOUBLE, false)],
  ["cvttss2si", toInteger(SINGLE, true)],
  ["cvttsd2si", toInteger(DOUBLE, true)],
  ["cvtss2sd", changeScalar(SINGLE, DOUBLE), "f64x2"],
  ["cvtsd2ss", changeScalar(DOUBLE, SINGLE), "f32x4"],
  ["cvtps2pd", converted(8, "f64x2_promote_low_f32x4"), "f64x2"],
  ["cvtpd2ps", converted(16, "f32x4_demote_f64x2_zero"), "f32x4"],
  ["cvtdq2ps", converted(16, "f32x4_convert_i32x4_s")],
  ["cvtps2dq", singlesToIntegers(16, false)],
  ["cvttps2dq", singlesToIntegers(16, true)],
  ["cvtps2pi", singlesToIntegers(8, false)],
  ["cvttps2pi", singlesToIntegers(8, true)],
  ["cvtpd2dq", doublesToIntegers(false)],
  ["cvttpd2dq", doublesToIntegers(true)],
  ["cvtpd2pi", doublesToIntegers(false)],
  ["cvttpd2pi", doublesToIntegers(true)],
  ["cvtpi2ps", integersToLowSingles],
];

export const SSE_CONVERSIONS: LoweringRows = [
  ...CONVERSIONS.map(([name, plain, lanes]) => [name, floating(name, plain, lanes)] as const),
  // Exact: no exceptions.
  ["cvtdq2pd", converted(8, "f64x2_convert_low_i32x4_s")],
  ["cvtpi2pd", converted(8, "f64x2_convert_low_i32x4_s")],
  ...bothFormats((format) => [
    [`roundp${format.letter}`, floating(`roundp${format.letter}`, roundPacked(format), format.lanes)],
    [`rounds${format.letter}`, floating(`rounds${format.letter}`, roundScalar(format), format.lanes)],
  ]),
];
