/** A counter as a file (eventfd(2)). */
import { EAGAIN, EINVAL } from "../../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { POLLERR, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task/task.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import { anonymousInode } from "./anonymous-fs.ts";

const MAX_COUNT = 0xffff_ffff_ffff_fffen;

export class EventFile extends OpenFile {
  private count: bigint;
  private readonly semaphore: boolean;
  private readonly readers = new WaitQueue();
  private readonly writers = new WaitQueue();
  private events = 0;

  constructor(kernel: Kernel, initial: number, semaphore: boolean, flags: number) {
    super(anonymousInode(kernel), null, O_RDWR | (flags & O_NONBLOCK));
    this.count = BigInt(initial);
    this.semaphore = semaphore;
  }

  override get description(): string {
    return "anon_inode:[eventfd]";
  }

  override get fdInfo(): string {
    return `eventfd-count: ${this.count.toString(16).padStart(16)}\n`;
  }

  override get pollable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    if (to.remaining < 8) return -EINVAL.number;
    if (this.count === 0n) {
      if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
      return task.sleepOn(this.readers);
    }
    const value = this.semaphore ? 1n : this.count;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    to.put(bytes);
    this.count -= value;
    this.events++;
    this.writers.wakeAll();
    return 8;
  }

  override write(task: Task, from: Transfer): number {
    if (from.remaining < 8) return -EINVAL.number;
    const bytes = from.take(8);
    if (bytes.length < 8) return -EINVAL.number;
    const value = new DataView(bytes.buffer).getBigUint64(0, true);
    if (value > MAX_COUNT) return -EINVAL.number;
    if (value > MAX_COUNT - this.count) {
      if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
      return task.sleepOn(this.writers);
    }
    this.count += value;
    this.events++;
    this.readers.wakeAll();
    return 8;
  }

  override poll(): number {
    let mask = 0;
    if (this.count > 0n) mask |= POLLIN | POLLRDNORM;
    if (this.count < MAX_COUNT) mask |= POLLOUT | POLLWRNORM;
    if (this.count > MAX_COUNT) mask |= POLLERR;
    return mask;
  }

  override pollQueues(): WaitQueue[] {
    return [this.readers, this.writers];
  }

  override activity(): number {
    return this.events;
  }
}
