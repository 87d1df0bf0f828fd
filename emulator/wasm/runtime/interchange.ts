/** Single and double precision as bit patterns (IEEE 754-2008, section 3.4; Intel SDM volume 1, section 4.2.2). */
import { round, type BinaryFormat, type Exact, type Rounding } from "./exact.ts";

/** A format with its encoding. */
export interface Interchange extends BinaryFormat {
  readonly bits: 32 | 64;
  /** The bits of +infinity: all of the exponent. */
  readonly infinity: bigint;
  readonly quietBit: bigint;
  /** The NaN an invalid operation gives: quiet, negative, no payload. */
  readonly indefinite: bigint;
}

/** Results with unmasked overflow or underflow go nowhere, so that their moved exponent may be anything. */
const NEVER_STORED = 100_000;

function interchange(bits: 32 | 64, precision: number): Interchange {
  const maxExponent = 2 ** (bits - precision - 1) - 1;
  const infinity = BigInt(2 * maxExponent + 1) << BigInt(precision - 1);
  const quietBit = 1n << BigInt(precision - 2);
  const indefinite = (1n << BigInt(bits - 1)) | infinity | quietBit;
  return {
    bits,
    precision,
    maxExponent,
    minExponent: 1 - maxExponent,
    wrap: NEVER_STORED,
    infinity,
    quietBit,
    indefinite,
  };
}

export const SINGLE = interchange(32, 24);
export const DOUBLE = interchange(64, 53);

const magnitude = (x: bigint, format: Interchange): bigint => BigInt.asUintN(format.bits - 1, x);

export const signOf = (x: bigint, format: Interchange): 0 | 1 => Number(x >> BigInt(format.bits - 1)) as 0 | 1;
export const isNaNBits = (x: bigint, format: Interchange): boolean => magnitude(x, format) > format.infinity;
export const isSignalingBits = (x: bigint, format: Interchange): boolean =>
  isNaNBits(x, format) && (x & format.quietBit) === 0n;
export const isInfiniteBits = (x: bigint, format: Interchange): boolean => magnitude(x, format) === format.infinity;
export const isZeroBits = (x: bigint, format: Interchange): boolean => magnitude(x, format) === 0n;
export const isDenormalBits = (x: bigint, format: Interchange): boolean =>
  magnitude(x, format) !== 0n && (x & format.infinity) === 0n;
export const quietBits = (x: bigint, format: Interchange): bigint => x | format.quietBit;
export const zeroBits = (sign: 0 | 1, format: Interchange): bigint => BigInt(sign) << BigInt(format.bits - 1);
export const infinityBits = (sign: 0 | 1, format: Interchange): bigint => zeroBits(sign, format) | format.infinity;

/** The number that bits stand for; undefined for infinities and NaNs. */
export function decode(x: bigint, format: Interchange): Exact | undefined {
  const fractionBits = format.precision - 1;
  const exponent = Number(magnitude(x, format) >> BigInt(fractionBits));
  if (exponent > 2 * format.maxExponent) return undefined;
  const fraction = BigInt.asUintN(fractionBits, x);
  const mantissa = exponent === 0 ? fraction : fraction | (1n << BigInt(fractionBits));
  return { sign: signOf(x, format), mantissa, power: (exponent || 1) - format.maxExponent - fractionBits };
}

/** The bits of a number, rounded. */
export function encode(x: Exact, format: Interchange, how: Rounding): bigint {
  const { sign, mantissa, exponent, infinite } = round(x, format, how);
  if (infinite) return infinityBits(sign, format);
  const biased = BigInt(exponent + format.maxExponent - 1) << BigInt(format.precision - 1);
  // A normal number's leading bit adds the last 1 to the exponent; a subnormal one has none.
  return zeroBits(sign, format) | (biased + mantissa);
}
