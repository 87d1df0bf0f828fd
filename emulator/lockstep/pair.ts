/** Two processors at the same point of the same program, and the memory both start from. */
import { STOP_BUDGET, STOP_FAULT, VECTOR_PF, type Engine, type StopKind } from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { compareFpu, compareRegisters, describeStop, sameStop, type Unequal } from "./compare.ts";
import { Replica, type SavedState } from "./replica.ts";

/** A store that faults on its second page may have written the end of the first (emulator/unicorn/README.md). */
const CUT_STORE = 64;
/** How much longer than the other an engine may run before it is thought to have got lost: units are not the same. */
const ALLOWANCE_FACTOR = 8;
const ALLOWANCE = 1_000_000;

/** A page on which the two have written different bytes. */
export interface UnequalPage {
  /** A virtual address of it. */
  readonly page: number;
  readonly truth: number;
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

export class Pair {
  readonly first: Replica;
  readonly second: Replica;
  private readonly memory: PhysicalMemory;
  private start: SavedState;
  /** The point of `remember`: registers, and the frames changed since as they were. */
  private memories: { readonly state: SavedState; readonly frames: Map<number, Uint8Array> } | undefined;

  constructor(memory: PhysicalMemory, first: Engine, second: Engine) {
    this.memory = memory;
    this.first = new Replica(memory, first);
    this.second = new Replica(memory, second);
    this.start = this.first.save();
  }

  /** Takes the first one's registers for both: from here on the two will be compared. */
  begin(): void {
    this.start = this.first.save();
    this.second.load(this.start);
  }

  /** As `begin` where both are known to be equal but for flags. */
  private proceed(): void {
    this.start = this.first.save();
  }

  /** Back to where the piece began: nothing of it has happened. */
  rewind(): void {
    for (const replica of [this.first, this.second]) {
      replica.space.settle();
      replica.load(this.start);
      replica.prepare();
    }
  }

  /** Whether an engine has met something that needs the piece to be run again. */
  get spoiled(): boolean {
    return this.first.spoiled || this.second.spoiled;
  }

  /** What the first one has written becomes what the kernel sees, and the next piece begins. */
  commit(): void {
    const { first, second, memory } = this;
    for (const { truth, copy } of first.space.written) {
      this.memories?.frames.set(truth, this.memories.frames.get(truth) ?? this.bytesOf(truth).slice());
      memory.copyFrame(copy, truth);
      this.frameChanged(truth);
    }
    for (const replica of [first, second]) {
      replica.space.settle();
      replica.finish();
    }
    this.proceed();
  }

  /** Remembers this point across commits, for `recall`. */
  remember(): void {
    this.memories = { state: this.start, frames: new Map() };
  }

  /** Back to the point of `remember`, as if nothing had been committed since. */
  recall(): void {
    const { memories } = this;
    if (!memories) throw new Error("nothing was remembered");
    this.rewind();
    for (const [truth, bytes] of memories.frames) {
      this.bytesOf(truth).set(bytes);
      this.frameChanged(truth);
    }
    this.start = memories.state;
    this.rewind();
    this.forget();
  }

  forget(): void {
    this.memories = undefined;
  }

  /**
   * Runs both for `budget` units of each engine's own, or to their next stops. When one stops before that, the other is
   * given more time. True: both have stopped, at the same stop if they are equal.
   */
  run(budget: number): boolean {
    const kinds = [this.first.run(budget), this.second.run(budget)] as const;
    if (this.spoiled || (kinds[0] === STOP_BUDGET && kinds[1] === STOP_BUDGET)) return false;
    return this.bothStop(budget);
  }

  /** Lets whoever has not stopped go on to its stop; false if it does not come to one. */
  bothStop(budget: number): boolean {
    const more = Math.min(budget * ALLOWANCE_FACTOR + ALLOWANCE, 0x7fffffff);
    const finish = (replica: Replica): StopKind => {
      if (replica.stop.kind !== STOP_BUDGET) return replica.stop.kind;
      const { executed } = replica.stop;
      const kind = replica.run(more);
      replica.stop.executed += executed;
      return kind;
    };
    return [finish(this.first), finish(this.second)].every((kind) => kind !== STOP_BUDGET);
  }

  /** What differs in stops and registers. */
  unequalState(flags: bigint): Unequal[] {
    const { first, second } = this;
    const found: Unequal[] = [];
    if (!sameStop(first.stop, second.stop)) {
      found.push({ what: "stop", first: describeStop(first.stop), second: describeStop(second.stop) });
    }
    compareRegisters(first.engine.cpu, second.engine.cpu, flags, found);
    first.engine.storeFpu();
    second.engine.storeFpu();
    compareFpu(first.engine.cpu.fxsave, second.engine.cpu.fxsave, found);
    return found;
  }

  compareFlags(flags: bigint, found: Unequal[]): void {
    compareRegisters(this.first.engine.cpu, this.second.engine.cpu, flags, found);
  }

  /** The pages written by one of them that are not the same. */
  unequalPages(): UnequalPage[] {
    const { first, second, memory } = this;
    const found: UnequalPage[] = [];
    const cut = this.cutStore();
    const compare = (truth: number, page: number): void => {
      const [x, y] = [first.space.seen(truth), second.space.seen(truth)];
      const [i, j] = [x * (PAGE_SIZE / 4), y * (PAGE_SIZE / 4)];
      const { u32 } = memory;
      for (let k = 0; k < PAGE_SIZE / 4; k++) {
        if (u32[i + k] === u32[j + k]) continue;
        if (page === cut && k >= (PAGE_SIZE - CUT_STORE) / 4) return;
        found.push({ page, truth, first: this.bytesOf(x).slice(), second: this.bytesOf(y).slice() });
        return;
      }
    };
    for (const { truth, page } of first.space.written) compare(truth, page);
    for (const { truth, page } of second.space.written) if (first.space.seen(truth) === truth) compare(truth, page);
    return found;
  }

  /** The second takes over the page as the first has it. */
  adoptPage({ truth }: UnequalPage): void {
    this.memory.copyFrame(this.first.space.seen(truth), this.second.space.seen(truth));
  }

  dispose(): void {
    for (const replica of [this.first, this.second]) {
      replica.space.dispose();
      replica.engine.dispose();
    }
  }

  private bytesOf(pfn: number): Uint8Array {
    return this.memory.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
  }

  private frameChanged(pfn: number): void {
    this.first.space.frameChanged(pfn);
    this.second.space.frameChanged(pfn);
  }

  /** The page before the one that faulted, -1 for other stops. */
  private cutStore(): number {
    const { kind, vector, addressLow, addressHigh } = this.first.stop;
    if (kind !== STOP_FAULT || vector !== VECTOR_PF) return -1;
    const address = (addressHigh >>> 0) * 4294967296 + (addressLow >>> 0);
    return address - (address % PAGE_SIZE) - PAGE_SIZE;
  }
}
