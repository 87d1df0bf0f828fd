/** One of the two processors: an engine behind shadow page tables, which runs to places where both can be compared. */
import {
  PF_FETCH,
  PF_WRITE,
  STOP_BUDGET,
  STOP_FAULT,
  STOP_TRAP,
  VECTOR_DB,
  VECTOR_PF,
  type Engine,
  type Stop,
  type StopKind,
} from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { CPU_FXSAVE_SIZE, CPU_GENERAL_SIZE, RFLAGS, RIP, RSP } from "../registers.ts";
import { FETCH, READ, WRITE } from "../wasm/page-walk.ts";
import { ShadowSpace } from "./shadow-space.ts";

const TF = 0x100;
const LONGEST_INSTRUCTION = 15;
/** Faults in a row on an address that is mapped, after which the engine is believed. */
const PATIENCE = 4;
/** Units for one instruction. */
const STEP_BUDGET = 2;

/** `step` has executed an instruction and nothing else has happened. */
export const STEPPED = -1;

/** Registers of a moment. */
export interface SavedState {
  readonly general: Uint32Array;
  readonly fxsave: Uint8Array;
}

export class Replica {
  readonly engine: Engine;
  readonly space: ShadowSpace;
  /** The last stop as the kernel's page tables make it, not the shadow ones. */
  readonly stop: Stop = { kind: STOP_BUDGET, vector: 0, errorCode: 0, addressLow: 0, addressHigh: 0, executed: 0 };

  /** The run has to be done again from its beginning, with the page it met made writable before. */
  spoiled = false;

  private readonly memory: PhysicalMemory;
  private readonly writtenBySetcc: number[] = [];

  constructor(memory: PhysicalMemory, engine: Engine) {
    this.memory = memory;
    this.engine = engine;
    this.space = new ShadowSpace(memory, engine);
  }

  get rip(): number {
    return this.engine.cpu.get(RIP);
  }

  save(): SavedState {
    const { engine } = this;
    engine.storeFpu();
    return { general: engine.cpu.general.slice(), fxsave: engine.cpu.fxsave.slice() };
  }

  load({ general, fxsave }: SavedState): void {
    const { engine } = this;
    engine.cpu.general.set(general.subarray(0, CPU_GENERAL_SIZE / 4));
    engine.cpu.fxsave.set(fxsave.subarray(0, CPU_FXSAVE_SIZE));
    engine.loadFpu();
  }

  /** Makes pages writable that must not fault during the run. */
  prepare(): void {
    this.spoiled = false;
    for (const page of this.writtenBySetcc) this.space.resolve(page % 4294967296, Math.floor(page / 4294967296), WRITE);
  }

  /** The piece is over. */
  finish(): void {
    this.spoiled = false;
    this.writtenBySetcc.length = 0;
  }

  /** Runs to a stop that the kernel will have to see, or for `budget` units of its own. */
  run(budget: number): StopKind {
    const kind = this.execute(budget);
    if (kind === STOP_FAULT && this.isEarlyFetchFault()) return this.approachFetchFault();
    return kind;
  }

  /**
   * Executes one instruction: STEPPED, or how it stopped. A repeated string instruction is one, however many traps the
   * engine makes of it. The guest does not see the trap flag unless it has set it itself.
   */
  step(): StopKind | typeof STEPPED {
    const { cpu } = this.engine;
    const flags = RFLAGS * 2;
    const start = this.rip;
    const form = this.form(start);
    if ((cpu.u32[flags]! & TF) !== 0) return this.execute(STEP_BUDGET, true);
    for (;;) {
      cpu.u32[flags]! |= TF;
      const kind = this.execute(STEP_BUDGET, true);
      const stepped = kind === STOP_TRAP && this.stop.vector === VECTOR_DB;
      // What POPF has set is the guest's own.
      if (form !== "popf" || !stepped) cpu.u32[flags]! &= ~TF;
      if (!stepped) return kind;
      if (form === "pushf") this.hidePushedFlag();
      if (form === "repeated" && this.rip === start) continue;
      this.stop.kind = STOP_BUDGET;
      return STEPPED;
    }
  }

  private execute(budget: number, stepping = false): StopKind {
    const { engine, stop } = this;
    let left = budget;
    let repeated = 0;
    let [lastLow, lastCode] = [-1, -1];
    for (;;) {
      const kind = engine.run(left);
      const from = engine.stop;
      left -= from.executed;
      if (kind === STOP_FAULT && from.vector === VECTOR_PF) {
        repeated = from.addressLow === lastLow && from.errorCode === lastCode ? repeated + 1 : 0;
        [lastLow, lastCode] = [from.addressLow, from.errorCode];
        if (this.resolve(from) && repeated < PATIENCE) {
          if (
            (from.errorCode & PF_WRITE) !== 0 &&
            !stepping &&
            isSetcc(this.space.read(this.rip, LONGEST_INSTRUCTION))
          ) {
            this.writtenBySetcc.push(addressOf(from));
            this.spoiled = true;
            stop.kind = STOP_BUDGET;
            stop.executed = budget - left;
            return STOP_BUDGET;
          }
          left = Math.max(left, STEP_BUDGET);
          continue;
        }
      }
      stop.kind = kind;
      stop.executed = budget - left;
      if (kind === STOP_FAULT && from.vector === VECTOR_PF) {
        const { fault } = this.space;
        [stop.vector, stop.errorCode] =
          repeated < PATIENCE ? [fault.vector, fault.errorCode] : [VECTOR_PF, from.errorCode];
      } else [stop.vector, stop.errorCode] = [from.vector, from.errorCode];
      stop.addressLow = from.addressLow;
      stop.addressHigh = from.addressHigh;
      return kind;
    }
  }

  private resolve({ errorCode, addressLow, addressHigh }: Stop): boolean {
    const access = (errorCode & PF_WRITE) !== 0 ? WRITE : (errorCode & PF_FETCH) !== 0 ? FETCH : READ;
    return this.space.resolve(addressLow >>> 0, addressHigh >>> 0, access);
  }

  /** Unicorn reports falling into an absent page at the start of its block (emulator/unicorn/README.md). */
  private isEarlyFetchFault(): boolean {
    const { stop } = this;
    if (stop.vector !== VECTOR_PF || (stop.errorCode & PF_FETCH) === 0) return false;
    const address = addressOf(stop);
    return this.rip < address - (address % PAGE_SIZE);
  }

  private approachFetchFault(): StopKind {
    const { executed } = this.stop;
    let kind: StopKind | typeof STEPPED;
    do kind = this.step();
    while (kind === STEPPED);
    this.stop.executed = executed;
    return kind;
  }

  private form(rip: number): "pushf" | "popf" | "repeated" | "other" {
    const bytes = this.space.read(rip, LONGEST_INSTRUCTION);
    let isRepeated = false;
    for (const byte of bytes) {
      if (byte === 0xf2 || byte === 0xf3) isRepeated = true;
      else if (byte === 0x9c) return "pushf";
      else if (byte === 0x9d) return "popf";
      else if ((byte >= 0xa4 && byte <= 0xa7) || (byte >= 0xaa && byte <= 0xaf))
        return isRepeated ? "repeated" : "other";
      else if (!isPrefix(byte)) return "other";
    }
    return "other";
  }

  /** Takes the trap flag out of what PUSHF has pushed. */
  private hidePushedFlag(): void {
    const address = this.engine.cpu.get(RSP) + 1;
    const pfn = this.space.find(address, WRITE);
    this.memory.u8[pfn * PAGE_SIZE + (address % PAGE_SIZE)]! &= ~(TF >> 8);
  }
}

function addressOf({ addressHigh, addressLow }: Stop): number {
  return (addressHigh >>> 0) * 4294967296 + (addressLow >>> 0);
}

/**
 * SETcc to memory: Unicorn loses the flags when its store faults in the middle of a block (docs/lockstep.md), so it
 * must not fault for a reason that is ours alone.
 */
export function isSetcc(code: Uint8Array): boolean {
  let at = 0;
  while (at < code.length && isPrefix(code[at]!)) at++;
  return code[at] === 0x0f && (code[at + 1]! & 0xf0) === 0x90 && code[at + 2]! < 0xc0;
}

/** Operand and address size, segments, LOCK, REX. */
function isPrefix(byte: number): boolean {
  return (byte & 0xf0) === 0x40 || [0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0].includes(byte);
}
