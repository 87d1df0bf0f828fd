/**
 * What CPUID says: an x86-64-v2 processor (SSE4.2, POPCNT, CMPXCHG16B, no AVX), the same on every engine; cpu-model.ts
 * adds level 3.
 */
import { DEFAULT_CPU_MODEL, extendToV3, type CpuModel } from "./cpu-model.ts";

const text = (four: string): number =>
  four.charCodeAt(0) | (four.charCodeAt(1) << 8) | (four.charCodeAt(2) << 16) | (four.charCodeAt(3) << 24);

/** Leaf, subleaf (-1: any), EAX, EBX, ECX, EDX. */
type Row = readonly [leaf: number, subleaf: number, eax: number, ebx: number, ecx: number, edx: number];

const bits = (...numbers: number[]): number => numbers.reduce((sum, bit) => sum | (1 << bit), 0);

/** SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT, hypervisor. */
const FEATURES_ECX = bits(0, 9, 13, 19, 20, 23, 31);
/** FPU DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2. */
const FEATURES_EDX = bits(0, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 23, 24, 25, 26);
/** LAHF in 64-bit mode. */
const EXTENDED_ECX = bits(0);
/** SYSCALL, NX, long mode. */
const EXTENDED_EDX = bits(11, 20, 29);

/** Family 6, model 26, stepping 3: a Nehalem. */
const SIGNATURE = 0x106a3;
const MODEL_NAME = "Trapgate x86-64-v2".padEnd(48, "\0");
const name = (part: number): number => text(MODEL_NAME.slice(part * 4, part * 4 + 4));

const ROWS: readonly Row[] = [
  [0, -1, 0xb, text("Genu"), text("ntel"), text("ineI")],
  [1, -1, SIGNATURE, 0x800, FEATURES_ECX, FEATURES_EDX],
  [2, -1, 1, 0, 0, 0x2c307d],
  // Deterministic cache parameters: 32 KiB + 32 KiB, 8 and 4 MiB as a Nehalem's neighbourhood expects them.
  [4, 0, 0x121, 0x1c0003f, 0x3f, 1],
  [4, 1, 0x122, 0x1c0003f, 0x3f, 1],
  [4, 2, 0x143, 0x3c0003f, 0xfff, 1],
  // MONITOR, which is not there: its extensions are enumerated all the same.
  [5, -1, 0, 0, 3, 0],
  [0x80000000, -1, 0x80000008, text("Genu"), text("ntel"), text("ineI")],
  [0x80000001, -1, SIGNATURE, 0, EXTENDED_ECX, EXTENDED_EDX],
  [0x80000002, -1, name(0), name(1), name(2), name(3)],
  [0x80000003, -1, name(4), name(5), name(6), name(7)],
  [0x80000004, -1, name(8), name(9), name(10), name(11)],
  // TLBs and caches in AMD's form.
  [0x80000005, -1, 0x1ff01ff, 0x1ff01ff, 0x40020140, 0x40020140],
  [0x80000006, -1, 0, 0x42004200, 0x2008140, 0],
  [0x80000008, -1, 0x3028, 0, 0, 0],
];

const ZERO = [0, 0, 0, 0] as const;

/** EAX, EBX, ECX, EDX for a leaf of a processor model. */
export function cpuid(
  leaf: number,
  subleaf: number,
  model: CpuModel = DEFAULT_CPU_MODEL,
): readonly [number, number, number, number] {
  const row = ROWS.find((candidate) => candidate[0] === leaf && (candidate[1] === -1 || candidate[1] === subleaf));
  const values = row ? ([row[2], row[3], row[4], row[5]] as const) : ZERO;
  return model === "x86-64-v3" ? extendToV3(leaf >>> 0, subleaf, values) : values;
}
