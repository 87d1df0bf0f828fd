/** CPU time of processes, in nanoseconds. */
import type { ThreadGroup } from "./thread-group.ts";

export interface CpuTimes {
  user: number;
  system: number;
}

/** Time used by all threads of a process, ended ones included. */
export function groupTimes(group: ThreadGroup): CpuTimes {
  let user = group.deadUserTime;
  let system = group.deadSystemTime;
  for (const task of group.tasks) {
    user += task.userTime;
    system += task.systemTime;
  }
  return { user, system };
}
