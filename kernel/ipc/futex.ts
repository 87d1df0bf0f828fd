/** Fast user-space locking: tasks waiting for a word of memory to change (futex(2), futex(7)). */
import type { AddressSpace } from "../mm/address-space.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import type { Task } from "../task/task.ts";

export const FUTEX_BITSET_ANY = 0xffffffff;

/** A waiter's state over its sleep. */
export interface FutexWait {
  key: string;
  bitset: number;
  woken: boolean;
}

interface Waiter {
  task: Task;
  wait: FutexWait;
}

export class FutexTable {
  private readonly waiters = new Map<string, Waiter[]>();
  private readonly spaceIds = new WeakMap<object, number>();
  private nextId = 1;

  /** Names the word: by file page for shared mappings, else by address space and address. */
  key(space: AddressSpace, address: number, shared: boolean): string {
    const area = shared ? space.vmas.find(address) : undefined;
    if (area?.shared && area.store) {
      const page = area.storePage + Math.floor((address - area.start) / PAGE_SIZE);
      return `s${this.idOf(area.store)}:${page}:${address % PAGE_SIZE}`;
    }
    return `p${this.idOf(space)}:${address}`;
  }

  /** Puts the task to sleep until a wake, the deadline or a signal. */
  sleep(task: Task, key: string, bitset: number, deadline: number, interrupted: number): number {
    const wait: FutexWait = { key, bitset, woken: false };
    task.futexWait = wait;
    this.queue(key).push({ task, wait });
    return task.sleepOn(null, deadline, interrupted);
  }

  /** The task does not wait any more: time-out, signal or death. */
  cancel(task: Task): void {
    const wait = task.futexWait;
    task.futexWait = null;
    if (!wait) return;
    const queue = this.waiters.get(wait.key);
    const at = queue ? queue.findIndex((waiter) => waiter.task === task) : -1;
    if (at >= 0) this.take(wait.key, queue!, at);
  }

  /** Wakes up to `count` waiters of a word in this address space, of either kind. */
  wake(space: AddressSpace, address: number, count: number): number {
    const done = this.wakeKey(this.key(space, address, true), count, FUTEX_BITSET_ANY);
    return done > 0 ? done : this.wakeKey(this.key(space, address, false), count, FUTEX_BITSET_ANY);
  }

  wakeKey(key: string, count: number, bitset: number): number {
    const queue = this.waiters.get(key);
    if (!queue) return 0;
    let woken = 0;
    for (let at = 0; at < queue.length && woken < count;) {
      const waiter = queue[at]!;
      if ((waiter.wait.bitset & bitset) === 0) {
        at++;
        continue;
      }
      this.take(key, queue, at);
      waiter.wait.woken = true;
      waiter.task.wake();
      woken++;
    }
    return woken;
  }

  /** Moves up to `count` waiters to another word without waking them. */
  requeue(from: string, to: string, count: number): number {
    const queue = this.waiters.get(from);
    if (!queue || from === to) return 0;
    let moved = 0;
    while (queue.length > 0 && moved < count) {
      const waiter = queue[0]!;
      this.take(from, queue, 0);
      waiter.wait.key = to;
      this.queue(to).push(waiter);
      moved++;
    }
    return moved;
  }

  /** Waiters in all queues, for leak checks. */
  get size(): number {
    let count = 0;
    for (const queue of this.waiters.values()) count += queue.length;
    return count;
  }

  private queue(key: string): Waiter[] {
    let queue = this.waiters.get(key);
    if (!queue) this.waiters.set(key, (queue = []));
    return queue;
  }

  private take(key: string, queue: Waiter[], at: number): void {
    queue.splice(at, 1);
    if (queue.length === 0) this.waiters.delete(key);
  }

  private idOf(object: object): number {
    let id = this.spaceIds.get(object);
    if (id === undefined) this.spaceIds.set(object, (id = this.nextId++));
    return id;
  }
}
