/** Signals as a file: what is read is what a handler would have been told (signalfd(2)). */
import { EAGAIN, EINVAL } from "../../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { POLLIN, POLLRDNORM } from "../../abi/poll.ts";
import { signalfd_siginfo } from "../../abi/signal.ts";
import { anonymousInode } from "../fs/anonymous-fs.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task/task.ts";
import type { WaitQueue } from "../task/wait-queue.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import type { SigInfo } from "./pending.ts";
import { recalculatePending } from "./send.ts";
import { SignalSet } from "./signal-set.ts";

export class SignalFile extends OpenFile {
  /** The signals it is for; may be changed by signalfd(2) on the same descriptor. */
  mask: SignalSet;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel, mask: SignalSet, flags: number) {
    super(anonymousInode(kernel), null, O_RDWR | (flags & O_NONBLOCK));
    this.kernel = kernel;
    this.mask = mask;
  }

  override read(task: Task, to: Transfer): number {
    const { size } = signalfd_siginfo;
    if (to.remaining < size) return -EINVAL.number;
    let done = 0;
    while (to.remaining >= size) {
      const info = this.take(task);
      if (!info) break;
      to.put(encode(info));
      done += size;
    }
    if (done > 0) return done;
    if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
    return task.sleepOn(task.group.signalArrived);
  }

  /** Whoever asks is the one whose signals count. */
  override poll(): number {
    const task = this.kernel.scheduler.current;
    return task && this.next(task) !== 0 ? POLLIN | POLLRDNORM : 0;
  }

  override pollQueues(): WaitQueue[] {
    const task = this.kernel.scheduler.current;
    return task ? [task.group.signalArrived] : [];
  }

  override get pollable(): boolean {
    return true;
  }

  override get description(): string {
    return "anon_inode:[signalfd]";
  }

  override get fdInfo(): string {
    return `sigmask:\t${this.mask.toString()}\n`;
  }

  private next(task: Task): number {
    const others = new SignalSet(~this.mask.low, ~this.mask.high);
    return task.pending.set.firstNotIn(others) || task.group.pending.set.firstNotIn(others);
  }

  private take(task: Task): SigInfo | null {
    const signal = this.next(task);
    if (signal === 0) return null;
    const own = task.pending.set.has(signal);
    const info = own ? task.pending.take(signal) : task.group.pending.take(signal);
    recalculatePending(task);
    return info;
  }
}

function encode(info: SigInfo): Uint8Array {
  const bytes = new Uint8Array(signalfd_siginfo.size);
  signalfd_siginfo.encode(new DataView(bytes.buffer), 0, {
    ssi_signo: info.signo,
    ssi_errno: info.errno ?? 0,
    ssi_code: info.code,
    ssi_pid: info.pid ?? 0,
    ssi_uid: info.uid ?? 0,
    ssi_tid: info.timerId ?? 0,
    ssi_overrun: info.overrun ?? 0,
    ssi_status: info.status ?? 0,
    ssi_int: Number(BigInt.asIntN(32, info.value ?? 0n)),
    ssi_ptr: info.value ?? 0n,
    ssi_utime: info.utime ?? 0,
    ssi_stime: info.stime ?? 0,
    ssi_addr: (info.addressHigh ?? 0) * 4294967296 + (info.addressLow ?? 0),
  });
  return bytes;
}
