/** Signal sets in user memory: 8 bytes, signal n is bit n - 1 (sigprocmask(2)). */
import { SIGSET_SIZE } from "../../abi/signal.ts";
import { copyToUser, readBytes } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { SignalSet } from "./signal-set.ts";

/** @throws EFAULT */
export function readSignalSet(task: Task, address: number): SignalSet {
  const view = new DataView(readBytes(task.memory, address, SIGSET_SIZE).buffer);
  return new SignalSet(view.getUint32(0, true), view.getUint32(4, true));
}

/** Writes the set, or its first `size` bytes. @throws EFAULT */
export function writeSignalSet(task: Task, address: number, set: SignalSet, size = SIGSET_SIZE): void {
  const bytes = new Uint8Array(SIGSET_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, set.low, true);
  view.setUint32(4, set.high, true);
  copyToUser(task.memory, address, bytes.subarray(0, size));
}
