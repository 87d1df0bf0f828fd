/** The three interval timers of a process (setitimer(2), alarm(2)). */
import { SIGALRM, SIGPROF, SIGVTALRM } from "../../abi/signal.ts";
import { ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL } from "../../abi/time.ts";
import { kernelSigInfo, sendSignalToGroup } from "../signal/send.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import type { Expiring } from "../task/timers.ts";
import { readCpuClock } from "./clocks.ts";
import type { CpuTimer } from "./cpu-timers.ts";
import { advance, off, remaining, schedule, type Schedule, type TimerValue } from "./repeating.ts";

/** ITIMER_REAL: SIGALRM after some time, once or again and again. */
class RealTimer implements Expiring {
  private schedule: Schedule = off();
  private readonly group: ThreadGroup;

  constructor(group: ThreadGroup) {
    this.group = group;
  }

  get value(): TimerValue {
    return remaining(this.schedule, this.group.leader.kernel.now());
  }

  set(value: number, interval: number): void {
    const { kernel } = this.group.leader;
    this.schedule = schedule(kernel.now(), value, interval, false);
    if (value > 0) kernel.timers.add(this.schedule.expires, this);
  }

  /** Set anew or switched off since. */
  isStale(deadline: number): boolean {
    return this.schedule.expires !== deadline || this.group.zombie;
  }

  expire(deadline: number): void {
    if (this.isStale(deadline)) return;
    const { kernel } = this.group.leader;
    advance(this.schedule, kernel.now());
    if (this.schedule.expires > 0) kernel.timers.add(this.schedule.expires, this);
    sendSignalToGroup(this.group, kernelSigInfo(SIGALRM));
  }
}

/** ITIMER_VIRTUAL and ITIMER_PROF, which count the time the process runs. */
class RunningTimer implements CpuTimer {
  private schedule: Schedule = off();
  private readonly group: ThreadGroup;
  private readonly signal: number;

  constructor(group: ThreadGroup, signal: number) {
    this.group = group;
    this.signal = signal;
  }

  private get now(): number {
    return readCpuClock({ task: this.group.leader, wholeProcess: true });
  }

  get value(): TimerValue {
    return remaining(this.schedule, this.now);
  }

  set(value: number, interval: number): void {
    this.schedule = schedule(this.now, value, interval, false);
    if (value > 0) this.group.cpuTimers.add(this);
    else this.group.cpuTimers.delete(this);
  }

  check(): void {
    if (advance(this.schedule, this.now) === 0) return;
    if (this.schedule.expires === 0) this.group.cpuTimers.delete(this);
    sendSignalToGroup(this.group, kernelSigInfo(this.signal));
  }
}

export class IntervalTimers {
  private readonly timers: (RealTimer | RunningTimer)[] = [];

  constructor(group: ThreadGroup) {
    this.timers[ITIMER_REAL] = new RealTimer(group);
    this.timers[ITIMER_VIRTUAL] = new RunningTimer(group, SIGVTALRM);
    this.timers[ITIMER_PROF] = new RunningTimer(group, SIGPROF);
  }

  get(which: number): TimerValue {
    return this.timers[which]!.value;
  }

  /** Sets a timer; a value of 0 switches it off. Returns what it was. */
  set(which: number, value: number, interval: number): TimerValue {
    const old = this.get(which);
    this.timers[which]!.set(value, interval);
    return old;
  }
}

/** The timers of a process, made when they are first asked for. */
export const intervalTimers = (group: ThreadGroup): IntervalTimers =>
  (group.intervalTimers ??= new IntervalTimers(group));
