/** futex(2), futex_waitv, the robust list calls and set_tid_address(2). */
import {
  EAGAIN,
  EFAULT,
  EINVAL,
  ENOSYS,
  EPERM,
  ERESTARTNOINTR,
  ERESTARTSYS,
  ERESTART_RESTARTBLOCK,
  ESRCH,
  ETIMEDOUT,
} from "../../abi/errno.ts";
import * as abi from "../../abi/futex.ts";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../../abi/time.ts";
import { R10, R9, RDI, RDX, RSI } from "../../emulator/registers.ts";
import { handler } from "../dispatch.ts";
import { FUTEX_BITSET_ANY, type FutexEntry } from "../ipc/futex.ts";
import { lockPi, requeuePi, tryLockPi, unlockPi } from "../ipc/futex-pi.ts";
import { TASK_SIZE } from "../mm/layout.ts";
import { readBytes, readU32, writeU32, writeU64 } from "../mm/user-copy.ts";
import { absoluteDeadline, readTimespec } from "../task/deadline.ts";
import type { Task } from "../task/task.ts";

const COMMAND = 0x7f;
const ROBUST_LIST_HEAD_SIZE = 24;
const MAX_VECTOR = 128;
/** Commands that may count their time-out on CLOCK_REALTIME. */
const WITH_CLOCK: readonly number[] = [abi.FUTEX_WAIT_BITSET, abi.FUTEX_WAIT_REQUEUE_PI, abi.FUTEX_LOCK_PI2];

/** @throws EINVAL EFAULT */
function keyOf(task: Task, address: number, isPrivate: boolean): string {
  if (address % 4 !== 0) throw EINVAL;
  if (address >= TASK_SIZE) throw EFAULT;
  // A shared futex lives in a page that must be there; a private one is only a number.
  if (!isPrivate) readU32(task.memory, address);
  return task.kernel.futexes.key(task.memory, address, !isPrivate);
}

/** The second half of every wait: the call is run again after its sleep. */
function resume(task: Task): number {
  const { futexes } = task.kernel;
  const { woken } = task.futexWait!;
  if (woken >= 0) {
    task.futexWait = null;
    return woken;
  }
  if (task.kernel.now() >= task.callDeadline) {
    futexes.cancel(task);
    return -ETIMEDOUT.number;
  }
  return task.sleepOn(null, task.callDeadline, task.callInterrupted);
}

function wait(task: Task, address: number, operation: number, value: number, timeout: number, bitset: number): number {
  if (bitset === 0) throw EINVAL;
  const relative = (operation & COMMAND) === abi.FUTEX_WAIT;
  if (task.callDeadline < 0) task.callDeadline = deadlineOf(task, operation, timeout, relative);
  const key = keyOf(task, address, (operation & abi.FUTEX_PRIVATE_FLAG) !== 0);
  if (readU32(task.memory, address) !== value >>> 0) throw EAGAIN;
  if (task.kernel.now() >= task.callDeadline) return -ETIMEDOUT.number;
  let interrupted = -ERESTARTSYS.number;
  if (task.callDeadline !== Infinity) {
    // Started again, the call must not wait longer than it was asked to.
    task.restartBlock = { number: futex.row.number, deadline: task.callDeadline, remaining: 0 };
    interrupted = -ERESTART_RESTARTBLOCK.number;
  }
  return task.kernel.futexes.sleep(task, [{ key, bitset }], task.callDeadline, interrupted);
}

function deadlineOf(task: Task, operation: number, timeout: number, relative: boolean): number {
  if (timeout === 0) return Infinity;
  const time = readTimespec(task, timeout);
  if (relative) return task.kernel.now() + time;
  const realtime = (operation & COMMAND) === abi.FUTEX_LOCK_PI || (operation & abi.FUTEX_CLOCK_REALTIME) !== 0;
  return absoluteDeadline(task, time, realtime);
}

/** restart_syscall(2) for a futex wait that was interrupted: the registers still hold its arguments. */
export function restartFutexWait(task: Task): number {
  if (task.futexWait) return resume(task);
  const { cpu } = task.kernel.engine;
  const word = (register: number): number => cpu.u32[register * 2]!;
  const operation = word(RSI);
  const bitset = (operation & COMMAND) === abi.FUTEX_WAIT ? FUTEX_BITSET_ANY : word(R9);
  return wait(task, cpu.get(RDI), operation, word(RDX), cpu.get(R10), bitset);
}

export const futex = handler("futex", (task, address, operation, value, timeout, address2) => {
  if (task.futexWait) return resume(task);
  const { futexes } = task.kernel;
  // 32 bits of the register, which may hold -1 in 64: as a number that would be rounded to 2^64.
  const value3 = task.kernel.engine.cpu.u32[R9 * 2]! | 0;
  const command = operation & COMMAND;
  const isPrivate = (operation & abi.FUTEX_PRIVATE_FLAG) !== 0;
  if ((operation & abi.FUTEX_CLOCK_REALTIME) !== 0 && !WITH_CLOCK.includes(command)) throw ENOSYS;
  const key = (at: number): string => keyOf(task, at, isPrivate);
  // For the requeue operations the fourth argument is a count.
  const value2 = task.kernel.engine.cpu.u32[R10 * 2]! | 0;
  switch (command) {
    case abi.FUTEX_WAIT:
      return wait(task, address, operation, value, timeout, FUTEX_BITSET_ANY);
    case abi.FUTEX_WAIT_BITSET:
      return wait(task, address, operation, value, timeout, value3 >>> 0);
    case abi.FUTEX_WAKE:
      return wake(task, key(address), value, FUTEX_BITSET_ANY);
    case abi.FUTEX_WAKE_BITSET:
      if (value3 >>> 0 === 0) throw EINVAL;
      return wake(task, key(address), value, value3 >>> 0);
    case abi.FUTEX_REQUEUE:
    case abi.FUTEX_CMP_REQUEUE: {
      if ((value | 0) < 0 || value2 < 0) throw EINVAL;
      const [from, to] = [key(address), key(address2)];
      if (command === abi.FUTEX_CMP_REQUEUE && readU32(task.memory, address) !== value3 >>> 0) throw EAGAIN;
      if (futexes.first(from)?.wait.target || futexes.first(from)?.wait.pi) throw EINVAL;
      return futexes.wakeKey(from, value | 0, FUTEX_BITSET_ANY) + futexes.requeue(from, to, value2);
    }
    case abi.FUTEX_WAKE_OP: {
      const [from, to] = [key(address), key(address2)];
      const also = applyWakeOperation(task, address2, value3);
      const woken = wake(task, from, value, FUTEX_BITSET_ANY);
      return also ? woken + wake(task, to, value2, FUTEX_BITSET_ANY) : woken;
    }
    case abi.FUTEX_LOCK_PI:
    case abi.FUTEX_LOCK_PI2:
      if (task.callDeadline < 0) task.callDeadline = deadlineOf(task, operation, timeout, false);
      return lockPi(task, key(address), address, task.callDeadline);
    case abi.FUTEX_TRYLOCK_PI:
      return tryLockPi(task, key(address), address);
    case abi.FUTEX_UNLOCK_PI:
      return unlockPi(task, key(address), address);
    case abi.FUTEX_WAIT_REQUEUE_PI:
      return waitRequeuePi(task, address, operation, value, timeout, address2);
    case abi.FUTEX_CMP_REQUEUE_PI: {
      if ((value | 0) !== 1 || value2 < 0 || address === address2) throw EINVAL;
      const [from, to] = [key(address), key(address2)];
      if (readU32(task.memory, address) !== value3 >>> 0) throw EAGAIN;
      return requeuePi(task, from, to, address2, value2);
    }
    default:
      throw ENOSYS;
  }
});

/** A waiter for a lock cannot be woken by anything but the lock. @throws EINVAL */
function wake(task: Task, key: string, count: number, bitset: number): number {
  const { futexes } = task.kernel;
  const first = futexes.first(key);
  if (first && (first.wait.pi || first.wait.target)) throw EINVAL;
  return futexes.wakeKey(key, Math.max(1, count | 0), bitset);
}

function waitRequeuePi(
  task: Task,
  address: number,
  operation: number,
  value: number,
  timeout: number,
  lock: number,
): number {
  if (address === lock) throw EINVAL;
  const isPrivate = (operation & abi.FUTEX_PRIVATE_FLAG) !== 0;
  if (task.callDeadline < 0) task.callDeadline = deadlineOf(task, operation, timeout, false);
  const [from, to] = [keyOf(task, address, isPrivate), keyOf(task, lock, isPrivate)];
  if (readU32(task.memory, address) !== value >>> 0) throw EAGAIN;
  if (task.kernel.now() >= task.callDeadline) return -ETIMEDOUT.number;
  const entry = { key: from, bitset: FUTEX_BITSET_ANY };
  const target = { key: to, address: lock };
  // Until it has been moved to the lock, the call may simply be made again.
  return task.kernel.futexes.sleep(task, [entry], task.callDeadline, -ERESTARTNOINTR.number, { target });
}

/** FUTEX_WAKE_OP: changes the second word and compares what it was. @throws EFAULT ENOSYS */
function applyWakeOperation(task: Task, address: number, encoded: number): boolean {
  const operation = (encoded >>> 28) & 7;
  const comparison = (encoded >>> 24) & 15;
  let operand = (encoded << 8) >> 20;
  const compared = (encoded << 20) >> 20;
  if (((encoded >>> 28) & abi.FUTEX_OP_OPARG_SHIFT) !== 0) operand = 1 << (operand & 31);
  const old = readU32(task.memory, address) | 0;
  const results = [operand, (old + operand) | 0, old | operand, old & ~operand, old ^ operand];
  const next = results[operation];
  if (next === undefined) throw ENOSYS;
  writeU32(task.memory, address, next >>> 0);
  const outcomes = [
    old === compared,
    old !== compared,
    old < compared,
    old <= compared,
    old > compared,
    old >= compared,
  ];
  const outcome = outcomes[comparison];
  if (outcome === undefined) throw ENOSYS;
  return outcome;
}

/** struct futex_waitv: value, address, flags, reserved. */
const WAITV_SIZE = 24;
const FUTEX2_SIZE_U32 = 2;
const FUTEX2_PRIVATE = 128;

export const futex_waitv = handler("futex_waitv", (task, vector, count, flags, timeout, clock) => {
  if (task.futexWait) return resume(task);
  if (flags !== 0 || count === 0 || count > MAX_VECTOR || vector === 0) throw EINVAL;
  if (timeout !== 0 && task.callDeadline < 0) {
    if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC) throw EINVAL;
    task.callDeadline = absoluteDeadline(task, readTimespec(task, timeout), clock === CLOCK_REALTIME);
  } else if (task.callDeadline < 0) task.callDeadline = Infinity;
  const view = new DataView(readBytes(task.memory, vector, count * WAITV_SIZE).buffer);
  const entries: FutexEntry[] = [];
  const words: { address: number; value: number }[] = [];
  for (let at = 0; at < count * WAITV_SIZE; at += WAITV_SIZE) {
    const entryFlags = view.getUint32(at + 16, true);
    if ((entryFlags & ~FUTEX2_PRIVATE) !== FUTEX2_SIZE_U32 || view.getUint32(at + 20, true) !== 0) throw EINVAL;
    const address = Number(view.getBigUint64(at + 8, true));
    words.push({ address, value: view.getUint32(at, true) });
    entries.push({ key: keyOf(task, address, (entryFlags & FUTEX2_PRIVATE) !== 0), bitset: FUTEX_BITSET_ANY });
  }
  for (const { address, value } of words) if (readU32(task.memory, address) !== value) throw EAGAIN;
  if (task.kernel.now() >= task.callDeadline) return -ETIMEDOUT.number;
  return task.kernel.futexes.sleep(task, entries, task.callDeadline, -ERESTARTSYS.number);
});

export const set_tid_address = handler("set_tid_address", (task, address) => {
  task.clearChildTid = address;
  return task.tid;
});

export const set_robust_list = handler("set_robust_list", (task, head, length) => {
  if (length !== ROBUST_LIST_HEAD_SIZE) throw EINVAL;
  task.robustList = head;
  return 0;
});

export const get_robust_list = handler("get_robust_list", (task, tid, headAddress, lengthAddress) => {
  const target = tid === 0 ? task : task.pid.namespace.find(tid)?.task;
  if (!target) throw ESRCH;
  if (target.creds.uid !== task.creds.euid && task.creds.euid !== 0) throw EPERM;
  writeU64(task.memory, lengthAddress, ROBUST_LIST_HEAD_SIZE);
  writeU64(task.memory, headAddress, target.robustList);
  return 0;
});
