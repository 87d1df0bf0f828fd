/** The engine contract on native Unicorn: the reference engine, for Node. See README.md in this folder. */
import { createRequire } from "node:module";
import type { Engine, EngineCapabilities, Stop, StopKind } from "../engine.ts";
import type { PhysicalMemory } from "../physical-memory.ts";
import { CPU_ENGINE_OFFSET, CpuState } from "../registers.ts";
import { findAddon, libraryCandidates } from "./find-library.ts";

export interface UnicornOptions {
  /** Path of libunicorn.so.2, version 2.1.1 or newer. Default: see find-library.ts. */
  library?: string;
  /** Path of the compiled addon. Default: build/addon/trapgate-unicorn.node in the project. */
  addon?: string;
  /** False: reach registers through Unicorn's functions only, not in its memory (native/direct.c). Default: true. */
  direct?: boolean;
}

/** One processor of the addon (native/addon.c). */
interface NativeEngine {
  readonly version: string;
  /** Whether the registers were found in memory. */
  readonly direct: boolean;
  /** Whether guest code is kept from crashing the translator (native/guard.c). */
  readonly boundedBlocks: boolean;
  run(budget: number): StopKind;
  storeFpu(): void;
  loadFpu(): void;
  invalidateFrame(pfn: number): void;
  dispose(): void;
}

interface Addon {
  create(library: string, ram: ArrayBuffer, cpu: ArrayBuffer, frames: Uint32Array, direct: boolean): NativeEngine;
}

/** Indexes into `cpu.u32` of the engine's part of the register buffer: `shared_state` in native/engine.h. */
const STOP_KIND = CPU_ENGINE_OFFSET / 4;
const STOP_VECTOR = STOP_KIND + 1;
const STOP_ADDRESS_LOW = STOP_KIND + 2;
const STOP_ADDRESS_HIGH = STOP_KIND + 3;
const STOP_ERROR_CODE = STOP_KIND + 4;
const STOP_EXECUTED = STOP_KIND + 5;
const ROOT = STOP_KIND + 6;
const ROOT_PENDING = STOP_KIND + 7;

/** Frames of the supervisor area in the order of native/engine.h, the last two used during start-up only. */
const FRAME_COUNT = 7;
const BOOT_FRAME_COUNT = 2;
const FRAME_HOME = 0;
const PML4_LAST_ENTRY = 511;

/** The stop reason, read from the register buffer when somebody asks. */
class SharedStop implements Stop {
  private readonly u32: Uint32Array;

  constructor(u32: Uint32Array) {
    this.u32 = u32;
  }
  get kind(): StopKind {
    return this.u32[STOP_KIND] as StopKind;
  }
  get vector(): number {
    return this.u32[STOP_VECTOR]!;
  }
  get errorCode(): number {
    return this.u32[STOP_ERROR_CODE]!;
  }
  get addressLow(): number {
    return this.u32[STOP_ADDRESS_LOW]!;
  }
  get addressHigh(): number {
    return this.u32[STOP_ADDRESS_HIGH]!;
  }
  get executed(): number {
    return this.u32[STOP_EXECUTED]!;
  }
}

class UnicornEngine implements Engine {
  readonly memory: PhysicalMemory;
  readonly cpu: CpuState;
  readonly stop: Stop;
  readonly capabilities: EngineCapabilities;
  readonly supervisorEntryLow: number;
  readonly supervisorEntryHigh: number;
  /** Bound to the native function itself: a wrapper would cost as much as the crossing. */
  readonly run: (budget: number) => StopKind;
  readonly storeFpu: () => void;
  readonly loadFpu: () => void;
  readonly invalidateFrame: (pfn: number) => void;

  private readonly native: NativeEngine;
  private readonly u32: Uint32Array;
  private frames: Uint32Array;

  constructor(memory: PhysicalMemory, cpu: CpuState, frames: Uint32Array, native: NativeEngine) {
    this.memory = memory;
    this.cpu = cpu;
    this.native = native;
    this.u32 = cpu.u32;
    this.frames = frames;
    this.stop = new SharedStop(cpu.u32);
    this.capabilities = {
      name: `unicorn ${native.version}${native.boundedBlocks ? "" : " (unbounded blocks)"}`,
      level: "x86-64-v2",
      budgetUnit: "basic block",
      boundedBlocks: native.boundedBlocks,
    };
    const entry = frames[FRAME_HOME]! * 1024 + PML4_LAST_ENTRY * 2;
    this.supervisorEntryLow = memory.u32[entry]!;
    this.supervisorEntryHigh = memory.u32[entry + 1]!;
    this.run = native.run;
    this.storeFpu = native.storeFpu;
    this.loadFpu = native.loadFpu;
    this.invalidateFrame = native.invalidateFrame;
    this.activate(frames[FRAME_HOME]! * 4096);
    this.storeFpu();
  }

  activate(root: number): void {
    this.u32[ROOT] = root;
    this.u32[ROOT_PENDING] = 1;
  }

  /** Unicorn flushes all or nothing; the CR3 write happens at the start of the next run. */
  flushTlb(): void {
    this.u32[ROOT_PENDING] = 1;
  }

  flushPage(_address: number): void {
    this.u32[ROOT_PENDING] = 1;
  }

  dispose(): void {
    this.native.dispose();
    for (const pfn of this.frames) this.memory.release(pfn);
    this.frames = new Uint32Array(0);
  }
}

/** Opens the first library that the addon accepts; throws an Error with every refusal when there is none. */
function open(addon: Addon, memory: PhysicalMemory, cpu: CpuState, frames: Uint32Array, options: UnicornOptions) {
  const refusals: string[] = [];
  for (const path of libraryCandidates(options.library)) {
    try {
      return addon.create(path, memory.buffer, cpu.buffer, frames, options.direct ?? true);
    } catch (error) {
      refusals.push(error instanceof Error ? error.message : String(error));
    }
  }
  const found = refusals.length > 0 ? refusals.join("; ") : "no libunicorn.so.2 was found";
  throw new Error(
    `${found}. Get one with \`node scripts/setup-debian.mjs libunicorn2\`, or set TRAPGATE_UNICORN to its path`,
  );
}

/**
 * Makes a processor that executes in `memory`, from which it takes five frames for its own tables.
 * Throws an Error when the addon is not built or no libunicorn of at least 2.1.1 can be loaded.
 */
export function createUnicornEngine(memory: PhysicalMemory, options: UnicornOptions = {}): Engine {
  const addon = createRequire(import.meta.url)(findAddon(options.addon)) as Addon;
  const cpu = new CpuState();
  const frames = Uint32Array.from({ length: FRAME_COUNT }, () => memory.allocate());
  const giveBack = (pfns: Uint32Array): void => pfns.forEach((pfn) => pfn !== 0 && memory.release(pfn));
  try {
    if (frames.includes(0)) throw new RangeError("not enough RAM for the engine's own tables");
    const native = open(addon, memory, cpu, frames, options);
    const engine = new UnicornEngine(memory, cpu, frames.slice(0, FRAME_COUNT - BOOT_FRAME_COUNT), native);
    giveBack(frames.slice(FRAME_COUNT - BOOT_FRAME_COUNT));
    return engine;
  } catch (error) {
    giveBack(frames);
    throw error;
  }
}
