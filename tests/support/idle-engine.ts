/** An engine that executes nothing: for tests of what the kernel does with memory and registers alone. */
import { STOP_BUDGET, type Engine, type Stop, type StopKind } from "../../emulator/engine.ts";
import { PhysicalMemory } from "../../emulator/physical-memory.ts";
import { CpuState } from "../../emulator/registers.ts";

export class IdleEngine implements Engine {
  readonly memory: PhysicalMemory;
  readonly capabilities = { name: "idle", level: "x86-64-v2", budgetUnit: "instruction" } as const;
  readonly cpu = new CpuState();
  readonly stop: Stop = { kind: STOP_BUDGET, vector: 0, errorCode: 0, addressLow: 0, addressHigh: 0, executed: 0 };
  readonly supervisorEntryLow = 0;
  readonly supervisorEntryHigh = 0;
  /** Frames whose code was dropped, in order. */
  readonly invalidated: number[] = [];

  constructor(megabytes = 4) {
    this.memory = new PhysicalMemory(megabytes << 20);
  }

  run(): StopKind {
    throw new Error("an idle engine runs nothing");
  }

  activate(): void {}
  flushTlb(): void {}
  flushPage(): void {}
  storeFpu(): void {}
  loadFpu(): void {}
  dispose(): void {}

  invalidateFrame(pfn: number): void {
    this.invalidated.push(pfn);
  }
}
