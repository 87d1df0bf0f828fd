/** Locks held by a thread that dies: marked and handed on (get_robust_list(2), robust-futexes in Linux's docs). */
import { Errno } from "../../abi/errno.ts";
import { readI64, readU32, readU64, writeU32 } from "../mm/user-copy.ts";
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from "./futex-pi.ts";
import type { Task } from "../task/task.ts";

/** A list that is longer is taken to be circular. */
const MAX_ENTRIES = 2048;

/** Walks the robust list of an ending task; whatever is wrong with it is the guest's own business. */
export function releaseRobustList(task: Task): void {
  const head = task.robustList;
  task.robustList = 0;
  if (head === 0 || !task.mm) return;
  try {
    const offset = readI64(task.mm, head + 8);
    const pending = readU64(task.mm, head + 16);
    let entry = readU64(task.mm, head);
    for (let count = 0; clearPi(entry) !== head && count < MAX_ENTRIES; count++) {
      const next = readU64(task.mm, clearPi(entry));
      if (clearPi(entry) !== clearPi(pending)) releaseLock(task, clearPi(entry) + offset, isPi(entry), false);
      entry = next;
    }
    if (clearPi(pending) !== 0) releaseLock(task, clearPi(pending) + offset, isPi(pending), true);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
}

/** The lowest bit of an entry marks a priority-inheritance futex. */
const isPi = (entry: number): boolean => entry % 2 === 1;
const clearPi = (entry: number): number => entry - (entry % 2);

function releaseLock(task: Task, address: number, pi: boolean, pending: boolean): void {
  const mm = task.mm!;
  const word = readU32(mm, address);
  // A lock just being released may be free already, with nobody told yet.
  if (pending && !pi && (word & FUTEX_TID_MASK) === 0) task.kernel.futexes.wake(mm, address, 1);
  if ((word & FUTEX_TID_MASK) !== task.tid) return;
  writeU32(mm, address, ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
  if (!pi && (word & FUTEX_WAITERS) !== 0) task.kernel.futexes.wake(mm, address, 1);
}
