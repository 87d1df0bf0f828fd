/** The clocks of clock_gettime(2), all in ns, and what sleeping on them means. */
import { EINVAL } from "../../abi/errno.ts";
import * as abi from "../../abi/time.ts";
import type { Kernel } from "../kernel.ts";
import { bootRealtime } from "../task/deadline.ts";
import { groupTimes } from "../task/times.ts";
import type { Task } from "../task/task.ts";

const REALTIME: readonly number[] = [
  abi.CLOCK_REALTIME,
  abi.CLOCK_REALTIME_COARSE,
  abi.CLOCK_REALTIME_ALARM,
  abi.CLOCK_TAI,
];
const FROM_BOOT: readonly number[] = [
  abi.CLOCK_MONOTONIC,
  abi.CLOCK_MONOTONIC_RAW,
  abi.CLOCK_MONOTONIC_COARSE,
  abi.CLOCK_BOOTTIME,
  abi.CLOCK_BOOTTIME_ALARM,
];

/** Clocks that can wake a sleeping computer: they need a real-time clock chip, which this machine does not have. */
export const isAlarmClock = (clock: number): boolean =>
  clock === abi.CLOCK_REALTIME_ALARM || clock === abi.CLOCK_BOOTTIME_ALARM;

export const isRealtime = (clock: number): boolean => REALTIME.includes(clock);

/** Clocks that go on while everybody sleeps: those a timer can wait for. */
export const countsFromBoot = (clock: number): boolean => FROM_BOOT.includes(clock);

export interface CpuClock {
  /** The thread, or any thread of the process, whose time it is. */
  task: Task;
  wholeProcess: boolean;
}

/** The CPU-time clock a number names (clock_getcpuclockid(3)); null for a clock of another kind. @throws EINVAL */
export function cpuClock(task: Task, clock: number): CpuClock | null {
  if (clock === abi.CLOCK_PROCESS_CPUTIME_ID) return { task, wholeProcess: true };
  if (clock === abi.CLOCK_THREAD_CPUTIME_ID) return { task, wholeProcess: false };
  if (clock >= 0) return null;
  // The number holds a complemented pid, and bits for the kind of time and for threads.
  const number = ~(clock >> 3);
  if ((clock & 3) === 3) throw EINVAL;
  const thread = (clock & 4) !== 0;
  const target = number === 0 ? task : task.pid.namespace.find(number)?.task;
  if (!target || (thread && target.group !== task.group)) throw EINVAL;
  return { task: target, wholeProcess: !thread };
}

/** CPU time used, in ns. */
export function readCpuClock({ task, wholeProcess }: CpuClock): number {
  accountTime(task.kernel);
  if (!wholeProcess) return task.userTime + task.systemTime;
  const times = groupTimes(task.group);
  return times.user + times.system;
}

/** Credits the running task with its time since it was put into the engine or last looked at. */
export function accountTime(kernel: Kernel): void {
  const { current } = kernel.scheduler;
  const now = kernel.now();
  if (current) current.userTime += now - kernel.switchedAt;
  kernel.switchedAt = now;
}

/** The time of any clock in ns; CLOCK_REALTIME loses its last digits, use `Kernel.realtime` for those. @throws EINVAL */
export function readClock(task: Task, clock: number): number {
  if (isRealtime(clock)) return bootRealtime(task.kernel) + task.kernel.now();
  if (countsFromBoot(clock)) return task.kernel.now();
  const cpu = cpuClock(task, clock);
  if (!cpu) throw EINVAL;
  return readCpuClock(cpu);
}

/** What to add to a time on the clock to get ns since boot. */
export const bootOffset = (kernel: Kernel, clock: number): number => (isRealtime(clock) ? -bootRealtime(kernel) : 0);
