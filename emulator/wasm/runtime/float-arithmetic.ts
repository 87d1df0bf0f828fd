/**
 * Scalar operations of SSE on bit patterns, exactly rounded, with their exceptions (Intel SDM volume 1, sections 4.8,
 * 4.9 and 11.5). Exceptions are collected in `how.flags`; whether a result is used is the caller's business.
 */
import * as exact from "./exact.ts";
import { DENORMAL, INEXACT, INVALID, ZERO_DIVIDE, type Rounding } from "./exact.ts";
import {
  decode,
  DOUBLE,
  encode,
  infinityBits,
  isDenormalBits,
  isInfiniteBits,
  isNaNBits,
  isSignalingBits,
  isZeroBits,
  quietBits,
  signOf,
  SINGLE,
  zeroBits,
  type Interchange,
} from "./interchange.ts";

/** How MXCSR wants an operation done. */
export interface FloatControl extends Rounding {
  /** DAZ: denormal operands are zeros. */
  readonly denormalsAreZero: boolean;
}

export type Arithmetic = "add" | "sub" | "mul" | "div";

function invalid(format: Interchange, how: Rounding): bigint {
  how.flags |= INVALID;
  return format.indefinite;
}

/** An operand as the operation sees it. */
export function operand(x: bigint, format: Interchange, how: FloatControl): bigint {
  return how.denormalsAreZero && isDenormalBits(x, format) ? zeroBits(signOf(x, format), format) : x;
}

function noteDenormals(operands: readonly bigint[], format: Interchange, how: Rounding): void {
  if (operands.some((x) => isDenormalBits(x, format))) how.flags |= DENORMAL;
}

/** The first NaN among the operands, quieted (SDM volume 1, table 4-7). */
export function nanOf(operands: readonly bigint[], format: Interchange, how: Rounding): bigint | undefined {
  const nan = operands.find((x) => isNaNBits(x, format));
  if (nan === undefined) return undefined;
  if (operands.some((x) => isSignalingBits(x, format))) how.flags |= INVALID;
  return quietBits(nan, format);
}

export function calculate(
  operation: Arithmetic,
  left: bigint,
  right: bigint,
  format: Interchange,
  how: FloatControl,
): bigint {
  const [a, b] = [operand(left, format, how), operand(right, format, how)];
  const nan = nanOf([a, b], format, how);
  if (nan !== undefined) return nan;
  const special = specialOf(operation, a, b, format, how);
  if ((how.flags & INVALID) !== 0 && special === format.indefinite) return special;
  if (special !== undefined && operation === "div" && isZeroBits(b, format)) return special;
  noteDenormals([a, b], format, how);
  if (special !== undefined) return special;
  const [x, y] = [decode(a, format)!, decode(b, format)!];
  switch (operation) {
    case "add":
      return encode(exact.add(x, y, how.mode), format, how);
    case "sub":
      return encode(exact.add(x, { ...y, sign: (1 - y.sign) as 0 | 1 }, how.mode), format, how);
    case "mul":
      return encode(exact.multiply(x, y), format, how);
    case "div":
      return encode(exact.divide(x, y), format, how);
  }
}

/** Results that involve infinity or a division by zero. */
function specialOf(
  operation: Arithmetic,
  a: bigint,
  b: bigint,
  format: Interchange,
  how: Rounding,
): bigint | undefined {
  const [ia, ib] = [isInfiniteBits(a, format), isInfiniteBits(b, format)];
  const [za, zb] = [isZeroBits(a, format), isZeroBits(b, format)];
  const sign = (signOf(a, format) ^ signOf(b, format)) as 0 | 1;
  switch (operation) {
    case "add":
    case "sub": {
      const same = sign === (operation === "add" ? 0 : 1);
      if (ia && ib && !same) return invalid(format, how);
      if (ia) return a;
      return ib ? infinityBits((signOf(b, format) ^ (operation === "add" ? 0 : 1)) as 0 | 1, format) : undefined;
    }
    case "mul":
      if ((ia && zb) || (ib && za)) return invalid(format, how);
      return ia || ib ? infinityBits(sign, format) : undefined;
    case "div":
      if ((ia && ib) || (za && zb)) return invalid(format, how);
      if (ia) return infinityBits(sign, format);
      if (ib) return zeroBits(sign, format);
      if (!zb) return undefined;
      how.flags |= ZERO_DIVIDE;
      return infinityBits(sign, format);
  }
}

export function squareRoot(source: bigint, format: Interchange, how: FloatControl): bigint {
  const x = operand(source, format, how);
  const nan = nanOf([x], format, how);
  if (nan !== undefined) return nan;
  if (isZeroBits(x, format)) return x;
  if (signOf(x, format) === 1) return invalid(format, how);
  if (isInfiniteBits(x, format)) return x;
  noteDenormals([x], format, how);
  return encode(exact.squareRoot(decode(x, format)!), format, how);
}

/** -1, 0, 1, or 2 for unordered; signals INVALID for quiet NaNs where `signals` says so. */
export function compare(left: bigint, right: bigint, format: Interchange, how: FloatControl, signals: boolean): number {
  const [a, b] = [operand(left, format, how), operand(right, format, how)];
  if (isNaNBits(a, format) || isNaNBits(b, format)) {
    if (signals || isSignalingBits(a, format) || isSignalingBits(b, format)) how.flags |= INVALID;
    return 2;
  }
  noteDenormals([a, b], format, how);
  const key = (x: bigint): bigint => {
    const magnitude = BigInt.asUintN(format.bits - 1, x);
    return signOf(x, format) ? -magnitude : magnitude;
  };
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** MINxx and MAXxx: the second operand unless the first is really smaller (greater). */
export function extreme(smaller: boolean, a: bigint, b: bigint, format: Interchange, how: FloatControl): bigint {
  const order = compare(a, b, format, how, true);
  return operand(order === (smaller ? -1 : 1) ? a : b, format, how);
}

/** Predicates of CMPxx 0 to 7: EQ LT LE UNORD NEQ NLT NLE ORD. */
export function satisfies(predicate: number, a: bigint, b: bigint, format: Interchange, how: FloatControl): boolean {
  const order = compare(a, b, format, how, (predicate & 3) === 1 || (predicate & 3) === 2);
  const base = [order === 0, order === -1, order === -1 || order === 0, order === 2][predicate & 3]!;
  return (predicate & 4) !== 0 ? !base : base;
}

/** Between single and double precision. */
export function changeFormat(source: bigint, from: Interchange, to: Interchange, how: FloatControl): bigint {
  const x = operand(source, from, how);
  const sign = signOf(x, from);
  const nan = nanOf([x], from, how);
  if (nan !== undefined) {
    const difference = BigInt(to.precision - from.precision);
    const fraction = BigInt.asUintN(from.precision - 1, nan);
    return infinityBits(sign, to) | (difference < 0n ? fraction >> -difference : fraction << difference);
  }
  if (isInfiniteBits(x, from)) return infinityBits(sign, to);
  noteDenormals([x], from, how);
  return encode(decode(x, from)!, to, how);
}

/** To a signed integer of so many bits, as unsigned; what does not fit is the integer indefinite. */
export function toInteger(source: bigint, format: Interchange, bits: number, how: FloatControl): bigint {
  const number = decode(operand(source, format, how), format);
  if (number) {
    const conversion = exact.rounding(how.mode);
    const value = exact.toInteger(number, conversion);
    if (BigInt.asIntN(bits, value) === value) {
      how.flags |= conversion.flags;
      return BigInt.asUintN(bits, value);
    }
  }
  how.flags |= INVALID;
  return 1n << BigInt(bits - 1);
}

export function fromInteger(value: bigint, format: Interchange, how: FloatControl): bigint {
  return encode(exact.ofInteger(value), format, how);
}

/** ROUNDxx: bits 0 to 1 the mode unless bit 2 takes MXCSR's; bit 3 keeps quiet about inexact results. */
export function roundToIntegral(source: bigint, control: number, format: Interchange, how: FloatControl): bigint {
  const x = operand(source, format, how);
  const nan = nanOf([x], format, how);
  if (nan !== undefined) return nan;
  if (isInfiniteBits(x, format) || isZeroBits(x, format)) return x;
  const conversion = exact.rounding((control & 4) !== 0 ? how.mode : control & 3);
  const value = exact.toInteger(decode(x, format)!, conversion);
  if ((control & 8) === 0) how.flags |= conversion.flags & INEXACT;
  return encode({ ...exact.ofInteger(value), sign: signOf(x, format) }, format, how);
}

export { DOUBLE, SINGLE, type Interchange };
