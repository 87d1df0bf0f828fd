/**
 * What a task does about its signals on the way back to user mode: die, stop, or enter a handler; and what becomes of
 * a system call they have interrupted (signal(7), "Interruption of system calls").
 */
import { EINTR, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, ERESTART_RESTARTBLOCK } from "../../abi/errno.ts";
import { SA_NODEFER, SA_RESETHAND, SA_RESTART, SIGKILL, SIGSTOP, SIG_IGN } from "../../abi/signal.ts";
import { RAX, RIP } from "../../emulator/registers.ts";
import { endGroup, endTask } from "../task/exit.ts";
import { abortSequence } from "../task/rseq.ts";
import type { Task } from "../task/task.ts";
import type { SignalAction } from "./actions.ts";
import { defaultAction } from "./defaults.ts";
import { pushSignalFrame, setBlockedSignals } from "./frame.ts";
import { beginGroupStop, stopTask } from "./group-stop.ts";
import type { SigInfo } from "./pending.ts";
import { isOrphaned } from "../task/session.ts";
import { recalculatePending } from "./send.ts";
import type { SignalSet } from "./signal-set.ts";

const RESTART_SYSCALL = 219;
const SYSCALL_LENGTH = 2;

/** Deals with all pending signals of the current task; afterwards it may be dead or stopped. */
export function deliverSignals(task: Task): void {
  for (;;) {
    const { group } = task;
    if (group.exiting) return endTask(task, group.exitStatus);
    if (group.stopSignal !== 0) return stopTask(task);
    const info = takeSignal(task);
    if (!info) break;
    task.kernel.tracer?.signalTaken?.(task, info);
    const action = task.actions.get(info.signo);
    if (action.handler > SIG_IGN) {
      enterHandler(task, info, action);
      continue;
    }
    if (action.handler === SIG_IGN && info.signo !== SIGKILL && info.signo !== SIGSTOP) continue;
    if (!takeDefaultAction(task, info)) return;
  }
  restartCall(task, null);
  if (task.savedMask) {
    const mask = task.savedMask;
    task.savedMask = null;
    setBlockedSignals(task, mask);
  }
  recalculatePending(task);
}

/** The next signal to take: faults of the thread first, then its own, then the process's. */
function takeSignal(task: Task): SigInfo | null {
  const own = task.pending.set.firstNotIn(task.blockedSignals);
  if (task.group.pending.set.has(SIGKILL)) return task.group.pending.take(SIGKILL);
  if (own !== 0) return task.pending.take(own);
  const shared = task.group.pending.set.firstNotIn(task.blockedSignals);
  return shared === 0 ? null : task.group.pending.take(shared);
}

/** False: the task does not go on. */
function takeDefaultAction(task: Task, info: SigInfo): boolean {
  const { group } = task;
  const action = defaultAction(info.signo);
  if (action === "ignore" || action === "continue") return true;
  if (group.unkillable && info.signo !== SIGKILL && info.signo !== SIGSTOP) return true;
  if (action === "stop") {
    // A process whose group nobody could continue does not stop at the terminal's request.
    if (info.signo !== SIGSTOP && isOrphaned(group.processGroup)) return true;
    beginGroupStop(group, info.signo);
    stopTask(task);
    return false;
  }
  task.fatalSignal = info;
  endGroup(task, info.signo);
  return false;
}

function enterHandler(task: Task, info: SigInfo, action: SignalAction): void {
  restartCall(task, action);
  abortSequence(task);
  const mask: SignalSet = task.savedMask ?? task.blockedSignals.clone();
  task.savedMask = null;
  if ((action.flags & SA_RESETHAND) !== 0) task.actions.reset(info.signo);
  const inside = task.blockedSignals.clone();
  inside.addAll(action.mask);
  if ((action.flags & SA_NODEFER) === 0) inside.add(info.signo);
  if (pushSignalFrame(task, info, action, mask)) setBlockedSignals(task, inside);
}

/** Turns an ERESTART result into EINTR or into a second try, by the rules of the action about to be taken. */
function restartCall(task: Task, action: SignalAction | null): void {
  if (task.restartCode === 0) return;
  const { cpu } = task.kernel.engine;
  const code = task.restartCode;
  task.restartCode = 0;
  const again = (number: number): void => {
    cpu.set(RAX, number);
    cpu.set(RIP, cpu.get(RIP) - SYSCALL_LENGTH);
  };
  if (code === ERESTARTNOINTR.number) return again(task.restartNumber);
  if (action === null) {
    return again(code === ERESTART_RESTARTBLOCK.number ? RESTART_SYSCALL : task.restartNumber);
  }
  const restarts = code === ERESTARTSYS.number && (action.flags & SA_RESTART) !== 0;
  if (restarts) return again(task.restartNumber);
  if (code === ERESTART_RESTARTBLOCK.number || code === ERESTARTNOHAND.number || code === ERESTARTSYS.number) {
    cpu.set(RAX, -EINTR.number);
  }
}

/** True for the results that only the kernel sees. */
export function isRestartCode(result: number): boolean {
  const code = -result;
  return (
    code === ERESTARTSYS.number ||
    code === ERESTARTNOINTR.number ||
    code === ERESTARTNOHAND.number ||
    code === ERESTART_RESTARTBLOCK.number
  );
}
