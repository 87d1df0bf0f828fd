/** File descriptors of a process, or of several that share them (clone(2), CLONE_FILES). */
import { EBADF, EINVAL, EMFILE, ENFILE, ENOMEM } from "../../abi/errno.ts";
import { FD_CLOEXEC, O_PATH } from "../../abi/fcntl.ts";
import { RLIMIT_NOFILE } from "../../abi/resource.ts";
import type { Task } from "../task/task.ts";
import type { OpenFile } from "./open-file.ts";

/** No table grows beyond this (/proc/sys/fs/nr_open). */
export const NR_OPEN = 65536;

/** The first descriptor number the task may not use. */
export const descriptorLimit = (task: Task): number => Math.min(task.group.limits[RLIMIT_NOFILE]!.current, NR_OPEN);

/** Descriptors in all tables of a machine, which together must not fill the host's memory. */
export interface DescriptorBudget {
  used: number;
  readonly limit: number;
}

export class FdTable {
  /** Tasks that share it. */
  users = 1;
  private readonly budget: DescriptorBudget;
  private open = 0;
  private readonly files: (OpenFile | undefined)[] = [];
  private readonly flags: number[] = [];
  /** No descriptor below this is free. */
  private firstFree = 0;

  constructor(budget: DescriptorBudget = { used: 0, limit: Infinity }) {
    this.budget = budget;
  }

  /** A table with the same files and one user (fork(2)). @throws ENOMEM */
  clone(): FdTable {
    if (this.budget.used + this.open > this.budget.limit) throw ENOMEM;
    const copy = new FdTable(this.budget);
    for (let fd = 0; fd < this.files.length; fd++) {
      const file = this.files[fd];
      if (file === undefined) continue;
      file.retain();
      copy.files[fd] = file;
      copy.flags[fd] = this.flags[fd]!;
    }
    copy.firstFree = this.firstFree;
    copy.open = this.open;
    this.budget.used += this.open;
    return copy;
  }

  retain(): void {
    this.users++;
  }

  /** Drops a user; the last one closes everything. */
  release(): void {
    if (--this.users > 0) return;
    for (let fd = 0; fd < this.files.length; fd++) if (this.files[fd]) this.close(fd);
  }

  /** The file of a descriptor that was not opened with O_PATH. @throws EBADF */
  get(fd: number): OpenFile {
    const file = this.files[fd];
    if (file === undefined || (file.flags & O_PATH) !== 0) throw EBADF;
    return file;
  }

  /** The file of any descriptor. @throws EBADF */
  getAny(fd: number): OpenFile {
    const file = this.files[fd];
    if (file === undefined) throw EBADF;
    return file;
  }

  peek(fd: number): OpenFile | undefined {
    return this.files[fd];
  }

  /**
   * Gives the file the lowest free descriptor from `minFd` on; the table takes over the caller's reference.
   * @param task whose RLIMIT_NOFILE counts
   * @throws EMFILE ENFILE, and then the reference stays with the caller
   */
  install(file: OpenFile, fdFlags: number, minFd = 0, task?: Task): number {
    const fd = this.lowestFree(minFd);
    if (this.budget.used >= this.budget.limit) throw ENFILE;
    if (fd >= (task ? descriptorLimit(task) : NR_OPEN)) throw EMFILE;
    this.put(fd, file, fdFlags);
    return fd;
  }

  /** Makes `fd` refer to the file, closing what it was; takes over the reference (dup2(2)). */
  replace(fd: number, file: OpenFile, fdFlags: number): void {
    if (this.files[fd]) this.close(fd);
    this.put(fd, file, fdFlags);
  }

  /** @throws EBADF */
  close(fd: number): void {
    const file = this.files[fd];
    if (file === undefined) throw EBADF;
    this.files[fd] = undefined;
    this.open--;
    this.budget.used--;
    if (fd < this.firstFree) this.firstFree = fd;
    file.inode.locks?.releaseProcess(this);
    try {
      file.flush();
    } finally {
      file.release();
    }
  }

  /** Closes what execve(2) does not keep. */
  closeOnExec(): void {
    for (let fd = 0; fd < this.files.length; fd++) {
      if (this.files[fd] && (this.flags[fd]! & FD_CLOEXEC) !== 0) this.close(fd);
    }
  }

  getFlags(fd: number): number {
    if (!this.files[fd]) throw EBADF;
    return this.flags[fd]!;
  }

  setFlags(fd: number, flags: number): void {
    if (!this.files[fd]) throw EBADF;
    this.flags[fd] = flags & FD_CLOEXEC;
  }

  /** Descriptors in use, in ascending order. */
  *entries(): Generator<[fd: number, file: OpenFile]> {
    for (let fd = 0; fd < this.files.length; fd++) {
      const file = this.files[fd];
      if (file) yield [fd, file];
    }
  }

  /** One more than the highest descriptor that was ever in use. */
  get size(): number {
    return this.files.length;
  }

  private lowestFree(from: number): number {
    if (from < 0) throw EINVAL;
    const { files } = this;
    let fd = Math.max(from, this.firstFree);
    while (fd < files.length && files[fd] !== undefined) fd++;
    return fd;
  }

  private put(fd: number, file: OpenFile, fdFlags: number): void {
    // A number far behind the others leaves holes, which cost nothing.
    this.files[fd] = file;
    this.open++;
    this.budget.used++;
    this.flags[fd] = fdFlags & FD_CLOEXEC;
    if (fd === this.firstFree) this.firstFree = fd + 1;
  }
}

/** Gives a file that the call has just got a descriptor, or lets go of it. @throws EMFILE ENFILE */
export function installNew(task: Task, file: OpenFile, cloexec: boolean): number {
  try {
    return task.files.install(file, cloexec ? FD_CLOEXEC : 0, 0, task);
  } catch (error) {
    file.release();
    throw error;
  }
}

/** The file of a descriptor that is open for reading. @throws EBADF */
export function readableFile(task: Task, fd: number): OpenFile {
  const file = task.files.get(fd);
  if (!file.readable) throw EBADF;
  return file;
}

/** The file of a descriptor that is open for writing. @throws EBADF */
export function writableFile(task: Task, fd: number): OpenFile {
  const file = task.files.get(fd);
  if (!file.writable) throw EBADF;
  return file;
}
