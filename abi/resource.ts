import { enumSet } from "./flags.ts";
import { i64, shown, struct, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";
import { timeval } from "./time.ts";

// getrlimit(2)
export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 10;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIMIT_RTTIME = 15;
export const RLIM_NLIMITS = 16;
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
export const resourceLimits = enumSet(
  "resource limits",
  {
    RLIMIT_CPU,
    RLIMIT_FSIZE,
    RLIMIT_DATA,
    RLIMIT_STACK,
    RLIMIT_CORE,
    RLIMIT_RSS,
    RLIMIT_NPROC,
    RLIMIT_NOFILE,
    RLIMIT_MEMLOCK,
    RLIMIT_AS,
    RLIMIT_LOCKS,
    RLIMIT_SIGPENDING,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_RTPRIO,
    RLIMIT_RTTIME,
  },
  { unknown: "RLIMIT_???" },
);

/** strace's view of a limit: infinity by name, whole KiB as a product. */
const limitValue = {
  name: "rlim_t",
  format(value: number | bigint): string {
    const limit = BigInt(value);
    if (limit === RLIM_INFINITY) return "RLIM64_INFINITY";
    return limit > 1024n && limit % 1024n === 0n ? `${limit / 1024n}*1024` : String(limit);
  },
};
export const rlimit64 = struct(
  "rlimit64",
  { rlim_cur: shown(u64, limitValue), rlim_max: shown(u64, limitValue) },
  { size: 16, page: "prlimit(2)" },
);
export type rlimit64 = TypeOf<typeof rlimit64>;

// getrusage(2), getpriority(2), ioprio_get(2)
export const RUSAGE_SELF = 0;
export const RUSAGE_CHILDREN = -1;
export const RUSAGE_THREAD = 1;
export const rusageWho = enumSet(
  "rusage who",
  { RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD },
  { unknown: "RUSAGE_???" },
);
export const PRIO_PROCESS = 0;
export const PRIO_PGRP = 1;
export const PRIO_USER = 2;
export const priorityWhich = enumSet("priority which", { PRIO_PROCESS, PRIO_PGRP, PRIO_USER }, { unknown: "PRIO_???" });
export const IOPRIO_WHO_PROCESS = 1;
export const IOPRIO_WHO_PGRP = 2;
export const IOPRIO_WHO_USER = 3;
export const ioprioWhich = enumSet("ioprio which", { IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER });

export const rusage = struct(
  "rusage",
  {
    ru_utime: timeval,
    ru_stime: timeval,
    ru_maxrss: i64,
    ru_ixrss: i64,
    ru_idrss: i64,
    ru_isrss: i64,
    ru_minflt: i64,
    ru_majflt: i64,
    ru_nswap: i64,
    ru_inblock: i64,
    ru_oublock: i64,
    ru_msgsnd: i64,
    ru_msgrcv: i64,
    ru_nsignals: i64,
    ru_nvcsw: i64,
    ru_nivcsw: i64,
  },
  { size: 144, page: "getrusage(2)" },
);
export type rusage = TypeOf<typeof rusage>;
