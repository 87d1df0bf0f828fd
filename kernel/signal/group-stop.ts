/** Job control: stopping and continuing whole processes, and telling the parent (signal(7), wait(2)). */
import { CLD_CONTINUED, CLD_STOPPED, SA_NOCLDSTOP, SIGCHLD, SIGCONT, SIG_IGN } from "../../abi/signal.ts";
import { TASK_RUNNABLE, TASK_STOPPED, type Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { childSigInfo } from "./child-info.ts";
import { interruptGroup, sendSignalToGroup } from "./send.ts";

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
  notifyParent(task.group, CLD_STOPPED, task.group.stopSignal);
}

/** SIGCONT was sent: whoever is stopped goes on, whatever else becomes of the signal. */
export function continueGroup(group: ThreadGroup): void {
  if (group.stopSignal === 0) return;
  group.stopSignal = 0;
  group.stopReported = true;
  group.continueReported = false;
  for (const task of group.tasks) {
    if (task.state !== TASK_STOPPED) continue;
    task.state = TASK_RUNNABLE;
    task.kernel.scheduler.enqueue(task);
  }
  notifyParent(group, CLD_CONTINUED, SIGCONT);
}

function notifyParent(group: ThreadGroup, code: number, signal: number): void {
  const { parent } = group;
  if (!parent) return;
  const action = parent.leader.actions.get(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    sendSignalToGroup(parent, childSigInfo(group, parent, SIGCHLD, code, signal));
  }
  parent.waitChildren.wakeAll();
}
