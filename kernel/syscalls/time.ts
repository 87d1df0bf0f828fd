/** Clocks and sleeping: clock_gettime(2), gettimeofday(2), time(2), nanosleep(2), clock_nanosleep(2), alarm(2), setitimer(2). */
import { CAP_SYS_TIME } from "../../abi/capability.ts";
import { EINTR, EINVAL, EOPNOTSUPP, EPERM, ERESTARTNOHAND, ERESTART_RESTARTBLOCK } from "../../abi/errno.ts";
import * as abi from "../../abi/time.ts";
import { handler } from "../dispatch.ts";
import { futex, restartFutexWait } from "./futex.ts";
import type { Timestamp } from "../kernel.ts";
import { copyToUser, writeU64 } from "../mm/user-copy.ts";
import { capable } from "../task/capable.ts";
import { absoluteDeadline, bootRealtime, readTimespec, readTimeval } from "../task/deadline.ts";
import { groupTimes } from "../task/times.ts";
import type { Task } from "../task/task.ts";
import { accountTime, isAlarmClock, isRealtime, readClock } from "../time/clocks.ts";
import { intervalTimers } from "../time/interval-timer.ts";
import type { TimerValue } from "../time/repeating.ts";

/** USER_HZ: clock_t counts hundredths of a second. */
const TICK_NS = 1e7;

/** Seconds and ns of a clock. @throws EINVAL */
function secondsOf(task: Task, clock: number): Timestamp {
  if (isRealtime(clock)) return task.kernel.realtime();
  const ns = readClock(task, clock);
  return { seconds: Math.floor(ns / 1e9), nanoseconds: Math.floor(ns % 1e9) };
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
  if (isAlarmClock(clock)) throw EINVAL;
  const { seconds, nanoseconds } = secondsOf(task, clock);
  writePair(task, address, seconds, nanoseconds);
  return 0;
});

export const clock_getres = handler("clock_getres", (task, clock, address) => {
  if (isAlarmClock(clock)) throw EINVAL;
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

/** Clocks that nothing can wait for. */
const NO_SLEEP: readonly number[] = [
  abi.CLOCK_THREAD_CPUTIME_ID,
  abi.CLOCK_MONOTONIC_RAW,
  abi.CLOCK_REALTIME_COARSE,
  abi.CLOCK_MONOTONIC_COARSE,
];

export const clock_nanosleep = handler("clock_nanosleep", (task, clock, flags, request, remaining) => {
  if (NO_SLEEP.includes(clock)) throw EOPNOTSUPP;
  if (isAlarmClock(clock)) {
    readTimespec(task, request);
    throw EOPNOTSUPP;
  }
  if (clock === abi.CLOCK_PROCESS_CPUTIME_ID) throw EOPNOTSUPP;
  readClock(task, clock);
  if ((flags & abi.TIMER_ABSTIME) === 0) return sleepRelative(task, request, remaining);
  if (task.callDeadline < 0) {
    task.callDeadline = absoluteDeadline(task, readTimespec(task, request), isRealtime(clock));
  }
  return sleepUntil(task, -ERESTARTNOHAND.number);
});

export const restart_syscall = handler("restart_syscall", (task) => {
  const block = task.restartBlock;
  if (!block) return -EINTR.number;
  task.callDeadline = block.deadline;
  if (block.number === futex.row.number) return restartFutexWait(task);
  return sleepRelative(task, 0, block.remaining);
});

export const alarm = handler("alarm", (task, seconds) => {
  const old = intervalTimers(task.group).set(abi.ITIMER_REAL, (seconds >>> 0) * 1e9, 0);
  // A rest below a second counts as one: 0 would mean that there was no alarm.
  return old.value === 0 ? 0 : Math.max(1, Math.round(old.value / 1e9));
});

function writeTimer(task: Task, address: number, timer: TimerValue): void {
  // A timer that is running never shows as 0, which would mean that it is off.
  const value = timer.value === 0 ? 0 : Math.max(1000, timer.value);
  writePair(task, address, Math.floor(timer.interval / 1e9), Math.floor((timer.interval % 1e9) / 1e3));
  writePair(task, address + 16, Math.floor(value / 1e9), Math.floor((value % 1e9) / 1e3));
}

/** @throws EINVAL for an unknown timer */
function checkTimer(which: number): void {
  if (which !== abi.ITIMER_REAL && which !== abi.ITIMER_VIRTUAL && which !== abi.ITIMER_PROF) throw EINVAL;
}

export const getitimer = handler("getitimer", (task, which, address) => {
  checkTimer(which);
  writeTimer(task, address, intervalTimers(task.group).get(which));
  return 0;
});

export const setitimer = handler("setitimer", (task, which, newAddress, oldAddress) => {
  const interval = newAddress === 0 ? 0 : readTimeval(task, newAddress);
  const value = newAddress === 0 ? 0 : readTimeval(task, newAddress + 16);
  checkTimer(which);
  const old = intervalTimers(task.group).set(which, value, interval);
  if (oldAddress !== 0) writeTimer(task, oldAddress, old);
  return 0;
});

export const times = handler("times", (task, address) => {
  const { group, kernel } = task;
  if (address !== 0) {
    accountTime(kernel);
    const own = groupTimes(group);
    const ticks = (ns: number): number => Math.floor(ns / TICK_NS);
    writePair(task, address, ticks(own.user), ticks(own.system));
    writePair(task, address + 16, ticks(group.childrenUserTime), ticks(group.childrenSystemTime));
  }
  return Math.floor(kernel.now() / TICK_NS);
});
