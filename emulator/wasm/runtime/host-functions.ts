/** Functions that generated code calls for what is rare or long. Registers they need lie in the register file. */
import { PAGE_SIZE, type PhysicalMemory } from "../../physical-memory.ts";
import { RAX, RBX, RCX, RDX } from "../../registers.ts";
import type { GuestMemory } from "../guest-memory.ts";
import { AT_SCRATCH, AT_STOP_ERROR, AT_STOP_VECTOR } from "../layout.ts";
import { ExtendedState } from "./avx-state.ts";
import type { CpuModel } from "./cpu-model.ts";
import { cpuid } from "./cpuid.ts";
import { farReturns, generalProtection } from "./far-return.ts";
import { f16cHelper } from "./f16c.ts";
import { fmaHelper } from "./fma.ts";
import { descriptor, mayLoad } from "./descriptors.ts";
import { loadMxcsr, restoreState, storeState } from "./fpu-state.ts";
import { crc32c } from "./crc32c.ts";
import type { HelperName } from "./signatures.ts";
import { StrictFloat } from "./strict-float.ts";
import { StringUnit } from "./strings.ts";
import { X87Unit } from "./x87.ts";
import { opcodeReader } from "./x87-opcode.ts";

const DONE = 0;
const FAULT = 1;
/** FXRSTOR: done, and MXCSR now wants other code. */
const CHANGED = 2;

export type Helpers = Record<HelperName, (...operands: never[]) => number | bigint | void>;

export function createHelpers(memory: PhysicalMemory, guest: GuestMemory, model: CpuModel): Helpers {
  const { u32, u8 } = memory;
  const u64 = new BigUint64Array(memory.buffer, 0, PAGE_SIZE / 8);
  const strings = new StringUnit(memory, guest);
  const x87 = new X87Unit(memory, opcodeReader(memory, guest));
  const extended = new ExtendedState(memory);
  const strict = new StrictFloat(memory);
  const setPair = (register: number, value: number): void => {
    u32[register * 2] = value;
    u32[register * 2 + 1] = 0;
  };
  return {
    commit: guest.commit,

    trap: (vector: number): void => {
      u32[AT_STOP_VECTOR / 4] = vector;
      u32[AT_STOP_ERROR / 4] = 0;
    },

    cpuid: (): void => {
      const [eax, ebx, ecx, edx] = cpuid(u32[RAX * 2]!, u32[RCX * 2]!, model);
      setPair(RAX, eax);
      setPair(RBX, ebx);
      setPair(RCX, ecx);
      setPair(RDX, edx);
    },

    divide: (_size: number, signed: number): number => {
      const cut = signed ? BigInt.asIntN : BigInt.asUintN;
      const dividend = cut(128, (u64[RDX]! << 64n) | u64[RAX]!);
      const divisor = cut(64, u64[AT_SCRATCH / 8]!);
      const quotient = dividend / divisor;
      if (cut(64, quotient) !== quotient) return FAULT;
      u64[RAX] = BigInt.asUintN(64, quotient);
      u64[RDX] = BigInt.asUintN(64, dividend % divisor);
      return DONE;
    },

    string: strings.run,

    ...farReturns(memory, guest),

    fxsave: (host: number, wide: number): void => storeState(memory, u8.subarray(host, host + 512), wide !== 0),

    fxrstor: (host: number, wide: number): number => {
      if (memory.view.getUint32(host + 24, true) > 0xffff) return generalProtection(memory, 0);
      return restoreState(memory, u8.subarray(host, host + 512), wide !== 0) ? CHANGED : DONE;
    },

    loadMxcsr: (value: number): number => (loadMxcsr(memory, value) ? 1 : 0),

    descriptor,
    loadSelector: (segment: number, selector: number): number =>
      mayLoad(segment, selector) ? DONE : generalProtection(memory, selector),

    x87: x87.run,
    float: strict.run,
    floatQuietly: strict.quietly,
    crc32: crc32c,
    fma: fmaHelper(memory),
    f16c: f16cHelper(memory),
    xinuse: extended.inUse,
    xsave: extended.save,
    xrstor: extended.restore,
  } as unknown as Helpers;
}
