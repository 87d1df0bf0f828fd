import { enumSet, flagSet } from "./flags.ts";
import { bytes, i32, pad, shown, struct, u16, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// signal(7); the numbers are those of x86.
export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
export const SIGIOT = SIGABRT;
export const SIGPOLL = SIGIO;
/** First real-time signal as the kernel counts; glibc keeps 32 and 33 for itself and says 34. */
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;
/** A kernel sigset has a bit for each of 1..SIGRTMAX; every sigsetsize argument must be exactly this. */
export const SIGSET_SIZE = 8;

const signalTable: Record<string, number> = {
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGILL,
  SIGTRAP,
  SIGABRT,
  SIGBUS,
  SIGFPE,
  SIGKILL,
  SIGUSR1,
  SIGSEGV,
  SIGUSR2,
  SIGPIPE,
  SIGALRM,
  SIGTERM,
  SIGSTKFLT,
  SIGCHLD,
  SIGCONT,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGXCPU,
  SIGXFSZ,
  SIGVTALRM,
  SIGPROF,
  SIGWINCH,
  SIGIO,
  SIGPWR,
  SIGSYS,
};
for (let rt = 0; rt <= SIGRTMAX - SIGRTMIN; rt++) signalTable[rt === 0 ? "SIGRTMIN" : `SIGRT_${rt}`] = SIGRTMIN + rt;

/** Signal names as strace prints them: SIGRT_1 is 33. */
export const signals = enumSet("signals", signalTable);

/** `SIGINT` for 2; a number without a signal stays a number. */
export function signalName(signal: number): string {
  return signals.nameOf(signal) ?? String(signal);
}

export const SA_NOCLDSTOP = 1;
export const SA_NOCLDWAIT = 2;
export const SA_SIGINFO = 4;
export const SA_UNSUPPORTED = 0x400;
export const SA_EXPOSE_TAGBITS = 0x800;
export const SA_RESTORER = 0x4000000;
export const SA_ONSTACK = 0x8000000;
export const SA_RESTART = 0x10000000;
export const SA_NODEFER = 0x40000000;
export const SA_RESETHAND = 0x80000000;
export const SA_NOMASK = SA_NODEFER;
export const SA_ONESHOT = SA_RESETHAND;
export const sigactionFlags = flagSet("sigaction flags", {
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_SIGINFO,
  SA_UNSUPPORTED,
  SA_EXPOSE_TAGBITS,
  SA_RESTORER,
  SA_ONSTACK,
  SA_RESTART,
  SA_NODEFER,
  SA_RESETHAND,
});

/** Values of sa_handler that are not addresses. */
export const SIG_DFL = 0;
export const SIG_IGN = 1;

export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;
export const sigprocmaskHow = enumSet(
  "sigprocmask how",
  { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK },
  { unknown: "SIG_???" },
);

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x80000000;
export const sigaltstackFlags = flagSet("sigaltstack flags", { SS_ONSTACK, SS_DISABLE, SS_AUTODISARM });
export const MINSIGSTKSZ = 2048;

// si_code, sigaction(2): who sent it.
export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_MESGQ = -3;
export const SI_ASYNCIO = -4;
export const SI_SIGIO = -5;
export const SI_TKILL = -6;
export const SI_DETHREAD = -7;
export const SI_ASYNCNL = -60;
const commonCodes = {
  SI_USER,
  SI_KERNEL,
  SI_QUEUE,
  SI_TIMER,
  SI_MESGQ,
  SI_ASYNCIO,
  SI_SIGIO,
  SI_TKILL,
  SI_DETHREAD,
  SI_ASYNCNL,
};

// si_code, sigaction(2): what the CPU or the child did.
export const ILL_ILLOPC = 1;
export const ILL_ILLOPN = 2;
export const ILL_ILLADR = 3;
export const ILL_ILLTRP = 4;
export const ILL_PRVOPC = 5;
export const ILL_PRVREG = 6;
export const ILL_COPROC = 7;
export const ILL_BADSTK = 8;
export const FPE_INTDIV = 1;
export const FPE_INTOVF = 2;
export const FPE_FLTDIV = 3;
export const FPE_FLTOVF = 4;
export const FPE_FLTUND = 5;
export const FPE_FLTRES = 6;
export const FPE_FLTINV = 7;
export const FPE_FLTSUB = 8;
export const FPE_FLTUNK = 14;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const SEGV_BNDERR = 3;
export const SEGV_PKUERR = 4;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const BUS_OBJERR = 3;
export const BUS_MCEERR_AR = 4;
export const BUS_MCEERR_AO = 5;
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
export const TRAP_BRANCH = 3;
export const TRAP_HWBKPT = 4;
export const TRAP_UNK = 5;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_TRAPPED = 4;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;
export const POLL_IN = 1;
export const POLL_OUT = 2;
export const POLL_MSG = 3;
export const POLL_ERR = 4;
export const POLL_PRI = 5;
export const POLL_HUP = 6;
export const SYS_SECCOMP = 1;
export const SYS_USER_DISPATCH = 2;

/** Names of si_code by the signal that carries it; any signal may also carry the SI_* codes. */
export const siCodes = {
  common: enumSet("si_code", commonCodes),
  [SIGILL]: enumSet("SIGILL codes", {
    ILL_ILLOPC,
    ILL_ILLOPN,
    ILL_ILLADR,
    ILL_ILLTRP,
    ILL_PRVOPC,
    ILL_PRVREG,
    ILL_COPROC,
    ILL_BADSTK,
  }),
  [SIGFPE]: enumSet("SIGFPE codes", {
    FPE_INTDIV,
    FPE_INTOVF,
    FPE_FLTDIV,
    FPE_FLTOVF,
    FPE_FLTUND,
    FPE_FLTRES,
    FPE_FLTINV,
    FPE_FLTSUB,
    FPE_FLTUNK,
  }),
  [SIGSEGV]: enumSet("SIGSEGV codes", { SEGV_MAPERR, SEGV_ACCERR, SEGV_BNDERR, SEGV_PKUERR }),
  [SIGBUS]: enumSet("SIGBUS codes", { BUS_ADRALN, BUS_ADRERR, BUS_OBJERR, BUS_MCEERR_AR, BUS_MCEERR_AO }),
  [SIGTRAP]: enumSet("SIGTRAP codes", { TRAP_BRKPT, TRAP_TRACE, TRAP_BRANCH, TRAP_HWBKPT, TRAP_UNK }),
  [SIGCHLD]: enumSet("SIGCHLD codes", { CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED }),
  [SIGPOLL]: enumSet("SIGPOLL codes", { POLL_IN, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP }),
  [SIGSYS]: enumSet("SIGSYS codes", { SYS_SECCOMP, SYS_USER_DISPATCH }),
} as const;

/** The kernel's struct for rt_sigaction(2). glibc's differs: its mask is 128 bytes and comes second. */
export const sigaction = struct(
  "kernel_sigaction",
  {
    sa_handler: shown(u64, "address"),
    sa_flags: shown(u64, sigactionFlags),
    sa_restorer: shown(u64, "address"),
    sa_mask: shown(u64, "hex"),
  },
  { size: 32, page: "rt_sigaction(2)" },
);
export type sigaction = TypeOf<typeof sigaction>;

export const stack_t = struct(
  "stack_t",
  { ss_sp: shown(u64, "address"), ss_flags: shown(u32, sigaltstackFlags), ss_size: u64 },
  { size: 24, page: "sigaltstack(2)" },
);
export type stack_t = TypeOf<typeof stack_t>;

/** Bytes of every siginfo_t; each variant below is this long. */
export const SIGINFO_SIZE = 128;

const head = { si_signo: shown(i32, signals), si_errno: i32, si_code: i32 };
const page = "sigaction(2)";

/** The part that all variants share. */
export const siginfo = struct("siginfo", { ...head, _sifields: bytes(116) }, { size: SIGINFO_SIZE, page });
/** kill(2), tkill(2), tgkill(2). */
export const siginfo_kill = struct(
  "siginfo_kill",
  { ...head, _align: pad(4), si_pid: i32, si_uid: u32, _rest: pad(104) },
  { size: SIGINFO_SIZE, page },
);
/** POSIX timers. */
export const siginfo_timer = struct(
  "siginfo_timer",
  { ...head, _align: pad(4), si_tid: i32, si_overrun: i32, si_value: u64, _sys_private: i32, _rest: pad(92) },
  { size: SIGINFO_SIZE, page },
);
/** sigqueue(3) and POSIX message queues. */
export const siginfo_rt = struct(
  "siginfo_rt",
  { ...head, _align: pad(4), si_pid: i32, si_uid: u32, si_value: u64, _rest: pad(96) },
  { size: SIGINFO_SIZE, page },
);
/** SIGCHLD. */
export const siginfo_sigchld = struct(
  "siginfo_sigchld",
  { ...head, _align: pad(4), si_pid: i32, si_uid: u32, si_status: i32, si_utime: u64, si_stime: u64, _rest: pad(80) },
  { size: SIGINFO_SIZE, page },
);
/** SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP. */
export const siginfo_fault = struct(
  "siginfo_fault",
  {
    ...head,
    _align: pad(4),
    si_addr: shown(u64, "address"),
    si_addr_lsb: u16,
    si_lower: u64,
    si_upper: u64,
    _rest: pad(80),
  },
  { size: SIGINFO_SIZE, page },
);
/** SIGIO. */
export const siginfo_poll = struct(
  "siginfo_poll",
  { ...head, _align: pad(4), si_band: u64, si_fd: i32, _rest: pad(100) },
  { size: SIGINFO_SIZE, page },
);
/** SIGSYS from seccomp(2). */
export const siginfo_sigsys = struct(
  "siginfo_sigsys",
  {
    ...head,
    _align: pad(4),
    si_call_addr: shown(u64, "address"),
    si_syscall: i32,
    si_arch: shown(u32, "hex"),
    _rest: pad(96),
  },
  { size: SIGINFO_SIZE, page },
);

/** sigevent(7), 64 bytes: how a timer or message queue notifies. */
export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;
export const sigevNotify = enumSet("sigev_notify", { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID });
export const sigevent = struct(
  "sigevent",
  {
    sigev_value: shown(u64, "hex"),
    sigev_signo: shown(i32, signals),
    sigev_notify: shown(i32, sigevNotify),
    sigev_notify_thread_id: i32,
    _pad: pad(44),
  },
  { size: 64, page: "sigevent(7)" },
);

/** What read(2) on a signalfd gives, signalfd(2). */
export const signalfd_siginfo = struct(
  "signalfd_siginfo",
  {
    ssi_signo: shown(u32, signals),
    ssi_errno: i32,
    ssi_code: i32,
    ssi_pid: u32,
    ssi_uid: u32,
    ssi_fd: i32,
    ssi_tid: u32,
    ssi_band: u32,
    ssi_overrun: u32,
    ssi_trapno: u32,
    ssi_status: i32,
    ssi_int: i32,
    ssi_ptr: u64,
    ssi_utime: u64,
    ssi_stime: u64,
    ssi_addr: u64,
    ssi_addr_lsb: u16,
    __pad2: u16,
    ssi_syscall: i32,
    ssi_call_addr: u64,
    ssi_arch: u32,
    __pad: pad(28),
  },
  { size: 128, page: "signalfd(2)" },
);
export type signalfd_siginfo = TypeOf<typeof signalfd_siginfo>;
