/** process_vm_readv(2), process_vm_writev(2) and kcmp(2): looking into other processes. */
import { EBADF, EFAULT, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import { KCMP_FILE, KCMP_FILES, KCMP_FS, KCMP_IO, KCMP_SIGHAND, KCMP_SYSVSEM, KCMP_VM } from "../../abi/ptrace.ts";
import { handler } from "../dispatch.ts";
import { mayInspect } from "../fs/procfs/inspect.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { copyToUser, forEachPiece, readI64, readU64 } from "../mm/user-copy.ts";
import { TASK_ZOMBIE, type Task } from "../task/task.ts";

const IOV_MAX = 1024;
const IOVEC_SIZE = 16;

interface Range {
  address: number;
  length: number;
}

/** @throws EINVAL EFAULT */
function readRanges(task: Task, address: number, count: number): Range[] {
  if (count > IOV_MAX) throw EINVAL;
  const ranges: Range[] = [];
  for (let at = address; ranges.length < count; at += IOVEC_SIZE) {
    const length = readI64(task.memory, at + 8);
    if (length < 0) throw EINVAL;
    ranges.push({ address: readU64(task.memory, at), length });
  }
  return ranges;
}

/** @throws ESRCH EPERM */
function targetOf(task: Task, pid: number): Task {
  const target = task.pid.namespace.find(pid)?.task;
  if (!target || target.state >= TASK_ZOMBIE || !target.mm) throw ESRCH;
  if (!mayInspect(task, target)) throw EPERM;
  return target;
}

/** Copies between two lists of ranges; what cannot be reached ends the copy, and is EFAULT only at its start. */
function copyRanges(from: AddressSpace, sources: Range[], to: AddressSpace, targets: Range[]): number {
  let done = 0;
  let [source, target] = [0, 0];
  let [sourceAt, targetAt] = [0, 0];
  try {
    while (source < sources.length && target < targets.length) {
      const left = Math.min(sources[source]!.length - sourceAt, targets[target]!.length - targetAt);
      if (left > 0) {
        const destination = targets[target]!.address + targetAt;
        const moved = forEachPiece(from, sources[source]!.address + sourceAt, left, false, (piece) => {
          copyToUser(to, destination, piece);
          return piece.length;
        });
        done += moved;
        if (moved < left) return done;
      }
      sourceAt += left;
      targetAt += left;
      if (sourceAt === sources[source]!.length) [source, sourceAt] = [source + 1, 0];
      if (targetAt === targets[target]!.length) [target, targetAt] = [target + 1, 0];
    }
  } catch (error) {
    if (error !== EFAULT || done === 0) throw error;
  }
  return done;
}

export const process_vm_readv = handler("process_vm_readv", (task, pid, local, localCount, remote, count, flags) => {
  if (flags !== 0) throw EINVAL;
  const targets = readRanges(task, local, localCount);
  const sources = readRanges(task, remote, count);
  if (targets.length === 0 || sources.length === 0) return 0;
  return copyRanges(targetOf(task, pid).memory, sources, task.memory, targets);
});

export const process_vm_writev = handler("process_vm_writev", (task, pid, local, localCount, remote, count, flags) => {
  if (flags !== 0) throw EINVAL;
  const sources = readRanges(task, local, localCount);
  const targets = readRanges(task, remote, count);
  if (targets.length === 0 || sources.length === 0) return 0;
  return copyRanges(task.memory, sources, targetOf(task, pid).memory, targets);
});

/** Numbers for kernel objects, so that they have an order: 0 equal, 1 less, 2 greater. */
class Ordering {
  private readonly numbers = new WeakMap<object, number>();
  private next = 1;

  compare(a: object, b: object): number {
    const [left, right] = [this.numberOf(a), this.numberOf(b)];
    return left === right ? 0 : left < right ? 1 : 2;
  }

  private numberOf(object: object): number {
    let number = this.numbers.get(object);
    if (number === undefined) this.numbers.set(object, (number = this.next++));
    return number;
  }
}

export const kcmp = handler("kcmp", (task, pid1, pid2, type, index1, index2) => {
  const [first, second] = [pid1, pid2].map((pid) => task.pid.namespace.find(pid)?.task);
  if (!first || !second) throw ESRCH;
  if (!mayInspect(task, first) || !mayInspect(task, second)) throw EPERM;
  const ordering = (task.kernel.ordering ??= new Ordering());
  switch (type) {
    case KCMP_FILE: {
      const [a, b] = [first.files.peek(index1), second.files.peek(index2)];
      if (!a || !b) throw EBADF;
      return ordering.compare(a, b);
    }
    case KCMP_VM:
      return ordering.compare(first.mm ?? first, second.mm ?? second);
    case KCMP_FILES:
      return ordering.compare(first.files, second.files);
    case KCMP_FS:
      return ordering.compare(first.fs, second.fs);
    case KCMP_SIGHAND:
      return ordering.compare(first.actions, second.actions);
    case KCMP_IO:
    case KCMP_SYSVSEM:
      // Nobody has any: equal, as two null pointers are.
      return 0;
    default:
      throw EINVAL;
  }
});
