/** Functions that generated code may call: those of the base module first, then those written in TypeScript. */
import { I32, I64 } from "../emit/assembler.ts";
import { VECTOR_SIGNATURES } from "./avx-functions.ts";
import type { Signature } from "../emit/module-writer.ts";
import { AGGREGATION_SIGNATURES } from "./string-aggregations.ts";

const signature = (parameters: Signature["parameters"], results: Signature["results"] = []): Signature => ({
  parameters,
  results,
});

const ACCESS = signature([I64, I64, I32], [I32]);
const ACCESS_AT = signature([I64, I64, I32, I32], [I32]);
const CONDITION = signature([I32, I64, I64, I64], [I32]);

/** Exported by the base module (base-module.ts). */
export const BASE_FUNCTIONS = {
  /** (address, rip, size): the complement of the host address, or 0 for a fault. */
  read: ACCESS,
  write: ACCESS,
  /** The same; 0 as well for bytes that cross a page. */
  readWhole: ACCESS,
  writeWhole: ACCESS,
  /** (address, rip, size, place): the same, and the place has the window next time. */
  readAt: ACCESS_AT,
  writeAt: ACCESS_AT,
  /** The same for accesses that may yet not be made: 0 as well where they would change a page-table entry. */
  lookToRead: ACCESS,
  lookToWrite: ACCESS,
  lookToReadAt: ACCESS_AT,
  lookToWriteAt: ACCESS_AT,
  /** (operation, a, b, r): status flags. */
  flags: signature([I32, I64, I64, I64], [I32]),
  /** (operation, a, b, r): zero or not zero, by condition (flags.ts). */
  overflow: CONDITION,
  below: CONDITION,
  equal: CONDITION,
  belowOrEqual: CONDITION,
  sign: CONDITION,
  parity: CONDITION,
  less: CONDITION,
  lessOrEqual: CONDITION,
  /** (return address): runs a guest function up to its return; a status that is not 0 leaves the caller as well. */
  call: signature([I64], [I32]),
  /** (return address, offset of the jump cache's entry for RIP): the same. */
  callAt: signature([I64, I32], [I32]),
  /** (record, target): the interpreted jump of a record leads to an address. */
  noteTarget: signature([I32, I64]),
  /** (rip, vector, error code): notes a fault. */
  raise: signature([I64, I32, I32]),
} satisfies Record<string, Signature>;

/** Imported by the base module alone. */
export const HOST_FUNCTIONS = {
  /** (low, high, size, how): GuestMemory.accessBy. */
  accessBy: signature([I32, I32, I32, I32], [I32]),
  raiseStop: signature([I32, I32]),
} satisfies Record<string, Signature>;

/** Written in TypeScript, called by regions. Those that return an i32 as a status: not zero means a fault is noted. */
export const HELPER_FUNCTIONS = {
  /** (size): writes the bounce buffer back to the two pages of the last crossing write. */
  commit: signature([I32]),
  /** (rip, vector): notes a trap. */
  trap: signature([I32]),
  cpuid: signature([]),
  /** (size, signed): RDX:RAX / divisor at AT_SCRATCH. 1: #DE. */
  divide: signature([I32, I32], [I32]),
  /**
   * (operation, size, repeat prefix, address size, segment): one string instruction. 0 done, 1 fault, 2 again, 3 one
   * element done under TF.
   */
  string: signature([I32, I32, I32, I32, I32], [I32]),
  /** (bytes of an item). */
  iret: signature([I32], [I32]),
  /** (bytes of an item, bytes to drop behind them). */
  retf: signature([I32, I32], [I32]),
  /** (value): LDMXCSR. 1: code has to be translated differently now. */
  loadMxcsr: signature([I32], [I32]),
  /** (selector, DESCRIPTOR_…): what LAR, LSL, VERR and VERW find, or -1. */
  descriptor: signature([I32, I32], [I64]),
  /** (segment register, selector): 1: #GP is noted. */
  loadSelector: signature([I32, I32], [I32]),
  /** (host address of the image, whether its pointers have 64 bits). */
  fxsave: signature([I32, I32]),
  fxrstor: signature([I32, I32], [I32]),
  /** (operation, operand, host address): see X87Unit.run. */
  x87: signature([I32, I32, I32]),
  /** (operation, control): SSE floating point by MXCSR (StrictFloat.run). 0 done, 1 #XM. */
  float: signature([I32, I32], [I32]),
  /** (operation, control): the same with MXCSR's default and no exceptions. */
  floatQuietly: signature([I32, I32]),
  crc32: signature([I32, I64, I32], [I32]),
  /** (element size): fused multiply-add of the vectors at AT_SCRATCH (fma.ts). */
  fma: signature([I32]),
  /** (to halves, elements, control): conversions of vectors at AT_SCRATCH (f16c.ts). */
  f16c: signature([I32, I32, I32]),
  /** (): state components in use (avx-state.ts). */
  xinuse: signature([], [I32]),
  /** (host address, components, index in XSAVE_KINDS). */
  xsave: signature([I32, I32, I32]),
  /** (host address, components). 1: #GP, 2: code has to be translated differently. */
  xrstor: signature([I32, I32], [I32]),
} satisfies Record<string, Signature>;

export type HelperName = keyof typeof HELPER_FUNCTIONS;

/** What translated code may call, in the order of the table it imports (linked-module.ts). */
export const RUNTIME_FUNCTIONS: Readonly<Record<string, Signature>> = {
  ...BASE_FUNCTIONS,
  ...VECTOR_SIGNATURES,
  ...AGGREGATION_SIGNATURES,
  ...HELPER_FUNCTIONS,
};
