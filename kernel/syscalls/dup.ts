/** dup(2), dup2(2), dup3(2). */
import { EBADF, EINVAL } from "../../abi/errno.ts";
import { FD_CLOEXEC, O_CLOEXEC } from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import type { Task } from "../task/task.ts";
import { descriptorLimit } from "../vfs/fd-table.ts";
import type { OpenFile } from "../vfs/open-file.ts";

/** A new descriptor, the lowest free one from `minFd` on, for an open file. */
export function duplicate(task: Task, file: OpenFile, fdFlags: number, minFd = 0): number {
  file.retain();
  try {
    return task.files.install(file, fdFlags, minFd, task);
  } catch (error) {
    file.release();
    throw error;
  }
}

export const dup = handler("dup", (task, fd) => duplicate(task, task.files.getAny(fd), 0));

function replace(task: Task, oldFd: number, newFd: number, fdFlags: number): number {
  if (newFd < 0 || newFd >= descriptorLimit(task)) throw EBADF;
  const file = task.files.getAny(oldFd);
  file.retain();
  task.files.replace(newFd, file, fdFlags);
  return newFd;
}

export const dup2 = handler("dup2", (task, oldFd, newFd) => {
  if (oldFd === newFd) {
    task.files.getAny(oldFd);
    return newFd;
  }
  return replace(task, oldFd, newFd, 0);
});

export const dup3 = handler("dup3", (task, oldFd, newFd, flags) => {
  if ((flags & ~O_CLOEXEC) !== 0 || oldFd === newFd) throw EINVAL;
  return replace(task, oldFd, newFd, (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
});
