/** Runs batches on an engine of the contract, with the pages that the host has. */
import { STOP_BUDGET, STOP_FAULT, STOP_SYSCALL, STOP_TRAP, type Engine } from "../engine.ts";
import { PAGE_SIZE, PhysicalMemory } from "../physical-memory.ts";
import { IMAGE_WATCHED } from "../wasm/runtime/fpu-state.ts";
import { FS_BASE as FS_INDEX, GS_BASE as GS_INDEX } from "../registers.ts";
import { STATE_FXSAVE, STATE_SIZE, STATE_YMM, TIMED_OUT, type Batch } from "./protocol.ts";
import { EXECUTE, FS_BASE, GS_BASE, WRITABLE_PAGES, WRITE } from "./windows.ts";

const RAM_SIZE = 64 * 1024 * 1024;
const PTE_P = 1;
const PTE_RW = 2;
const PTE_US = 4;
const PTE_NX_HIGH = 0x80000000;
/** More than any case needs that the host ends within its time. */
const BUDGET = 500_000;
const WRITABLE_SIZE = WRITABLE_PAGES * PAGE_SIZE;
/** In place of a vector: a stop that the host has no word for. */
const SYSCALL = 0x101;

export interface EngineRunnerOptions {
  /** Times that a case is run before its result counts, so that a tier for hot code takes over. */
  readonly warmUp?: number;
  /** Whether the program looks at MXCSR's exception flags from the start; otherwise the engine need not keep them. */
  readonly watched?: boolean;
}

/** What became of the last case. */
export interface EngineResult {
  vector: number;
  errorCode: number;
  addressLow: number;
  addressHigh: number;
  /** What the engine threw: it never should. */
  exception: string;
  readonly state: Uint8Array;
  /** The writable pages, borrowed until the next case. */
  memory: Uint8Array;
}

export class EngineRunner {
  readonly engine: Engine;
  readonly result: EngineResult;
  private readonly memory = new PhysicalMemory(RAM_SIZE);
  private readonly root: number;
  private readonly frames: number[] = [];
  /** Page-table entries of the loaded batch. */
  private readonly entries: number[] = [];
  private readonly warmUp: number;
  private readonly watched: boolean;
  private batch: Batch | undefined;
  private writable: Uint8Array;

  constructor(create: (memory: PhysicalMemory) => Engine, { warmUp = 0, watched = false }: EngineRunnerOptions = {}) {
    this.engine = create(this.memory);
    this.warmUp = warmUp;
    this.watched = watched;
    const { engine, memory } = this;
    this.root = memory.allocateZeroed() * PAGE_SIZE;
    memory.u32[this.root / 4 + 1022] = engine.supervisorEntryLow;
    memory.u32[this.root / 4 + 1023] = engine.supervisorEntryHigh;
    for (let i = 0; i < WRITABLE_PAGES; i++) this.frames.push(memory.allocateZeroed());
    const first = this.frames[0]!;
    if (this.frames.some((pfn, i) => pfn !== first + i)) throw new Error("the frames of a fresh RAM are consecutive");
    this.writable = memory.u8.subarray(first * PAGE_SIZE, first * PAGE_SIZE + WRITABLE_SIZE);
    this.result = {
      vector: 0,
      errorCode: 0,
      addressLow: 0,
      addressHigh: 0,
      exception: "",
      state: new Uint8Array(STATE_SIZE),
      memory: this.writable,
    };
    engine.activate(this.root);
  }

  /** Index into `memory.u32` of the page-table entry of an address; makes the tables above it. */
  private entryIndex(address: number): number {
    const { memory } = this;
    let table = this.root / PAGE_SIZE;
    for (const unit of [2 ** 39, 2 ** 30, 2 ** 21]) {
      const index = table * 1024 + (Math.floor(address / unit) % 512) * 2;
      if (memory.u32[index] === 0) memory.u32[index] = memory.allocateZeroed() * PAGE_SIZE + PTE_P + PTE_RW + PTE_US;
      table = memory.u32[index]! >>> 12;
    }
    return table * 1024 + (Math.floor(address / PAGE_SIZE) % 512) * 2;
  }

  /** Maps the batch's pages and puts their contents in. */
  load(batch: Batch): void {
    const { memory, engine, frames } = this;
    this.batch = batch;
    for (const index of this.entries) memory.u32.fill(0, index, index + 2);
    this.entries.length = 0;
    batch.pages.forEach(({ address, access }, i) => {
      frames[i] ??= memory.allocateZeroed();
      const index = this.entryIndex(address);
      this.entries[i] = index;
      memory.u32[index] = frames[i]! * PAGE_SIZE + PTE_P + PTE_US + ((access & WRITE) !== 0 ? PTE_RW : 0);
      memory.u32[index + 1] = (access & EXECUTE) !== 0 ? 0 : PTE_NX_HIGH;
      memory.u8.set(batch.contents.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE), frames[i]! * PAGE_SIZE);
      if ((access & EXECUTE) !== 0) engine.invalidateFrame(frames[i]!);
    });
    engine.flushTlb();
  }

  /** Runs a case of the loaded batch; leaves the writable pages as the case did. */
  run(number: number): EngineResult {
    for (let i = 0; i < this.warmUp; i++) {
      this.runOnce(number);
      this.restore();
    }
    this.runOnce(number);
    return this.result;
  }

  /** Gives the writable pages their contents back. */
  restore(): void {
    this.writable.set(this.batch!.contents.subarray(0, WRITABLE_SIZE));
  }

  private runOnce(number: number): void {
    const { engine, result } = this;
    const { cpu, stop } = engine;
    const at = number * STATE_SIZE;
    const state = this.batch!.states.subarray(at, at + STATE_SIZE);
    cpu.bytes.set(state.subarray(0, STATE_FXSAVE));
    cpu.set(FS_INDEX, FS_BASE);
    cpu.set(GS_INDEX, GS_BASE);
    cpu.fxsave.fill(0);
    cpu.fxsave.set(state.subarray(STATE_FXSAVE, STATE_YMM));
    if (this.watched) cpu.fxsave[IMAGE_WATCHED] = 1;
    cpu.ymmHigh.set(state.subarray(STATE_YMM));
    engine.loadFpu();
    let kind: number = -1;
    result.exception = "";
    try {
      kind = engine.run(BUDGET);
    } catch (error) {
      result.exception = String(error);
    }
    engine.storeFpu();
    result.state.set(cpu.bytes.subarray(0, STATE_FXSAVE));
    result.state.set(cpu.fxsave.subarray(0, STATE_YMM - STATE_FXSAVE), STATE_FXSAVE);
    result.state.set(cpu.ymmHigh, STATE_YMM);
    const faulted = kind === STOP_FAULT;
    result.vector =
      faulted || kind === STOP_TRAP
        ? stop.vector
        : kind === STOP_BUDGET
          ? TIMED_OUT
          : kind === STOP_SYSCALL
            ? SYSCALL
            : -1;
    result.errorCode = faulted ? stop.errorCode : 0;
    result.addressLow = faulted ? stop.addressLow : 0;
    result.addressHigh = faulted ? stop.addressHigh : 0;
  }

  dispose(): void {
    this.engine.dispose();
  }
}
