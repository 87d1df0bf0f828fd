/** The string comparisons of SSE4.2 (Intel SDM volume 2, section 4.1), on operands at AT_SCRATCH. */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { CF, OF, SF, ZF } from "../flags.ts";
import { AT_SCRATCH } from "../layout.ts";

export const PACKED_OPERATIONS = ["pcmpestri", "pcmpestrm", "pcmpistri", "pcmpistrm"] as const;

/** Two vectors of 16 bytes, then two signed 64-bit lengths; results: index, flags, mask. */
export const AT_LENGTHS = AT_SCRATCH + 32;
export const AT_INDEX = AT_SCRATCH + 48;
export const AT_FLAGS = AT_SCRATCH + 52;
export const AT_MASK = AT_SCRATCH + 64;

type Elements = readonly number[];

/** Bit j: whether element j of b satisfies the aggregation. */
function aggregate(kind: number, a: Elements, b: Elements, count: number): number {
  const bit = (j: number): boolean => {
    switch (kind) {
      case 0:
        return j < b.length && a.includes(b[j]!);
      case 1: {
        if (j >= b.length) return false;
        for (let i = 0; i + 1 < a.length; i += 2) if (a[i]! <= b[j]! && b[j]! <= a[i + 1]!) return true;
        return false;
      }
      case 2:
        return j < a.length && j < b.length ? a[j] === b[j] : j >= a.length && j >= b.length;
      default:
        for (let i = 0; i < a.length && i + j < count; i++) if (i + j >= b.length || a[i] !== b[i + j]) return false;
        return true;
    }
  };
  let result = 0;
  for (let j = 0; j < count; j++) if (bit(j)) result |= 1 << j;
  return result;
}

export function packedHelper({ view, u8, u32 }: PhysicalMemory): (operation: number, control: number) => void {
  const element = (at: number, i: number, control: number): number => {
    switch (control & 3) {
      case 0:
        return view.getUint8(at + i);
      case 1:
        return view.getUint16(at + 2 * i, true);
      case 2:
        return view.getInt8(at + i);
      default:
        return view.getInt16(at + 2 * i, true);
    }
  };
  const elements = (which: number, control: number, explicit: boolean): number[] => {
    const count = (control & 1) !== 0 ? 8 : 16;
    const all = Array.from({ length: count }, (_, i) => element(AT_SCRATCH + which * 16, i, control));
    if (!explicit) return all.includes(0) ? all.slice(0, all.indexOf(0)) : all;
    const length = view.getBigInt64(AT_LENGTHS + which * 8, true);
    const magnitude = length < 0n ? -length : length;
    return all.slice(0, magnitude > BigInt(count) ? count : Number(magnitude));
  };

  return (operation, control) => {
    const name = PACKED_OPERATIONS[operation]!;
    const count = (control & 1) !== 0 ? 8 : 16;
    const a = elements(0, control, name.includes("estr"));
    const b = elements(1, control, name.includes("estr"));
    let result = aggregate((control >> 2) & 3, a, b, count);
    const polarity = (control >> 4) & 3;
    if (polarity === 1) result ^= (1 << count) - 1;
    else if (polarity === 3) result ^= (1 << b.length) - 1;
    const high = (control & 0x40) !== 0;
    u32[AT_INDEX / 4] = result === 0 ? count : high ? 31 - Math.clz32(result) : 31 - Math.clz32(result & -result);
    u32[AT_FLAGS / 4] =
      (result !== 0 ? CF : 0) |
      (b.length < count ? ZF : 0) |
      (a.length < count ? SF : 0) |
      ((result & 1) !== 0 ? OF : 0);
    u8.fill(0, AT_MASK, AT_MASK + 16);
    if (!high) view.setUint16(AT_MASK, result, true);
    else for (let i = 0; i < 16; i++) u8[AT_MASK + i] = (result >> ((i * count) >> 4)) & 1 ? 255 : 0;
  };
}
