/** A task lets go of its address space, at its end or in execve (mm_release in Linux; set_tid_address(2), vfork(2)). */
import { Errno } from "../../abi/errno.ts";
import { releasePiLocks } from "../ipc/futex-pi.ts";
import { releaseRobustList } from "../ipc/robust-list.ts";
import { writeU32 } from "../mm/user-copy.ts";
import type { Task } from "./task.ts";

/** Everything that must still be written to the old memory, and whoever waits for it to be free. */
export function releaseMemory(task: Task): void {
  const { mm } = task;
  if (!mm) return;
  releaseRobustList(task);
  releasePiLocks(task);
  if (task.clearChildTid !== 0) {
    // Only somebody who shares the memory could see it.
    if (mm.users > 1) {
      try {
        writeU32(mm, task.clearChildTid, 0);
        task.kernel.futexes.wake(mm, task.clearChildTid, 1);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
      }
    }
    task.clearChildTid = 0;
  }
  task.mm = null;
  mm.users--;
  if (mm.users === 0) mm.dispose();
  endVfork(task);
}

/** The parent that lent its memory to this task goes on. */
export function endVfork(task: Task): void {
  const parent = task.vforkParent;
  task.vforkParent = null;
  parent?.wake();
}
