/**
 * Priority-inheritance futexes: locks whose word names the owner, handed from owner to waiter by the kernel (futex(2),
 * "Priority-inheritance futexes"). All tasks run with one priority, so waiters are served in order.
 */
import { EAGAIN, EDEADLK, EINVAL, EPERM, ERESTARTNOINTR, ESRCH, ETIMEDOUT, Errno } from "../../abi/errno.ts";
import { readU32, writeU32 } from "../mm/user-copy.ts";
import { TASK_ZOMBIE, type Task } from "../task/task.ts";
import { FUTEX_BITSET_ANY } from "./futex.ts";

export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;

/** Takes a free lock for a task, or says who has it. @throws EFAULT EDEADLK ESRCH EINVAL */
function acquire(caller: Task, task: Task, key: string, address: number): Task | null {
  const { futexes } = caller.kernel;
  const word = readU32(caller.memory, address);
  const tid = word & FUTEX_TID_MASK;
  if (tid === task.tid) throw EDEADLK;
  const known = futexes.ownerOf(key);
  if (tid === 0 && !known) {
    const waiters = futexes.waiting(key) > 0 ? FUTEX_WAITERS : 0;
    writeU32(caller.memory, address, (task.tid | (word & FUTEX_OWNER_DIED) | waiters) >>> 0);
    return null;
  }
  const owner = known ?? caller.pid.namespace.find(tid)?.task;
  if (!owner || owner.state >= TASK_ZOMBIE) throw ESRCH;
  if (known && (tid === 0 || known.tid !== tid)) throw EINVAL;
  writeU32(caller.memory, address, (word | FUTEX_WAITERS) >>> 0);
  return owner;
}

/** FUTEX_LOCK_PI, FUTEX_LOCK_PI2. */
export function lockPi(task: Task, key: string, address: number, deadline: number): number {
  const { futexes } = task.kernel;
  const owner = acquire(task, task, key, address);
  if (!owner) return 0;
  if (task.kernel.now() >= deadline) return -ETIMEDOUT.number;
  futexes.setOwner(key, owner);
  task.piAddress = address;
  const entry = { key, bitset: FUTEX_BITSET_ANY };
  return futexes.sleep(task, [entry], deadline, -ERESTARTNOINTR.number, { pi: true });
}

/** FUTEX_TRYLOCK_PI. */
export function tryLockPi(task: Task, key: string, address: number): number {
  const before = readU32(task.memory, address);
  const owner = acquire(task, task, key, address);
  if (!owner) return 0;
  writeU32(task.memory, address, before);
  throw EAGAIN;
}

/** FUTEX_UNLOCK_PI: the lock goes to the longest waiter, or is free. */
export function unlockPi(task: Task, key: string, address: number): number {
  const { futexes } = task.kernel;
  const word = readU32(task.memory, address);
  if ((word & FUTEX_TID_MASK) !== task.tid) throw EPERM;
  const first = futexes.first(key);
  if (first && !first.wait.pi) throw EINVAL;
  if (!handOver(task, key, address, 0)) writeU32(task.memory, address, 0);
  return 0;
}

/** Gives a lock to its longest waiter; false if there is none. */
function handOver(from: Task, key: string, address: number, died: number): boolean {
  const { futexes } = from.kernel;
  const first = futexes.first(key);
  if (!first) return false;
  const more = futexes.waiting(key) > 1;
  writeU32(from.memory, address, (first.task.tid | (more ? FUTEX_WAITERS : 0) | died) >>> 0);
  futexes.setOwner(key, more ? first.task : null);
  if (more) first.task.piAddress = address;
  futexes.wakeFirst(key);
  return true;
}

/** A task ends: locks it holds that others wait for go to them, marked as left behind. */
export function releasePiLocks(task: Task): void {
  for (const key of [...task.piLocks]) {
    const waiter = task.kernel.futexes.first(key);
    task.kernel.futexes.setOwner(key, null);
    if (!waiter || !task.mm) continue;
    try {
      handOver(task, key, waiter.task.piAddress, FUTEX_OWNER_DIED);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    }
  }
}

/**
 * FUTEX_CMP_REQUEUE_PI: the longest waiter gets the lock if it is free, the others wait for it.
 * @returns tasks woken or moved
 * @throws EINVAL if a waiter is not one of FUTEX_WAIT_REQUEUE_PI for this lock
 */
export function requeuePi(task: Task, from: string, to: string, toAddress: number, count: number): number {
  const { futexes } = task.kernel;
  let done = 0;
  while (done <= count) {
    const first = futexes.first(from);
    if (!first) break;
    if (first.wait.pi || first.wait.target?.key !== to) throw EINVAL;
    const owner = acquire(task, first.task, to, toAddress);
    if (!owner) {
      futexes.wakeFirst(from);
    } else {
      first.task.piAddress = toAddress;
      futexes.requeue(from, to, 1);
      // A signal does not take it back to the first word: the caller is told that the value has changed.
      first.task.callInterrupted = -EAGAIN.number;
      futexes.setOwner(to, owner);
    }
    done++;
  }
  return done;
}
