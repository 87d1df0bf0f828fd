/**
 * An engine made of two: both execute every piece of the program, and the first difference ends the run with a report.
 * The kernel sees what the first one did. How it works: docs/lockstep.md.
 */
import {
  STOP_BUDGET,
  STOP_FAULT,
  STOP_SYSCALL,
  type Engine,
  type EngineCapabilities,
  type Stop,
  type StopKind,
} from "../engine.ts";
import type { PhysicalMemory } from "../physical-memory.ts";
import { CpuState, RAX, RFLAGS, RIP } from "../registers.ts";
import { COMPARED_FLAGS, type Unequal } from "./compare.ts";
import { meet } from "./meet.ts";
import { isSetcc } from "./replica.ts";
import { narrow } from "./narrow.ts";
import { Pair, type UnequalPage } from "./pair.ts";
import { describeDifference, type CallRecord, type PieceEnd } from "./report.ts";
import { lasting, REASONS, stepThrough, type Culprit, type Excuses, type Walk } from "./step-through.ts";

/** How often the two are compared. */
export type Granularity = "syscall" | "block" | "step";
export const GRANULARITIES: readonly Granularity[] = ["syscall", "block", "step"];

export interface LockstepEngineOptions {
  /** Default: "syscall", which is every stop of any kind. */
  readonly granularity?: Granularity;
  /** Units after which a piece without a stop is cut, if both can be brought together. Default: 4 million. */
  readonly longPiece?: number;
  /** Units after which a piece that cannot be cut is left unchecked. Default: 1,000 million. */
  readonly patience?: number;
}

export interface LockstepStatistics {
  /** Pieces compared: from one stop to the next, or shorter. */
  pieces: number;
  /** Budget units of the first engine. */
  units: number;
  /** Instructions executed by both, as far as an engine counts them; else 0. */
  instructions: number;
  /** Pieces of which no end in common was found; the first engine's was taken. */
  unchecked: number;
  /** Pieces done again in steps, because they ended differently, and what explained it. */
  repeated: number;
  readonly excuses: Excuses;
}

/** The two engines do not agree: `message` is the report. */
export class LockstepDifference extends Error {
  readonly culprit: Culprit | undefined;

  constructor(report: string, culprit?: Culprit) {
    super(report);
    this.name = "LockstepDifference";
    // The report is all there is to say: where it was thrown is not where the mistake is.
    this.stack = this.name;
    this.culprit = culprit;
  }
}

const LONG_PIECE = 4_000_000;
const PATIENCE = 1_000_000_000;
const MEETING_STEPS = 2_000;
/** Instructions of a piece that are stepped through in search of a difference. */
const SEARCH_LIMIT = 20_000_000;
const LAST_CALLS = 8;

interface CountingEngine extends Engine {
  readonly instructions?: number;
}

export class LockstepEngine implements Engine {
  readonly memory: PhysicalMemory;
  readonly cpu = new CpuState();
  readonly capabilities: EngineCapabilities;
  readonly supervisorEntryLow = 0;
  readonly supervisorEntryHigh = 0;
  readonly stop: Stop = { kind: STOP_BUDGET, vector: 0, errorCode: 0, addressLow: 0, addressHigh: 0, executed: 0 };
  readonly statistics: LockstepStatistics = {
    pieces: 0,
    units: 0,
    instructions: 0,
    unchecked: 0,
    repeated: 0,
    excuses: { cpuid: 0, fxsave: 0, flags: 0, setcc: 0 },
  };

  private readonly pair: Pair;
  private readonly engines: readonly [CountingEngine, CountingEngine];
  private readonly counter: CountingEngine | undefined;
  private readonly granularity: Granularity;
  private readonly longPiece: number;
  private readonly patience: number;
  private readonly calls: CallRecord[] = [];
  private callPending = false;
  private disposed = false;

  constructor(memory: PhysicalMemory, first: Engine, second: Engine, options: LockstepEngineOptions = {}) {
    this.memory = memory;
    this.engines = [first, second];
    this.counter = this.engines.find(({ instructions }) => instructions !== undefined);
    this.granularity = options.granularity ?? "syscall";
    this.longPiece = options.longPiece ?? LONG_PIECE;
    this.patience = options.patience ?? PATIENCE;
    const { level, budgetUnit, boundedBlocks } = first.capabilities;
    this.capabilities = {
      name: `lockstep of ${first.capabilities.name} and ${second.capabilities.name}`,
      level,
      budgetUnit,
      ...(boundedBlocks !== undefined && { boundedBlocks }),
    };
    this.pair = new Pair(memory, first, second);
    this.storeFpu();
  }

  run(budget: number): StopKind {
    if (this.disposed) throw new Error("the engine has been disposed of");
    const { first } = this.pair;
    this.noteResult();
    first.engine.cpu.general.set(this.cpu.general);
    this.pair.begin();
    let kind: StopKind = STOP_BUDGET;
    let executed = 0;
    do {
      kind = this.piece();
      executed += first.stop.executed;
    } while (kind === STOP_BUDGET && executed < budget);
    this.cpu.general.set(first.engine.cpu.general);
    Object.assign(this.stop, first.stop, { kind, executed });
    this.statistics.units += executed;
    if (kind === STOP_SYSCALL) this.noteCall();
    return kind;
  }

  activate(root: number): void {
    this.pair.first.space.activate(root);
    this.pair.second.space.activate(root);
  }

  flushTlb(): void {
    this.pair.first.space.forgetAll();
    this.pair.second.space.forgetAll();
  }

  flushPage(address: number): void {
    this.pair.first.space.forgetPage(address);
    this.pair.second.space.forgetPage(address);
  }

  invalidateFrame(pfn: number): void {
    for (const engine of this.engines) engine.invalidateFrame(pfn);
  }

  storeFpu(): void {
    const [first] = this.engines;
    first.storeFpu();
    this.cpu.fxsave.set(first.cpu.fxsave);
  }

  loadFpu(): void {
    for (const engine of this.engines) {
      engine.cpu.fxsave.set(this.cpu.fxsave);
      engine.loadFpu();
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.pair.dispose();
  }

  /** Executes up to the next place where the two can be compared, and compares them. */
  private piece(): StopKind {
    this.statistics.pieces++;
    switch (this.granularity) {
      case "step":
        return this.walk(1).end === "stopped" ? this.stopKind() : STOP_BUDGET;
      case "block":
        return this.runPiece(1, MEETING_STEPS);
      case "syscall":
        return this.runPiece(this.longPiece, MEETING_STEPS);
    }
  }

  private runPiece(units: number, steps: number): StopKind {
    const { pair } = this;
    let before = this.counted();
    let stopped = pair.run(units);
    let total = pair.first.stop.executed;
    while (!stopped || pair.spoiled) {
      if (pair.spoiled) {
        pair.rewind();
        before = this.counted();
        stopped = pair.run(units);
        total = pair.first.stop.executed;
        continue;
      }
      if (pair.first.stop.kind !== STOP_BUDGET || pair.second.stop.kind !== STOP_BUDGET) break;
      const meeting = meet(pair.first, pair.second, steps);
      if (meeting === "stopped") stopped = pair.bothStop(units);
      else if (meeting === "met" && pair.unequalPages().length === 0) break;
      else if (total >= this.patience) return this.leaveUnchecked(total);
      else stopped = pair.run(units);
      total += pair.first.stop.executed;
    }
    const executed = this.counted() - before;
    const unequal = stopped ? pair.unequalState(COMPARED_FLAGS) : this.unequalWhileRunning();
    const pages = pair.unequalPages();
    if (unequal.length > 0 || pages.length > 0) return this.repeat(unequal, pages, stopped);
    this.statistics.instructions += executed;
    pair.commit();
    pair.first.stop.executed = total;
    return stopped ? this.stopKind() : STOP_BUDGET;
  }

  private unequalWhileRunning(): Unequal[] {
    const found = this.pair.unequalState(COMPARED_FLAGS);
    return found.filter(({ what }) => what !== "stop" || this.pair.first.stop.kind !== this.pair.second.stop.kind);
  }

  /** Does a piece that ended differently again in steps, until something explains it or the culprit is found. */
  private repeat(unequal: readonly Unequal[], pages: readonly UnequalPage[], stopped: boolean): StopKind {
    const { pair, statistics } = this;
    statistics.repeated++;
    const end = pair.first.rip;
    const stops = [{ ...pair.first.stop }, { ...pair.second.stop }] as const;
    const code = pair.first.space.read(end, 15);
    pair.rewind();
    pair.remember();
    const start = pair.first.rip;
    const walk = this.walk(SEARCH_LIMIT, { start, end, stops, unequal, pages });
    const flagsOnly = pages.length === 0 && unequal.every(({ what }) => what === "rflags");
    const isSetccFault = flagsOnly && stops[0].kind === STOP_FAULT && isSetcc(code);
    if (isSetccFault) statistics.excuses.setcc++;
    const explained = isSetccFault || lasting(walk.excuses) > 0 || (flagsOnly && walk.excuses.flags > 0);
    if (explained && (walk.end !== "tired" || !stopped)) {
      pair.forget();
      return walk.end === "stopped" ? this.stopKind() : STOP_BUDGET;
    }
    pair.recall();
    const part = narrow(pair);
    throw new LockstepDifference(
      describeDifference({
        names: this.engines.map(({ capabilities }) => capabilities.name),
        piece: statistics.pieces,
        calls: this.calls,
        part: part && { ...part, code: pair.first.space.read(part.start, 64) },
        atSpeed: { start, end, stops, unequal, pages },
        code: pair.first.space.read(start, 64),
      }),
    );
  }

  /** Steps through; a difference found on the way is thrown. */
  private walk(limit: number, atSpeed?: PieceEnd): Walk {
    const { pair, statistics } = this;
    const walk = stepThrough(pair, limit);
    if (this.counter) statistics.instructions += walk.steps;
    for (const reason of REASONS) statistics.excuses[reason] += walk.excuses[reason];
    pair.first.stop.executed = walk.steps;
    const { culprit } = walk;
    if (!culprit) {
      if (walk.end === "stopped") pair.commit();
      return walk;
    }
    throw new LockstepDifference(
      describeDifference({
        names: this.engines.map(({ capabilities }) => capabilities.name),
        piece: statistics.pieces,
        calls: this.calls,
        culprit,
        atSpeed,
        registers: [pair.first.engine.cpu, pair.second.engine.cpu],
      }),
      culprit,
    );
  }

  private leaveUnchecked(total: number): StopKind {
    const { pair } = this;
    this.statistics.unchecked++;
    pair.commit();
    pair.begin();
    pair.first.stop.executed = total;
    return STOP_BUDGET;
  }

  private stopKind(): StopKind {
    return this.pair.first.stop.kind;
  }

  private counted(): number {
    return this.counter?.instructions ?? 0;
  }

  private noteCall(): void {
    const { cpu } = this;
    this.calls.push({ registers: cpu.u64.slice(0, RFLAGS), result: undefined });
    if (this.calls.length > LAST_CALLS) this.calls.shift();
    this.callPending = true;
  }

  private noteResult(): void {
    const last = this.calls.at(-1);
    if (!this.callPending || !last) return;
    this.callPending = false;
    if (last.registers[RIP] === this.cpu.u64[RIP]) last.result = BigInt.asIntN(64, this.cpu.u64[RAX]!);
  }
}
