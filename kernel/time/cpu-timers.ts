/**
 * Timers that count CPU time: ITIMER_VIRTUAL, ITIMER_PROF, timers on CPU clocks and RLIMIT_CPU. They are looked at
 * when a time slice ends, so they are as exact as slices are short (setitimer(2), getrlimit(2)).
 */
import { RLIMIT_CPU } from "../../abi/resource.ts";
import { SIGKILL, SIGXCPU } from "../../abi/signal.ts";
import { kernelSigInfo, sendSignalToGroup } from "../signal/send.ts";
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { groupTimes } from "../task/times.ts";
import { accountTime } from "./clocks.ts";

export interface CpuTimer {
  /** Looks at the clock and sends what is due. */
  check(): void;
}

/** True if some timer or limit of the process depends on its CPU time. */
export function countsCpuTime(group: ThreadGroup): boolean {
  return group.cpuTimers.size > 0 || group.limits[RLIMIT_CPU]!.current !== Infinity;
}

/** To be called at the end of a slice of a process that counts CPU time. */
export function checkCpuTimers(task: Task): void {
  const { group, kernel } = task;
  accountTime(kernel);
  for (const timer of [...group.cpuTimers]) timer.check();
  const limit = group.limits[RLIMIT_CPU]!;
  if (limit.current === Infinity) return;
  const times = groupTimes(group);
  const seconds = (times.user + times.system) / 1e9;
  if (seconds >= limit.maximum) {
    sendSignalToGroup(group, kernelSigInfo(SIGKILL));
  } else if (seconds >= limit.current) {
    sendSignalToGroup(group, kernelSigInfo(SIGXCPU));
    // Once more after each further second.
    limit.current = Math.floor(seconds) + 1;
  }
}
