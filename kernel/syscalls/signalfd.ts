/** signalfd(2) and signalfd4. */
import { SFD_CLOEXEC, SFD_NONBLOCK } from "../../abi/eventfd.ts";
import { EINVAL } from "../../abi/errno.ts";
import { SIGSET_SIZE } from "../../abi/signal.ts";
import { handler } from "../dispatch.ts";
import { UNSTOPPABLE } from "../signal/defaults.ts";
import { SignalFile } from "../signal/signal-file.ts";
import { installNew } from "../vfs/fd-table.ts";
import { readSignalSet } from "../signal/user-set.ts";
import type { Task } from "../task/task.ts";

function openSignalFile(task: Task, fd: number, maskAddress: number, maskSize: number, flags: number): number {
  if (maskSize !== SIGSET_SIZE) throw EINVAL;
  const mask = readSignalSet(task, maskAddress);
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) !== 0) throw EINVAL;
  mask.deleteAll(UNSTOPPABLE);
  if (fd !== -1) {
    const file = task.files.get(fd);
    if (!(file instanceof SignalFile)) throw EINVAL;
    file.mask = mask;
    task.group.signalArrived.wakeAll();
    return fd;
  }
  const file = new SignalFile(task.kernel, mask, flags);
  return installNew(task, file, (flags & SFD_CLOEXEC) !== 0);
}

export const signalfd = handler("signalfd", (task, fd, mask, size) => openSignalFile(task, fd, mask, size, 0));
export const signalfd4 = handler("signalfd4", (task, fd, mask, size, flags) =>
  openSignalFile(task, fd, mask, size, flags),
);
