/** Numbers at which instructions change their behaviour, for registers and memory. */
import type { Random } from "./random.ts";

/** Two 32-bit halves, low one first. */
export type Halves = readonly [low: number, high: number];

const SMALL = [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 255];
const BORDERS = [0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x55555555, 0xaaaaaaaa];

/** A 64-bit integer: small, at a border, negative, one bit, a run of bits, or anything. */
export function integer64(random: Random): Halves {
  switch (random.below(10)) {
    case 0:
    case 1:
      return [random.pick(SMALL), 0];
    case 2:
      return [random.pick(BORDERS), 0];
    case 3:
      return [random.pick(BORDERS), random.pick(BORDERS)];
    case 4:
      return [-random.pick(SMALL) >>> 0, 0xffffffff];
    case 5: {
      const bit = random.below(64);
      return bit < 32 ? [(1 << bit) >>> 0, 0] : [0, (1 << (bit - 32)) >>> 0];
    }
    case 6:
      return random.chance(0.5) ? [0, 0x80000000] : [0xffffffff, 0x7fffffff];
    case 7:
      return [random.u32(), 0];
    default:
      return [random.u32(), random.u32()];
  }
}

/** Zeros, ones, denormals, largest and smallest, infinities, quiet and signalling NaNs, conversion limits, halves. */
const SINGLES = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x7f800000,
  0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0x7f800001, 0xffbfffff, 0x4f000000, 0xcf000000, 0x4effffff,
  0x5f000000, 0xdf000000, 0x3f000000, 0x3fc00000, 0x40200000, 0x4b000001, 0x34000000, 0x40490fdb,
];
const DOUBLE_HIGHS = [
  0, 0x80000000, 0x3ff00000, 0xbff00000, 0x000fffff, 0x00100000, 0x7fefffff, 0x7ff00000, 0xfff00000, 0x7ff80000,
  0xfff80000, 0x41e00000, 0xc1e00000, 0x43e00000, 0xc3e00000, 0x3fe00000, 0x3ff80000, 0x40040000, 0x47efffff,
  0x38100000, 0x36a00000, 0x7ff00001, 0xfff7ffff,
];

/** The bits of a single. */
export function single(random: Random): number {
  if (random.chance(0.4)) return random.pick(SINGLES);
  const bits = random.u32();
  if (random.chance(0.3)) return bits;
  // Near 1, with few significant bits half of the time, so that results are exact or nearly equal.
  const mantissa = random.chance(0.5) ? bits & 0x7c0000 : bits & 0x7fffff;
  return ((bits & 0x80000000) | ((117 + random.below(48)) << 23) | mantissa) >>> 0;
}

/** The bits of a double. */
export function double(random: Random): Halves {
  if (random.chance(0.4)) {
    const high = random.pick(DOUBLE_HIGHS);
    return [random.pick([0, 0, 0, 1, 0xffffffff, 0xffe00000, 0xe0000000]), high];
  }
  const [low, bits] = [random.u32(), random.u32()];
  if (random.chance(0.3)) return [low, bits];
  const mantissa = random.chance(0.5) ? bits & 0xf0000 : bits & 0xfffff;
  const high = ((bits & 0x80000000) | ((1003 + random.below(100)) << 20) | mantissa) >>> 0;
  return [random.chance(0.5) ? 0 : low, high];
}

/** Sign and exponent of extended reals: zero and denormals, around 1, largest, infinities and NaNs, integer limits. */
const EXPONENTS = [
  0, 1, 0x3ffe, 0x3fff, 0x4000, 0x401e, 0x403e, 0x403f, 0x7ffe, 0x7fff, 0x3f81, 0x3c01, 0x407e, 0x43fe,
];
const SIGNIFICANDS: readonly Halves[] = [
  [0, 0],
  [0, 0x80000000],
  [1, 0x80000000],
  [0, 0xc0000000],
  [0xffffffff, 0xffffffff],
  [1, 0],
  [0, 0x40000000],
  [0, 0xa0000000],
  [0x400, 0x80000000],
  [0, 0x80000080],
];

/** Writes an 80-bit real of any class, unsupported ones among them, or an MMX register. */
export function writeExtended(random: Random, view: DataView, at: number): void {
  const sign = random.chance(0.5) ? 0x8000 : 0;
  const kind = random.below(10);
  let [low, high] = kind < 4 ? random.pick(SIGNIFICANDS) : [random.u32(), random.u32()];
  let exponent = kind < 4 ? random.pick(EXPONENTS) : 0x3fff - 20 + random.below(85);
  if (kind === 9) exponent = random.u32() & 0x7fff;
  if (kind >= 4 && kind < 9) high |= 0x80000000;
  if (kind === 8) [low, high] = [0, (high & 0xff000000) >>> 0];
  if (kind === 3 && random.chance(0.5)) {
    [low, high] = integer64(random);
    exponent = 0x7fff;
  }
  view.setUint32(at, low >>> 0, true);
  view.setUint32(at + 4, high >>> 0, true);
  view.setUint16(at + 8, exponent | sign, true);
}

/** Fills 16 bytes with one kind of vector: singles, doubles, integers of any width, bytes that repeat. */
export function writeVector(random: Random, view: DataView, at: number): void {
  const kind = random.below(8);
  for (let i = 0; i < 16; i += 8) {
    let halves: Halves;
    if (kind < 2) halves = [single(random), single(random)];
    else if (kind < 4) halves = double(random);
    else if (kind < 6) halves = integer64(random);
    else if (kind === 6) halves = [packedBorders(random), packedBorders(random)];
    else halves = [random.u32(), random.u32()];
    view.setUint32(at + i, halves[0], true);
    view.setUint32(at + i + 4, halves[1], true);
  }
}

const BYTES = [0, 1, 2, 7, 8, 15, 16, 0x61, 0x7a, 0x7f, 0x80, 0x81, 0xfe, 0xff];

function packedBorders(random: Random): number {
  let bits = 0;
  for (let i = 0; i < 4; i++) bits = (bits << 8) | random.pick(BYTES);
  return bits >>> 0;
}
