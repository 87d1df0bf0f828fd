/** Timers of timer_create(2) end with the program: at exit and in execve. */
import type { ThreadGroup } from "../task/thread-group.ts";

export function deletePosixTimers(group: ThreadGroup): void {
  for (const timer of group.posixTimers.values()) timer.delete();
  group.posixTimers.clear();
}
