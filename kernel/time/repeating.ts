/** The arithmetic that all repeating timers share, in ns on whatever clock they count (timer_settime(2)). */

/** Time left and interval; 0 left means that the timer is off. */
export interface TimerValue {
  value: number;
  interval: number;
}

export interface Schedule {
  /** Time of the next expiry on the timer's clock, 0 if off. */
  expires: number;
  interval: number;
}

export const off = (): Schedule => ({ expires: 0, interval: 0 });

/**
 * The schedule that timer_settime describes; `now` is the time on the timer's clock, and `origin` what to add to an
 * absolute value to get there.
 */
export function schedule(now: number, value: number, interval: number, absolute: boolean, origin = 0): Schedule {
  if (value === 0) return { expires: 0, interval };
  // A timer for time 0 would be one that is off.
  return { expires: Math.max(1, absolute ? value + origin : now + value), interval };
}

/** What is left of a schedule; a timer that is due but not yet handled has 1 ns. */
export function remaining(timer: Schedule, now: number): TimerValue {
  const value = timer.expires === 0 ? 0 : Math.max(1, timer.expires - now);
  return { value, interval: timer.interval };
}

/** Moves a schedule that is due past `now`; the number of expiries, 0 if it was not due. */
export function advance(timer: Schedule, now: number): number {
  if (timer.expires === 0 || timer.expires > now) return 0;
  if (timer.interval === 0) {
    timer.expires = 0;
    return 1;
  }
  const count = Math.floor((now - timer.expires) / timer.interval) + 1;
  // Far from boot a number cannot hold every ns: the next expiry must be later all the same.
  timer.expires = Math.max(timer.expires + count * timer.interval, now + Math.max(1, now * Number.EPSILON));
  return count;
}
