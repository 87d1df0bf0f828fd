/** An engine that is wrong on purpose: the lockstep layer has to find out where. */
import {
  STOP_BUDGET,
  STOP_SYSCALL,
  STOP_TRAP,
  VECTOR_DB,
  type Engine,
  type EngineCapabilities,
  type Stop,
  type StopKind,
} from "../../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../../physical-memory.ts";
import { RFLAGS, RIP, type CpuState } from "../../registers.ts";
import { PageWalker, WRITE } from "../../wasm/page-walk.ts";

const TF = 0x100;

export interface Mistake {
  /** The instruction behind which the mistake is made, each time. */
  readonly at: number;
  readonly make: (engine: FaultyEngine) => void;
  /** Whether it is made when the instruction is single-stepped, too. Default: true. */
  readonly whenStepped?: boolean;
}

/** Executes instruction by instruction whatever it is asked, which is slow and lets it look at each. */
export class FaultyEngine implements Engine {
  readonly stop: Stop = { kind: STOP_BUDGET, vector: 0, errorCode: 0, addressLow: 0, addressHigh: 0, executed: 0 };

  private readonly real: Engine;
  private readonly mistake: Mistake;
  /** Walks the tables this engine has been given. */
  private readonly walker: PageWalker;

  constructor(real: Engine, mistake: Mistake) {
    this.real = real;
    this.mistake = mistake;
    this.walker = new PageWalker(real.memory);
  }

  get memory(): PhysicalMemory {
    return this.real.memory;
  }
  get capabilities(): EngineCapabilities {
    return { ...this.real.capabilities, name: "faulty" };
  }
  get cpu(): CpuState {
    return this.real.cpu;
  }
  get supervisorEntryLow(): number {
    return this.real.supervisorEntryLow;
  }
  get supervisorEntryHigh(): number {
    return this.real.supervisorEntryHigh;
  }

  /** A budget unit is one instruction. */
  run(budget: number): StopKind {
    const { cpu } = this.real;
    const stepped = (cpu.u32[RFLAGS * 2]! & TF) !== 0;
    for (let executed = 1; executed <= budget; executed++) {
      const rip = cpu.get(RIP);
      cpu.u32[RFLAGS * 2]! |= TF;
      const kind = this.real.run(2);
      Object.assign(this.stop, copyOf(this.real.stop), { executed });
      const done = kind === STOP_SYSCALL || kind === STOP_TRAP;
      if (done && rip === this.mistake.at && (!stepped || this.mistake.whenStepped !== false)) this.mistake.make(this);
      if (stepped) return kind;
      cpu.u32[RFLAGS * 2]! &= ~TF;
      if (kind !== STOP_TRAP || this.stop.vector !== VECTOR_DB) return kind;
    }
    this.stop.kind = STOP_BUDGET;
    return STOP_BUDGET;
  }

  /** Writes a byte of the page that the program has just written to. */
  poke(address: number, byte: number): void {
    const pfn = this.walker.translate(address, 0, WRITE);
    this.memory.u8[pfn * PAGE_SIZE + (address % PAGE_SIZE)] = byte;
  }

  activate(root: number): void {
    this.walker.root = root;
    this.real.activate(root);
  }
  flushTlb(): void {
    this.real.flushTlb();
  }
  flushPage(address: number): void {
    this.real.flushPage(address);
  }
  invalidateFrame(pfn: number): void {
    this.real.invalidateFrame(pfn);
  }
  storeFpu(): void {
    this.real.storeFpu();
  }
  loadFpu(): void {
    this.real.loadFpu();
  }
  dispose(): void {
    this.real.dispose();
  }
}

/** The fields of a stop, which may be getters. */
function copyOf({ kind, vector, errorCode, addressLow, addressHigh, executed }: Stop): Stop {
  return { kind, vector, errorCode, addressLow, addressHigh, executed };
}
