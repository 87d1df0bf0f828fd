import { capabilities } from "../capability.ts";
import * as fcntls from "../fcntl.ts";
import * as futexes from "../futex.ts";
import * as ioctls from "../ioctl.ts";
import { i32, u32, u64 } from "../layout.ts";
import * as prctls from "../prctl.ts";
import * as ptraces from "../ptrace.ts";
import * as sockets from "../socket.ts";
import { termios, termios2, winsize } from "../termios.ts";
import { timespec } from "../time.ts";
import { fpstate } from "../ucontext.ts";
import { IPC_SET, IPC_STAT, msqid64_ds, semid64_ds, shmid64_ds } from "../ipc.ts";
import * as k from "./kinds.ts";

// Arguments whose meaning a command selects. A command that is missing here takes a plain long.

const none = k.unused("unused");
type Cases = ConstructorParameters<typeof Map<number, Parameters<typeof k.variant>[3]>>[0];
const cases = (entries: NonNullable<Cases>) => new Map(entries);

/** ioctl(2)'s third argument. */
export const ioctlArgument = k.variant(
  "arg",
  "cmd",
  cases([
    [ioctls.TCGETS, k.structOut("arg", termios)],
    [ioctls.TCSETS, k.structIn("arg", termios)],
    [ioctls.TCSETSW, k.structIn("arg", termios)],
    [ioctls.TCSETSF, k.structIn("arg", termios)],
    [ioctls.TCGETS2, k.structOut("arg", termios2)],
    [ioctls.TCSETS2, k.structIn("arg", termios2)],
    [ioctls.TCSETSW2, k.structIn("arg", termios2)],
    [ioctls.TCSETSF2, k.structIn("arg", termios2)],
    [ioctls.TIOCGWINSZ, k.structOut("arg", winsize)],
    [ioctls.TIOCSWINSZ, k.structIn("arg", winsize)],
    [ioctls.TIOCGPGRP, k.integerOut("arg", i32)],
    [ioctls.TIOCSPGRP, k.integerIn("arg", i32)],
    [ioctls.TIOCGSID, k.integerOut("arg", i32)],
    [ioctls.TIOCOUTQ, k.integerOut("arg", i32)],
    [ioctls.TIOCGPTN, k.integerOut("arg", u32)],
    [ioctls.TIOCSPTLCK, k.integerIn("arg", i32)],
    [ioctls.TIOCGPTLCK, k.integerOut("arg", i32)],
    [ioctls.TIOCPKT, k.integerIn("arg", i32)],
    [ioctls.TIOCGPTPEER, k.flags("arg", fcntls.openFlags)],
    [ioctls.TIOCSCTTY, k.int("arg")],
    [ioctls.TIOCNOTTY, none],
    [ioctls.TIOCEXCL, none],
    [ioctls.TIOCNXCL, none],
    [ioctls.FIONREAD, k.integerOut("arg", i32)],
    [ioctls.FIONBIO, k.integerIn("arg", i32)],
    [ioctls.FIOASYNC, k.integerIn("arg", i32)],
    [ioctls.FIOCLEX, none],
    [ioctls.FIONCLEX, none],
    [ioctls.FICLONE, k.fd("arg")],
    [ioctls.BLKGETSIZE64, k.integerOut("arg", u64)],
    [ioctls.NS_GET_USERNS, none],
    [ioctls.NS_GET_PARENT, none],
    [ioctls.NS_GET_NSTYPE, none],
    [ioctls.NS_GET_OWNER_UID, k.integerOut("arg", u32)],
  ]),
  k.address("arg"),
);

/** fcntl(2)'s third argument. */
export const fcntlArgument = k.variant(
  "arg",
  "cmd",
  cases([
    [fcntls.F_GETFD, none],
    [fcntls.F_GETFL, none],
    [fcntls.F_GETOWN, none],
    [fcntls.F_GETSIG, none],
    [fcntls.F_GETLEASE, none],
    [fcntls.F_GETPIPE_SZ, none],
    [fcntls.F_GET_SEALS, none],
    [fcntls.F_DUPFD, k.fd("arg")],
    [fcntls.F_DUPFD_CLOEXEC, k.fd("arg")],
    [fcntls.F_DUPFD_QUERY, k.fd("arg")],
    [fcntls.F_SETFD, k.flags("arg", fcntls.fdFlags)],
    [fcntls.F_SETFL, k.flags("arg", fcntls.openFlags)],
    [fcntls.F_SETOWN, k.pid("arg")],
    [fcntls.F_SETSIG, k.signal("arg")],
    [fcntls.F_SETPIPE_SZ, k.uint("arg")],
    [fcntls.F_SETLEASE, k.enumeration("arg", fcntls.lockTypes)],
    [fcntls.F_NOTIFY, k.flags("arg", fcntls.notifyFlags)],
    [fcntls.F_ADD_SEALS, k.flags("arg", fcntls.sealFlags)],
    [fcntls.F_GETLK, k.structInOut("arg", fcntls.flock)],
    [fcntls.F_SETLK, k.structIn("arg", fcntls.flock)],
    [fcntls.F_SETLKW, k.structIn("arg", fcntls.flock)],
    [fcntls.F_OFD_GETLK, k.structInOut("arg", fcntls.flock)],
    [fcntls.F_OFD_SETLK, k.structIn("arg", fcntls.flock)],
    [fcntls.F_OFD_SETLKW, k.structIn("arg", fcntls.flock)],
    [fcntls.F_SETOWN_EX, k.structIn("arg", fcntls.f_owner_ex)],
    [fcntls.F_GETOWN_EX, k.structOut("arg", fcntls.f_owner_ex)],
    [fcntls.F_GET_RW_HINT, k.integerOut("arg", u64)],
    [fcntls.F_SET_RW_HINT, k.integerIn("arg", u64)],
  ]),
  k.ulong("arg"),
);

/** prctl(2)'s second argument; where it is a plain number the other three are too. */
export const prctlArgument2 = k.variant(
  "arg2",
  "option",
  cases([
    [prctls.PR_SET_PDEATHSIG, k.signal("arg2")],
    [prctls.PR_GET_PDEATHSIG, k.integerOut("arg2", i32)],
    [prctls.PR_GET_DUMPABLE, none],
    [prctls.PR_GET_KEEPCAPS, none],
    [prctls.PR_GET_SECUREBITS, none],
    [prctls.PR_SET_SECUREBITS, k.flags("arg2", prctls.secureBits)],
    [prctls.PR_SET_NAME, k.string("arg2", prctls.TASK_COMM_LEN)],
    [prctls.PR_GET_NAME, k.pointer("arg2", "out", prctls.TASK_COMM_LEN)],
    [prctls.PR_GET_SECCOMP, none],
    [prctls.PR_SET_SECCOMP, k.enumeration("arg2", prctls.seccompModes)],
    [prctls.PR_CAPBSET_READ, k.enumeration("arg2", capabilities)],
    [prctls.PR_CAPBSET_DROP, k.enumeration("arg2", capabilities)],
    [prctls.PR_CAP_AMBIENT, k.enumeration("arg2", prctls.capAmbientOperations)],
    [prctls.PR_GET_TIMERSLACK, none],
    [prctls.PR_GET_CHILD_SUBREAPER, k.integerOut("arg2", i32)],
    [prctls.PR_GET_TID_ADDRESS, k.integerOut("arg2", u64)],
    [prctls.PR_GET_TSC, k.integerOut("arg2", i32)],
    [prctls.PR_SET_MM, k.enumeration("arg2", prctls.setMmOptions)],
    [prctls.PR_SET_PTRACER, k.pid("arg2")],
  ]),
  k.ulong("arg2"),
);
const oneArgument = [
  prctls.PR_SET_PDEATHSIG,
  prctls.PR_GET_PDEATHSIG,
  prctls.PR_GET_DUMPABLE,
  prctls.PR_SET_DUMPABLE,
  prctls.PR_GET_KEEPCAPS,
  prctls.PR_SET_KEEPCAPS,
  prctls.PR_GET_SECUREBITS,
  prctls.PR_SET_SECUREBITS,
  prctls.PR_SET_NAME,
  prctls.PR_GET_NAME,
  prctls.PR_GET_SECCOMP,
  prctls.PR_CAPBSET_READ,
  prctls.PR_CAPBSET_DROP,
  prctls.PR_SET_TIMERSLACK,
  prctls.PR_GET_TIMERSLACK,
  prctls.PR_SET_CHILD_SUBREAPER,
  prctls.PR_GET_CHILD_SUBREAPER,
  prctls.PR_GET_TID_ADDRESS,
  prctls.PR_GET_TSC,
  prctls.PR_SET_TSC,
  prctls.PR_SET_PTRACER,
];
/** prctl(2)'s last three arguments: not looked at by options that take one argument. */
export const prctlRest = <const Name extends string>(name: Name) =>
  k.variant(
    name,
    "option",
    cases([
      ...oneArgument.map((option): [number, typeof none] => [option, none]),
      ...(name === "arg3" ? [[prctls.PR_CAP_AMBIENT, k.enumeration(name, capabilities)] as const] : []),
    ]),
    k.ulong(name),
  );

/** arch_prctl(2): two commands store through the address, two take it. */
export const archPrctlArgument = k.variant(
  "addr",
  "code",
  cases([
    [prctls.ARCH_GET_FS, k.integerOut("addr", u64)],
    [prctls.ARCH_GET_GS, k.integerOut("addr", u64)],
    [prctls.ARCH_GET_XCOMP_SUPP, k.integerOut("addr", u64)],
    [prctls.ARCH_GET_XCOMP_PERM, k.integerOut("addr", u64)],
    [prctls.ARCH_GET_CPUID, none],
  ]),
  k.address("addr"),
);

const FUTEX_COMMAND = 0x7f;
const timeout = k.optional(k.structIn("timeout", timespec));
/** futex(2)'s fourth argument: a timeout, or a count for the operations that requeue. */
export const futexTimeout = k.variant(
  "timeout",
  "op",
  cases([
    [futexes.FUTEX_WAIT, timeout],
    [futexes.FUTEX_WAIT_BITSET, timeout],
    [futexes.FUTEX_LOCK_PI, timeout],
    [futexes.FUTEX_LOCK_PI2, timeout],
    [futexes.FUTEX_WAIT_REQUEUE_PI, timeout],
    [futexes.FUTEX_REQUEUE, k.uint("val2")],
    [futexes.FUTEX_CMP_REQUEUE, k.uint("val2")],
    [futexes.FUTEX_CMP_REQUEUE_PI, k.uint("val2")],
    [futexes.FUTEX_WAKE_OP, k.uint("val2")],
  ]),
  none,
  FUTEX_COMMAND,
);
/** futex(2)'s fifth argument: the second word. */
export const futexSecondWord = k.variant(
  "uaddr2",
  "op",
  cases([
    [futexes.FUTEX_REQUEUE, k.futex("uaddr2")],
    [futexes.FUTEX_CMP_REQUEUE, k.futex("uaddr2")],
    [futexes.FUTEX_CMP_REQUEUE_PI, k.futex("uaddr2")],
    [futexes.FUTEX_WAIT_REQUEUE_PI, k.futex("uaddr2")],
    [futexes.FUTEX_WAKE_OP, k.futex("uaddr2")],
  ]),
  none,
  FUTEX_COMMAND,
);
const bitset = k.flags("val3", futexes.futexBitsets);
/** futex(2)'s sixth argument: a bit set or a value to compare with. */
export const futexValue3 = k.variant(
  "val3",
  "op",
  cases([
    [futexes.FUTEX_WAIT_BITSET, bitset],
    [futexes.FUTEX_WAKE_BITSET, bitset],
    [futexes.FUTEX_CMP_REQUEUE, k.uint("val3")],
    [futexes.FUTEX_CMP_REQUEUE_PI, k.uint("val3")],
    [futexes.FUTEX_WAKE_OP, k.uint("val3")],
  ]),
  none,
  FUTEX_COMMAND,
);

/** ptrace(2)'s fourth argument. */
export const ptraceData = k.variant(
  "data",
  "request",
  cases([
    [ptraces.PTRACE_PEEKTEXT, k.integerOut("data", u64)],
    [ptraces.PTRACE_PEEKDATA, k.integerOut("data", u64)],
    [ptraces.PTRACE_PEEKUSR, k.integerOut("data", u64)],
    [ptraces.PTRACE_GETREGS, k.structOut("data", ptraces.user_regs_struct)],
    [ptraces.PTRACE_SETREGS, k.structIn("data", ptraces.user_regs_struct)],
    [ptraces.PTRACE_GETFPREGS, k.pointer("data", "out", fpstate.size)],
    [ptraces.PTRACE_SETFPREGS, k.pointer("data", "in", fpstate.size)],
    [ptraces.PTRACE_SETOPTIONS, k.longFlags("data", ptraces.ptraceOptions)],
    [ptraces.PTRACE_SEIZE, k.longFlags("data", ptraces.ptraceOptions)],
    [ptraces.PTRACE_GETEVENTMSG, k.integerOut("data", u64)],
    [ptraces.PTRACE_GETSIGINFO, k.siginfoOut("data")],
    [ptraces.PTRACE_SETSIGINFO, k.siginfoIn("data")],
    [ptraces.PTRACE_GETSIGMASK, k.sigsetOut("data", "addr")],
    [ptraces.PTRACE_SETSIGMASK, k.sigsetIn("data", "addr")],
    [ptraces.PTRACE_CONT, k.signal("data")],
    [ptraces.PTRACE_SYSCALL, k.signal("data")],
    [ptraces.PTRACE_SINGLESTEP, k.signal("data")],
    [ptraces.PTRACE_DETACH, k.signal("data")],
  ]),
  k.ulong("data"),
);

const ipcBuffer = (layout: Parameters<typeof k.structIn>[1]) =>
  cases([
    [IPC_STAT, k.structOut("buf", layout)],
    [IPC_SET, k.structIn("buf", layout)],
  ]);
export const shmctlBuffer = k.variant("buf", "cmd", ipcBuffer(shmid64_ds), k.address("buf"), 0xff);
export const semctlArgument = k.variant("arg", "cmd", ipcBuffer(semid64_ds), k.ulong("arg"), 0xff);
export const msgctlBuffer = k.variant("buf", "cmd", ipcBuffer(msqid64_ds), k.address("buf"), 0xff);

/** The option of getsockopt(2) and setsockopt(2): the level says which list it is from. */
export const socketOption = k.variant(
  "optname",
  "level",
  cases([
    [sockets.SOL_SOCKET, k.enumeration("optname", sockets.socketOptions)],
    [sockets.IPPROTO_TCP, k.enumeration("optname", sockets.tcpOptions)],
  ]),
  k.int("optname"),
);
