/** The smallest kernel that can drive an engine: page tables, loading of code, and words for what a run did. */
import {
  STOP_BUDGET,
  STOP_FAULT,
  STOP_HALT,
  STOP_SYSCALL,
  STOP_TRAP,
  VECTOR_PF,
  type Engine,
  type StopKind,
} from "../engine.ts";
import { PAGE_SIZE, PhysicalMemory } from "../physical-memory.ts";
import { RIP, RSP, type CpuState } from "../registers.ts";
import { assemble } from "./assemble.ts";

export type EngineFactory = (memory: PhysicalMemory) => Engine;

export const CODE = 0x400000;
export const DATA = 0x10000000;
export const STACK_TOP = 0x20000000;

export const PTE_P = 1;
export const PTE_RW = 2;
export const PTE_US = 4;
export const PTE_A = 32;
export const PTE_D = 64;
/** Bit 63, in the high half of an entry. */
export const PTE_NX_HIGH = 0x80000000;

/** Letters: r readable, w writable, x executable; s for the supervisor only. */
export type Access = "r" | "rw" | "rx" | "rwx" | "rs" | "rws" | "rxs" | "rwxs";

const STOP_NAMES: Record<StopKind, string> = {
  [STOP_SYSCALL]: "syscall",
  [STOP_FAULT]: "fault",
  [STOP_TRAP]: "trap",
  [STOP_BUDGET]: "budget",
  [STOP_HALT]: "halt",
};

/** A stop in the form tests compare. `address` is there for page faults only. */
export interface Outcome {
  stop: string;
  rip: number;
  vector?: number;
  errorCode?: number;
  address?: number;
}

export class TestMachine {
  readonly memory: PhysicalMemory;
  readonly engine: Engine;
  readonly cpu: CpuState;
  /** Physical address of the current PML4. */
  root: number;

  constructor(create: EngineFactory, size = 16 * 1024 * 1024) {
    this.memory = new PhysicalMemory(size);
    this.engine = create(this.memory);
    this.cpu = this.engine.cpu;
    this.root = this.createRoot();
    this.engine.activate(this.root);
  }

  createRoot(): number {
    const pfn = this.memory.allocateZeroed();
    this.memory.u32[pfn * 1024 + 1022] = this.engine.supervisorEntryLow;
    this.memory.u32[pfn * 1024 + 1023] = this.engine.supervisorEntryHigh;
    return pfn * PAGE_SIZE;
  }

  activate(root: number): void {
    this.root = root;
    this.engine.activate(root);
  }

  /** Index into `memory.u32` of the page-table entry of an address below 2^47; makes the tables above it. */
  entryIndex(address: number, root = this.root): number {
    let table = root / PAGE_SIZE;
    for (const unit of [2 ** 39, 2 ** 30, 2 ** 21]) {
      const index = table * 1024 + (Math.floor(address / unit) % 512) * 2;
      if (this.memory.u32[index] === 0) {
        this.memory.u32[index] = this.memory.allocateZeroed() * PAGE_SIZE + PTE_P + PTE_RW + PTE_US;
      }
      table = this.memory.u32[index]! >>> 12;
    }
    return table * 1024 + (Math.floor(address / PAGE_SIZE) % 512) * 2;
  }

  /** Maps the page of an address to a frame, by default a new one of zeros. Does not flush. Returns the frame. */
  map(address: number, access: Access, pfn = this.memory.allocateZeroed(), root = this.root): number {
    const index = this.entryIndex(address, root);
    let low = pfn * PAGE_SIZE + PTE_P;
    if (access.includes("w")) low += PTE_RW;
    if (!access.includes("s")) low += PTE_US;
    this.memory.u32[index] = low;
    this.memory.u32[index + 1] = access.includes("x") ? 0 : PTE_NX_HIGH;
    return pfn;
  }

  unmap(address: number): void {
    const index = this.entryIndex(address);
    this.memory.u32[index] = 0;
    this.memory.u32[index + 1] = 0;
  }

  /** Maps code at an address, page by page, and points RIP at it. Returns its first frame. */
  load(source: string, address = CODE, access: Access = "rx"): number {
    const code = assemble(source);
    let first = 0;
    for (let done = 0; done < code.length;) {
      const offset = (address + done) % PAGE_SIZE;
      const piece = code.subarray(done, done + PAGE_SIZE - offset);
      const pfn = this.map(address + done - offset, access);
      this.memory.u8.set(piece, pfn * PAGE_SIZE + offset);
      first ||= pfn;
      done += piece.length;
    }
    this.cpu.set(RIP, address);
    return first;
  }

  /** Maps a stack of one page below STACK_TOP and points RSP at its end. */
  addStack(): number {
    this.cpu.set(RSP, STACK_TOP);
    return this.map(STACK_TOP - PAGE_SIZE, "rw");
  }

  run(budget = 100000): Outcome {
    const kind = this.engine.run(budget);
    const { stop } = this.engine;
    const outcome: Outcome = { stop: STOP_NAMES[kind], rip: this.cpu.get(RIP) };
    if (kind === STOP_FAULT || kind === STOP_TRAP) outcome.vector = stop.vector;
    if (kind === STOP_FAULT) outcome.errorCode = stop.errorCode;
    if (kind === STOP_FAULT && stop.vector === VECTOR_PF) {
      outcome.address = stop.addressHigh * 2 ** 32 + stop.addressLow;
    }
    return outcome;
  }

  /** Runs to the next syscall, mapping a zeroed page at every fault on an absent one. Returns the faulting addresses. */
  runOnDemand(access: Access = "rw", budget = 100000): number[] {
    const addresses: number[] = [];
    for (;;) {
      const outcome = this.run(budget);
      if (outcome.stop === "syscall") return addresses;
      if (outcome.vector !== VECTOR_PF || (outcome.errorCode! & 1) !== 0) {
        throw new Error(`unexpected stop: ${JSON.stringify(outcome)}`);
      }
      addresses.push(outcome.address!);
      this.map(outcome.address!, access);
    }
  }
}

/** A page fault as `run` reports it. */
export function pageFault(rip: number, errorCode: number, address: number): Outcome {
  return { stop: "fault", rip, vector: VECTOR_PF, errorCode, address };
}

/** A fault other than a page fault. */
export function fault(rip: number, vector: number, errorCode = 0): Outcome {
  return { stop: "fault", rip, vector, errorCode };
}

export function trap(rip: number, vector: number): Outcome {
  return { stop: "trap", rip, vector };
}

export function syscall(rip: number): Outcome {
  return { stop: "syscall", rip };
}
