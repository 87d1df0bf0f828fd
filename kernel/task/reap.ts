/** The last traces of a task: its numbers are given back and its times are added up (wait(2), getrusage(2)). */
import { groupTimes } from "./times.ts";
import { TASK_DEAD, type Task } from "./task.ts";
import type { ThreadGroup } from "./thread-group.ts";

/** A thread that is not the leader disappears at once. */
export function reapThread(task: Task): void {
  const { group } = task;
  if (!group.tasks.delete(task)) return;
  group.deadUserTime += task.userTime;
  group.deadSystemTime += task.systemTime;
  forgetTask(task);
}

/** A zombie process disappears; `waiter` is credited with its times. */
export function reapGroup(group: ThreadGroup, waiter: ThreadGroup | null): void {
  if (group.leader.state === TASK_DEAD) return;
  if (waiter) {
    const times = groupTimes(group);
    waiter.childrenUserTime += times.user + group.childrenUserTime;
    waiter.childrenSystemTime += times.system + group.childrenSystemTime;
    waiter.childrenMaxRss = Math.max(waiter.childrenMaxRss, group.maxRss, group.childrenMaxRss);
  }
  group.parent?.children.delete(group);
  group.leader.state = TASK_DEAD;
  group.tasks.delete(group.leader);
  group.pid.group = null;
  group.processGroup.processGroup.delete(group);
  group.session.session.delete(group);
  group.processGroup.releaseIfUnused();
  group.session.releaseIfUnused();
  forgetTask(group.leader);
}

function forgetTask(task: Task): void {
  task.pid.task = null;
  task.pid.releaseIfUnused();
  task.kernel.taskCount--;
}
