/** The x87's 80-bit format and its conversions (Intel SDM volume 1, sections 4.2 and 4.8). Slow and right. */
import { INVALID, ofInteger, round, rounding, toInteger as exactToInteger } from "./exact.ts";
import type { BinaryFormat, Exact, Rounding } from "./exact.ts";
import { decode, encode, isNaNBits, isSignalingBits, quietBits, type Interchange } from "./interchange.ts";

export interface Float80 {
  readonly sign: 0 | 1;
  /** Biased, 15 bits. */
  readonly exponent: number;
  /** 64 bits, the integer bit included. */
  readonly mantissa: bigint;
}

export const BIAS = 16383;
const MAX_EXPONENT = 32767;
const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;

/** Unmasked overflow and underflow move the exponent by 24,576 (SDM volume 1, sections 8.5.4 and 8.5.5). */
const EXTENDED: BinaryFormat = { precision: 64, minExponent: 1 - BIAS, maxExponent: BIAS, wrap: 24576 };

export const INDEFINITE: Float80 = { sign: 1, exponent: MAX_EXPONENT, mantissa: 3n << 62n };
export const ONE: Float80 = { sign: 0, exponent: BIAS, mantissa: INTEGER_BIT };
export const infinity = (sign: 0 | 1): Float80 => ({ sign, exponent: MAX_EXPONENT, mantissa: INTEGER_BIT });
export const zero = (sign: 0 | 1): Float80 => ({ sign, exponent: 0, mantissa: 0n });
export const negated = (x: Float80): Float80 => ({ ...x, sign: (1 - x.sign) as 0 | 1 });

/** Encodings that no processor since the 387 takes: unnormals, pseudo-infinities, pseudo-NaNs. */
export const isUnsupported = (x: Float80): boolean => x.exponent !== 0 && (x.mantissa & INTEGER_BIT) === 0n;
export const isNaN80 = (x: Float80): boolean => x.exponent === MAX_EXPONENT && x.mantissa > INTEGER_BIT;
export const isSignaling = (x: Float80): boolean => isNaN80(x) && (x.mantissa & QUIET_BIT) === 0n;
export const isInfinite = (x: Float80): boolean => x.exponent === MAX_EXPONENT && x.mantissa === INTEGER_BIT;
export const isZero = (x: Float80): boolean => x.mantissa === 0n && x.exponent === 0;
/** Denormals and pseudo-denormals: what raises the denormal-operand exception. */
export const isDenormal = (x: Float80): boolean => x.exponent === 0 && x.mantissa !== 0n;
export const quiet = (x: Float80): Float80 => ({ ...x, mantissa: x.mantissa | QUIET_BIT });

export function exact(x: Float80): Exact {
  return { sign: x.sign, mantissa: x.mantissa, power: (x.exponent || 1) - BIAS - 63 };
}

/** An exact number in the 80-bit format, rounded to `precision` bits. */
export function pack(x: Exact, precision: number, how: Rounding): Float80 {
  const { sign, mantissa, exponent, infinite } = round(x, EXTENDED, how, precision);
  if (infinite) return infinity(sign);
  if (mantissa >= INTEGER_BIT) return { sign, exponent: exponent + BIAS, mantissa };
  return { sign, exponent: 0, mantissa };
}

/** -1, 0, 1, or 2 for unordered. */
export function compare(a: Float80, b: Float80): number {
  if (isNaN80(a) || isNaN80(b) || isUnsupported(a) || isUnsupported(b)) return 2;
  const key = (x: Float80): bigint => {
    const magnitude = (BigInt(x.exponent || (x.mantissa >= INTEGER_BIT ? 1 : 0)) << 64n) | x.mantissa;
    return x.sign ? -magnitude : magnitude;
  };
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

export function fromInteger(value: bigint): Float80 {
  return pack(ofInteger(value), 64, rounding());
}

/** From the bits of a double or single, exactly; signalling NaNs stay signalling. */
export function fromBits(bits: bigint, format: Interchange): Float80 {
  const sign = Number(bits >> BigInt(format.bits - 1)) as 0 | 1;
  const fraction = BigInt.asUintN(format.precision - 1, bits);
  if (isNaNBits(bits, format) || decode(bits, format) === undefined) {
    return { sign, exponent: MAX_EXPONENT, mantissa: INTEGER_BIT | (fraction << BigInt(64 - format.precision)) };
  }
  return pack(decode(bits, format)!, 64, rounding());
}

/** The bits of a double or single nearest to an 80-bit number. */
export function toBits(x: Float80, format: Interchange, how: Rounding): bigint {
  const sign = BigInt(x.sign) << BigInt(format.bits - 1);
  if (isUnsupported(x)) {
    how.flags |= INVALID;
    return format.indefinite;
  }
  if (isNaN80(x)) {
    if (isSignaling(x)) how.flags |= INVALID;
    const fraction = BigInt.asUintN(63, x.mantissa) >> BigInt(64 - format.precision);
    return quietBits(sign | format.infinity | fraction, format);
  }
  if (isInfinite(x)) return sign | format.infinity;
  return encode(exact(x), format, how);
}

/** Whether the bits of a double or single are a signalling NaN. */
export const isSignalingIn = isSignalingBits;

/** A finite number as an integer by the rounding mode. */
export function toInteger(x: Float80, how: Rounding): bigint {
  return exactToInteger(exact(x), how);
}
