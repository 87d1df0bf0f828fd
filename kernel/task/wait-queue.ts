/**
 * Tasks waiting for one thing to change. A queue holds no continuation: a woken task runs its system call again from
 * the start, with `callProgress` and `callDeadline` telling what it had already done.
 */
import type { Task } from "./task.ts";

export class WaitQueue {
  readonly waiters: Task[] = [];

  /** Puts the task in the queue; `Task.leaveQueues` takes it out again. */
  add(task: Task): void {
    this.waiters.push(task);
    task.queues.push(this);
  }

  remove(task: Task): void {
    const at = this.waiters.indexOf(task);
    if (at >= 0) this.waiters.splice(at, 1);
  }

  /** Makes every waiter runnable. */
  wakeAll(): void {
    while (this.waiters.length > 0) this.waiters[0]!.wake();
  }

  /** Makes the task that has waited longest runnable; false when nobody waits. */
  wakeOne(): boolean {
    const first = this.waiters[0];
    first?.wake();
    return first !== undefined;
  }
}
