/**
 * Elementary functions of exact numbers by power series in fixed point, to far more bits than any format has: what
 * comes out, rounded once, is the correctly rounded value but for about one case in 2^100. Numbers are bigints that
 * count units of 2^-bits. Domains and special values are the caller's business (x87-transcendental.ts).
 */
import { bitLength, divide, integerRoot, multiply, type Exact } from "./exact.ts";

/** Bits behind the binary point when the result is near 1. */
const BASE_BITS = 224;
/** Below 2^-TINY a function equals the first term of its series but for the rounding. */
const TINY = 80;

/** pi as the processor has it for argument reduction: 66 bits (Intel SDM volume 1, section 8.3.8). */
const PI_66: Exact = { sign: 0, mantissa: 0xc90fdaa22168c234cn, power: -66 };

const constants = new Map<string, bigint>();

/** A constant computed once for each number of bits. */
function constant(name: string, bits: number, compute: () => bigint): bigint {
  const key = `${name}${bits}`;
  let value = constants.get(key);
  if (value === undefined) constants.set(key, (value = compute()));
  return value;
}

const ln2 = (bits: number): bigint =>
  constant("ln2", bits, () => 2n * inverseTangent((1n << BigInt(bits + 16)) / 3n, bits + 16, 1n)) >> 16n;

/** Machin's formula. */
const pi = (bits: number): bigint =>
  constant("pi", bits, () => {
    const one = 1n << BigInt(bits + 16);
    return 16n * inverseTangent(one / 5n, bits + 16, -1n) - 4n * inverseTangent(one / 239n, bits + 16, -1n);
  }) >> 16n;

/** x + sign x^3/3 + x^5/5 + sign x^7/7 …: the inverse tangent for sign -1, the hyperbolic one for 1. */
function inverseTangent(x: bigint, bits: number, sign: 1n | -1n): bigint {
  const b = BigInt(bits);
  const square = (x * x) >> b;
  let power = x;
  let sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = sign * ((power * square) >> b);
    if (power === -1n) break;
  }
  return sum;
}

/** x^first/first! - x^(first+2)/(first+2)! …: sine for 1, cosine for 0. */
function alternating(x: bigint, bits: number, first: 0 | 1): bigint {
  const b = BigInt(bits);
  const square = (x * x) >> b;
  let term = first === 1 ? x : 1n << b;
  let sum = 0n;
  for (let n = BigInt(first); term !== 0n && term !== -1n; n += 2n) {
    sum += term;
    term = -((term * square) >> b) / ((n + 1n) * (n + 2n));
  }
  return sum;
}

/** e^x - 1. */
function exponentialMinusOne(x: bigint, bits: number): bigint {
  const b = BigInt(bits);
  let term = x;
  let sum = 0n;
  for (let n = 2n; term !== 0n && term !== -1n; n++) {
    sum += term;
    term = ((term * x) >> b) / n;
  }
  return sum;
}

const fixed = ({ sign, mantissa, power }: Exact, bits: number): bigint => {
  const shift = power + bits;
  const value = shift >= 0 ? mantissa << BigInt(shift) : mantissa >> BigInt(-shift);
  return sign ? -value : value;
};

const exactly = (value: bigint, bits: number): Exact => ({
  sign: value < 0n ? 1 : 0,
  mantissa: value < 0n ? -value : value,
  power: -bits,
});

/** Exponent of the first bit. */
const magnitude = (x: Exact): number => x.power + bitLength(x.mantissa) - 1;
const negate = (x: Exact): Exact => ({ ...x, sign: (1 - x.sign) as 0 | 1 });

/** The number's next neighbour at 100 more bits: for results that differ from x by less than any format shows. */
function nudged(x: Exact, towardZero: boolean): Exact {
  return { sign: x.sign, mantissa: (x.mantissa << 100n) + (towardZero ? -1n : 1n), power: x.power - 100 };
}

/** x minus the nearest multiple of pi/2, and the two low bits of that multiple. */
function reduce(x: Exact): { readonly rest: Exact; readonly quadrant: number } {
  const power = Math.min(x.power, PI_66.power - 1);
  const period = PI_66.mantissa << BigInt(PI_66.power - 1 - power);
  const value = x.mantissa << BigInt(x.power - power);
  const n = (value * 2n + period) / (period * 2n);
  const rest = exactly(value - n * period, 0);
  const turned = x.sign ? negate(rest) : rest;
  return { rest: { ...turned, power }, quadrant: Number((x.sign ? -n : n) & 3n) };
}

/** Sine and cosine of a number not 0, reduced as the processor does it. */
export function sineAndCosine(x: Exact): { readonly sine: Exact; readonly cosine: Exact } {
  const { rest, quadrant } = reduce(x);
  const [sine, cosine] = ofReduced(rest);
  switch (quadrant) {
    case 0:
      return { sine, cosine };
    case 1:
      return { sine: cosine, cosine: negate(sine) };
    case 2:
      return { sine: negate(sine), cosine: negate(cosine) };
    default:
      return { sine: negate(cosine), cosine: sine };
  }
}

function ofReduced(x: Exact): [sine: Exact, cosine: Exact] {
  const one: Exact = { sign: 0, mantissa: 1n, power: 0 };
  if (x.mantissa === 0n) return [x, one];
  // The cosine's distance from 1 is the greater one, so that the tangent is more than x.
  if (magnitude(x) < -TINY) return [nudged(x, true), { sign: 0, mantissa: (1n << 90n) - 1n, power: -90 }];
  const bits = BASE_BITS - 2 * magnitude(x);
  const value = fixed(x, bits);
  return [exactly(alternating(value, bits, 1), bits), exactly(alternating(value, bits, 0), bits)];
}

export function quotient(a: Exact, b: Exact): Exact {
  return divide(a, b, BASE_BITS);
}

/** 2^x - 1 for -1 <= x <= 1, x not 0. */
export function powerOfTwoMinusOne(x: Exact): Exact {
  if (magnitude(x) < -TINY) {
    const product = multiply(x, exactly(ln2(BASE_BITS), BASE_BITS));
    return nudged(product, x.sign === 1);
  }
  const bits = BASE_BITS - 2 * magnitude(x);
  return exactly(exponentialMinusOne((fixed(x, bits) * ln2(bits)) >> BigInt(bits), bits), bits);
}

/** The binary logarithm of a positive number; exact for powers of two. */
export function binaryLogarithm(x: Exact): Exact {
  let exponent = magnitude(x);
  const bits = BASE_BITS + TINY;
  // 1/sqrt(2) to sqrt(2), so that numbers just below a power of two lose no bits.
  if (x.mantissa * x.mantissa > 1n << BigInt(2 * (exponent - x.power) + 1)) exponent++;
  const m: Exact = { ...x, power: x.power - exponent };
  const one = 1n << BigInt(bits);
  const value = fixed(m, bits);
  if (value === one) return exactly(BigInt(exponent), 0);
  const ratio = ((value - one) << BigInt(bits)) / (value + one);
  const logarithm = ((2n * inverseTangent(ratio, bits, 1n)) << BigInt(bits)) / ln2(bits);
  return exactly(logarithm + (BigInt(exponent) << BigInt(bits)), bits);
}

/** The binary logarithm of 1 + x for x > -1, x not 0. */
export function binaryLogarithmOfOnePlus(x: Exact): Exact {
  if (magnitude(x) < -TINY) {
    const first = divide(x, exactly(ln2(BASE_BITS), BASE_BITS), BASE_BITS);
    return nudged(first, x.sign === 0);
  }
  const bits = BASE_BITS + 2 * TINY;
  const value = fixed(x, bits);
  if (magnitude(x) >= -1) return binaryLogarithm(exactly(value + (1n << BigInt(bits)), bits));
  const ratio = (value << BigInt(bits)) / (value + (2n << BigInt(bits)));
  return exactly(((2n * inverseTangent(ratio, bits, 1n)) << BigInt(bits)) / ln2(bits), bits);
}

/** The angle of the point (x, y), neither 0, both finite: -pi to pi. */
export function angle(y: Exact, x: Exact): Exact {
  const bits = BASE_BITS;
  const steep = magnitude(y) - magnitude(x);
  if (x.sign === 0 && steep < -TINY) return nudged(quotient(y, x), true);
  const value = ofPositive({ ...y, sign: 0 }, { ...x, sign: 0 }, steep);
  const whole = x.sign ? exactly(pi(bits + 2 * TINY) - fixed(value, bits + 2 * TINY), bits + 2 * TINY) : value;
  return y.sign ? negate(whole) : whole;
}

/** The same within the first quadrant. */
function ofPositive(y: Exact, x: Exact, steep: number): Exact {
  const bits = BASE_BITS + 2 * TINY;
  const half = pi(bits) >> 1n;
  // Too near to the axes for fixed point: the last bit stands for what is missing.
  if (steep < -bits + 2) return exactly(1n, bits);
  if (steep > bits - 2) return exactly(half - 1n, bits);
  if (steep > 0) return exactly(half - ofRatio(fixed(quotient(x, y), bits), bits), bits);
  return exactly(ofRatio(fixed(quotient(y, x), bits), bits), bits);
}

/** The inverse tangent of 0 to 2 in fixed point; the angle is halved three times for the series. */
function ofRatio(ratio: bigint, bits: number): bigint {
  const one = 1n << BigInt(bits);
  let t = ratio;
  for (let i = 0; i < 3; i++) t = (t << BigInt(bits)) / (one + integerRoot(one * one + t * t));
  return inverseTangent(t, bits, -1n) << 3n;
}

/** Multiples of pi/4, for points on the axes and diagonals. */
export function quarterTurns(n: number, sign: 0 | 1): Exact {
  return { ...exactly((pi(BASE_BITS) * BigInt(n)) >> 2n, BASE_BITS), sign };
}
