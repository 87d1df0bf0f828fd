/**
 * Tasks waiting for one thing to change. A queue holds no continuation: a woken task runs its system call again from
 * the start, with `callProgress` and `callDeadline` telling what it had already done.
 */
import type { Task } from "./task.ts";

export class WaitQueue {
  /** In the order in which they came. A set, so that leaving costs the same however many wait. */
  readonly waiters = new Set<Task>();

  /** Puts the task in the queue; `Task.leaveQueues` takes it out again. */
  add(task: Task): void {
    this.waiters.add(task);
    task.queues.push(this);
  }

  remove(task: Task): void {
    this.waiters.delete(task);
  }

  /** Makes every waiter runnable. */
  wakeAll(): void {
    // Whoever is woken leaves the queue, and comes back at the earliest when it runs.
    for (const task of this.waiters) task.wake();
  }

  /** Makes the task that has waited longest runnable; false when nobody waits. */
  wakeOne(): boolean {
    for (const first of this.waiters) {
      first.wake();
      return true;
    }
    return false;
  }
}
