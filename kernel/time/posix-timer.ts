/** Timers of a process with an identity and a signal of their own (timer_create(2)). */
import { SIGEV_NONE, SIGEV_THREAD_ID, SI_TIMER } from "../../abi/signal.ts";
import type { SigInfo } from "../signal/pending.ts";
import { queueSignalForGroup, queueSignalForTask } from "../signal/send.ts";
import type { Task } from "../task/task.ts";
import type { Expiring } from "../task/timers.ts";
import { bootOffset, readCpuClock, type CpuClock } from "./clocks.ts";
import type { CpuTimer } from "./cpu-timers.ts";
import { advance, off, remaining, schedule, type Schedule, type TimerValue } from "./repeating.ts";

/** timer_getoverrun(2) counts no further. */
const DELAYTIMER_MAX = 0x7fffffff;

/** How an expiry is told: struct sigevent without its padding. */
export interface Notification {
  signal: number;
  notify: number;
  value: bigint;
  /** The thread of SIGEV_THREAD_ID. */
  thread: Task | null;
}

export class PosixTimer implements Expiring, CpuTimer {
  readonly id: number;
  readonly clock: number;
  readonly notification: Notification;
  /** Expiries that the signal taken last stands for besides its own. */
  lastOverrun = 0;
  private readonly owner: Task;
  private readonly cpu: CpuClock | null;
  private schedule: Schedule = off();
  /** The signal sent and not yet taken, and the expiries since. */
  private queued: SigInfo | null = null;
  private overrun = 0;
  private deleted = false;

  constructor(owner: Task, id: number, clock: number, cpu: CpuClock | null, notification: Notification) {
    this.owner = owner;
    this.id = id;
    this.clock = clock;
    this.cpu = cpu;
    this.notification = notification;
  }

  get value(): TimerValue {
    return remaining(this.schedule, this.now);
  }

  set(value: number, interval: number, absolute: boolean): void {
    const origin = this.cpu ? 0 : bootOffset(this.owner.kernel, this.clock);
    this.schedule = schedule(this.now, value, interval, absolute, origin);
    this.overrun = 0;
    this.arm();
  }

  delete(): void {
    this.deleted = true;
    this.schedule = off();
    this.owner.group.cpuTimers.delete(this);
  }

  isStale(deadline: number): boolean {
    return this.deleted || this.owner.group.zombie || this.schedule.expires !== deadline;
  }

  /** A time on a clock that counts from boot or from the epoch has come. */
  expire(deadline: number): void {
    if (this.isStale(deadline)) return;
    this.notify(advance(this.schedule, this.now));
    this.arm();
  }

  /** The CPU clock has moved. */
  check(): void {
    const count = advance(this.schedule, this.now);
    if (count === 0) return;
    this.notify(count);
    this.arm();
  }

  /** The signal is being taken: it says how many expiries it stands for. */
  taken(info: SigInfo): void {
    if (this.queued !== info) return;
    this.queued = null;
    this.lastOverrun = Math.min(this.overrun, DELAYTIMER_MAX);
    this.overrun = 0;
    info.overrun = this.lastOverrun;
  }

  /** Times from the epoch are kept as times from boot, which a number holds to the ns. */
  private get now(): number {
    return this.cpu ? readCpuClock(this.cpu) : this.owner.kernel.now();
  }

  private arm(): void {
    if (this.cpu) {
      const { cpuTimers } = this.cpu.task.group;
      if (this.schedule.expires > 0) cpuTimers.add(this);
      else cpuTimers.delete(this);
    } else if (this.schedule.expires > 0) {
      this.owner.kernel.timers.add(this.schedule.expires, this);
    }
  }

  private notify(count: number): void {
    const { signal, notify, value, thread } = this.notification;
    if (count === 0 || notify === SIGEV_NONE) return;
    if (this.queued) {
      this.overrun += count;
      return;
    }
    this.overrun = count - 1;
    const info: SigInfo = { signo: signal, code: SI_TIMER, timerId: this.id, overrun: 0, value, timer: this };
    const sent =
      notify === SIGEV_THREAD_ID && thread
        ? queueSignalForTask(thread, info)
        : queueSignalForGroup(this.owner.group, info);
    if (sent) this.queued = info;
  }
}
