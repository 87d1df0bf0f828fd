/** rt_sigaction(2), rt_sigprocmask(2), rt_sigpending(2), rt_sigsuspend(2), rt_sigreturn(2), sigaltstack(2), pause(2). */
import { EAGAIN, EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ERESTARTNOHAND } from "../../abi/errno.ts";
import {
  MINSIGSTKSZ,
  SA_EXPOSE_TAGBITS,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_RESTORER,
  SA_SIGINFO,
  SIGSEGV,
  SIGSET_SIZE,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SI_KERNEL,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
  sigaction,
  stack_t,
} from "../../abi/signal.ts";
import { RSP } from "../../emulator/registers.ts";
import { handler } from "../dispatch.ts";
import { copyToUser, readBytes, readU32, readU64 } from "../mm/user-copy.ts";
import { defaultAction, UNSTOPPABLE } from "../signal/defaults.ts";
import { onAltStack, popSignalFrame, setBlockedSignals } from "../signal/frame.ts";
import { encodeSigInfo } from "../signal/siginfo-encode.ts";
import { forceSignal, recalculatePending } from "../signal/send.ts";
import { SignalSet } from "../signal/signal-set.ts";
import { readSignalSet, writeSignalSet } from "../signal/user-set.ts";
import { REGISTERS_SET, type Task } from "../task/task.ts";

/** Others are dropped, so that a program which sets SA_UNSUPPORTED too can tell which are known (sigaction(2)). */
const KNOWN_FLAGS =
  SA_NOCLDSTOP |
  SA_NOCLDWAIT |
  SA_SIGINFO |
  SA_EXPOSE_TAGBITS |
  SA_RESTORER |
  SA_ONSTACK |
  SA_RESTART |
  SA_NODEFER |
  SA_RESETHAND;

export const rt_sigaction = handler("rt_sigaction", (task, signal, newAddress, oldAddress, setSize) => {
  if (setSize !== SIGSET_SIZE) throw EINVAL;
  const wanted = newAddress === 0 ? null : new DataView(readBytes(task.memory, newAddress, sigaction.size).buffer);
  if (signal < 1 || signal > 64 || (wanted && UNSTOPPABLE.has(signal))) throw EINVAL;
  const old = task.actions.get(signal);
  if (wanted) {
    const { offsets } = sigaction;
    const mask = new SignalSet(wanted.getUint32(offsets.sa_mask, true), wanted.getUint32(offsets.sa_mask + 4, true));
    mask.deleteAll(UNSTOPPABLE);
    const address = (offset: number): number =>
      wanted.getUint32(offset + 4, true) * 4294967296 + wanted.getUint32(offset, true);
    const handlerAddress = address(offsets.sa_handler);
    task.actions.set(signal, {
      handler: handlerAddress,
      flags: wanted.getUint32(offsets.sa_flags, true) & KNOWN_FLAGS,
      restorer: address(offsets.sa_restorer),
      mask,
    });
    const ignored = handlerAddress === SIG_IGN || (handlerAddress === SIG_DFL && defaultAction(signal) === "ignore");
    if (ignored) discardPending(task, signal);
  }
  if (oldAddress !== 0) {
    const bytes = new Uint8Array(sigaction.size);
    sigaction.encode(new DataView(bytes.buffer), 0, {
      sa_handler: old.handler,
      sa_flags: old.flags >>> 0,
      sa_restorer: old.restorer,
      sa_mask: (BigInt(old.mask.high) << 32n) | BigInt(old.mask.low),
    });
    copyToUser(task.memory, oldAddress, bytes);
  }
  return 0;
});

/** Ignoring a signal throws away what is pending of it, blocked or not (POSIX 3.3.1.3). */
function discardPending(task: Task, signal: number): void {
  const one = SignalSet.of(signal);
  task.group.pending.discard(one);
  for (const thread of task.group.tasks) {
    thread.pending.discard(one);
    recalculatePending(thread);
  }
}

export const rt_sigprocmask = handler("rt_sigprocmask", (task, how, setAddress, oldAddress, setSize) => {
  if (setSize !== SIGSET_SIZE) throw EINVAL;
  const old = task.blockedSignals.clone();
  if (setAddress !== 0) {
    const set = readSignalSet(task, setAddress);
    const next = old.clone();
    if (how === SIG_BLOCK) next.addAll(set);
    else if (how === SIG_UNBLOCK) next.deleteAll(set);
    else if (how === SIG_SETMASK) next.copyFrom(set);
    else throw EINVAL;
    setBlockedSignals(task, next);
  }
  if (oldAddress !== 0) writeSignalSet(task, oldAddress, old);
  return 0;
});

export const rt_sigpending = handler("rt_sigpending", (task, address, setSize) => {
  if (setSize > SIGSET_SIZE) throw EINVAL;
  const set = task.pending.set.clone();
  set.addAll(task.group.pending.set);
  const blocked = new SignalSet(set.low & task.blockedSignals.low, set.high & task.blockedSignals.high);
  writeSignalSet(task, address, blocked, setSize);
  return 0;
});

export const rt_sigsuspend = handler("rt_sigsuspend", (task, address, setSize) => {
  if (setSize !== SIGSET_SIZE) throw EINVAL;
  if (task.callProgress === 0) {
    const set = readSignalSet(task, address);
    task.savedMask = task.blockedSignals.clone();
    setBlockedSignals(task, set);
    task.callProgress = 1;
  }
  return task.sleepOn(null, Infinity, -ERESTARTNOHAND.number);
});

export const pause = handler("pause", (task) => task.sleepOn(null, Infinity, -ERESTARTNOHAND.number));

export const rt_sigreturn = handler("rt_sigreturn", (task) => {
  try {
    popSignalFrame(task);
  } catch (error) {
    if (error !== EFAULT) throw error;
    forceSignal(task, { signo: SIGSEGV, code: SI_KERNEL });
  }
  return REGISTERS_SET;
});

export const sigaltstack = handler("sigaltstack", (task, newAddress, oldAddress) => {
  const { altStack } = task;
  const sp = task.kernel.engine.cpu.get(RSP);
  const inUse = onAltStack(task, sp);
  const wanted =
    newAddress === 0 ? null : stack_t.decode(new DataView(readBytes(task.memory, newAddress, 24).buffer), 0);
  if (wanted) {
    if (inUse) throw EPERM;
    const mode = (wanted.ss_flags & ~SS_AUTODISARM) >>> 0;
    if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) throw EINVAL;
    if (mode === SS_DISABLE) {
      task.altStack = { sp: 0, size: 0, flags: wanted.ss_flags };
    } else {
      const size = Number(wanted.ss_size);
      if (size < MINSIGSTKSZ) throw ENOMEM;
      task.altStack = { sp: Number(wanted.ss_sp), size, flags: wanted.ss_flags };
    }
  }
  if (oldAddress !== 0) {
    const flags = (altStack.size === 0 ? SS_DISABLE : inUse ? SS_ONSTACK : 0) | (altStack.flags & SS_AUTODISARM);
    const bytes = new Uint8Array(stack_t.size);
    const view = new DataView(bytes.buffer);
    stack_t.encode(view, 0, { ss_sp: altStack.sp, ss_flags: flags >>> 0, ss_size: altStack.size });
    copyToUser(task.memory, oldAddress, bytes);
  }
  return 0;
});

export const rt_sigtimedwait = handler("rt_sigtimedwait", (task, setAddress, infoAddress, timeout, setSize) => {
  if (setSize !== SIGSET_SIZE) throw EINVAL;
  const set = readSignalSet(task, setAddress);
  set.deleteAll(UNSTOPPABLE);
  if (task.callDeadline < 0) task.callDeadline = timeout === 0 ? Infinity : deadlineFrom(task, timeout);
  const others = new SignalSet(~set.low, ~set.high);
  const own = task.pending.set.firstNotIn(others);
  const signal = own || task.group.pending.set.firstNotIn(others);
  task.awaitedSignals = null;
  if (signal !== 0) {
    const info = own !== 0 ? task.pending.take(signal) : task.group.pending.take(signal);
    recalculatePending(task);
    if (infoAddress !== 0) copyToUser(task.memory, infoAddress, encodeSigInfo(info));
    return signal;
  }
  if (task.kernel.now() >= task.callDeadline) return -EAGAIN.number;
  task.awaitedSignals = set;
  return task.sleepOn(null, task.callDeadline, -EINTR.number);
});

/** @throws EFAULT EINVAL */
function deadlineFrom(task: Task, timespec: number): number {
  const seconds = readU64(task.memory, timespec);
  const nanoseconds = readU32(task.memory, timespec + 8);
  if (seconds >= 2 ** 63 || nanoseconds >= 1e9) throw EINVAL;
  return task.kernel.now() + seconds * 1e9 + nanoseconds;
}
