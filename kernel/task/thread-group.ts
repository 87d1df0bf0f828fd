/** A process: what its threads have in common however they were made (signal_struct in Linux's words). */
import type { Tty } from "../tty/tty.ts";
import type { Pid } from "../pid/pid.ts";
import { PendingSignals } from "../signal/pending.ts";
import type { CpuTimer } from "../time/cpu-timers.ts";
import type { IntervalTimers } from "../time/interval-timer.ts";
import type { PosixTimer } from "../time/posix-timer.ts";
import type { ResourceLimit } from "./resource-limits.ts";
import type { Task } from "./task.ts";
import { WaitQueue } from "./wait-queue.ts";

export class ThreadGroup {
  readonly pid: Pid;
  leader: Task;
  readonly tasks = new Set<Task>();
  parent: ThreadGroup | null;
  /** The thread of the parent that made this process (wait(2), __WNOTHREAD). */
  parentTask: Task | null = null;
  readonly children = new Set<ThreadGroup>();
  processGroup: Pid;
  session: Pid;
  /** Controlling terminal. */
  tty: Tty | null = null;
  limits: ResourceLimit[];
  readonly pending = new PendingSignals();
  /** Sent to the parent at the end; 0 for none, SIGCHLD for an ordinary child (clone(2), the low byte of flags). */
  exitSignal: number;
  /** execve calls so far, and the parent's count when this process was made: a clone child whose parent has become
   * another program reports with SIGCHLD. */
  execCount = 0;
  parentExecCount = 0;
  /** The threads are ending: wait status to report. */
  exiting = false;
  exitStatus = 0;
  /** All tasks are dead and the parent has not waited yet. */
  zombie = false;
  /** Group stop: stopped by this signal, 0 if running. */
  stopSignal = 0;
  /** A stop or continue that the parent may still wait for. */
  stopReported = true;
  continueReported = true;
  /** PR_SET_CHILD_SUBREAPER, and whether some ancestor has it. */
  childSubreaper = false;
  /** Namespace init: signals it has no handler for do not reach it from inside (pid_namespaces(7)). */
  unkillable = false;
  /** A member has called execve since it was forked (setpgid(2), EACCES). */
  hasExeced = false;
  /** An exec is replacing the threads; the one that does it. */
  execTask: Task | null = null;
  dumpable = 1;
  readonly startTime: number;
  /** Waiters in wait4(2) and waitid(2) of this process. */
  readonly waitChildren = new WaitQueue();
  /** Woken at the end of the process: pidfds, vfork. */
  readonly ended = new WaitQueue();
  /** CPU times in ns: own threads already ended, and waited-for children. */
  deadUserTime = 0;
  deadSystemTime = 0;
  childrenUserTime = 0;
  childrenSystemTime = 0;
  childrenMaxRss = 0;
  maxRss = 0;
  minorFaults = 0;
  majorFaults = 0;
  /** setitimer(2), if it was ever used. */
  intervalTimers: IntervalTimers | null = null;
  /** timer_create(2). */
  readonly posixTimers = new Map<number, PosixTimer>();
  nextTimerId = 0;
  /** Timers that must be looked at whenever the process has run. */
  readonly cpuTimers = new Set<CpuTimer>();
  /** Woken when a signal has been sent, for signalfd. */
  readonly signalArrived = new WaitQueue();

  constructor(leader: Task, pid: Pid, parent: ThreadGroup | null, limits: ResourceLimit[], startTime: number) {
    this.leader = leader;
    this.pid = pid;
    this.parent = parent;
    this.limits = limits;
    this.startTime = startTime;
    this.exitSignal = 0;
    this.processGroup = parent ? parent.processGroup : pid;
    this.session = parent ? parent.session : pid;
    pid.group = this;
    this.processGroup.processGroup.add(this);
    this.session.session.add(this);
    parent?.children.add(this);
  }

  setProcessGroup(pid: Pid): void {
    if (pid === this.processGroup) return;
    const old = this.processGroup;
    old.processGroup.delete(this);
    this.processGroup = pid;
    pid.processGroup.add(this);
    old.releaseIfUnused();
  }

  setSession(pid: Pid): void {
    if (pid === this.session) return;
    const old = this.session;
    old.session.delete(this);
    this.session = pid;
    pid.session.add(this);
    old.releaseIfUnused();
  }

  get isSessionLeader(): boolean {
    return this.session === this.pid;
  }
}
