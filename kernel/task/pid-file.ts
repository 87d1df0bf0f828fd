/** A file descriptor that stands for a process (pidfd_open(2)). */
import { EBADF } from "../../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { POLLHUP, POLLIN, POLLRDNORM } from "../../abi/poll.ts";
import { anonymousInode } from "../fs/anonymous-fs.ts";
import type { Kernel } from "../kernel.ts";
import type { Pid } from "../pid/pid.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Task } from "./task.ts";
import type { WaitQueue } from "./wait-queue.ts";

export class PidFile extends OpenFile {
  readonly pid: Pid;

  constructor(kernel: Kernel, pid: Pid, flags: number) {
    super(anonymousInode(kernel), null, O_RDWR | (flags & O_NONBLOCK));
    this.pid = pid;
  }

  /** Readable once the process has ended; hung up once it has been waited for. */
  override poll(): number {
    const { group } = this.pid;
    if (!group) return POLLIN | POLLRDNORM | POLLHUP;
    return group.zombie ? POLLIN | POLLRDNORM : 0;
  }

  override pollQueues(): WaitQueue[] {
    const { group } = this.pid;
    return group ? [group.ended] : [];
  }

  override get pollable(): boolean {
    return true;
  }

  override get description(): string {
    return "anon_inode:[pidfd]";
  }

  override get fdInfo(): string {
    const numbers = this.pid.group ? this.pid.numbers.join("\t") : "-1";
    return `Pid:\t${this.pid.group ? this.pid.own : -1}\nNSpid:\t${numbers}\n`;
  }
}

/** The pid that a pidfd stands for. @throws EBADF */
export function pidOfFd(task: Task, fd: number): Pid {
  const file = task.files.get(fd);
  if (!(file instanceof PidFile)) throw EBADF;
  return file.pid;
}
