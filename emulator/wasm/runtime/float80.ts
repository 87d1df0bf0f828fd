/**
 * The x87's 80-bit format in exact integer arithmetic (Intel SDM volume 1, sections 4.2 and 4.8). Slow and right; a
 * finite number is mantissa * 2^exponent with bigints in between, rounded once at the end.
 */
export interface Float80 {
  readonly sign: 0 | 1;
  /** Biased, 15 bits. */
  readonly exponent: number;
  /** 64 bits, the integer bit included. */
  readonly mantissa: bigint;
}

/** Sign, exact mantissa and the power of two of its last bit. */
export interface Exact {
  readonly sign: 0 | 1;
  readonly mantissa: bigint;
  readonly power: number;
}

export const BIAS = 16383;
const MAX_EXPONENT = 32767;
const INTEGER_BIT = 1n << 63n;

/** Exception flags of the status word. */
export const INVALID = 1;
export const DENORMAL = 2;
export const ZERO_DIVIDE = 4;
export const OVERFLOW = 8;
export const UNDERFLOW = 16;
export const INEXACT = 32;

export const INDEFINITE: Float80 = { sign: 1, exponent: MAX_EXPONENT, mantissa: 3n << 62n };
export const infinity = (sign: 0 | 1): Float80 => ({ sign, exponent: MAX_EXPONENT, mantissa: INTEGER_BIT });
export const zero = (sign: 0 | 1): Float80 => ({ sign, exponent: 0, mantissa: 0n });

export const isNaN80 = (x: Float80): boolean => x.exponent === MAX_EXPONENT && x.mantissa << 1n !== 1n << 64n;
export const isSignaling = (x: Float80): boolean => isNaN80(x) && (x.mantissa & (1n << 62n)) === 0n;
export const isInfinite = (x: Float80): boolean => x.exponent === MAX_EXPONENT && !isNaN80(x);
export const isZero = (x: Float80): boolean => x.mantissa === 0n && x.exponent !== MAX_EXPONENT;
export const quiet = (x: Float80): Float80 => ({ ...x, mantissa: x.mantissa | (3n << 62n) });

export function exact(x: Float80): Exact {
  return { sign: x.sign, mantissa: x.mantissa, power: (x.exponent || 1) - BIAS - 63 };
}

export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** How a rounding went: the flags it raises are collected here; the last rounding's direction is C1. */
export interface Rounding {
  /** Rounding control: nearest, down, up, toward zero. */
  readonly mode: number;
  flags: number;
  roundedUp: boolean;
}

/** `mantissa >> shift`, rounded; negative shifts are exact. */
export function roundShift(sign: 0 | 1, mantissa: bigint, shift: number, rounding: Rounding): bigint {
  rounding.roundedUp = false;
  if (shift <= 0) return mantissa << BigInt(-shift);
  const kept = mantissa >> BigInt(shift);
  const rest = mantissa - (kept << BigInt(shift));
  if (rest === 0n) return kept;
  rounding.flags |= INEXACT;
  const half = 1n << BigInt(shift - 1);
  const up =
    rounding.mode === 0
      ? rest > half || (rest === half && (kept & 1n) === 1n)
      : rounding.mode === 3
        ? false
        : (rounding.mode === 2) === (sign === 0);
  rounding.roundedUp = up;
  return up ? kept + 1n : kept;
}

/** An exact number in the 80-bit format, rounded to `precision` bits. */
export function pack({ sign, mantissa, power }: Exact, precision: number, rounding: Rounding): Float80 {
  if (mantissa === 0n) return zero(sign);
  const length = bitLength(mantissa);
  let exponent = power + length - 1 + BIAS;
  if (exponent <= 0) {
    const shift = 1 - BIAS - 63 - power;
    const before = rounding.flags;
    rounding.flags &= ~INEXACT;
    const m = roundShift(sign, mantissa, shift, rounding);
    if ((rounding.flags & INEXACT) !== 0) rounding.flags |= UNDERFLOW;
    rounding.flags |= before;
    return { sign, exponent: m >= INTEGER_BIT ? 1 : 0, mantissa: m };
  }
  let m = roundShift(sign, mantissa, length - precision, rounding);
  if (bitLength(m) > precision) {
    m >>= 1n;
    exponent++;
  }
  if (exponent >= MAX_EXPONENT) {
    rounding.flags |= OVERFLOW | INEXACT;
    const toInfinity = rounding.mode === 0 || (rounding.mode !== 3 && (rounding.mode === 2) === (sign === 0));
    if (toInfinity) return infinity(sign);
    return { sign, exponent: MAX_EXPONENT - 1, mantissa: ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision) };
  }
  return { sign, exponent, mantissa: m << BigInt(64 - precision) };
}

export function add(a: Exact, b: Exact, rounding: Rounding): Exact {
  const power = Math.min(a.power, b.power);
  const signed = (x: Exact): bigint => (x.sign ? -x.mantissa : x.mantissa) << BigInt(x.power - power);
  const sum = signed(a) + signed(b);
  if (sum === 0n) {
    const sign = a.sign === b.sign ? a.sign : rounding.mode === 1 ? 1 : 0;
    return { sign, mantissa: 0n, power };
  }
  return { sign: sum < 0n ? 1 : 0, mantissa: sum < 0n ? -sum : sum, power };
}

export function multiply(a: Exact, b: Exact): Exact {
  return { sign: (a.sign ^ b.sign) as 0 | 1, mantissa: a.mantissa * b.mantissa, power: a.power + b.power };
}

/** Enough bits of the quotient, the last one standing for the rest. */
export function divide(a: Exact, b: Exact): Exact {
  const shift = Math.max(0, 70 + bitLength(b.mantissa) - bitLength(a.mantissa));
  const numerator = a.mantissa << BigInt(shift);
  const quotient = numerator / b.mantissa;
  const sticky = quotient * b.mantissa === numerator ? 0n : 1n;
  return {
    sign: (a.sign ^ b.sign) as 0 | 1,
    mantissa: (quotient << 1n) | sticky,
    power: a.power - b.power - shift - 1,
  };
}

export function squareRoot(a: Exact): Exact {
  let shift = Math.max(0, 140 - bitLength(a.mantissa));
  if ((a.power - shift) % 2 !== 0) shift++;
  const n = a.mantissa << BigInt(shift);
  const root = integerRoot(n);
  const sticky = root * root === n ? 0n : 1n;
  return { sign: a.sign, mantissa: (root << 1n) | sticky, power: (a.power - shift) / 2 - 1 };
}

function integerRoot(n: bigint): bigint {
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** -1, 0, 1, or 2 for unordered. */
export function compare(a: Float80, b: Float80): number {
  if (isNaN80(a) || isNaN80(b)) return 2;
  const key = (x: Float80): bigint => {
    const magnitude = (BigInt(x.exponent) << 64n) | x.mantissa;
    return x.sign ? -magnitude : magnitude;
  };
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

export function fromInteger(value: bigint): Float80 {
  const sign = value < 0n ? 1 : 0;
  return pack({ sign, mantissa: sign ? -value : value, power: 0 }, 64, { mode: 0, flags: 0, roundedUp: false });
}

const scratch = new DataView(new ArrayBuffer(8));

/** From the bits of a double or single; signalling NaNs stay signalling. */
export function fromBits(bits: bigint, exponentBits: 8 | 11): Float80 {
  const fraction = exponentBits === 11 ? 52 : 23;
  const sign = Number((bits >> BigInt(fraction + exponentBits)) & 1n) as 0 | 1;
  const exponent = Number(bits >> BigInt(fraction)) & ((1 << exponentBits) - 1);
  const m = bits & ((1n << BigInt(fraction)) - 1n);
  const bias = (1 << (exponentBits - 1)) - 1;
  if (exponent === (1 << exponentBits) - 1) {
    return { sign, exponent: MAX_EXPONENT, mantissa: INTEGER_BIT | (m << BigInt(63 - fraction)) };
  }
  const mantissa = exponent === 0 ? m : m | (1n << BigInt(fraction));
  const power = (exponent || 1) - bias - fraction;
  return pack({ sign, mantissa, power }, 64, { mode: 0, flags: 0, roundedUp: false });
}

/** The bits of a double or single nearest to an 80-bit number. */
export function toBits(x: Float80, exponentBits: 8 | 11, rounding: Rounding): bigint {
  const fraction = exponentBits === 11 ? 52 : 23;
  const all = (1n << BigInt(exponentBits)) - 1n;
  const bias = (1 << (exponentBits - 1)) - 1;
  const join = (exponent: bigint, m: bigint): bigint =>
    (BigInt(x.sign) << BigInt(fraction + exponentBits)) | (exponent << BigInt(fraction)) | m;
  const fractionMask = (1n << BigInt(fraction)) - 1n;
  if (isNaN80(x)) {
    if (isSignaling(x)) rounding.flags |= INVALID;
    return join(all, (quiet(x).mantissa >> BigInt(63 - fraction)) & fractionMask);
  }
  if (isInfinite(x)) return join(all, 0n);
  if (isZero(x)) return join(0n, 0n);
  const { sign, mantissa, power } = exact(x);
  const length = bitLength(mantissa);
  let exponent = power + length - 1 + bias;
  const shift = exponent <= 0 ? 1 - bias - fraction - power : length - fraction - 1;
  let m = roundShift(sign, mantissa, shift, rounding);
  if (exponent <= 0) {
    if ((rounding.flags & INEXACT) !== 0) rounding.flags |= UNDERFLOW;
    return join(m >> BigInt(fraction), m & fractionMask);
  }
  if (bitLength(m) > fraction + 1) {
    m >>= 1n;
    exponent++;
  }
  if (BigInt(exponent) >= all) {
    rounding.flags |= OVERFLOW | INEXACT;
    const toInfinity = rounding.mode === 0 || (rounding.mode !== 3 && (rounding.mode === 2) === (sign === 0));
    return toInfinity ? join(all, 0n) : join(all - 1n, fractionMask);
  }
  return join(BigInt(exponent), m & fractionMask);
}

export function toNumber(x: Float80): number {
  scratch.setBigUint64(0, toBits(x, 11, { mode: 0, flags: 0, roundedUp: false }));
  return scratch.getFloat64(0);
}

export function fromNumber(value: number): Float80 {
  scratch.setFloat64(0, value);
  return fromBits(scratch.getBigUint64(0), 11);
}

/** A finite number as an integer by the rounding mode. */
export function toInteger(x: Float80, rounding: Rounding): bigint {
  const { sign, mantissa, power } = exact(x);
  const magnitude = roundShift(sign, mantissa, -power, rounding);
  return sign ? -magnitude : magnitude;
}
