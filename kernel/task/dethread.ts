/** execve in a process with several threads: the others end, and the caller becomes the leader (execve(2)). */
import { endTask } from "./exit.ts";
import { reapThread } from "./reap.ts";
import { TASK_DEAD, TASK_ZOMBIE, type Task } from "./task.ts";

export function dethread(task: Task): void {
  const { group } = task;
  for (const other of [...group.tasks]) {
    if (other !== task && other.state < TASK_ZOMBIE) endTask(other, 0);
  }
  if (group.leader === task) return;
  const old = group.leader;
  const ownPid = task.pid;
  // The process keeps its pid, so the new leader takes over the tid of the old one.
  task.adoptPid(old.pid);
  old.adoptPid(ownPid);
  group.leader = task;
  old.state = TASK_DEAD;
  reapThread(old);
}
