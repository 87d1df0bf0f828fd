/** A timer as a file (timerfd_create(2)). */
import { EAGAIN, EINVAL } from "../../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { POLLIN, POLLRDNORM } from "../../abi/poll.ts";
import { anonymousInode } from "../fs/anonymous-fs.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task/task.ts";
import type { Expiring } from "../task/timers.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import { bootOffset } from "./clocks.ts";
import { advance, off, remaining, schedule, type Schedule, type TimerValue } from "./repeating.ts";

export class TimerFile extends OpenFile implements Expiring {
  readonly clock: number;
  private readonly kernel: Kernel;
  private schedule: Schedule = off();
  /** Expiries since the last read. */
  private count = 0;
  private readonly readers = new WaitQueue();
  private gone = false;

  constructor(kernel: Kernel, clock: number, flags: number) {
    super(anonymousInode(kernel), null, O_RDWR | (flags & O_NONBLOCK));
    this.kernel = kernel;
    this.clock = clock;
  }

  get value(): TimerValue {
    return remaining(this.schedule, this.now);
  }

  set(value: number, interval: number, absolute: boolean): void {
    this.schedule = schedule(this.now, value, interval, absolute, bootOffset(this.kernel, this.clock));
    this.count = 0;
    this.arm();
  }

  isStale(deadline: number): boolean {
    return this.gone || this.schedule.expires !== deadline;
  }

  expire(deadline: number): void {
    if (this.isStale(deadline)) return;
    this.count += advance(this.schedule, this.now);
    this.arm();
    this.readers.wakeAll();
  }

  override read(task: Task, to: Transfer): number {
    if (to.remaining < 8) return -EINVAL.number;
    if (this.count === 0) {
      if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
      return task.sleepOn(this.readers);
    }
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(this.count), true);
    to.put(bytes);
    this.count = 0;
    return 8;
  }

  override poll(): number {
    return this.count > 0 ? POLLIN | POLLRDNORM : 0;
  }

  override pollQueues(): WaitQueue[] {
    return [this.readers];
  }

  override get pollable(): boolean {
    return true;
  }

  override get description(): string {
    return "anon_inode:[timerfd]";
  }

  override get fdInfo(): string {
    const { value, interval } = this.value;
    const time = (ns: number): string => `(${Math.floor(ns / 1e9)}, ${Math.floor(ns % 1e9)})`;
    return `clockid: ${this.clock}\nticks: ${this.count}\nsettime flags: 00\nit_value: ${time(value)}\nit_interval: ${time(interval)}\n`;
  }

  protected override closed(): void {
    this.gone = true;
  }

  /** Times from the epoch are kept as times from boot, which a number holds to the ns. */
  private get now(): number {
    return this.kernel.now();
  }

  private arm(): void {
    if (this.schedule.expires > 0) this.kernel.timers.add(this.schedule.expires, this);
  }
}
