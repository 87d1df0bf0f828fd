/** Sending signals: who gets it, whether it counts, whom it wakes (signal(7); kill(2)). */
import { RLIMIT_SIGPENDING } from "../../abi/resource.ts";
import {
  CLD_CONTINUED,
  SA_NOCLDSTOP,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGRTMIN,
  SIGSTOP,
  SIG_DFL,
  SIG_IGN,
  SI_KERNEL,
  SI_USER,
} from "../../abi/signal.ts";
import type { Pid } from "../pid/pid.ts";
import { TASK_BLOCKED, TASK_RUNNABLE, TASK_STOPPED, TASK_ZOMBIE, type Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { childSigInfo } from "./child-info.ts";
import { CONTINUE_SIGNALS, STOP_SIGNALS, defaultAction } from "./defaults.ts";
import type { PendingSignals, SigInfo } from "./pending.ts";

/** A signal that comes from the kernel itself. */
export const kernelSigInfo = (signo: number): SigInfo => ({ signo, code: SI_KERNEL });

/** A signal that a task brings on itself by a system call (SIGPIPE, SIGXFSZ): it looks as if sent by kill(2). */
export function ownSigInfo(task: Task, signo: number): SigInfo {
  const uid = task.creds.userNamespace.uidShown(task.creds.uid);
  return { signo, code: SI_USER, pid: task.group.pid.own, uid };
}

/** Sends to one thread: tgkill(2), faults. */
export function sendSignalToTask(task: Task, info: SigInfo, fromOutside = true): void {
  queueSignalForTask(task, info, fromOutside);
}

/** Sends to a process: any thread that does not block the signal may take it. */
export function sendSignalToGroup(group: ThreadGroup, info: SigInfo, fromOutside = true): void {
  queueSignalForGroup(group, info, fromOutside);
}

/** Like `sendSignalToTask`; false if the signal has no effect now or later. */
export function queueSignalForTask(task: Task, info: SigInfo, fromOutside = true): boolean {
  if (task.state >= TASK_ZOMBIE || !prepare(task.group, info.signo, fromOutside)) return false;
  if (isIgnored(task, info.signo)) return false;
  addPending(task.pending, task.group, info);
  notify(task, info.signo);
  return true;
}

/** Like `sendSignalToGroup`; false if the signal has no effect now or later. */
export function queueSignalForGroup(group: ThreadGroup, info: SigInfo, fromOutside = true): boolean {
  if (group.zombie || !prepare(group, info.signo, fromOutside)) return false;
  if (isIgnored(group.leader, info.signo)) return false;
  addPending(group.pending, group, info);
  const taker = chooseTaker(group, info.signo);
  if (taker) notify(taker, info.signo);
  else group.signalArrived.wakeAll();
  return true;
}

/** True at RLIMIT_SIGPENDING (setrlimit(2)). Linux counts the signals of a user, we those of the process. */
export function queueIsFull(group: ThreadGroup): boolean {
  let queued = group.pending.queued;
  for (const task of group.tasks) queued += task.pending.queued;
  return queued >= group.limits[RLIMIT_SIGPENDING]!.current;
}

/** A real-time signal that finds the queue full is pending all the same, but once and without its siginfo. */
function addPending(pending: PendingSignals, group: ThreadGroup, info: SigInfo): void {
  if (info.signo >= SIGRTMIN && !info.timer && queueIsFull(group)) pending.set.add(info.signo);
  else pending.add(info);
}

/** Sends to every member of a process group. */
export function sendSignalToProcessGroup(pid: Pid, info: SigInfo): void {
  for (const group of [...pid.processGroup]) sendSignalToGroup(group, { ...info });
}

/**
 * A signal the task cannot refuse, for something it has just done: if it blocks or ignores it, it dies of it
 * (force_sig in Linux).
 */
export function forceSignal(task: Task, info: SigInfo): void {
  const action = task.actions.get(info.signo);
  if (task.blockedSignals.has(info.signo) || action.handler === SIG_IGN) {
    task.actions.reset(info.signo);
    task.blockedSignals.delete(info.signo);
  }
  if (task.actions.get(info.signo).handler === SIG_DFL) task.group.unkillable = false;
  task.pending.add(info);
  recalculatePending(task);
}

/** Brings `task.signalPending` up to date after pending signals or the mask have changed. */
export function recalculatePending(task: Task): void {
  const { group } = task;
  task.signalPending =
    group.exiting ||
    group.stopSignal !== 0 ||
    task.pending.set.firstNotIn(task.blockedSignals) !== 0 ||
    group.pending.set.firstNotIn(task.blockedSignals) !== 0;
}

/** True if the signal would end the process without running any of its code. */
export function isFatal(task: Task, signal: number): boolean {
  if (signal === SIGKILL) return true;
  const action = defaultAction(signal);
  return task.actions.get(signal).handler === SIG_DFL && (action === "terminate" || action === "core");
}

/** True if a fatal signal waits for the task: even an uninterruptible sleep ends. */
export function fatalSignalPending(task: Task): boolean {
  if (task.group.exiting) return true;
  const signal =
    task.pending.set.firstNotIn(task.blockedSignals) || task.group.pending.set.firstNotIn(task.blockedSignals);
  return signal !== 0 && isFatal(task, signal);
}

/** Stop signals cancel a pending SIGCONT and the other way round. False: the signal has no effect at all. */
function prepare(group: ThreadGroup, signal: number, fromOutside: boolean): boolean {
  if (signal === SIGCONT) {
    group.pending.discard(STOP_SIGNALS);
    for (const task of group.tasks) task.pending.discard(STOP_SIGNALS);
    continueGroup(group);
  } else if (STOP_SIGNALS.has(signal)) {
    group.pending.discard(CONTINUE_SIGNALS);
    for (const task of group.tasks) task.pending.discard(CONTINUE_SIGNALS);
  }
  // What is blocked waits: there may be a handler by the time it is taken.
  if (!group.unkillable || group.leader.blockedSignals.has(signal)) return true;
  const handled = group.leader.actions.get(signal).handler > SIG_IGN;
  // From an ancestor namespace SIGKILL and SIGSTOP do reach a namespace's init (pid_namespaces(7)).
  return handled || (fromOutside && (signal === SIGKILL || signal === SIGSTOP));
}

function isIgnored(task: Task, signal: number): boolean {
  // A blocked signal may get a handler before it is taken.
  if (task.blockedSignals.has(signal) && signal !== SIGKILL) return false;
  const { handler } = task.actions.get(signal);
  return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === "ignore");
}

function chooseTaker(group: ThreadGroup, signal: number): Task | undefined {
  const wants = (task: Task): boolean =>
    signal === SIGKILL ? task.state < TASK_ZOMBIE : task.state < TASK_STOPPED && !task.blockedSignals.has(signal);
  for (const task of group.tasks) if (task.awaitedSignals?.has(signal)) return task;
  if (wants(group.leader)) return group.leader;
  for (const task of group.tasks) if (wants(task)) return task;
  return undefined;
}

/** Makes a task notice its pending signal, wherever it sleeps. */
function notify(task: Task, signal: number): void {
  recalculatePending(task);
  task.group.signalArrived.wakeAll();
  if (signal === SIGKILL) {
    for (const each of task.group.tasks) each.signalPending = true;
    for (const each of task.group.tasks) interrupt(each, true);
    task.group.pending.add({ signo: SIGKILL, code: 0 });
    return;
  }
  // A stopped task takes nothing but SIGKILL before it goes on.
  if (task.state === TASK_STOPPED) return;
  if (task.signalPending || task.awaitedSignals?.has(signal)) interrupt(task, isFatal(task, signal));
}

function interrupt(task: Task, fatal: boolean): void {
  if (task.state === TASK_BLOCKED && (fatal || !task.killableOnly)) task.wake();
  else if (task.state === TASK_STOPPED && fatal) {
    task.group.stopSignal = 0;
    task.state = TASK_RUNNABLE;
    task.kernel.scheduler.enqueue(task);
  }
}

/** All threads of a group must look at what has happened to it. */
export function interruptGroup(group: ThreadGroup, fatal: boolean): void {
  for (const task of group.tasks) {
    task.signalPending = true;
    interrupt(task, fatal);
  }
}

/** SIGCONT was sent: whoever is stopped goes on, whatever else becomes of the signal. */
function continueGroup(group: ThreadGroup): void {
  if (group.stopSignal === 0) return;
  group.stopSignal = 0;
  group.stopReported = true;
  group.continueReported = false;
  for (const task of group.tasks) {
    if (task.state !== TASK_STOPPED) continue;
    task.signalPending = true;
    task.state = TASK_RUNNABLE;
    task.kernel.scheduler.enqueue(task);
  }
  tellParent(group, CLD_CONTINUED, SIGCONT);
}

/** Tells the parent of a stop or continue, by SIGCHLD unless it does not want that, and by waking its wait4. */
export function tellParent(group: ThreadGroup, code: number, signal: number): void {
  const { parent } = group;
  if (!parent) return;
  const action = parent.leader.actions.get(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    sendSignalToGroup(parent, childSigInfo(group, parent, SIGCHLD, code, signal));
  }
  parent.waitChildren.wakeAll();
}
