/**
 * The engine contract: what a kernel may expect of whatever executes x86-64 instructions for it.
 *
 * The division of labour is KVM's. The kernel owns RAM, page tables and register values; the engine only executes
 * user code (CPL 3) until something happens that user code cannot do itself, and then says what it was in one `Stop`.
 */
import type { CpuState } from "./registers.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

/** A SYSCALL instruction was executed: RIP is behind it; RCX and R11 are left to the kernel. */
export const STOP_SYSCALL = 0;
/** An exception the processor raises before an instruction completes: state is the one before that instruction. */
export const STOP_FAULT = 1;
/** An exception raised behind an instruction (int3, int n, single step): RIP is behind it. */
export const STOP_TRAP = 2;
/** The budget given to `run` is used up. */
export const STOP_BUDGET = 3;
/** HLT was executed where it is allowed (CPL 0 only; at CPL 3 it is a #GP fault). */
export const STOP_HALT = 4;

export type StopKind =
  typeof STOP_SYSCALL | typeof STOP_FAULT | typeof STOP_TRAP | typeof STOP_BUDGET | typeof STOP_HALT;

/** Exception vectors (Intel SDM volume 3, table 6-1). */
export const VECTOR_DE = 0;
export const VECTOR_DB = 1;
export const VECTOR_BP = 3;
export const VECTOR_OF = 4;
export const VECTOR_UD = 6;
export const VECTOR_GP = 13;
export const VECTOR_PF = 14;
export const VECTOR_MF = 16;
export const VECTOR_AC = 17;
export const VECTOR_XM = 19;

/** Page-fault error code bits (Intel SDM volume 3, section 4.7). */
export const PF_PRESENT = 1;
export const PF_WRITE = 2;
export const PF_USER = 4;
export const PF_RESERVED = 8;
export const PF_FETCH = 16;

/**
 * Why `run` returned. One object per engine, overwritten by every run: read it, do not keep it.
 */
export interface Stop {
  kind: StopKind;
  /** Exception vector of a fault or trap; for `int n` the number n. */
  vector: number;
  /** The error code the processor would push, 0 for vectors without one. */
  errorCode: number;
  /** CR2 of a page fault, as two unsigned 32-bit halves. */
  addressLow: number;
  addressHigh: number;
  /** Budget units used by this run. */
  executed: number;
}

/** What CPUID tells the guest, in the names of the psABI levels. */
export interface EngineCapabilities {
  /** A word for messages, such as `unicorn 2.1.1`. */
  readonly name: string;
  /** psABI micro-architecture level presented to the guest. */
  readonly level: "x86-64-v2" | "x86-64-v3";
  /** What one budget unit is. Budgets are exact and repeatable on one engine, not comparable between engines. */
  readonly budgetUnit: "basic block" | "instruction";
  /** False: hostile guest code may crash this process, because nothing bounds the blocks the engine translates. */
  readonly boundedBlocks?: boolean;
}

export interface Engine {
  readonly memory: PhysicalMemory;
  readonly capabilities: EngineCapabilities;

  /** The registers as they are between runs; the kernel reads and writes them in place. */
  readonly cpu: CpuState;

  /** The reason the last `run` ended. */
  readonly stop: Stop;

  /**
   * The PML4 entry that the kernel copies to index 511 of every root it builds, as two 32-bit halves (0, 0: none).
   * It maps, for the supervisor only, whatever tables the engine needs in every address space.
   */
  readonly supervisorEntryLow: number;
  readonly supervisorEntryHigh: number;

  /**
   * Executes user code from `cpu` until a stop, at most `budget` units (1 to 2^31 - 1).
   * The same program with the same budgets stops at the same places.
   */
  run(budget: number): StopKind;

  /** Makes the PML4 at physical address `root` the current address space (CR3) and forgets old translations. */
  activate(root: number): void;

  /** Forgets all cached translations of the current address space. */
  flushTlb(): void;

  /** Forgets the cached translation of the page holding the virtual address. May forget more. */
  flushPage(address: number): void;

  /** The kernel has changed bytes of a frame that may hold code: drops what was translated from it. */
  invalidateFrame(pfn: number): void;

  /** Writes the x87, MMX and SSE state of the CPU into `cpu.fxsave`. */
  storeFpu(): void;

  /** Takes the x87, MMX and SSE state of the CPU from `cpu.fxsave`. */
  loadFpu(): void;

  dispose(): void;
}
