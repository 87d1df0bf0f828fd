/** Conversions between half and single precision (Intel SDM volume 1, section 14.4), on vectors at AT_SCRATCH. */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_MXCSR, AT_SCRATCH } from "../layout.ts";
import * as exact from "./exact.ts";
import { modeOf, settleVector, type FusedMode } from "./fma.ts";
import { decode, encode, isDenormalBits, isNaNBits, isSignalingBits, signOf, SINGLE } from "./interchange.ts";

export const AT_F16C_SOURCE = AT_SCRATCH;
export const AT_F16C_RESULT = AT_SCRATCH + 32;

const HALF = { precision: 11, minExponent: -14, maxExponent: 15, wrap: 0 } as const;
const HALF_INFINITY = 0x7c00;
const QUIET = 0x200;
/** Bits of the fraction that a half lacks. */
const DROPPED = 13;

/** Exact; denormals are no exception here. */
export function singleOfHalf(half: number, how: FusedMode): number {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  const fraction = half & 0x3ff;
  if (magnitude > HALF_INFINITY) {
    if ((half & QUIET) === 0) how.flags |= exact.INVALID;
    return (sign | 0x7fc00000 | (fraction << DROPPED)) >>> 0;
  }
  if (magnitude === HALF_INFINITY) return (sign | 0x7f800000) >>> 0;
  const exponent = magnitude >> 10;
  const mantissa = exponent === 0 ? fraction : fraction | 0x400;
  const value = { sign: (half >> 15) as 0 | 1, mantissa: BigInt(mantissa), power: (exponent || 1) - 25 };
  return Number(encode(value, SINGLE, exact.rounding()));
}

export function halfOfSingle(single: number, how: FusedMode): number {
  let bits = BigInt(single);
  const sign = signOf(bits, SINGLE) << 15;
  if (isNaNBits(bits, SINGLE)) {
    if (isSignalingBits(bits, SINGLE)) how.flags |= exact.INVALID;
    return sign | HALF_INFINITY | QUIET | ((single >>> DROPPED) & 0x3ff);
  }
  if (isDenormalBits(bits, SINGLE)) {
    if (how.denormalsAreZero) bits = 0n;
    else how.flags |= exact.DENORMAL;
  }
  const value = decode(bits, SINGLE);
  if (!value) return sign | HALF_INFINITY;
  // FTZ does not act here.
  const rounding = exact.rounding(how.mode, 0);
  const { mantissa, exponent, infinite } = exact.round({ ...value, sign: (sign >> 15) as 0 | 1 }, HALF, rounding);
  how.flags |= rounding.flags;
  if (infinite) return sign | HALF_INFINITY;
  return sign | (((exponent + HALF.maxExponent - 1) << 10) + Number(mantissa));
}

/** (to halves, elements, control of VCVTPS2PH). */
export function f16cHelper({ view, u32 }: PhysicalMemory): (toHalf: number, count: number, control: number) => void {
  return (toHalf, count, control) => {
    let how = modeOf(u32[AT_MXCSR / 4]!);
    if (toHalf && (control & 4) === 0) how = { ...how, mode: control & 3 };
    for (let i = 0; i < count; i++) {
      const [wide, narrow] = toHalf ? [AT_F16C_SOURCE, AT_F16C_RESULT] : [AT_F16C_RESULT, AT_F16C_SOURCE];
      if (toHalf) view.setUint16(narrow + i * 2, halfOfSingle(view.getUint32(wide + i * 4, true), how), true);
      else view.setUint32(wide + i * 4, singleOfHalf(view.getUint16(narrow + i * 2, true), how), true);
    }
    settleVector(u32, how);
  };
}
