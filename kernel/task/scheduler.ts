/** Who runs next: one first-in-first-out queue of runnable tasks, time slices by engine budget. */
import type { Engine } from "../../emulator/engine.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { TASK_RUNNABLE, type Task } from "./task.ts";

export class Scheduler {
  /** The task whose registers are in the engine. */
  current: Task | null = null;
  /** The current task gives up the rest of its slice (sched_yield(2)). */
  yieldNow = false;
  /** The address space the engine translates with. */
  private activeSpace: AddressSpace | null = null;
  private queue: Task[] = [];
  private head = 0;

  get runnableCount(): number {
    return this.queue.length - this.head;
  }

  /** Puts a runnable task behind the others; once is enough. */
  enqueue(task: Task): void {
    if (task.queued) return;
    task.queued = true;
    this.queue.push(task);
  }

  /** Switches the engine to an address space; between threads of one process there is nothing to do. */
  activate(space: AddressSpace, engine: Engine): void {
    if (space === this.activeSpace) return;
    this.activeSpace = space;
    engine.activate(space.root);
  }

  /** The task will not run again: its registers need not be saved. */
  leave(task: Task): void {
    if (this.current === task) this.current = null;
  }

  /** Takes the next runnable task, null if all sleep. */
  next(): Task | null {
    while (this.head < this.queue.length) {
      const task = this.queue[this.head++]!;
      if (this.head > 64 && this.head * 2 > this.queue.length) {
        this.queue = this.queue.slice(this.head);
        this.head = 0;
      }
      task.queued = false;
      if (task.state === TASK_RUNNABLE) return task;
    }
    this.queue.length = 0;
    this.head = 0;
    return null;
  }
}
