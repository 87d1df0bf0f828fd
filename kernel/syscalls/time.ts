/** Clocks and sleeping: clock_gettime(2), gettimeofday(2), time(2), nanosleep(2), clock_nanosleep(2), alarm(2), setitimer(2). */
import { CAP_SYS_TIME } from "../../abi/capability.ts";
import { EINTR, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ERESTARTNOHAND, ERESTART_RESTARTBLOCK } from "../../abi/errno.ts";
import * as abi from "../../abi/time.ts";
import { handler } from "../dispatch.ts";
import { copyToUser, writeU64 } from "../mm/user-copy.ts";
import { capable } from "../task/capable.ts";
import { absoluteDeadline, bootRealtime, readTimespec, readTimeval } from "../task/deadline.ts";
import { intervalTimer, setIntervalTimer } from "../task/interval-timer.ts";
import { groupTimes } from "../task/times.ts";
import type { Task } from "../task/task.ts";

/** USER_HZ: clock_t counts hundredths of a second. */
const TICK_NS = 1e7;

/** Seconds and ns of a clock. @throws EINVAL */
function readClock(task: Task, clock: number): { seconds: number; nanoseconds: number } {
  const { kernel } = task;
  const fromNs = (ns: number) => ({ seconds: Math.floor(ns / 1e9), nanoseconds: Math.floor(ns % 1e9) });
  switch (clock) {
    case abi.CLOCK_REALTIME:
    case abi.CLOCK_REALTIME_COARSE:
    case abi.CLOCK_REALTIME_ALARM:
    case abi.CLOCK_TAI:
      return kernel.realtime();
    case abi.CLOCK_MONOTONIC:
    case abi.CLOCK_MONOTONIC_RAW:
    case abi.CLOCK_MONOTONIC_COARSE:
    case abi.CLOCK_BOOTTIME:
    case abi.CLOCK_BOOTTIME_ALARM:
      return fromNs(kernel.now());
    case abi.CLOCK_PROCESS_CPUTIME_ID: {
      const times = groupTimes(task.group);
      return fromNs(times.user + times.system + (kernel.now() - kernel.switchedAt));
    }
    case abi.CLOCK_THREAD_CPUTIME_ID:
      return fromNs(task.userTime + task.systemTime + (kernel.now() - kernel.switchedAt));
    default:
      if (clock >= 0) throw EINVAL;
      return fromNs(cpuClock(task, clock));
  }
}

/** clock_getcpuclockid(3): the clock number holds a complemented pid and a bit for threads. @throws EINVAL */
function cpuClock(task: Task, clock: number): number {
  const number = ~(clock >> 3);
  const thread = (clock & 4) !== 0;
  if ((clock & 3) === 3) throw EINVAL;
  const target = number === 0 ? task : task.pid.namespace.find(number)?.task;
  if (!target) throw EINVAL;
  const extra = target === task ? task.kernel.now() - task.kernel.switchedAt : 0;
  if (thread) return target.userTime + target.systemTime + extra;
  const times = groupTimes(target.group);
  return times.user + times.system + extra;
}

function writePair(task: Task, address: number, first: number, second: number): void {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first >>> 0, true);
  view.setInt32(4, Math.floor(first / 4294967296), true);
  view.setUint32(8, second, true);
  copyToUser(task.memory, address, bytes);
}

export const clock_gettime = handler("clock_gettime", (task, clock, address) => {
  const { seconds, nanoseconds } = readClock(task, clock);
  writePair(task, address, seconds, nanoseconds);
  return 0;
});

export const clock_getres = handler("clock_getres", (task, clock, address) => {
  readClock(task, clock);
  const coarse = clock === abi.CLOCK_REALTIME_COARSE || clock === abi.CLOCK_MONOTONIC_COARSE;
  if (address !== 0) writePair(task, address, 0, coarse ? 4e6 : 1);
  return 0;
});

export const clock_settime = handler("clock_settime", (task, clock, address) => {
  if (clock !== abi.CLOCK_REALTIME) throw EINVAL;
  const time = readTimespec(task, address);
  if (!capable(task, CAP_SYS_TIME)) throw EPERM;
  const { kernel } = task;
  kernel.clockOffset += time - (bootRealtime(kernel) + kernel.now());
  return 0;
});

export const gettimeofday = handler("gettimeofday", (task, address, zone) => {
  const { seconds, nanoseconds } = task.kernel.realtime();
  if (address !== 0) writePair(task, address, seconds, Math.floor(nanoseconds / 1000));
  if (zone !== 0) copyToUser(task.memory, zone, new Uint8Array(8));
  return 0;
});

export const time = handler("time", (task, address) => {
  const { seconds } = task.kernel.realtime();
  if (address !== 0) writeU64(task.memory, address, seconds);
  return seconds;
});

/** Sleeps until the deadline; -1 for "time is up", else what the sleep returned. */
function sleepUntil(task: Task, interrupted: number): number {
  if (task.kernel.now() >= task.callDeadline) return 0;
  return task.sleepOn(null, task.callDeadline, interrupted);
}

/** A relative sleep: interrupted, it reports what is left, and goes on by restart_syscall if no handler ran. */
function sleepRelative(task: Task, request: number, remaining: number): number {
  const { kernel } = task;
  if (task.callDeadline < 0) task.callDeadline = kernel.now() + readTimespec(task, request);
  if (kernel.now() < task.callDeadline && task.signalPending) {
    const left = task.callDeadline - kernel.now();
    if (remaining !== 0) writePair(task, remaining, Math.floor(left / 1e9), Math.floor(left % 1e9));
    task.restartBlock = { number: task.callNumber, deadline: task.callDeadline, remaining };
    return -ERESTART_RESTARTBLOCK.number;
  }
  return sleepUntil(task, -ERESTART_RESTARTBLOCK.number);
}

export const nanosleep = handler("nanosleep", (task, request, remaining) => sleepRelative(task, request, remaining));

export const clock_nanosleep = handler("clock_nanosleep", (task, clock, flags, request, remaining) => {
  if (clock === abi.CLOCK_THREAD_CPUTIME_ID) throw EINVAL;
  if (clock === abi.CLOCK_PROCESS_CPUTIME_ID) throw EOPNOTSUPP;
  readClock(task, clock);
  if ((flags & abi.TIMER_ABSTIME) === 0) return sleepRelative(task, request, remaining);
  if (task.callDeadline < 0) {
    const realtime = clock === abi.CLOCK_REALTIME || clock === abi.CLOCK_TAI || clock === abi.CLOCK_REALTIME_ALARM;
    task.callDeadline = absoluteDeadline(task, readTimespec(task, request), realtime);
  }
  return sleepUntil(task, -ERESTARTNOHAND.number);
});

export const restart_syscall = handler("restart_syscall", (task) => {
  const block = task.restartBlock;
  if (!block) return -EINTR.number;
  task.callDeadline = block.deadline;
  return sleepRelative(task, 0, block.remaining);
});

export const alarm = handler("alarm", (task, seconds) => {
  const old = setIntervalTimer(task, (seconds >>> 0) * 1e9, 0);
  // A rest below a second counts as one: 0 would mean that there was no alarm.
  return old.value === 0 ? 0 : Math.max(1, Math.round(old.value / 1e9));
});

function writeTimer(task: Task, address: number, timer: { value: number; interval: number }): void {
  writePair(task, address, Math.floor(timer.interval / 1e9), Math.floor((timer.interval % 1e9) / 1e3));
  writePair(task, address + 16, Math.floor(timer.value / 1e9), Math.floor((timer.value % 1e9) / 1e3));
}

/** @throws EINVAL for an unknown timer, ENOSYS for the two that count CPU time */
function checkTimer(which: number): void {
  if (which < 0 || which > 2) throw EINVAL;
  if (which !== abi.ITIMER_REAL) throw ENOSYS;
}

export const getitimer = handler("getitimer", (task, which, address) => {
  checkTimer(which);
  writeTimer(task, address, intervalTimer(task));
  return 0;
});

export const setitimer = handler("setitimer", (task, which, newAddress, oldAddress) => {
  const interval = newAddress === 0 ? 0 : readTimeval(task, newAddress);
  const value = newAddress === 0 ? 0 : readTimeval(task, newAddress + 16);
  checkTimer(which);
  const old = setIntervalTimer(task, value, interval);
  if (oldAddress !== 0) writeTimer(task, oldAddress, old);
  return 0;
});

export const times = handler("times", (task, address) => {
  const { group, kernel } = task;
  if (address !== 0) {
    const own = groupTimes(group);
    const running = kernel.now() - kernel.switchedAt;
    const ticks = (ns: number): number => Math.floor(ns / TICK_NS);
    writePair(task, address, ticks(own.user + running), ticks(own.system));
    writePair(task, address + 16, ticks(group.childrenUserTime), ticks(group.childrenSystemTime));
  }
  return Math.floor(kernel.now() / TICK_NS);
});
