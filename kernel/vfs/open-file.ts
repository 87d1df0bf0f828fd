/**
 * An open file description: what descriptors of one or many processes refer to (open(2), NOTES). Kinds of files are
 * subclasses; what a subclass does not offer fails as Linux has it.
 */
import { EBADF, EINVAL, ENODEV, ENOTDIR, ENOTTY, EPERM, ESPIPE } from "../../abi/errno.ts";
import { O_ACCMODE, O_PATH, O_RDONLY, O_WRONLY, SEEK_CUR, SEEK_SET } from "../../abi/fcntl.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import type { MappedFile } from "../mm/vma.ts";
import type { Task } from "../task/task.ts";
import type { WaitQueue } from "../task/wait-queue.ts";
import type { Inode } from "./inode.ts";
import type { Path } from "./mount.ts";
import { pathToString } from "./path.ts";
import type { Transfer } from "./transfer.ts";

/** Readable and writable without ever blocking, as regular files are. */
export const POLL_ALWAYS = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

const NO_QUEUES: WaitQueue[] = [];

/** Who gets SIGIO, kept for F_GETOWN (fcntl(2)); the signal itself is never sent. */
export interface SignalOwner {
  type: number;
  pid: number;
  signal: number;
}

export abstract class OpenFile {
  /** Access mode and status flags: what F_GETFL shows. */
  flags: number;
  position = 0;
  /** Descriptors and calls in progress that refer to it. */
  users = 1;
  readonly inode: Inode;
  /** Null for files that were never found by a name: pipes, eventfd. */
  readonly path: Path | null;
  owner: SignalOwner | null = null;

  constructor(inode: Inode, path: Path | null, flags: number) {
    this.inode = inode;
    this.path = path;
    this.flags = flags;
    inode.retain();
  }

  get readable(): boolean {
    return (this.flags & (O_ACCMODE | O_PATH)) !== O_WRONLY && (this.flags & O_PATH) === 0;
  }

  get writable(): boolean {
    return (this.flags & O_ACCMODE) !== O_RDONLY && (this.flags & O_PATH) === 0;
  }

  retain(): void {
    this.users++;
  }

  /** Drops a user; the last one closes the file. */
  release(): void {
    if (--this.users > 0) return;
    this.inode.locks?.releaseFile(this);
    this.closed();
    this.inode.release();
  }

  /** The last descriptor is gone. */
  protected closed(): void {}

  /** A descriptor is being closed, be it the last or not (close(2) errors of the file system come from here). */
  flush(): void {}

  // Contents. The result is a count, BLOCKED or a negative errno. The caller has checked the access mode.

  read(_task: Task, _to: Transfer): number {
    throw EINVAL;
  }

  write(_task: Task, _from: Transfer): number {
    throw EINVAL;
  }

  /** pread(2). */
  readFrom(_task: Task, _to: Transfer, _position: number): number {
    throw ESPIPE;
  }

  /** pwrite(2). */
  writeTo(_task: Task, _from: Transfer, _position: number): number {
    throw ESPIPE;
  }

  /** Has positions: pread(2) and lseek(2) work. */
  get seekable(): boolean {
    return false;
  }

  /** For the kernel's own reads of regular files; returns the bytes read, 0 at the end. */
  readAt(_into: Uint8Array, _position: number): number {
    throw EINVAL;
  }

  /** Sets the position; returns it. */
  seek(_task: Task, _offset: number, _whence: number): number {
    throw ESPIPE;
  }

  /** Entries of a directory from the position on; `put` answers false when its buffer is full. */
  readDirectory(_task: Task, _put: (name: string, inode: number, type: number, next: number) => boolean): void {
    throw ENOTDIR;
  }

  truncate(_task: Task, _size: number): void {
    throw EINVAL;
  }

  allocate(_task: Task, _mode: number, _offset: number, _length: number): void {
    throw ENODEV;
  }

  sync(): void {
    throw EINVAL;
  }

  // Readiness.

  /** POLL* bits that are true now. */
  poll(): number {
    return POLL_ALWAYS;
  }

  /** Queues that are woken when `poll` may answer differently. */
  pollQueues(): WaitQueue[] {
    return NO_QUEUES;
  }

  /** Can be watched by epoll(7), which refuses regular files and directories. */
  get pollable(): boolean {
    return false;
  }

  /** Changes with every event that edge-triggered epoll must report, though `poll` stays the same. */
  activity(): number {
    return 0;
  }

  ioctl(_task: Task, _command: number, _argument: number): number {
    throw ENOTTY;
  }

  // Mapping.

  /** @throws ENODEV for files that cannot be mapped */
  mappedFile(): MappedFile {
    throw ENODEV;
  }

  /** mmap(2) asks before it maps: a sealed file may refuse (memfd_create(2)). @throws EPERM */
  checkMap(_prot: number, _shared: boolean): void {}

  /** Seals of a memfd (fcntl(2)). @throws EINVAL where there are none */
  get seals(): number {
    throw EINVAL;
  }

  addSeals(_seals: number): void {
    throw EINVAL;
  }

  /** F_SETFL: status flags that may change. */
  setStatus(flags: number): void {
    this.flags = flags;
  }

  /** What the link in /proc/PID/fd says for a file without a path. */
  get description(): string {
    return `anon_inode:[${this.constructor.name}]`;
  }

  /** Lines of /proc/PID/fdinfo/N behind pos, flags, mnt_id and ino. */
  get fdInfo(): string {
    return "";
  }

  /** The file's name as the task sees it. */
  pathFor(task: Task): string {
    return this.path ? pathToString(this.path, task.fs.root) : this.description;
  }
}

/** open(2) with O_PATH: a place, not a file. */
export class PathFile extends OpenFile {
  declare readonly path: Path;

  constructor(path: Path, flags: number) {
    super(path.dentry.inode, path, flags);
  }

  override read(): number {
    throw EBADF;
  }

  override write(): number {
    throw EBADF;
  }

  override seek(): number {
    throw EBADF;
  }

  override ioctl(): number {
    throw EBADF;
  }

  override mappedFile(): MappedFile {
    throw EBADF;
  }

  override addSeals(): void {
    throw EPERM;
  }
}

/** The position that lseek(2) with SEEK_SET, SEEK_CUR and SEEK_END means. @throws EINVAL */
export function seekTarget(position: number, size: number, offset: number, whence: number): number {
  const target = whence === SEEK_SET ? offset : whence === SEEK_CUR ? position + offset : size + offset;
  if (whence > 2 || whence < 0 || target < 0 || target > Number.MAX_SAFE_INTEGER) throw EINVAL;
  return target;
}
