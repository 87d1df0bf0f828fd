/** Job control: stopping and continuing whole processes, and telling the parent (signal(7), wait(2)). */
import { CLD_STOPPED } from "../../abi/signal.ts";
import { TASK_STOPPED, type Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { interruptGroup, tellParent } from "./send.ts";

/** A stop signal has been taken by a thread: every thread stops when it next would run user code. */
export function beginGroupStop(group: ThreadGroup, signal: number): void {
  if (group.stopSignal !== 0) return;
  group.stopSignal = signal;
  group.stopReported = false;
  group.continueReported = true;
  interruptGroup(group, false);
}

/** The task takes part in its group's stop; the last one to do so tells the parent. */
export function stopTask(task: Task): void {
  task.state = TASK_STOPPED;
  for (const other of task.group.tasks) if (other.state < TASK_STOPPED) return;
  tellParent(task.group, CLD_STOPPED, task.group.stopSignal);
}
