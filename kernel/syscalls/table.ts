/** Every call this kernel has, and how far: what is not here answers ENOSYS and is listed as absent. */
import { full, partial, type TableEntry } from "../dispatch.ts";
import * as clone from "./clone.ts";
import { execve, execveat } from "./execve.ts";
import { exit, exit_group } from "./exit.ts";
import { fileCalls } from "./file-table.ts";
import * as futex from "./futex.ts";
import { idHandlers } from "./ids.ts";
import * as kill from "./kill.ts";
import * as mmap from "./mmap.ts";
import * as namespaces from "./namespaces.ts";
import * as prctl from "./prctl.ts";
import * as sigaction from "./sigaction.ts";
import * as processVm from "./process-vm.ts";
import { rseq } from "./rseq.ts";
import * as sched from "./sched.ts";
import * as shm from "./shm.ts";
import * as signalfd from "./signalfd.ts";
import * as system from "./system.ts";
import * as time from "./time.ts";
import * as socket from "./socket.ts";
import * as timer from "./timer.ts";
import { wait4, waitid } from "./wait.ts";

export const syscallTable: readonly TableEntry[] = [
  ...fileCalls,
  ...idHandlers.map(full),

  full(clone.clone),
  full(clone.clone2),
  partial(clone.clone3, "CLONE_INTO_CGROUP is refused: there is no cgroup file system"),
  full(clone.fork),
  full(clone.vfork),
  full(execve),
  full(execveat),
  full(exit),
  full(exit_group),
  full(wait4),
  full(waitid),

  full(namespaces.unshare),
  full(namespaces.setns),
  full(processVm.process_vm_readv),
  full(processVm.process_vm_writev),
  partial(processVm.kcmp, "no KCMP_EPOLL_TFD"),
  partial(rseq, "one processor; the flags of sections are ignored"),
  partial(namespaces.pidfd_open, "processes only, no PIDFD_THREAD"),
  full(namespaces.pidfd_getfd),
  full(prctl.arch_prctl),
  full(prctl.capget),
  full(prctl.capset),
  full(prctl.personality),
  partial(prctl.prctl, "the common options; others give EINVAL"),

  full(kill.kill),
  full(kill.tkill),
  full(kill.tgkill),
  full(kill.rt_sigqueueinfo),
  full(kill.rt_tgsigqueueinfo),
  full(kill.pidfd_send_signal),
  full(sigaction.rt_sigaction),
  full(sigaction.rt_sigprocmask),
  full(sigaction.rt_sigpending),
  full(sigaction.rt_sigsuspend),
  full(sigaction.rt_sigtimedwait),
  full(sigaction.rt_sigreturn),
  full(sigaction.sigaltstack),
  full(sigaction.pause),

  full(mmap.mmap),
  full(mmap.munmap),
  full(mmap.mprotect),
  full(mmap.mremap),
  full(mmap.brk),
  partial(mmap.madvise, "advice about paging is accepted and has no effect"),
  full(mmap.msync),
  full(mmap.mincore),
  partial(mmap.mlock, "memory is never swapped; the limit is not enforced"),
  partial(mmap.mlock2, "memory is never swapped; the limit is not enforced"),
  full(mmap.munlock),
  partial(mmap.mlockall, "memory is never swapped"),
  full(mmap.munlockall),

  partial(futex.futex, "priority inheritance without priorities: waiters are served in order"),
  full(futex.futex_waitv),
  partial(socket.socketpair, "AF_UNIX; there are no other sockets"),
  partial(socket.sendto, "MSG_DONTWAIT and MSG_NOSIGNAL"),
  partial(socket.recvfrom, "MSG_DONTWAIT"),
  full(socket.shutdown),

  full(shm.shmget),
  full(shm.shmat),
  full(shm.shmdt),
  partial(shm.shmctl, "IPC_STAT, IPC_SET, IPC_RMID, SHM_LOCK, SHM_UNLOCK"),

  full(futex.set_tid_address),
  full(futex.set_robust_list),
  full(futex.get_robust_list),

  full(time.clock_gettime),
  full(time.clock_getres),
  partial(time.clock_settime, "CLOCK_REALTIME; sleepers are not moved"),
  full(time.clock_nanosleep),
  full(time.nanosleep),
  full(time.restart_syscall),
  full(time.gettimeofday),
  full(time.time),
  full(time.times),
  full(time.alarm),
  full(time.getitimer),
  partial(time.setitimer, "ITIMER_VIRTUAL counts all CPU time, as ITIMER_PROF does"),
  full(timer.timer_create),
  full(timer.timer_settime),
  full(timer.timer_gettime),
  full(timer.timer_getoverrun),
  full(timer.timer_delete),
  full(timer.timerfd_create),
  partial(timer.timerfd_settime, "TFD_TIMER_CANCEL_ON_SET is accepted; reads are not cancelled"),
  full(timer.timerfd_gettime),
  full(signalfd.signalfd),
  full(signalfd.signalfd4),

  full(system.uname),
  full(system.sethostname),
  full(system.setdomainname),
  full(system.sysinfo),
  full(system.getrandom),
  full(system.getcpu),
  full(system.getrlimit),
  full(system.setrlimit),
  partial(system.prlimit64, "CPU, CORE, RSS and real-time limits are kept and have no effect"),
  full(system.getrusage),
  full(system.getpriority),
  partial(system.setpriority, "kept, but all tasks run alike"),
  full(sched.sched_yield),
  partial(sched.sched_getaffinity, "one processor"),
  partial(sched.sched_setaffinity, "one processor"),
  full(sched.sched_getscheduler),
  partial(sched.sched_setscheduler, "kept, but all tasks run alike"),
  full(sched.sched_getparam),
  partial(sched.sched_setparam, "kept, but all tasks run alike"),
  partial(sched.sched_setattr, "kept, but all tasks run alike; no SCHED_DEADLINE"),
  full(sched.sched_getattr),
  full(sched.sched_rr_get_interval),
  full(sched.sched_get_priority_max),
  full(sched.sched_get_priority_min),
  partial(system.membarrier, "one processor: every barrier holds already"),
  partial(system.reboot, "always EPERM"),
  partial(system.syslog, "an empty log"),
];
