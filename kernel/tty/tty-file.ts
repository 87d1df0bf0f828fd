/** An open terminal (tty(4)). */
import { EAGAIN, EIO } from "../../abi/errno.ts";
import { O_NOCTTY, O_NONBLOCK } from "../../abi/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import { SIGTTIN, SIGTTOU } from "../../abi/signal.ts";
import { ICANON, TOSTOP, VMIN, VTIME } from "../../abi/termios.ts";
import type { Task } from "../task/task.ts";
import type { WaitQueue } from "../task/wait-queue.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Path } from "../vfs/mount.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import { checkForeground } from "./job-control.ts";
import type { Tty } from "./tty.ts";
import { ttyIoctl } from "./tty-ioctl.ts";

const TENTH_OF_SECOND = 1e8;
/** Most that one write hands to the terminal at a time. */
const WRITE_CHUNK = 65536;

export class TtyFile extends OpenFile {
  readonly tty: Tty;

  constructor(tty: Tty, inode: Inode, path: Path | null, flags: number) {
    super(inode, path, flags);
    this.tty = tty;
  }

  override get description(): string {
    return `/dev/${this.tty.name}`;
  }

  override get pollable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    const { tty } = this;
    if (tty.hungUp) return 0;
    const stop = checkForeground(task, tty, SIGTTIN);
    if (stop !== 0) return stop;
    if (to.remaining === 0) return 0;
    if (!this.mayRead(task, to.remaining)) {
      if (task.callDeadline >= 0 && task.callDeadline <= task.kernel.now()) return this.deliver(to);
      if ((this.flags & O_NONBLOCK) !== 0) {
        const { discipline } = tty;
        return discipline.readable ? this.deliver(to) : -EAGAIN.number;
      }
      tty.wantInput();
      return task.sleepOn(tty.readers, task.callDeadline >= 0 ? task.callDeadline : Infinity);
    }
    return this.deliver(to);
  }

  override write(task: Task, from: Transfer): number {
    const { tty } = this;
    if (tty.hungUp) return -EIO.number;
    if ((tty.termios.local & TOSTOP) !== 0) {
      const stop = checkForeground(task, tty, SIGTTOU);
      if (stop !== 0) return stop;
    }
    if (tty.stopped) {
      if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
      return task.sleepOn(tty.writers);
    }
    while (from.remaining > 0) {
      const bytes = from.take(WRITE_CHUNK);
      if (bytes.length === 0) break;
      const count = tty.write(bytes);
      if (count < 0) return from.done > bytes.length ? from.done - bytes.length : count;
    }
    return from.done;
  }

  override poll(): number {
    const { tty } = this;
    if (tty.hungUp) return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    let mask = tty.stopped ? 0 : POLLOUT | POLLWRNORM;
    if (tty.discipline.readable) mask |= POLLIN | POLLRDNORM;
    else tty.wantInput();
    return mask;
  }

  override pollQueues(): WaitQueue[] {
    return [this.tty.readers, this.tty.writers];
  }

  override activity(): number {
    return this.tty.activity;
  }

  override ioctl(task: Task, command: number, argument: number): number {
    return ttyIoctl(task, this.tty, command, argument);
  }

  /** Whether a read is satisfied by what there is; sets the deadline that VTIME asks for. */
  private mayRead(task: Task, count: number): boolean {
    const { discipline, termios } = this.tty;
    if ((termios.local & ICANON) !== 0) return discipline.readable;
    const minimum = termios.characters[VMIN]!;
    const time = termios.characters[VTIME]! * TENTH_OF_SECOND;
    const { available } = discipline;
    if (minimum === 0) {
      if (available > 0) return true;
      if (time === 0) {
        task.callDeadline = 0;
        return false;
      }
      if (task.callDeadline < 0) task.callDeadline = task.kernel.now() + time;
      return false;
    }
    if (available >= Math.min(minimum, count)) return true;
    // The timer between bytes starts with the first one and again with each that follows.
    if (time > 0 && available > 0 && available !== task.callProgress) {
      task.callProgress = available;
      task.callDeadline = task.kernel.now() + time;
    }
    return false;
  }

  private deliver(to: Transfer): number {
    const { discipline } = this.tty;
    const bytes = discipline.take(to.remaining);
    if (bytes.length === 0) return 0;
    let moved = 0;
    try {
      moved = to.put(bytes);
    } finally {
      if (moved < bytes.length) discipline.giveBack(bytes.subarray(moved));
    }
    return moved;
  }
}

/** Opens a terminal; a session leader without one gets it as its controlling terminal, unless O_NOCTTY says no. */
export function openTty(task: Task, tty: Tty, inode: Inode, path: Path, flags: number): TtyFile {
  if (tty.hungUp) throw EIO;
  const { group } = task;
  if ((flags & O_NOCTTY) === 0 && group.isSessionLeader && !group.tty && !tty.session) tty.control(group);
  return new TtyFile(tty, inode, path, flags & ~O_NOCTTY);
}
