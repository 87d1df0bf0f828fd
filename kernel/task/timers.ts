/** Deadlines in ns since boot, as a binary heap. Entries that no longer matter are dropped when they come up. */
export interface Expiring {
  /** Called when the time has come; the entry is out of the heap by then. */
  expire(deadline: number): void;
  /** True if that call would do nothing, now and later. */
  isStale?(deadline: number): boolean;
}

interface Entry {
  deadline: number;
  order: number;
  what: Expiring;
}

const before = (a: Entry, b: Entry): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);

/** Below this, stale entries are not worth looking for. */
const SWEEP_FROM = 256;

export class Timers {
  private heap: Entry[] = [];
  private count = 0;
  /** When the heap is larger than this, sleeps that have long ended are swept out. */
  private sweepAt = SWEEP_FROM;

  get next(): number {
    return this.heap[0]?.deadline ?? Infinity;
  }

  get size(): number {
    return this.heap.length;
  }

  add(deadline: number, what: Expiring): void {
    if (this.heap.length >= this.sweepAt) this.sweep();
    const { heap } = this;
    const entry = { deadline, order: this.count++, what };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(entry, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = entry;
  }

  /** Lets everything due at `now` expire, in order of time. */
  expireUntil(now: number): void {
    while (this.heap.length > 0 && this.heap[0]!.deadline <= now) {
      const { what, deadline } = this.pop();
      what.expire(deadline);
    }
  }

  /** A task that is woken early again and again must not fill the heap with deadlines it no longer has, or has twice. */
  sweep(): void {
    const seen = new Map<Expiring, number>();
    const matters = ({ what, deadline }: Entry): boolean => {
      if (what.isStale?.(deadline) || seen.get(what) === deadline) return false;
      seen.set(what, deadline);
      return true;
    };
    // In ascending order, which is a heap.
    this.heap = this.heap.sort((a, b) => (before(a, b) ? -1 : 1)).filter(matters);
    this.sweepAt = Math.max(SWEEP_FROM, this.heap.length * 2);
  }

  private pop(): Entry {
    const { heap } = this;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
