/** Locks held by a thread that dies: marked and handed on (get_robust_list(2), robust-futexes in Linux's docs). */
import { Errno } from "../../abi/errno.ts";
import { readI64, readU32, readU64, writeU32 } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";

const FUTEX_WAITERS = 0x80000000;
const FUTEX_OWNER_DIED = 0x40000000;
const FUTEX_TID_MASK = 0x3fffffff;
/** A list that is longer is taken to be circular. */
const MAX_ENTRIES = 2048;

/** Walks the robust list of an ending task; whatever is wrong with it is the guest's own business. */
export function releaseRobustList(task: Task): void {
  const head = task.robustList;
  task.robustList = 0;
  if (head === 0 || !task.mm) return;
  try {
    const offset = readI64(task.mm, head + 8);
    const pending = clearPi(readU64(task.mm, head + 16));
    let entry = clearPi(readU64(task.mm, head));
    for (let count = 0; entry !== head && count < MAX_ENTRIES; count++) {
      const next = clearPi(readU64(task.mm, entry));
      if (entry !== pending) releaseLock(task, entry + offset);
      entry = next;
    }
    if (pending !== 0) releaseLock(task, pending + offset);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
}

/** The lowest bit of an entry marks a priority-inheritance futex. */
const clearPi = (entry: number): number => entry - (entry % 2);

function releaseLock(task: Task, address: number): void {
  const mm = task.mm!;
  const word = readU32(mm, address);
  if ((word & FUTEX_TID_MASK) !== task.pid.own) return;
  writeU32(mm, address, ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
  if ((word & FUTEX_WAITERS) !== 0) task.kernel.futexes.wake(mm, address, 1);
}
