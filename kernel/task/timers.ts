/** Deadlines in ns since boot, as a binary heap. Entries that no longer matter are dropped when they come up. */
export interface Expiring {
  /** Called when the time has come; the entry is out of the heap by then. */
  expire(deadline: number): void;
}

interface Entry {
  deadline: number;
  order: number;
  what: Expiring;
}

const before = (a: Entry, b: Entry): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);

export class Timers {
  private readonly heap: Entry[] = [];
  private count = 0;

  get next(): number {
    return this.heap[0]?.deadline ?? Infinity;
  }

  get size(): number {
    return this.heap.length;
  }

  add(deadline: number, what: Expiring): void {
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
