/** Scheduling policy of a task (sched(7)): what was asked for, which the scheduler does not look at. */
import { SCHED_FIFO, SCHED_NORMAL, SCHED_RR } from "../../abi/sched.ts";

export interface Scheduling {
  readonly policy: number;
  /** 1 to 99 for SCHED_FIFO and SCHED_RR, else 0. */
  readonly priority: number;
  readonly resetOnFork: boolean;
}

export const DEFAULT_SCHEDULING: Scheduling = { policy: SCHED_NORMAL, priority: 0, resetOnFork: false };

export const isRealTime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;

/** A child's scheduling: its parent's, unless SCHED_RESET_ON_FORK was set. */
export function inheritScheduling({ scheduling }: { scheduling: Scheduling }): Scheduling {
  if (!scheduling.resetOnFork) return scheduling;
  return isRealTime(scheduling.policy) ? DEFAULT_SCHEDULING : { ...scheduling, resetOnFork: false };
}
