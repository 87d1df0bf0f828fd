/**
 * One schedulable thread of execution. Everything it can share with others is an object it refers to; what is blocked
 * is described by plain fields, so that a task can be saved, inspected and killed at any time.
 */
import { CpuState } from "../../emulator/registers.ts";
import { ERESTARTSYS } from "../../abi/errno.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import type { FsContext } from "../vfs/fs-context.ts";
import type { FutexWait } from "../ipc/futex.ts";
import type { Kernel } from "../kernel.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { MappedFile } from "../mm/vma.ts";
import type { NamespaceSet } from "../namespaces/namespace-set.ts";
import type { Pid } from "../pid/pid.ts";
import type { SignalActions } from "../signal/actions.ts";
import { PendingSignals, type SigInfo } from "../signal/pending.ts";
import { SignalSet } from "../signal/signal-set.ts";
import type { Credentials } from "./credentials.ts";
import { DEFAULT_SCHEDULING, type Scheduling } from "./scheduling.ts";
import type { ThreadGroup } from "./thread-group.ts";
import type { WaitQueue } from "./wait-queue.ts";

/** Can run, or is running. */
export const TASK_RUNNABLE = 0;
/** In a system call, waiting in queues or for a deadline. */
export const TASK_BLOCKED = 1;
/** Stopped by a job-control signal. */
export const TASK_STOPPED = 2;
/** Ended, not yet waited for. */
export const TASK_ZOMBIE = 3;
/** Ended and gone. */
export const TASK_DEAD = 4;
export type TaskState = 0 | 1 | 2 | 3 | 4;

/** What a handler returns when the task sleeps: the call is run again when it is woken. */
export const BLOCKED = -1000000;

/** What a handler returns when it has itself set all registers (rt_sigreturn, execve). */
export const REGISTERS_SET = -1000001;

export class Task {
  readonly kernel: Kernel;
  pid: Pid;
  group!: ThreadGroup;
  state: TaskState = TASK_RUNNABLE;
  /** Registers while the task is not the current one. */
  readonly saved = new CpuState();

  /** Null after exit_mm. */
  mm: AddressSpace | null = null;
  files!: FdTable;
  fs!: FsContext;
  actions!: SignalActions;
  creds!: Credentials;
  namespaces!: NamespaceSet;
  comm = "";
  /** The program's resolved path, and the file itself: /proc/PID/exe. */
  exePath = "";
  exeFile: MappedFile | null = null;

  // Signals.
  readonly pending = new PendingSignals();
  blockedSignals = new SignalSet();
  /** sigsuspend, ppoll …: the mask to go back to once the signal has been taken. */
  savedMask: SignalSet | null = null;
  /** Signals that sigtimedwait sleeps for, blocked though they are. */
  awaitedSignals: SignalSet | null = null;
  /** Something may have to be delivered before the task goes on in user mode. */
  signalPending = false;
  altStack = { sp: 0, size: 0, flags: 2 };
  parentDeathSignal = 0;
  /** The signal that killed the task or its group, for the report at the end. */
  fatalSignal: SigInfo | null = null;

  // The system call being executed.
  /** Its number, -1 outside of one. */
  callNumber = -1;
  /** Absolute time in ns since boot when a sleep of this call ends; -1 not set yet, Infinity never. */
  callDeadline = -1;
  /** What the call has done already: bytes, or whatever the handler counts. */
  callProgress = 0;
  /** Anything else the handler must remember over a sleep, as plain data. */
  callState: unknown = undefined;
  /** Result if a signal ends the sleep: -ERESTARTSYS and relatives, or -EINTR. */
  callInterrupted = 0;
  /** Only a fatal signal ends the sleep (vfork). */
  killableOnly = false;
  /** ERESTART code of the call just interrupted, and its number, until signals have been dealt with. */
  restartCode = 0;
  restartNumber = 0;
  /** ERESTART_RESTARTBLOCK: how restart_syscall(2) goes on. */
  restartBlock: { number: number; deadline: number; remaining: number } | null = null;
  readonly queues: WaitQueue[] = [];
  /** Position in the timer heap of a sleep with a deadline, -1 if none. */
  sleepDeadline = Infinity;
  /** In the run queue. */
  queued = false;
  /** Tasks suspended in vfork until this one releases its memory. */
  vforkParent: Task | null = null;
  /** The child this task has last lent its memory to. */
  vforkChild: Task | null = null;

  /** The last fault, for signal frames. */
  lastTrap = { vector: 0, errorCode: 0, addressLow: 0, addressHigh: 0 };

  // Threads.
  clearChildTid = 0;
  setChildTid = 0;
  robustList = 0;
  rseq = { address: 0, length: 0, signature: 0 };
  futexWait: FutexWait | null = null;
  /** Priority-inheritance locks it holds that others wait for, and the address of the one it waits for or got last. */
  readonly piLocks = new Set<string>();
  piAddress = 0;
  exitCode = 0;
  userTime = 0;
  systemTime = 0;
  voluntarySwitches = 0;
  involuntarySwitches = 0;
  personality = 0;
  nice = 0;
  scheduling: Scheduling = DEFAULT_SCHEDULING;
  timerSlack = 50000;

  constructor(kernel: Kernel, pid: Pid) {
    this.kernel = kernel;
    this.pid = pid;
    pid.task = this;
  }

  /** The thread id in its own namespace. */
  get tid(): number {
    return this.pid.own;
  }

  /** Takes over a thread id from another task of the group. */
  adoptPid(pid: Pid): void {
    this.pid = pid;
    pid.task = this;
  }

  /** Address space of a task that has one. */
  get memory(): AddressSpace {
    return this.mm!;
  }

  /**
   * Puts the task to sleep in a queue until woken, the deadline or a signal; then the handler is called again.
   * @param interrupted the result if a signal comes first
   */
  sleepOn(queue: WaitQueue | null, deadline = Infinity, interrupted = -ERESTARTSYS.number): number {
    queue?.add(this);
    return this.sleep(deadline, interrupted);
  }

  /** Like `sleepOn` after the handler has added the task to queues itself. */
  sleep(deadline = Infinity, interrupted = -ERESTARTSYS.number): number {
    this.callInterrupted = interrupted;
    this.state = TASK_BLOCKED;
    this.sleepDeadline = deadline;
    if (deadline !== Infinity) this.kernel.timers.add(deadline, this);
    return BLOCKED;
  }

  /** Ends a sleep; no effect on a task that is not blocked. */
  wake(): void {
    this.leaveQueues();
    if (this.state !== TASK_BLOCKED) return;
    this.killableOnly = false;
    this.state = TASK_RUNNABLE;
    this.kernel.scheduler.enqueue(this);
  }

  /** A timer of `sleep` has run out; a later sleep does not care. */
  expire(deadline: number): void {
    if (!this.isStale(deadline)) this.wake();
  }

  /** True if no sleep of the task ends at this deadline. */
  isStale(deadline: number): boolean {
    return this.state !== TASK_BLOCKED || this.sleepDeadline > deadline;
  }

  leaveQueues(): void {
    while (this.queues.length > 0) this.queues.pop()!.remove(this);
    this.sleepDeadline = Infinity;
  }
}
