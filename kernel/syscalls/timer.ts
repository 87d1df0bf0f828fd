/** timer_create(2) and family, timerfd_create(2) and family. */
import { EFAULT, EINVAL, EOPNOTSUPP } from "../../abi/errno.ts";
import { SIGALRM, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, sigevent } from "../../abi/signal.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME,
  CLOCK_REALTIME_COARSE,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
  TIMER_ABSTIME,
  itimerspec,
} from "../../abi/time.ts";
import { handler } from "../dispatch.ts";
import { copyToUser, readBytes, writeU32 } from "../mm/user-copy.ts";
import { readTimespec } from "../task/deadline.ts";
import type { Task } from "../task/task.ts";
import { cpuClock, isAlarmClock } from "../time/clocks.ts";
import { PosixTimer, type Notification } from "../time/posix-timer.ts";
import type { TimerValue } from "../time/repeating.ts";
import { installNew } from "../vfs/fd-table.ts";
import { TimerFile } from "../time/timer-file.ts";

const TIMER_CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME];
const NO_TIMER: readonly number[] = [CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE];
const CLOCK_TAI = 11;

/** it_interval and it_value in ns. @throws EFAULT EINVAL */
function readItimerspec(task: Task, address: number): TimerValue {
  // Both halves must be readable before either is judged.
  readBytes(task.memory, address, itimerspec.size);
  return { interval: readTimespec(task, address), value: readTimespec(task, address + 16) };
}

function writeItimerspec(task: Task, address: number, { value, interval }: TimerValue): void {
  const bytes = new Uint8Array(itimerspec.size);
  const time = (ns: number): { tv_sec: number; tv_nsec: number } => ({
    tv_sec: Math.floor(ns / 1e9),
    tv_nsec: Math.floor(ns % 1e9),
  });
  itimerspec.encode(new DataView(bytes.buffer), 0, { it_interval: time(interval), it_value: time(value) });
  copyToUser(task.memory, address, bytes);
}

/** @throws EFAULT EINVAL */
function readNotification(task: Task, address: number, id: number): Notification {
  if (address === 0) return { signal: SIGALRM, notify: SIGEV_SIGNAL, value: BigInt(id), thread: null };
  const event = sigevent.decode(new DataView(readBytes(task.memory, address, sigevent.size).buffer), 0);
  const { sigev_notify: notify, sigev_signo: signal, sigev_value: value } = event;
  let thread: Task | null = null;
  switch (notify) {
    case SIGEV_NONE:
      return { signal, notify, value, thread };
    case SIGEV_THREAD_ID:
    case SIGEV_SIGNAL | SIGEV_THREAD_ID: {
      const target = task.pid.namespace.find(event.sigev_notify_thread_id)?.task;
      if (!target || target.group !== task.group) throw EINVAL;
      thread = target;
      break;
    }
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
      break;
    default:
      throw EINVAL;
  }
  if (signal < 1 || signal > 64) throw EINVAL;
  return { signal, notify, value, thread };
}

export const timer_create = handler("timer_create", (task, clock, eventAddress, idAddress) => {
  const { group } = task;
  if (isAlarmClock(clock) || NO_TIMER.includes(clock)) throw EOPNOTSUPP;
  const known = TIMER_CLOCKS.includes(clock) || clock === CLOCK_TAI;
  const cpu = known ? null : cpuClock(task, clock);
  if (!known && !cpu) throw EINVAL;
  const id = group.nextTimerId;
  const notification = readNotification(task, eventAddress, id);
  writeU32(task.memory, idAddress, id);
  group.posixTimers.set(id, new PosixTimer(task, id, clock, cpu, notification));
  group.nextTimerId++;
  return 0;
});

function timerOf(task: Task, id: number): PosixTimer {
  const timer = task.group.posixTimers.get(id);
  if (!timer) throw EINVAL;
  return timer;
}

export const timer_settime = handler("timer_settime", (task, id, flags, newAddress, oldAddress) => {
  if (newAddress === 0) throw EINVAL;
  const { value, interval } = readItimerspec(task, newAddress);
  const timer = timerOf(task, id);
  const old = timer.value;
  timer.set(value, interval, (flags & TIMER_ABSTIME) !== 0);
  if (oldAddress !== 0) writeItimerspec(task, oldAddress, old);
  return 0;
});

export const timer_gettime = handler("timer_gettime", (task, id, address) => {
  writeItimerspec(task, address, timerOf(task, id).value);
  return 0;
});

export const timer_getoverrun = handler("timer_getoverrun", (task, id) => timerOf(task, id).lastOverrun);

export const timer_delete = handler("timer_delete", (task, id) => {
  timerOf(task, id).delete();
  task.group.posixTimers.delete(id);
  return 0;
});

export const timerfd_create = handler("timerfd_create", (task, clock, flags) => {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) !== 0) throw EINVAL;
  if (!TIMER_CLOCKS.includes(clock) && !isAlarmClock(clock)) throw EINVAL;
  const file = new TimerFile(task.kernel, clock, flags);
  return installNew(task, file, (flags & TFD_CLOEXEC) !== 0);
});

/** @throws EBADF EINVAL */
function timerFileOf(task: Task, fd: number): TimerFile {
  const file = task.files.get(fd);
  if (!(file instanceof TimerFile)) throw EINVAL;
  return file;
}

export const timerfd_settime = handler("timerfd_settime", (task, fd, flags, newAddress, oldAddress) => {
  if (newAddress === 0) throw EFAULT;
  const { value, interval } = readItimerspec(task, newAddress);
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) throw EINVAL;
  const file = timerFileOf(task, fd);
  const old = file.value;
  file.set(value, interval, (flags & TFD_TIMER_ABSTIME) !== 0);
  if (oldAddress !== 0) writeItimerspec(task, oldAddress, old);
  return 0;
});

export const timerfd_gettime = handler("timerfd_gettime", (task, fd, address) => {
  writeItimerspec(task, address, timerFileOf(task, fd).value);
  return 0;
});
