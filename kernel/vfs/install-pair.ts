/** Two new descriptors that user memory is told of at once: pipe(2), socketpair(2). */
import { copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import type { OpenFile } from "./open-file.ts";

/** Installs both files and stores their numbers as two ints; if anything fails neither is left. @throws EMFILE EFAULT */
export function installPair(task: Task, pair: readonly [OpenFile, OpenFile], fdFlags: number, address: number): void {
  const { files } = task;
  const fds: number[] = [];
  try {
    for (const file of pair) fds.push(files.install(file, fdFlags, 0, task));
    copyToUser(task.memory, address, new Uint8Array(Int32Array.from(fds).buffer));
  } catch (error) {
    pair.forEach((file, index) => {
      const fd = fds[index];
      if (fd === undefined) file.release();
      else files.close(fd);
    });
    throw error;
  }
}
