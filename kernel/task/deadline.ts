/** User time values as deadlines in ns since boot (clock_gettime(2), nanosleep(2)). */
import { EINVAL } from "../../abi/errno.ts";
import { readI64 } from "../mm/user-copy.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "./task.ts";

/** A struct timespec in ns. @throws EFAULT EINVAL */
export function readTimespec(task: Task, address: number): number {
  const seconds = readI64(task.memory, address);
  const nanoseconds = readI64(task.memory, address + 8);
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= 1e9) throw EINVAL;
  return seconds * 1e9 + nanoseconds;
}

/** A struct timeval in ns. @throws EFAULT EINVAL */
export function readTimeval(task: Task, address: number): number {
  const seconds = readI64(task.memory, address);
  const microseconds = readI64(task.memory, address + 8);
  if (seconds < 0 || microseconds < 0 || microseconds >= 1e6) throw EINVAL;
  return seconds * 1e9 + microseconds * 1e3;
}

/** Wall-clock ns of the moment of boot, as CLOCK_REALTIME has it now. */
export function bootRealtime(kernel: Kernel): number {
  const { seconds, nanoseconds } = kernel.world.clock.bootTime;
  return seconds * 1e9 + nanoseconds + kernel.clockOffset;
}

/** The deadline for an absolute time of CLOCK_REALTIME or of a clock that counts from boot. */
export function absoluteDeadline(task: Task, time: number, realtime: boolean): number {
  return Math.max(0, realtime ? time - bootRealtime(task.kernel) : time);
}
