/** The engine contract in TypeScript and generated WebAssembly: runs wherever WebAssembly does. See README.md here. */
import {
  STOP_BUDGET,
  STOP_FAULT,
  STOP_TRAP,
  VECTOR_DB,
  VECTOR_GP,
  type Engine,
  type EngineCapabilities,
  type Stop,
  type StopKind,
} from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { CPU_YMM_HIGH_SIZE, CpuState, RFLAGS, RIP } from "../registers.ts";
import { baseModule, type BaseExports } from "./base-module.ts";
import { keyPrefix } from "./cache/archive.ts";
import { KeptModules } from "./cache/kept-modules.ts";
import type { TranslationStore } from "./cache/translation-store.ts";
import {
  STATUS_APART,
  STATUS_BUDGET,
  STATUS_DISPATCH,
  STATUS_FAULT,
  STATUS_HOT,
  STATUS_MISS,
  STATUS_RECHECK,
  STATUS_UNWIND,
} from "./context.ts";
import { STATUS } from "./flags.ts";
import { GuestCode } from "./guest-code.ts";
import { GuestMemory } from "./guest-memory.ts";
import {
  AT_BUDGET,
  AT_CC_A,
  AT_CC_B,
  AT_CC_OP,
  AT_CC_R,
  AT_INSTRUCTIONS,
  AT_STOP_ADDRESS,
  AT_STOP_ERROR,
  AT_STOP_VECTOR,
  AT_YMM_HIGH,
  reserveTables,
  type Layout,
} from "./layout.ts";
import { DEFAULT_CPU_MODEL, type CpuModel } from "./runtime/cpu-model.ts";
import { AT_STRICT_FLOAT, loadTaskState, resetState, storeTaskState } from "./runtime/fpu-state.ts";
import { createHelpers } from "./runtime/host-functions.ts";
import { vectorOfNonCanonical } from "./runtime/stack-fault.ts";
import { runtimeTable } from "./linked-module.ts";
import { setV8Flags } from "./v8-flags.ts";
import { FunctionTable } from "./function-table.ts";
import { Translator, USUAL_HOT_RUNS, type TranslatorOptions } from "./translator.ts";

const TF = 0x100;
/** Flags that user code or the kernel may set for it, besides the status flags: TF, DF, NT, AC, ID. */
const SYSTEM_FLAGS = 0x100 | 0x400 | 0x4000 | 0x40000 | 0x200000;
/** Bit 1 and IF are always set. */
const FIXED_FLAGS = 0x202;

/**
 * After so many blocks a region is left and entered again: V8 replaces a function by its optimized form only when it is
 * called (notes/wasm-jit.md, section 4).
 */
const REENTRY_BLOCKS = 20_000;

type EngineOptions = Omit<TranslatorOptions, "strictFloat" | "modules">;

class WasmEngine implements Engine {
  readonly memory: PhysicalMemory;
  readonly cpu: CpuState;
  readonly capabilities: EngineCapabilities;
  readonly supervisorEntryLow = 0;
  readonly supervisorEntryHigh = 0;
  readonly stop: Stop;
  /** The translator in use: the usual one, or that for floating point that minds MXCSR. */
  translator: Translator;

  private readonly usual: Translator;
  private strict: Translator | undefined;
  private readonly makeTranslator: (strictFloat: boolean) => Translator;
  private readonly modules: KeptModules;
  private readonly layout: Layout;
  private readonly guest: GuestMemory;
  private readonly base: BaseExports;
  private readonly u32: Uint32Array;
  private readonly i32: Int32Array;
  private readonly u64: BigUint64Array;
  private disposed = false;
  /** Budget of this run that generated code has not been given yet. */
  private unallotted = 0;

  constructor(memory: PhysicalMemory, options: EngineOptions) {
    const { model, countInstructions } = options;
    setV8Flags();
    this.memory = memory;
    this.capabilities = { name: "wasm", level: model, budgetUnit: "basic block" };
    this.layout = reserveTables(memory);
    this.cpu = new CpuState(memory.buffer, memory.u8.subarray(AT_YMM_HIGH, AT_YMM_HIGH + CPU_YMM_HIGH_SIZE));
    this.u32 = memory.u32;
    this.i32 = memory.i32;
    this.u64 = new BigUint64Array(memory.buffer, 0, PAGE_SIZE / 8);
    this.stop = { kind: STOP_BUDGET, vector: 0, errorCode: 0, addressLow: 0, addressHigh: 0, executed: 0 };
    this.cpu.bytes.fill(0);
    this.guest = new GuestMemory(memory, this.layout);
    const { guest, u32 } = this;
    const hostFunctions = {
      accessBy: guest.accessBy,
      raiseStop: (vector: number, errorCode: number): void => {
        u32[AT_STOP_VECTOR / 4] = vector;
        u32[AT_STOP_ERROR / 4] = errorCode;
        guest.nonCanonical = false;
      },
    };
    const helpers = createHelpers(memory, guest, model);
    this.modules = new KeptModules(options.store, options.commonHandlers);
    const name = `${keyPrefix(this.layout, { ...options, strictFloat: false })}-base`;
    const base = this.modules.instantiate(name, baseModule(this.layout, countInstructions, model), {
      env: { memory: memory.memory, ...hostFunctions, ...helpers },
    });
    this.base = base as unknown as BaseExports;
    const table = new FunctionTable(this.base.table);
    const imports = { env: { memory: memory.memory, runtime: runtimeTable(base), translations: this.base.table } };
    this.makeTranslator = (strictFloat) =>
      new Translator(memory, guest, this.base, table, imports, { ...options, strictFloat, modules: this.modules });
    this.translator = this.usual = this.makeTranslator(false);
    resetState(memory);
    this.storeFpu();
  }

  run(budget: number): StopKind {
    if (this.disposed) throw new Error("the engine has been disposed of");
    const { u32, i32 } = this;
    this.chooseTranslator();
    this.translator.settleDoubts();
    this.splitFlags();
    this.unallotted = budget;
    this.allot();
    let status: number = STATUS_DISPATCH;
    try {
      status = this.loop();
    } finally {
      this.joinFlags();
    }
    const { stop } = this;
    stop.kind = (status - 1) as StopKind;
    stop.executed = budget - this.unallotted - i32[AT_BUDGET / 4]!;
    if (stop.kind === STOP_FAULT || stop.kind === STOP_TRAP) {
      stop.vector = u32[AT_STOP_VECTOR / 4]!;
      if (stop.vector === VECTOR_GP && this.guest.nonCanonical) stop.vector = this.vectorOfNonCanonical();
      stop.errorCode = u32[AT_STOP_ERROR / 4]!;
      stop.addressLow = u32[AT_STOP_ADDRESS / 4]!;
      stop.addressHigh = u32[AT_STOP_ADDRESS / 4 + 1]!;
    }
    return stop.kind;
  }

  /** #SS where the instruction at RIP used the stack segment for an address that is not canonical, else #GP. */
  private vectorOfNonCanonical(): number {
    const { guest, u32, u64 } = this;
    guest.nonCanonical = false;
    const code = new GuestCode(this.memory, guest);
    const instruction = code.read(u32[RIP * 2 + 1]! * 4294967296 + u32[RIP * 2]!);
    code.dispose();
    return instruction ? vectorOfNonCanonical(instruction, u64) : VECTOR_GP;
  }

  /** Floating point as MXCSR and the program's interest in exception flags want it (fpu-state.ts). */
  private chooseTranslator(): void {
    const strict = this.u32[AT_STRICT_FLOAT / 4] !== 0;
    const chosen = strict ? (this.strict ??= this.makeTranslator(true)) : this.usual;
    if (chosen === this.translator) return;
    this.translator.flushJumps();
    this.translator = chosen;
  }

  get instructions(): number {
    return this.u32[AT_INSTRUCTIONS / 4]! + this.u32[AT_INSTRUCTIONS / 4 + 1]! * 4294967296;
  }

  activate(root: number): void {
    this.guest.walker.root = root;
    this.flushTlb();
  }

  flushTlb(): void {
    if (this.disposed) return;
    this.guest.flush();
    this.translator.doubtJumps();
  }

  flushPage(address: number): void {
    if (this.disposed) return;
    this.guest.flushPage((address % 4294967296) | 0, Math.floor(address / 4294967296) | 0);
    this.translator.doubtJumps();
  }

  invalidateFrame(pfn: number): void {
    if (this.disposed) return;
    this.dropFrame(pfn);
  }

  private dropFrame(pfn: number): void {
    const wasCode = this.guest.codeFrames[pfn] !== 0;
    for (const translator of [this.usual, this.strict]) translator?.invalidateFrame(pfn);
    if (!wasCode) return;
    this.guest.codeFrames[pfn] = 0;
    this.translator.flushJumps();
  }

  storeFpu(): void {
    storeTaskState(this.memory, this.cpu.fxsave);
  }

  loadFpu(): void {
    loadTaskState(this.memory, this.cpu.fxsave);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const translator of [this.usual, this.strict]) translator?.save();
    this.modules.save();
    for (const pfn of this.layout.frames) this.memory.release(pfn);
  }

  private allot(): void {
    const part = Math.min(this.unallotted, REENTRY_BLOCKS);
    this.i32[AT_BUDGET / 4] = part;
    this.unallotted -= part;
  }

  /** Runs until a stop; returns 1 + its kind. */
  private loop(): number {
    const { u32, base } = this;
    let status: number = STATUS_DISPATCH;
    for (;;) {
      if (status === STATUS_RECHECK) this.chooseTranslator();
      if ((u32[RFLAGS * 2]! & TF) !== 0) return this.singleStep();
      status = base.run();
      if (status === STATUS_MISS) {
        if (!this.translator.provide(u32[RIP * 2]!, u32[RIP * 2 + 1]!)) return STATUS_FAULT;
        continue;
      }
      if (status === STATUS_HOT) {
        this.translator.promote(u32[RIP * 2]!, u32[RIP * 2 + 1]!);
        continue;
      }
      if (status === STATUS_APART || (status === STATUS_FAULT && this.guest.refusal === "crossing")) {
        this.guest.refusal = undefined;
        // The interpreter goes on, but where a region starts it would come back here.
        const isEntry = this.translator.isCompiled(u32[RIP * 2]!, u32[RIP * 2 + 1]!);
        status = isEntry ? this.stepOverCodeWrite() : STATUS_DISPATCH;
      } else if (status === STATUS_FAULT && this.guest.refusal === "code") status = this.stepOverCodeWrite();
      if (status === STATUS_BUDGET && this.unallotted > 0) this.allot();
      else if (status !== STATUS_DISPATCH && status !== STATUS_RECHECK && status !== STATUS_UNWIND) return status;
    }
  }

  /** Executes one instruction that may write to frames with translated code, and drops what was translated there. */
  private stepOverCodeWrite(): number {
    const { guest, translator, u32 } = this;
    guest.codeWritable = true;
    guest.refusal = undefined;
    try {
      const status = translator.step(u32[RIP * 2]!, u32[RIP * 2 + 1]!);
      return status < 0 ? STATUS_FAULT : status;
    } finally {
      guest.codeWritable = false;
      for (const pfn of guest.writtenCode) this.dropFrame(pfn);
      guest.writtenCode.length = 0;
    }
  }

  /** TF: a #DB trap behind the instruction, unless it stops by itself (Intel SDM volume 3, section 17.3.1.4). */
  private singleStep(): number {
    const budget = this.i32[AT_BUDGET / 4]!;
    this.i32[AT_BUDGET / 4] = 0x7fffffff;
    const status = this.stepOverCodeWrite();
    this.i32[AT_BUDGET / 4] = budget - 1;
    if (status !== STATUS_DISPATCH && status !== STATUS_RECHECK && status !== STATUS_BUDGET) return status;
    this.u32[AT_STOP_VECTOR / 4] = VECTOR_DB;
    this.u32[AT_STOP_ERROR / 4] = 0;
    return 1 + STOP_TRAP;
  }

  /** Takes the status flags out of RFLAGS into the lazy variables. */
  private splitFlags(): void {
    const { u32 } = this;
    const value = u32[RFLAGS * 2]!;
    u32[AT_CC_OP / 4] = 0;
    u32[AT_CC_R / 4] = value & STATUS;
    u32[AT_CC_R / 4 + 1] = 0;
    u32[RFLAGS * 2] = (value & SYSTEM_FLAGS) | FIXED_FLAGS;
    u32[RFLAGS * 2 + 1] = 0;
  }

  private joinFlags(): void {
    const { u32, u64 } = this;
    const operation = u32[AT_CC_OP / 4]!;
    const flags =
      operation === 0
        ? u32[AT_CC_R / 4]!
        : this.base.flags(operation, u64[AT_CC_A / 8]!, u64[AT_CC_B / 8]!, u64[AT_CC_R / 8]!);
    u32[RFLAGS * 2]! |= flags;
    u32[AT_CC_OP / 4] = 0;
    u32[AT_CC_R / 4] = flags;
  }
}

/** The engine, with what only its tests and tools look at. */
export type InspectableEngine = Engine & {
  readonly translator: Translator;
  /** Instructions executed so far, when they are counted. */
  readonly instructions: number;
};

export interface WasmEngineOptions {
  /** The processor to present, x86-64-v2 unless said otherwise. */
  readonly cpu?: CpuModel;
  /** Counts executed instructions in `instructions`: those of every basic block begun. */
  readonly countInstructions?: boolean;
  /** Where translations are kept between runs: read as they are needed, written when the engine is disposed of. */
  readonly store?: TranslationStore | undefined;
  /** Handlers made beforehand (interpret/common-handlers.ts). */
  readonly commonHandlers?: Pick<TranslationStore, "get"> | undefined;
  /** How often a block is interpreted before it is compiled; Infinity: always. */
  readonly hotRuns?: number;
}

/**
 * Makes a processor that executes in `memory`, from which it takes frame 0 and some consecutive frames for its tables.
 * Throws a RangeError when there are none.
 */
export function createWasmEngine(memory: PhysicalMemory, options: WasmEngineOptions = {}): InspectableEngine {
  return new WasmEngine(memory, {
    model: options.cpu ?? DEFAULT_CPU_MODEL,
    countInstructions: options.countInstructions ?? false,
    hotRuns: options.hotRuns ?? USUAL_HOT_RUNS,
    store: options.store,
    commonHandlers: options.commonHandlers,
  });
}
