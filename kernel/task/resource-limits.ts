/** RLIMIT_* of a process (getrlimit(2)); RLIM_INFINITY is `Infinity`. */
export interface ResourceLimit {
  current: number;
  maximum: number;
}

/** What the machine's first process starts with, indexed by RLIMIT_*. */
export function defaultLimits(maxTasks: number): ResourceLimit[] {
  const unlimited = (): ResourceLimit => ({ current: Infinity, maximum: Infinity });
  const both = (value: number): ResourceLimit => ({ current: value, maximum: value });
  return [
    unlimited(), // CPU
    unlimited(), // FSIZE
    unlimited(), // DATA
    { current: 8 << 20, maximum: Infinity }, // STACK
    { current: 0, maximum: Infinity }, // CORE
    unlimited(), // RSS
    both(maxTasks), // NPROC
    { current: 1024, maximum: 4096 }, // NOFILE
    { current: 8 << 20, maximum: 8 << 20 }, // MEMLOCK
    unlimited(), // AS
    unlimited(), // LOCKS
    both(maxTasks), // SIGPENDING
    both(819200), // MSGQUEUE
    both(0), // NICE
    both(0), // RTPRIO
    unlimited(), // RTTIME
  ];
}

export const copyLimits = (limits: readonly ResourceLimit[]): ResourceLimit[] => limits.map((limit) => ({ ...limit }));
