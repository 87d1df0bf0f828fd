/**
 * Fused multiply-add of one element, exactly: the product is not rounded (Intel SDM volume 1, section 14.5). Generated
 * code does the ordinary cases itself (fma-function.ts) and comes here for NaNs, infinities, results near the ends of
 * the range, directed rounding and unmasked exceptions.
 */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_MXCSR, AT_SCRATCH, AT_VECTOR_TRAP } from "../layout.ts";
import * as exact from "./exact.ts";
import { AT_STRICT_FLOAT } from "./fpu-state.ts";
import * as format from "./interchange.ts";
import type { Interchange } from "./interchange.ts";

/** Vectors of 16 bytes: factors, addend, and where the signs of product and addend change; then the result. */
export const AT_FMA_OPERANDS = AT_SCRATCH;
export const AT_FMA_RESULT = AT_SCRATCH + 80;

export interface FusedOperands {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly negateProduct: boolean;
  readonly negateAddend: boolean;
}

/** What MXCSR says about rounding, and the exceptions met. */
export interface FusedMode {
  readonly mode: number;
  readonly unmasked: number;
  readonly flushToZero: boolean;
  readonly denormalsAreZero: boolean;
  flags: number;
}

/** x * y + z as bits of the format. */
export function fusedMultiplyAdd(given: FusedOperands, kind: Interchange, how: FusedMode): bigint {
  const { x, y, z } = how.denormalsAreZero ? withoutDenormals(given, kind) : given;
  const operands = [x, y, z];
  if (operands.some((value) => format.isSignalingBits(value, kind))) how.flags |= exact.INVALID;
  const productSign = (format.signOf(x, kind) ^ format.signOf(y, kind) ^ Number(given.negateProduct)) as 0 | 1;
  const addendSign = (format.signOf(z, kind) ^ Number(given.negateAddend)) as 0 | 1;
  const nan = operands.find((value) => format.isNaNBits(value, kind));
  const infinite = [x, y].some((value) => format.isInfiniteBits(value, kind));
  const undefinedProduct = infinite && [x, y].some((value) => format.isZeroBits(value, kind));
  if (nan !== undefined) {
    return format.quietBits(nan, kind);
  }
  if (undefinedProduct || (infinite && format.isInfiniteBits(z, kind) && productSign !== addendSign)) {
    how.flags |= exact.INVALID;
    return kind.indefinite;
  }
  if (operands.some((value) => format.isDenormalBits(value, kind))) how.flags |= exact.DENORMAL;
  if (infinite) return format.infinityBits(productSign, kind);
  if (format.isInfiniteBits(z, kind)) return format.infinityBits(addendSign, kind);
  const product = { ...exact.multiply(format.decode(x, kind)!, format.decode(y, kind)!), sign: productSign };
  const sum = exact.add(product, { ...format.decode(z, kind)!, sign: addendSign }, how.mode);
  const rounding = exact.rounding(how.mode, how.unmasked, how.flushToZero);
  const result = format.encode(sum, kind, rounding);
  how.flags |= rounding.flags;
  return result;
}

function withoutDenormals({ x, y, z }: FusedOperands, kind: Interchange): { x: bigint; y: bigint; z: bigint } {
  const cleared = (value: bigint): bigint =>
    format.isDenormalBits(value, kind) ? format.zeroBits(format.signOf(value, kind), kind) : value;
  return { x: cleared(x), y: cleared(y), z: cleared(z) };
}

const MXCSR_DAZ = 0x40;
const MXCSR_FTZ = 0x8000;

/** MXCSR as the rounding of one instruction. */
export function modeOf(mxcsr: number): FusedMode {
  return {
    mode: (mxcsr >> 13) & 3,
    unmasked: ~(mxcsr >> 7) & 0x3f,
    flushToZero: (mxcsr & MXCSR_FTZ) !== 0,
    denormalsAreZero: (mxcsr & MXCSR_DAZ) !== 0,
    flags: 0,
  };
}

/** Fused multiply-add of the vectors at AT_FMA_OPERANDS, in elements of `size` bytes. */
export function fmaHelper({ view, u32 }: PhysicalMemory): (size: number) => void {
  return (size) => {
    const kind = size === 4 ? format.SINGLE : format.DOUBLE;
    const how = modeOf(u32[AT_MXCSR / 4]!);
    const read = (vector: number, i: number): bigint => {
      const at = AT_FMA_OPERANDS + vector * 16 + i * size;
      return size === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
    };
    for (let i = 0; i < 16 / size; i++) {
      const [x, y, z] = [read(0, i), read(1, i), read(2, i)];
      const signs = { negateProduct: read(3, i) !== 0n, negateAddend: read(4, i) !== 0n };
      const result = fusedMultiplyAdd({ x, y, z, ...signs }, kind, how);
      if (size === 4) view.setUint32(AT_FMA_RESULT + i * 4, Number(result), true);
      else view.setBigUint64(AT_FMA_RESULT + i * 8, result, true);
    }
    settleVector(u32, how);
  };
}

/** Found before a result is computed: when one is unmasked, flags of results are not set. */
const BEFORE = exact.INVALID | exact.DENORMAL | exact.ZERO_DIVIDE;

/** Takes over the exceptions of one half of a vector; those of the other half may have been taken over already. */
export function settleVector(u32: Uint32Array, { flags, unmasked }: FusedMode): void {
  const trap = u32[AT_VECTOR_TRAP / 4]! | (flags & unmasked);
  u32[AT_VECTOR_TRAP / 4] = trap;
  if (u32[AT_STRICT_FLOAT / 4] !== 0) u32[AT_MXCSR / 4]! |= (trap & BEFORE) !== 0 ? flags & BEFORE : flags;
}
