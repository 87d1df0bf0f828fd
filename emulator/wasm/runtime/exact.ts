/**
 * Exact binary numbers and their rounding to a floating-point format (IEEE 754-2008, sections 4.3 and 7; Intel SDM
 * volume 1, sections 4.8 and 4.9). A finite number is mantissa * 2^power with a bigint mantissa, rounded once at the end.
 */

/** Sign, exact mantissa and the power of two of its last bit. */
export interface Exact {
  readonly sign: 0 | 1;
  readonly mantissa: bigint;
  readonly power: number;
}

/** Exception flags, in the bits that the x87 status word and MXCSR have them. */
export const INVALID = 1;
export const DENORMAL = 2;
export const ZERO_DIVIDE = 4;
export const OVERFLOW = 8;
export const UNDERFLOW = 16;
export const INEXACT = 32;

/** Rounding control, in the encoding of both control words. */
export const NEAREST = 0;
export const DOWN = 1;
export const UP = 2;
export const TOWARD_ZERO = 3;

/** How a rounding is to be done, and how it went. */
export interface Rounding {
  readonly mode: number;
  /** Exceptions that are not masked: overflow and underflow then leave an exponent moved by `wrap`. */
  readonly unmasked: number;
  /** MXCSR.FZ. */
  readonly flushToZero: boolean;
  /** Exceptions so far. */
  flags: number;
  /** Direction of the last rounding: C1 of the x87. */
  roundedUp: boolean;
}

export function rounding(mode = NEAREST, unmasked = 0, flushToZero = false): Rounding {
  return { mode, unmasked, flushToZero, flags: 0, roundedUp: false };
}

/** A binary format: bits of the significand, exponents of its first bit, and the exponent adjustment of traps. */
export interface BinaryFormat {
  readonly precision: number;
  readonly minExponent: number;
  readonly maxExponent: number;
  readonly wrap: number;
}

/** Value mantissa * 2^(exponent - precision + 1); subnormal where the mantissa is shorter than the precision. */
export interface Rounded {
  readonly sign: 0 | 1;
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly infinite: boolean;
}

export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(parseInt(hex[0]!, 16)) + 28;
}

/** `mantissa >> shift`, rounded; negative shifts are exact. */
export function roundShift(sign: 0 | 1, mantissa: bigint, shift: number, how: Rounding): bigint {
  how.roundedUp = false;
  if (shift <= 0) return mantissa << BigInt(-shift);
  const kept = mantissa >> BigInt(shift);
  const rest = mantissa - (kept << BigInt(shift));
  if (rest === 0n) return kept;
  how.flags |= INEXACT;
  how.roundedUp = roundsUp(sign, kept, rest, shift, how.mode);
  return how.roundedUp ? kept + 1n : kept;
}

function roundsUp(sign: 0 | 1, kept: bigint, rest: bigint, shift: number, mode: number): boolean {
  if (mode === TOWARD_ZERO) return false;
  if (mode !== NEAREST) return (mode === UP) === (sign === 0);
  const half = 1n << BigInt(shift - 1);
  return rest > half || (rest === half && (kept & 1n) === 1n);
}

/** Rounds to `precision` bits of a format's range, `format.precision` unless said otherwise. */
export function round(x: Exact, format: BinaryFormat, how: Rounding, precision = format.precision): Rounded {
  const { sign, mantissa, power } = x;
  if (mantissa === 0n) return { sign, mantissa, exponent: format.minExponent, infinite: false };
  const widen = BigInt(format.precision - precision);
  const before = how.flags;
  const length = bitLength(mantissa);
  let exponent = power + length - 1;
  let m = roundShift(sign, mantissa, length - precision, how);
  if (m >> BigInt(precision) !== 0n) {
    m >>= 1n;
    exponent++;
  }
  if (exponent > format.maxExponent) {
    how.flags |= OVERFLOW;
    if ((how.unmasked & OVERFLOW) === 0) return overflowed(sign, format, how, precision);
    exponent -= format.wrap;
    // FSCALE reaches beyond even the moved exponents.
    if (exponent > format.maxExponent) {
      how.flags |= INEXACT;
      how.roundedUp = true;
      return { sign, mantissa: m << widen, exponent, infinite: true };
    }
  } else if (exponent < format.minExponent) {
    if ((how.unmasked & UNDERFLOW) !== 0) {
      how.flags |= UNDERFLOW;
      exponent += format.wrap;
      if (exponent < format.minExponent) {
        how.flags |= INEXACT;
        return { sign, mantissa: 0n, exponent: format.minExponent, infinite: false };
      }
    } else {
      how.flags = before;
      if (how.flushToZero) {
        how.flags |= UNDERFLOW | INEXACT;
        return { sign, mantissa: 0n, exponent: format.minExponent, infinite: false };
      }
      m = roundSubnormal(x, format, how, precision);
      how.flags |= before;
      return { sign, mantissa: m << widen, exponent: format.minExponent, infinite: false };
    }
  }
  return { sign, mantissa: m << widen, exponent, infinite: false };
}

/** Tiny, exception masked: the last bit is that of the smallest normal number. */
function roundSubnormal(x: Exact, format: BinaryFormat, how: Rounding, precision: number): bigint {
  how.flags &= ~INEXACT;
  const m = roundShift(x.sign, x.mantissa, format.minExponent - precision + 1 - x.power, how);
  if ((how.flags & INEXACT) !== 0) how.flags |= UNDERFLOW;
  return m;
}

function overflowed(sign: 0 | 1, format: BinaryFormat, how: Rounding, precision: number): Rounded {
  how.flags |= INEXACT;
  how.roundedUp = how.mode === NEAREST || (how.mode !== TOWARD_ZERO && (how.mode === UP) === (sign === 0));
  const largest = ((1n << BigInt(precision)) - 1n) << BigInt(format.precision - precision);
  return { sign, mantissa: largest, exponent: format.maxExponent, infinite: how.roundedUp };
}

/** The sum; an exact zero from opposite signs is +0, or -0 when rounding down. */
export function add(a: Exact, b: Exact, mode: number): Exact {
  const power = Math.min(a.power, b.power);
  const signed = (x: Exact): bigint => (x.sign ? -x.mantissa : x.mantissa) << BigInt(x.power - power);
  const sum = signed(a) + signed(b);
  if (sum === 0n) return { sign: a.sign === b.sign ? a.sign : mode === DOWN ? 1 : 0, mantissa: 0n, power };
  return { sign: sum < 0n ? 1 : 0, mantissa: sum < 0n ? -sum : sum, power };
}

export function multiply(a: Exact, b: Exact): Exact {
  return { sign: (a.sign ^ b.sign) as 0 | 1, mantissa: a.mantissa * b.mantissa, power: a.power + b.power };
}

/** At least `bits` bits of the quotient, the last one standing for the rest. */
export function divide(a: Exact, b: Exact, bits = 70): Exact {
  const shift = Math.max(0, bits + bitLength(b.mantissa) - bitLength(a.mantissa));
  const numerator = a.mantissa << BigInt(shift);
  const quotient = numerator / b.mantissa;
  const sticky = quotient * b.mantissa === numerator ? 0n : 1n;
  return {
    sign: (a.sign ^ b.sign) as 0 | 1,
    mantissa: (quotient << 1n) | sticky,
    power: a.power - b.power - shift - 1,
  };
}

/** At least 70 bits of the root, the last one standing for the rest. */
export function squareRoot(a: Exact): Exact {
  let shift = Math.max(0, 140 - bitLength(a.mantissa));
  if ((a.power - shift) % 2 !== 0) shift++;
  const n = a.mantissa << BigInt(shift);
  const root = integerRoot(n);
  const sticky = root * root === n ? 0n : 1n;
  return { sign: a.sign, mantissa: (root << 1n) | sticky, power: (a.power - shift) / 2 - 1 };
}

export function integerRoot(n: bigint): bigint {
  if (n === 0n) return 0n;
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** A number as an integer by the rounding mode. */
export function toInteger({ sign, mantissa, power }: Exact, how: Rounding): bigint {
  const magnitude = roundShift(sign, mantissa, -power, how);
  return sign ? -magnitude : magnitude;
}

export function ofInteger(value: bigint): Exact {
  return { sign: value < 0n ? 1 : 0, mantissa: value < 0n ? -value : value, power: 0 };
}
