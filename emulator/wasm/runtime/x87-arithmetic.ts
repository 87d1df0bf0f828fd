/** Arithmetic on 80-bit numbers with its special cases and exceptions (Intel SDM volume 1, sections 4.8.3 and 8.5). */
import { add, DENORMAL, divide, INEXACT, INVALID, multiply, squareRoot, ZERO_DIVIDE, type Rounding } from "./exact.ts";
import * as f from "./float80.ts";
import type { Float80 } from "./float80.ts";

export type Operation = "add" | "sub" | "mul" | "div";

export function invalid(how: Rounding): Float80 {
  how.flags |= INVALID;
  return f.INDEFINITE;
}

/** What an operation with a NaN or an unsupported operand gives: table 4-7 of SDM volume 1. */
export function nanOf(operands: readonly Float80[], how: Rounding): Float80 | undefined {
  if (operands.some(f.isUnsupported)) return invalid(how);
  const nans = operands.filter(f.isNaN80);
  if (nans.length === 0) return undefined;
  if (nans.some(f.isSignaling)) how.flags |= INVALID;
  const [a, b] = nans;
  if (!b) return f.quiet(a!);
  if (f.isSignaling(a!) !== f.isSignaling(b)) return f.isSignaling(a!) ? b : a!;
  const order = a!.mantissa === b.mantissa ? b.sign - a!.sign : a!.mantissa > b.mantissa ? 1 : -1;
  return f.quiet(order >= 0 ? a! : b);
}

/** Notes denormal operands; says whether that stops the operation. */
export function noteDenormal(denormal: boolean, how: Rounding): boolean {
  if (!denormal) return false;
  how.flags |= DENORMAL;
  return (how.unmasked & DENORMAL) !== 0;
}

/** @param denormal whether an operand in memory was one: it is normal in the 80-bit format */
export function calculate(
  operation: Operation,
  a: Float80,
  b: Float80,
  precision: number,
  how: Rounding,
  denormal = false,
): Float80 {
  const special = nanOf([a, b], how) ?? specialOf(operation, a, b, how);
  if (special && (how.flags & (INVALID | ZERO_DIVIDE)) !== 0) return special;
  if (special && f.isNaN80(special)) return special;
  if (noteDenormal(denormal || f.isDenormal(a) || f.isDenormal(b), how)) return a;
  if (special) return special;
  const [x, y] = [f.exact(a), f.exact(b)];
  switch (operation) {
    case "add":
      return f.pack(add(x, y, how.mode), precision, how);
    case "sub":
      return f.pack(add(x, { ...y, sign: (1 - y.sign) as 0 | 1 }, how.mode), precision, how);
    case "mul":
      return f.pack(multiply(x, y), precision, how);
    case "div":
      return f.pack(divide(x, y), precision, how);
  }
}

/** Results that involve infinity or a division by zero. */
function specialOf(operation: Operation, a: Float80, b: Float80, how: Rounding): Float80 | undefined {
  const sign = (a.sign ^ b.sign) as 0 | 1;
  const [ia, ib] = [f.isInfinite(a), f.isInfinite(b)];
  switch (operation) {
    case "add":
    case "sub": {
      const other = operation === "add" ? b.sign : ((1 - b.sign) as 0 | 1);
      if (ia && ib && a.sign !== other) return invalid(how);
      return ia ? a : ib ? f.infinity(other) : undefined;
    }
    case "mul":
      if ((ia && f.isZero(b)) || (ib && f.isZero(a))) return invalid(how);
      return ia || ib ? f.infinity(sign) : undefined;
    case "div":
      if ((ia && ib) || (f.isZero(a) && f.isZero(b))) return invalid(how);
      if (ia) return f.infinity(sign);
      if (ib) return f.zero(sign);
      if (!f.isZero(b)) return undefined;
      how.flags |= ZERO_DIVIDE;
      return f.infinity(sign);
  }
}

export function root(x: Float80, precision: number, how: Rounding): Float80 {
  const nan = nanOf([x], how);
  if (nan) return nan;
  if (f.isZero(x)) return x;
  if (x.sign === 1) return invalid(how);
  if (f.isInfinite(x) || noteDenormal(f.isDenormal(x), how)) return x;
  return f.pack(squareRoot(f.exact(x)), precision, how);
}

export function roundToInteger(x: Float80, how: Rounding): Float80 {
  const nan = nanOf([x], how);
  if (nan) return nan;
  if (f.isInfinite(x) || f.isZero(x) || noteDenormal(f.isDenormal(x), how)) return x;
  if (x.exponent >= f.BIAS + 63) return x;
  return { ...f.fromInteger(f.toInteger(x, how)), sign: x.sign };
}

/** Beyond this every result overflows or vanishes. */
const LARGEST_SCALE = 70000n;

/** FSCALE: x * 2^trunc(by). */
export function scale(x: Float80, by: Float80, how: Rounding): Float80 {
  const nan = nanOf([x, by], how);
  if (nan) return nan;
  if (f.isInfinite(by) && (by.sign ? f.isInfinite(x) : f.isZero(x))) return invalid(how);
  if (noteDenormal(f.isDenormal(x) || f.isDenormal(by), how)) return x;
  if (f.isInfinite(by)) return by.sign ? f.zero(x.sign) : f.infinity(x.sign);
  if (f.isInfinite(x) || f.isZero(x)) return x;
  const { sign, mantissa, power } = f.exact(by);
  const whole = power >= 0 ? mantissa << BigInt(Math.min(power, 20)) : mantissa >> BigInt(-power);
  const limited = Number(whole > LARGEST_SCALE ? LARGEST_SCALE : whole);
  const value = f.exact(x);
  return f.pack({ ...value, power: value.power + (sign ? -limited : limited) }, 64, how);
}

/** FXTRACT: exponent, then significand. */
export function extract(x: Float80, how: Rounding): readonly [exponent: Float80, significand: Float80] {
  const nan = nanOf([x], how);
  if (nan) return [nan, nan];
  if (f.isInfinite(x)) return [f.infinity(0), x];
  if (f.isZero(x)) {
    how.flags |= ZERO_DIVIDE;
    return [f.infinity(1), x];
  }
  noteDenormal(f.isDenormal(x), how);
  const shift = 63 - (x.mantissa.toString(2).length - 1);
  const exponent = (x.exponent || 1) - f.BIAS - shift;
  return [f.fromInteger(BigInt(exponent)), { ...x, exponent: f.BIAS, mantissa: x.mantissa << BigInt(shift) }];
}

export interface Remainder {
  readonly value: Float80;
  /** The quotient's three low bits. */
  readonly quotient: number;
}

/** FPREM and FPREM1, always to the end: the processor's partial steps lead to the same remainder and quotient bits. */
export function remainder(a: Float80, b: Float80, nearest: boolean, how: Rounding): Remainder {
  const nan = nanOf([a, b], how);
  if (nan) return { value: nan, quotient: 0 };
  if (f.isZero(b) || f.isInfinite(a)) return { value: invalid(how), quotient: 0 };
  if (noteDenormal(f.isDenormal(a) || f.isDenormal(b), how)) return { value: a, quotient: 0 };
  if (f.isInfinite(b)) return { value: f.pack(f.exact(a), 64, how), quotient: 0 };
  const [x, y] = [f.exact(a), f.exact(b)];
  const power = Math.min(x.power, y.power);
  const [m, n] = [x.mantissa << BigInt(x.power - power), y.mantissa << BigInt(y.power - power)];
  let quotient = m / n;
  let rest = m % n;
  if (nearest && (rest * 2n > n || (rest * 2n === n && (quotient & 1n) === 1n))) {
    quotient++;
    rest -= n;
  }
  const sign = (rest < 0n ? 1 - a.sign : a.sign) as 0 | 1;
  const value = f.pack({ sign, mantissa: rest < 0n ? -rest : rest, power }, 64, how);
  how.flags &= ~INEXACT;
  return { value, quotient: Number(quotient & 7n) };
}
