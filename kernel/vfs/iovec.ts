/** The buffers of readv(2), writev(2) and their relatives. */
import { EINVAL } from "../../abi/errno.ts";
import { IOV_MAX, MAX_RW_COUNT } from "../../abi/fcntl.ts";
import { checkRange, readI64, readU64 } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { VectorTransfer } from "./transfer.ts";

const IOVEC_SIZE = 16;

/** @throws EINVAL EFAULT */
export function userVector(task: Task, address: number, count: number, intoUser: boolean): VectorTransfer {
  if (count > IOV_MAX) throw EINVAL;
  const addresses: number[] = [];
  const lengths: number[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    const base = readU64(task.memory, address + index * IOVEC_SIZE);
    const length = readI64(task.memory, address + index * IOVEC_SIZE + 8);
    if (length < 0) throw EINVAL;
    checkRange(base, length);
    // What goes beyond the most one call moves is left out silently.
    const counted = Math.min(length, MAX_RW_COUNT - total);
    addresses.push(base);
    lengths.push(counted);
    total += counted;
  }
  return new VectorTransfer(task.memory, addresses, lengths, total, intoUser);
}
