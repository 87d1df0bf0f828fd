/** Fast user-space locking: tasks waiting for a word of memory to change (futex(2), futex(7)). */
import type { AddressSpace } from "../mm/address-space.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import type { Task } from "../task/task.ts";

export const FUTEX_BITSET_ANY = 0xffffffff;

/** One word a task waits on. */
export interface FutexEntry {
  key: string;
  bitset: number;
}

/** What a task waits for, kept over its sleep. Plain data. */
export interface FutexWait {
  /** More than one for futex_waitv(2). */
  entries: FutexEntry[];
  /** Index of the entry that was woken, -1 while it waits. */
  woken: number;
  /** Waits for a priority-inheritance lock, or (with `target`) to be moved to one. */
  pi: boolean;
  /** FUTEX_WAIT_REQUEUE_PI: key and address of the lock it wants to be moved to. */
  target: { key: string; address: number } | null;
}

interface Waiter {
  task: Task;
  wait: FutexWait;
  index: number;
}

export class FutexTable {
  private readonly waiters = new Map<string, Waiter[]>();
  /** Holders of priority-inheritance locks that somebody waits for. */
  private readonly owners = new Map<string, Task>();
  private readonly spaceIds = new WeakMap<object, number>();
  private nextId = 1;

  /** Names the word: by file page for shared mappings, else by address space and address. */
  key(space: AddressSpace, address: number, shared: boolean): string {
    const area = shared ? space.vmas.find(address) : undefined;
    if (area?.shared && area.store) {
      const page = area.storePage + Math.floor((address - area.start) / PAGE_SIZE);
      return `s${this.idOf(area.store)}:${page}:${address % PAGE_SIZE}`;
    }
    // A shared operation on private memory does not meet a private one, as in Linux.
    return `${shared ? "m" : "p"}${this.idOf(space)}:${address}`;
  }

  /** Puts the task to sleep on one or more words until a wake, the deadline or a signal. */
  sleep(task: Task, entries: FutexEntry[], deadline: number, interrupted: number, pi: Partial<FutexWait> = {}): number {
    const wait: FutexWait = { entries, woken: -1, pi: false, target: null, ...pi };
    task.futexWait = wait;
    entries.forEach((entry, index) => this.queue(entry.key).push({ task, wait, index }));
    return task.sleepOn(null, deadline, interrupted);
  }

  /** The task does not wait any more: time-out, signal or death. */
  cancel(task: Task): void {
    const wait = task.futexWait;
    task.futexWait = null;
    if (wait && wait.woken < 0) this.leave(task, wait);
  }

  /** Wakes up to `count` waiters of a word in this address space, shared or private. */
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
      if ((waiter.wait.entries[waiter.index]!.bitset & bitset) === 0) at++;
      else {
        this.wakeWaiter(waiter);
        woken++;
      }
    }
    return woken;
  }

  /** Moves up to `count` waiters to another word without waking them. */
  requeue(from: string, to: string, count: number): number {
    const queue = this.waiters.get(from);
    if (!queue || from === to) return 0;
    const moved = queue.splice(0, Math.max(0, count));
    if (queue.length === 0) this.waiters.delete(from);
    const target = moved.length > 0 ? this.queue(to) : [];
    for (const waiter of moved) {
      waiter.wait.entries[waiter.index]!.key = to;
      waiter.wait.pi ||= waiter.wait.target !== null;
      target.push(waiter);
    }
    return moved.length;
  }

  /** The task that has waited longest on a word. */
  first(key: string): { task: Task; wait: FutexWait } | undefined {
    return this.waiters.get(key)?.[0];
  }

  /** Lets the longest waiter go on: it has been given the lock. */
  wakeFirst(key: string): void {
    const first = this.waiters.get(key)?.[0];
    if (first) this.wakeWaiter(first);
  }

  waiting(key: string): number {
    return this.waiters.get(key)?.length ?? 0;
  }

  ownerOf(key: string): Task | undefined {
    return this.owners.get(key);
  }

  /** Notes who holds a lock that has waiters; null when nobody waits any more. */
  setOwner(key: string, owner: Task | null): void {
    this.owners.get(key)?.piLocks.delete(key);
    if (owner) {
      this.owners.set(key, owner);
      owner.piLocks.add(key);
    } else {
      this.owners.delete(key);
    }
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

  private wakeWaiter(waiter: Waiter): void {
    this.leave(waiter.task, waiter.wait);
    waiter.wait.woken = waiter.index;
    waiter.task.wake();
  }

  private leave(task: Task, wait: FutexWait): void {
    for (const { key } of wait.entries) {
      const queue = this.waiters.get(key);
      const at = queue ? queue.findIndex((waiter) => waiter.task === task) : -1;
      if (at < 0) continue;
      queue!.splice(at, 1);
      if (queue!.length > 0) continue;
      this.waiters.delete(key);
      this.setOwner(key, null);
    }
  }

  private idOf(object: object): number {
    let id = this.spaceIds.get(object);
    if (id === undefined) this.spaceIds.set(object, (id = this.nextId++));
    return id;
  }
}
