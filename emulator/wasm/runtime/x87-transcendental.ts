/** Transcendental instructions of the x87: domains and special values (Intel SDM volume 2, F2XM1 to FYL2XP1). */
import * as elementary from "./elementary.ts";
import { INEXACT, INVALID, multiply, ZERO_DIVIDE, type Exact, type Rounding } from "./exact.ts";
import * as f from "./float80.ts";
import type { Float80 } from "./float80.ts";
import { invalid, nanOf, noteDenormal } from "./x87-arithmetic.ts";

const pack = (x: Exact, how: Rounding): Float80 => f.pack(x, 64, how);
const isOne = (x: Float80): boolean => x.exponent === f.BIAS && x.mantissa === f.ONE.mantissa;
const withSign = (x: Float80, sign: number): Float80 => ({ ...x, sign: (sign & 1) as 0 | 1 });

/** Sine and cosine; undefined when the number is 2^63 or more, which sets C2. */
export function trigonometric(
  x: Float80,
  how: Rounding,
): { readonly sine: Float80; readonly cosine: Float80; readonly tangent: () => Float80 } | undefined {
  const same = (value: Float80) => ({ sine: value, cosine: value, tangent: () => value });
  const nan = nanOf([x], how);
  if (nan) return same(nan);
  if (f.isInfinite(x)) return same(invalid(how));
  if (x.exponent >= f.BIAS + 63) return undefined;
  if (f.isZero(x)) return { sine: x, cosine: f.ONE, tangent: () => x };
  if (noteDenormal(f.isDenormal(x), how)) return same(x);
  const { sine, cosine } = elementary.sineAndCosine(f.exact(x));
  return {
    get sine() {
      return pack(sine, how);
    },
    get cosine() {
      return pack(cosine, how);
    },
    tangent: () => pack(elementary.quotient(sine, cosine), how),
  };
}

/** FPATAN: the angle of (x, y). */
export function arcTangent(y: Float80, x: Float80, how: Rounding): Float80 {
  const nan = nanOf([y, x], how);
  if (nan) return nan;
  if (noteDenormal(f.isDenormal(x) || f.isDenormal(y), how)) return y;
  const turns = (n: number): Float80 => pack(elementary.quarterTurns(n, y.sign), how);
  if (f.isInfinite(y)) return turns(f.isInfinite(x) ? (x.sign ? 3 : 1) : 2);
  if (f.isInfinite(x) || f.isZero(y)) return x.sign ? turns(4) : f.zero(y.sign);
  if (f.isZero(x)) return turns(2);
  return pack(elementary.angle(f.exact(y), f.exact(x)), how);
}

/** F2XM1. Beyond -1 to 1 the result is undefined: the operand, here. */
export function powerMinusOne(x: Float80, how: Rounding): Float80 {
  const nan = nanOf([x], how);
  if (nan) return nan;
  if (f.isInfinite(x)) return x.sign ? withSign(f.ONE, 1) : x;
  if (f.isZero(x) || noteDenormal(f.isDenormal(x), how)) return x;
  if (isOne(x)) return x.sign ? { ...withSign(f.ONE, 1), exponent: f.BIAS - 1 } : x;
  if (x.exponent >= f.BIAS) {
    how.flags |= INEXACT;
    return x;
  }
  return pack(elementary.powerOfTwoMinusOne(f.exact(x)), how);
}

/** A product with a logarithm of which only the sign (or 0, or infinity) is known. */
function timesSpecial(y: Float80, logarithm: Float80, how: Rounding): Float80 {
  const sign = (y.sign ^ logarithm.sign) as 0 | 1;
  const infinite = f.isInfinite(y) || f.isInfinite(logarithm);
  if (infinite && (f.isZero(y) || f.isZero(logarithm))) return invalid(how);
  return infinite ? f.infinity(sign) : f.zero(sign);
}

/** FYL2X: y * log2(x). */
export function logarithm(y: Float80, x: Float80, how: Rounding): Float80 {
  const nan = nanOf([y, x], how);
  if (nan) return nan;
  if (f.isZero(x)) {
    if (f.isZero(y)) return invalid(how);
    if (!f.isInfinite(y)) how.flags |= ZERO_DIVIDE;
    return f.infinity((1 - y.sign) as 0 | 1);
  }
  if (x.sign === 1) return invalid(how);
  const below = x.exponent < f.BIAS;
  const known = f.isInfinite(x) ? x : isOne(x) ? f.zero(0) : undefined;
  if (known || f.isInfinite(y) || f.isZero(y)) {
    const special = timesSpecial(y, known ?? withSign(f.ONE, below ? 1 : 0), how);
    if ((how.flags & INVALID) === 0) noteDenormal(f.isDenormal(x) || f.isDenormal(y), how);
    return special;
  }
  if (noteDenormal(f.isDenormal(x) || f.isDenormal(y), how)) return y;
  return pack(multiply(f.exact(y), elementary.binaryLogarithm(f.exact(x))), how);
}

/** FYL2XP1: y * log2(1 + x). From -1 down the result is undefined: x, as on processors. */
export function logarithmOfOnePlus(y: Float80, x: Float80, how: Rounding): Float80 {
  const nan = nanOf([y, x], how);
  if (nan) return nan;
  if (x.sign === 1 && x.exponent >= f.BIAS) {
    if (f.isInfinite(x)) return invalid(how);
    if (f.isInfinite(y)) return f.negated(y);
    if (f.isZero(y)) return f.zero((1 - y.sign) as 0 | 1);
    if (noteDenormal(f.isDenormal(y), how)) return y;
    how.flags |= INEXACT;
    return x;
  }
  if (f.isInfinite(x) || f.isInfinite(y) || f.isZero(x) || f.isZero(y)) {
    const special = timesSpecial(y, f.isInfinite(x) || f.isZero(x) ? x : withSign(f.ONE, x.sign), how);
    if ((how.flags & INVALID) === 0) noteDenormal(f.isDenormal(x) || f.isDenormal(y), how);
    return special;
  }
  if (noteDenormal(f.isDenormal(x) || f.isDenormal(y), how)) return y;
  return pack(multiply(f.exact(y), elementary.binaryLogarithmOfOnePlus(f.exact(x))), how);
}
