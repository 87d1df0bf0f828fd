/** The x87's operands in memory: formats, and their conversion with its exceptions (Intel SDM volume 1, section 4.8). */
import { INVALID, rounding, TOWARD_ZERO, type Rounding } from "./exact.ts";
import * as f from "./float80.ts";
import type { Float80 } from "./float80.ts";
import { DOUBLE, isDenormalBits, isSignalingBits, SINGLE, type Interchange } from "./interchange.ts";
import { noteDenormal } from "./x87-arithmetic.ts";

/** Operand formats: none, numbers, packed decimal, environments and states of FSTENV and FSAVE. */
export const FORMATS = [
  "none",
  "f32",
  "f64",
  "f80",
  "i16",
  "i32",
  "i64",
  "bcd",
  "env14",
  "env28",
  "state94",
  "state108",
] as const;
export type Format = (typeof FORMATS)[number];

/** Largest magnitude of packed decimal: 18 digits. */
const BCD_LIMIT = 10n ** 18n;
const BCD_DIGIT_BYTES = 9;

const INTEGER_BITS: Partial<Record<Format, number>> = { i16: 16, i32: 32, i64: 64 };
const INTERCHANGE: Partial<Record<Format, Interchange>> = { f32: SINGLE, f64: DOUBLE };

export interface Loaded {
  readonly value: Float80;
  /** The operand was denormal in its own format. */
  readonly denormal: boolean;
}

function bitsAt(view: DataView, at: number, format: Interchange): bigint {
  return format.bits === 32 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
}

/** A number as it stands in memory; signalling NaNs stay signalling. */
export function load(view: DataView, at: number, format: Format): Loaded {
  const floating = INTERCHANGE[format];
  if (floating) {
    const bits = bitsAt(view, at, floating);
    return { value: f.fromBits(bits, floating), denormal: isDenormalBits(bits, floating) };
  }
  return { value: loadExact(view, at, format), denormal: false };
}

function loadExact(view: DataView, at: number, format: Format): Float80 {
  switch (format) {
    case "i16":
      return f.fromInteger(BigInt(view.getInt16(at, true)));
    case "i32":
      return f.fromInteger(BigInt(view.getInt32(at, true)));
    case "i64":
      return f.fromInteger(view.getBigInt64(at, true));
    case "bcd":
      return loadDecimal(view, at);
    default: {
      const head = view.getUint16(at + 8, true);
      return { sign: (head >> 15) as 0 | 1, exponent: head & 0x7fff, mantissa: view.getBigUint64(at, true) };
    }
  }
}

/** FLD of a single or double: converts, quiets, notes denormals. Undefined: an unmasked exception. */
export function converted(view: DataView, at: number, format: Format, how: Rounding): Float80 | undefined {
  const { value, denormal } = load(view, at, format);
  const floating = INTERCHANGE[format];
  if (floating && isSignalingBits(bitsAt(view, at, floating), floating)) {
    how.flags |= INVALID;
    return (how.unmasked & INVALID) !== 0 ? undefined : f.quiet(value);
  }
  return noteDenormal(denormal, how) ? undefined : value;
}

/** What FST writes, as a function to be called when exceptions allow it. */
export function storing(view: DataView, at: number, format: Format, x: Float80, how: Rounding): () => void {
  if (format === "f32") {
    const bits = Number(f.toBits(x, SINGLE, how));
    return () => view.setUint32(at, bits, true);
  }
  if (format === "f64") {
    const bits = f.toBits(x, DOUBLE, how);
    return () => view.setBigUint64(at, bits, true);
  }
  return () => {
    view.setBigUint64(at, x.mantissa, true);
    view.setUint16(at + 8, (x.sign << 15) | x.exponent, true);
  };
}

/** What FIST, FISTTP and FBSTP write; what does not fit becomes the integer (or decimal) indefinite. */
export function storingInteger(
  view: DataView,
  at: number,
  format: Format,
  x: Float80,
  how: Rounding,
  truncates = false,
): () => void {
  const conversion = truncates ? rounding(TOWARD_ZERO) : how;
  const bits = INTEGER_BITS[format];
  let value = integerOf(x, conversion);
  const fits =
    value !== undefined && (bits ? BigInt.asIntN(bits, value) === value : value < BCD_LIMIT && value > -BCD_LIMIT);
  if (!fits) {
    value = undefined;
    how.flags = INVALID;
    how.roundedUp = false;
  } else {
    how.flags |= conversion.flags;
    how.roundedUp = conversion.roundedUp;
  }
  if (!bits) return () => storeDecimal(view, at, value, x.sign);
  const stored = value ?? -(1n << BigInt(bits - 1));
  if (bits === 16) return () => view.setInt16(at, Number(stored), true);
  if (bits === 32) return () => view.setInt32(at, Number(stored), true);
  return () => view.setBigInt64(at, stored, true);
}

function integerOf(x: Float80, how: Rounding): bigint | undefined {
  if (f.isUnsupported(x) || f.isNaN80(x) || f.isInfinite(x) || x.exponent > f.BIAS + 64) return undefined;
  return f.toInteger(x, how);
}

/** 18 decimal digits, two a byte, then the sign in the top bit of byte 9 (SDM volume 1, section 4.7). */
function loadDecimal(view: DataView, at: number): Float80 {
  let value = 0n;
  for (let i = BCD_DIGIT_BYTES - 1; i >= 0; i--) {
    const byte = view.getUint8(at + i);
    value = value * 100n + BigInt((byte >> 4) * 10 + (byte & 15));
  }
  return { ...f.fromInteger(value), sign: (view.getUint8(at + BCD_DIGIT_BYTES) >> 7) as 0 | 1 };
}

function storeDecimal(view: DataView, at: number, value: bigint | undefined, sign: 0 | 1): void {
  if (value === undefined) {
    view.setBigUint64(at, 0xc000000000000000n, true);
    view.setUint16(at + 8, 0xffff, true);
    return;
  }
  let rest = value < 0n ? -value : value;
  for (let i = 0; i < BCD_DIGIT_BYTES; i++) {
    const two = Number(rest % 100n);
    rest /= 100n;
    view.setUint8(at + i, (Math.floor(two / 10) << 4) | (two % 10));
  }
  view.setUint8(at + BCD_DIGIT_BYTES, sign << 7);
}
