/** The processors that the engine can present: the psABI's micro-architecture levels 2 and 3, the latter with more. */
import type { EngineCapabilities } from "../../engine.ts";
import { XCR0, XSAVE_BYTES, AT_AVX_COMPONENT } from "./avx-state.ts";

export type CpuModel = EngineCapabilities["level"];

export const CPU_MODELS = ["x86-64-v2", "x86-64-v3"] as const satisfies readonly CpuModel[];
export const DEFAULT_CPU_MODEL: CpuModel = "x86-64-v2";

type Registers = readonly [eax: number, ebx: number, ecx: number, edx: number];

const bits = (...numbers: number[]): number => numbers.reduce((sum, bit) => sum | (1 << bit), 0);

/** Family 6, model 60, stepping 3: the first processor that had all of level 3. */
const V3_SIGNATURE = 0x306c3;
const V3_LAST_LEAF = 0xd;
/** PCLMULQDQ, FMA, MOVBE, AES, XSAVE, OSXSAVE, AVX, F16C. */
const V3_FEATURES_ECX = bits(1, 12, 22, 25, 26, 27, 28, 29);
/** BMI1, AVX2, BMI2, SHA. */
const V3_EXTENDED_FEATURES_EBX = bits(3, 5, 8, 29);
/** LZCNT. */
const V3_EXTENDED_ECX = bits(5);
/** XSAVEOPT, XSAVEC, XGETBV with ECX = 1. */
const XSAVE_FEATURES = bits(0, 1, 2);
const YMM_BYTES = 256;
/** The name ends in v2; its digit is the second character of this leaf. */
const NEXT_DIGIT = 0x100;

/** What level 3 adds to a leaf of level 2 (Intel SDM volume 2, CPUID). */
export function extendToV3(leaf: number, subleaf: number, [eax, ebx, ecx, edx]: Registers): Registers {
  switch (leaf) {
    case 0:
      return [V3_LAST_LEAF, ebx, ecx, edx];
    case 1:
      return [V3_SIGNATURE, ebx, ecx | V3_FEATURES_ECX, edx];
    case 7:
      return subleaf === 0 ? [eax, ebx | V3_EXTENDED_FEATURES_EBX, ecx, edx] : [eax, ebx, ecx, edx];
    case 0xd:
      if (subleaf === 0) return [XCR0, XSAVE_BYTES, XSAVE_BYTES, 0];
      if (subleaf === 1) return [XSAVE_FEATURES, XSAVE_BYTES, 0, 0];
      return subleaf === 2 ? [YMM_BYTES, AT_AVX_COMPONENT, 0, 0] : [0, 0, 0, 0];
    case 0x80000001:
      return [eax, ebx, ecx | V3_EXTENDED_ECX, edx];
    case 0x80000003:
      return [eax + NEXT_DIGIT, ebx, ecx, edx];
    default:
      return [eax, ebx, ecx, edx];
  }
}
