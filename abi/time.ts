import { enumSet, flagSet } from "./flags.ts";
import { i32, i64, pad, shown, struct, u32 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// clock_gettime(2)
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
export const CLOCK_MONOTONIC_RAW = 4;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_MONOTONIC_COARSE = 6;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const CLOCK_TAI = 11;
export const clocks = enumSet("clocks", {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_TAI,
});
export const TIMER_ABSTIME = 1;
export const clockNanosleepFlags = flagSet("clock_nanosleep flags", { TIMER_ABSTIME });
export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;
export const itimers = enumSet(
  "interval timers",
  { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF },
  { unknown: "ITIMER_???" },
);

// timerfd_create(2)
export const TFD_CLOEXEC = 0o2000000;
export const TFD_NONBLOCK = 0o4000;
export const TFD_TIMER_ABSTIME = 1;
export const TFD_TIMER_CANCEL_ON_SET = 2;
export const timerfdFlags = flagSet("timerfd_create flags", { TFD_CLOEXEC, TFD_NONBLOCK });
export const timerfdSettimeFlags = flagSet("timerfd_settime flags", { TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET });

export const timespec = struct("timespec", { tv_sec: i64, tv_nsec: i64 }, { size: 16, page: "timespec(3type)" });
export type timespec = TypeOf<typeof timespec>;
export const timeval = struct("timeval", { tv_sec: i64, tv_usec: i64 }, { size: 16, page: "timeval(3type)" });
export type timeval = TypeOf<typeof timeval>;
export const itimerspec = struct(
  "itimerspec",
  { it_interval: timespec, it_value: timespec },
  { size: 32, page: "timer_settime(2)" },
);
export type itimerspec = TypeOf<typeof itimerspec>;
export const itimerval = struct(
  "itimerval",
  { it_interval: timeval, it_value: timeval },
  { size: 32, page: "setitimer(2)" },
);
export type itimerval = TypeOf<typeof itimerval>;
export const timezone = struct(
  "timezone",
  { tz_minuteswest: i32, tz_dsttime: i32 },
  { size: 8, page: "gettimeofday(2)" },
);
/** utime(2)'s two times of a second each. */
export const utimbuf = struct("utimbuf", { actime: i64, modtime: i64 }, { size: 16, page: "utime(2)" });
/** times(2), in ticks of 1/100 second (AT_CLKTCK). */
export const tms = struct(
  "tms",
  { tms_utime: i64, tms_stime: i64, tms_cutime: i64, tms_cstime: i64 },
  { size: 32, page: "times(2)" },
);
export type tms = TypeOf<typeof tms>;
export const CLK_TCK = 100;

export const ADJ_OFFSET = 1;
export const ADJ_FREQUENCY = 2;
export const ADJ_MAXERROR = 4;
export const ADJ_ESTERROR = 8;
export const ADJ_STATUS = 0x10;
export const ADJ_TIMECONST = 0x20;
export const ADJ_TAI = 0x80;
export const ADJ_SETOFFSET = 0x100;
export const ADJ_MICRO = 0x1000;
export const ADJ_NANO = 0x2000;
export const ADJ_TICK = 0x4000;
export const adjtimexModes = flagSet("adjtimex modes", {
  ADJ_OFFSET,
  ADJ_FREQUENCY,
  ADJ_MAXERROR,
  ADJ_ESTERROR,
  ADJ_STATUS,
  ADJ_TIMECONST,
  ADJ_TAI,
  ADJ_SETOFFSET,
  ADJ_MICRO,
  ADJ_NANO,
  ADJ_TICK,
});
export const timex = struct(
  "timex",
  {
    modes: shown(u32, adjtimexModes),
    offset: i64,
    freq: i64,
    maxerror: i64,
    esterror: i64,
    status: i32,
    constant: i64,
    precision: i64,
    tolerance: i64,
    time: timeval,
    tick: i64,
    ppsfreq: i64,
    jitter: i64,
    shift: i32,
    stabil: i64,
    jitcnt: i64,
    calcnt: i64,
    errcnt: i64,
    stbcnt: i64,
    tai: i32,
    __pad: pad(44),
  },
  { size: 208, page: "adjtimex(2)" },
);
export const TIME_OK = 0;
export const TIME_ERROR = 5;
export const STA_UNSYNC = 0x40;
export const STA_NANO = 0x2000;
