/** futex(2), the robust list calls and set_tid_address(2). */
import { EAGAIN, EFAULT, EINVAL, ENOSYS, EPERM, ERESTARTSYS, ESRCH, ETIMEDOUT } from "../../abi/errno.ts";
import * as abi from "../../abi/futex.ts";
import { handler } from "../dispatch.ts";
import { FUTEX_BITSET_ANY } from "../ipc/futex.ts";
import { TASK_SIZE } from "../mm/layout.ts";
import { readU32, writeU32, writeU64 } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { absoluteDeadline, readTimespec } from "../task/deadline.ts";

const COMMAND = 0x7f;
const ROBUST_LIST_HEAD_SIZE = 24;

function keyOf(task: Task, address: number, operation: number): string {
  if (address % 4 !== 0) throw EINVAL;
  if (address >= TASK_SIZE) throw EFAULT;
  const shared = (operation & abi.FUTEX_PRIVATE_FLAG) === 0;
  // A shared futex lives in a page that must be there; a private one is only a number.
  if (shared) readU32(task.memory, address);
  return task.kernel.futexes.key(task.memory, address, shared);
}

function wait(task: Task, address: number, operation: number, value: number, timeout: number, bitset: number): number {
  const { futexes } = task.kernel;
  if (task.futexWait) {
    // Run again after a sleep.
    const { woken } = task.futexWait;
    if (woken) {
      task.futexWait = null;
      return 0;
    }
    if (task.kernel.now() >= task.callDeadline) {
      futexes.cancel(task);
      return -ETIMEDOUT.number;
    }
    return task.sleepOn(null, task.callDeadline, -ERESTARTSYS.number);
  }
  if (bitset === 0) throw EINVAL;
  if (task.callDeadline < 0) task.callDeadline = waitDeadline(task, operation, timeout);
  const key = keyOf(task, address, operation);
  if (readU32(task.memory, address) !== value >>> 0) throw EAGAIN;
  if (task.kernel.now() >= task.callDeadline) return -ETIMEDOUT.number;
  return futexes.sleep(task, key, bitset, task.callDeadline, -ERESTARTSYS.number);
}

/** FUTEX_WAIT has a relative time-out, FUTEX_WAIT_BITSET an absolute one. */
function waitDeadline(task: Task, operation: number, timeout: number): number {
  if (timeout === 0) return Infinity;
  const time = readTimespec(task, timeout);
  if ((operation & COMMAND) === abi.FUTEX_WAIT) return task.kernel.now() + time;
  return absoluteDeadline(task, time, (operation & abi.FUTEX_CLOCK_REALTIME) !== 0);
}

export const futex = handler("futex", (task, address, operation, value, timeout, address2, value3) => {
  const { futexes } = task.kernel;
  const command = operation & COMMAND;
  const clockAllowed =
    command === abi.FUTEX_WAIT_BITSET || command === abi.FUTEX_WAIT_REQUEUE_PI || command === abi.FUTEX_LOCK_PI2;
  if ((operation & abi.FUTEX_CLOCK_REALTIME) !== 0 && !clockAllowed) throw ENOSYS;
  // For the requeue operations the fourth argument is a count.
  const value2 = (timeout % 4294967296) | 0;
  switch (command) {
    case abi.FUTEX_WAIT:
      return wait(task, address, operation, value, timeout, FUTEX_BITSET_ANY);
    case abi.FUTEX_WAIT_BITSET:
      return wait(task, address, operation, value, timeout, value3 >>> 0);
    case abi.FUTEX_WAKE:
      return futexes.wakeKey(keyOf(task, address, operation), Math.max(1, value | 0), FUTEX_BITSET_ANY);
    case abi.FUTEX_WAKE_BITSET:
      if (value3 >>> 0 === 0) throw EINVAL;
      return futexes.wakeKey(keyOf(task, address, operation), Math.max(1, value | 0), value3 >>> 0);
    case abi.FUTEX_REQUEUE:
    case abi.FUTEX_CMP_REQUEUE: {
      if ((value | 0) < 0 || value2 < 0) throw EINVAL;
      const from = keyOf(task, address, operation);
      const to = keyOf(task, address2, operation);
      if (command === abi.FUTEX_CMP_REQUEUE && readU32(task.memory, address) !== value3 >>> 0) throw EAGAIN;
      const woken = futexes.wakeKey(from, value | 0, FUTEX_BITSET_ANY);
      return woken + futexes.requeue(from, to, value2);
    }
    case abi.FUTEX_WAKE_OP: {
      const from = keyOf(task, address, operation);
      const to = keyOf(task, address2, operation);
      const also = applyWakeOperation(task, address2, value3);
      const woken = futexes.wakeKey(from, Math.max(1, value | 0), FUTEX_BITSET_ANY);
      return also ? woken + futexes.wakeKey(to, Math.max(1, value2), FUTEX_BITSET_ANY) : woken;
    }
    default:
      throw ENOSYS;
  }
});

/** FUTEX_WAKE_OP: changes the second word and compares what it was. @throws EFAULT ENOSYS */
function applyWakeOperation(task: Task, address: number, encoded: number): boolean {
  const operation = (encoded >>> 28) & 7;
  const comparison = (encoded >>> 24) & 15;
  let operand = (encoded << 8) >> 20;
  const compared = (encoded << 20) >> 20;
  if (((encoded >>> 28) & 8) !== 0) operand = 1 << (operand & 31);
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
