/** Descriptors of pipes and FIFOs (pipe(7), fifo(7)). */
import { CAP_SYS_RESOURCE } from "../../abi/capability.ts";
import { EAGAIN, EINVAL, EPERM, EPIPE, ERESTARTSYS } from "../../abi/errno.ts";
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY, PIPE_BUF } from "../../abi/fcntl.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import { SIGPIPE } from "../../abi/signal.ts";
import { writeU32 } from "../mm/user-copy.ts";
import { ownSigInfo, sendSignalToTask } from "../signal/send.ts";
import { capable } from "../task/capable.ts";
import type { Task } from "../task/task.ts";
import type { WaitQueue } from "../task/wait-queue.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Path } from "../vfs/mount.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import { PIPE_MAX_SIZE, type Pipe } from "./pipe.ts";

/** One end of a pipe or FIFO, or both (fifo(7), O_RDWR). */
export class PipeFile extends OpenFile {
  readonly pipe: Pipe;

  constructor(pipe: Pipe, inode: Inode, path: Path | null, flags: number) {
    super(inode, path, flags);
    this.pipe = pipe;
    if (this.readable) pipe.readers++;
    if (this.writable) pipe.writers++;
  }

  override get description(): string {
    return `pipe:[${this.inode.number}]`;
  }

  override get pollable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    const { pipe } = this;
    if (to.remaining === 0) return 0;
    if (pipe.length > 0) return pipe.take(to);
    if (!pipe.hasWriters) return 0;
    if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
    return task.sleepOn(pipe.readable);
  }

  override write(task: Task, from: Transfer): number {
    const { pipe } = this;
    const packetMode = pipe.packets !== null && (this.flags & O_DIRECT) !== 0;
    from.skip(task.callProgress);
    while (from.remaining > 0) {
      if (!pipe.hasReaders) return brokenPipe(task, from.done);
      // Up to PIPE_BUF bytes go in one piece or not at all; a packet likewise.
      const wanted = packetMode ? Math.min(from.remaining, PIPE_BUF) : from.remaining;
      const needed = from.length <= PIPE_BUF || packetMode ? wanted : 1;
      if (pipe.room < needed) {
        if ((this.flags & O_NONBLOCK) !== 0) return from.done > 0 ? from.done : -EAGAIN.number;
        task.callProgress = from.done;
        return task.sleepOn(pipe.writable, Infinity, from.done > 0 ? from.done : -ERESTARTSYS.number);
      }
      if (pipe.put(from, Math.min(wanted, pipe.room)) === 0) break;
    }
    return from.done;
  }

  override poll(): number {
    const { pipe } = this;
    let mask = 0;
    if (this.readable) {
      if (pipe.length > 0) mask |= POLLIN | POLLRDNORM;
      if (!pipe.hasWriters) mask |= POLLHUP;
    }
    if (this.writable) {
      if (pipe.room >= PIPE_BUF || pipe.length === 0) mask |= POLLOUT | POLLWRNORM;
      if (!pipe.hasReaders) mask |= POLLERR;
    }
    return mask;
  }

  override pollQueues(): WaitQueue[] {
    const mode = this.flags & O_ACCMODE;
    if (mode === O_RDONLY) return [this.pipe.readable];
    return mode === O_WRONLY ? [this.pipe.writable] : [this.pipe.readable, this.pipe.writable];
  }

  override activity(): number {
    return this.pipe.activity;
  }

  override ioctl(task: Task, command: number, argument: number): number {
    if (command !== FIONREAD) return super.ioctl(task, command, argument);
    writeU32(task.memory, argument, this.pipe.length);
    return 0;
  }

  /** F_SETPIPE_SZ: the capacity really set. @throws EINVAL EPERM EBUSY */
  setCapacity(task: Task, wanted: number): number {
    if (wanted < 0 || wanted > 0x80000000) throw EINVAL;
    let size = 4096;
    while (size < wanted) size *= 2;
    if (size > this.pipe.capacity && size > PIPE_MAX_SIZE && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
    this.pipe.resize(size);
    return size;
  }

  protected override closed(): void {
    const { pipe } = this;
    if (this.readable) pipe.readers--;
    if (this.writable) pipe.writers--;
    pipe.endsChanged();
  }
}

/** SIGPIPE and EPIPE for a write nobody will read; what went before counts. */
export function brokenPipe(task: Task, done: number): number {
  if (done > 0) return done;
  sendSignalToTask(task, ownSigInfo(task, SIGPIPE));
  return -EPIPE.number;
}
