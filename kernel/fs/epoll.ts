/** An interest list over other files (epoll(7)). */
import { EEXIST, EINVAL, ELOOP, ENOENT, EPERM } from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLONESHOT,
  EPOLLWAKEUP,
  POLLIN,
  POLLRDNORM,
} from "../../abi/poll.ts";
import type { Kernel } from "../kernel.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { anonymousInode } from "./anonymous-fs.ts";

const MAX_DEPTH = 5;
const OPTION_BITS = (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP) >>> 0;

interface Interest {
  readonly file: OpenFile;
  readonly fd: number;
  events: number;
  dataLow: number;
  dataHigh: number;
  /** EPOLLONESHOT has fired: silent until modified. */
  disabled: boolean;
  /** What was ready when last looked at, and the file's activity then, for EPOLLET. */
  lastMask: number;
  lastActivity: number;
}

export interface ReadyEvent {
  events: number;
  dataLow: number;
  dataHigh: number;
}

export class EpollFile extends OpenFile {
  /** Woken when the list itself changes. */
  private readonly changed = new WaitQueue();
  /** In the order in which they are reported; one that was reported goes to the end. */
  private interests: Interest[] = [];

  constructor(kernel: Kernel) {
    super(anonymousInode(kernel), null, O_RDWR);
  }

  override get description(): string {
    return "anon_inode:[eventpoll]";
  }

  override get fdInfo(): string {
    const hex = (value: number): string => value.toString(16);
    return this.living()
      .map(({ fd, events, dataLow, dataHigh }) => {
        const data = hex(dataHigh) + hex(dataLow).padStart(8, "0");
        return `tfd: ${String(fd).padStart(8)} events: ${hex(events).padStart(8)} data: ${data.padStart(16)}\n`;
      })
      .join("");
  }

  override get pollable(): boolean {
    return true;
  }

  /** @throws EEXIST EINVAL ELOOP EPERM */
  add(fd: number, file: OpenFile, events: number, dataLow: number, dataHigh: number): void {
    if (!file.pollable) throw EPERM;
    if (file === this) throw EINVAL;
    if (file instanceof EpollFile) {
      if ((events & EPOLLEXCLUSIVE) !== 0) throw EINVAL;
      if (file.depth() >= MAX_DEPTH || file.contains(this)) throw ELOOP;
    }
    if (this.find(fd, file)) throw EEXIST;
    this.interests.push({ file, fd, events, dataLow, dataHigh, disabled: false, lastMask: 0, lastActivity: -1 });
    this.changed.wakeAll();
  }

  /** @throws ENOENT EINVAL */
  modify(fd: number, file: OpenFile, events: number, dataLow: number, dataHigh: number): void {
    const interest = this.find(fd, file);
    if (!interest) throw ENOENT;
    if (((interest.events | events) & EPOLLEXCLUSIVE) !== 0) throw EINVAL;
    interest.events = events;
    interest.dataLow = dataLow;
    interest.dataHigh = dataHigh;
    interest.disabled = false;
    interest.lastMask = 0;
    interest.lastActivity = -1;
    this.changed.wakeAll();
  }

  /** @throws ENOENT */
  remove(fd: number, file: OpenFile): void {
    const interest = this.find(fd, file);
    if (!interest) throw ENOENT;
    this.interests = this.interests.filter((other) => other !== interest);
  }

  /** Up to `limit` events that are due; they count as reported. */
  collect(limit: number): ReadyEvent[] {
    const ready: ReadyEvent[] = [];
    const reported: Interest[] = [];
    for (const interest of this.living()) {
      if (ready.length >= limit) break;
      const mask = this.due(interest);
      if (mask === 0) continue;
      ready.push({ events: mask, dataLow: interest.dataLow, dataHigh: interest.dataHigh });
      reported.push(interest);
      interest.lastMask = mask;
      interest.lastActivity = interest.file.activity();
      if ((interest.events & EPOLLONESHOT) !== 0) interest.disabled = true;
    }
    if (reported.length > 0) {
      this.interests = [...this.interests.filter((one) => !reported.includes(one)), ...reported];
    }
    return ready;
  }

  override poll(): number {
    return this.living().some((interest) => this.due(interest) !== 0) ? POLLIN | POLLRDNORM : 0;
  }

  override pollQueues(): WaitQueue[] {
    return [this.changed, ...this.living().flatMap(({ file }) => file.pollQueues())];
  }

  override activity(): number {
    return this.living().reduce((sum, { file }) => sum + file.activity(), 0);
  }

  /** What an interest has to report now. */
  private due(interest: Interest): number {
    if (interest.disabled) return 0;
    const wanted = (interest.events & ~OPTION_BITS) | EPOLLERR | EPOLLHUP;
    const mask = interest.file.poll() & wanted;
    if ((interest.events & EPOLLET) === 0 || mask === 0) {
      if (mask === 0) interest.lastMask = 0;
      return mask;
    }
    const news = (mask & ~interest.lastMask) !== 0 || interest.file.activity() !== interest.lastActivity;
    return news ? mask : 0;
  }

  /** Interests in files that are still open somewhere; the others go, as in Linux. */
  private living(): Interest[] {
    if (this.interests.some(({ file }) => file.users <= 0)) {
      this.interests = this.interests.filter(({ file }) => file.users > 0);
    }
    return this.interests;
  }

  private find(fd: number, file: OpenFile): Interest | undefined {
    return this.living().find((interest) => interest.fd === fd && interest.file === file);
  }

  private depth(): number {
    let deepest = 0;
    for (const { file } of this.living()) if (file instanceof EpollFile) deepest = Math.max(deepest, file.depth());
    return deepest + 1;
  }

  private contains(other: EpollFile): boolean {
    return this.living().some(({ file }) => file === other || (file instanceof EpollFile && file.contains(other)));
  }
}
