/** clone(2), fork(2), vfork(2), clone3 and clone2: five skins over one core (spec clone2, sections 1 and 3). */
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN } from "../../abi/capability.ts";
import {
  CLONE_ARGS_SIZE_VER0,
  CLONE_ARGS_SIZE_VER2,
  CLONE_CLEAR_SIGHAND,
  CLONE_DETACHED,
  CLONE_INTO_CGROUP,
  CLONE_NEWTIME,
  CLONE_PARENT,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  CSIGNAL,
  clone_args,
  clone_struct,
} from "../../abi/clone.ts";
import { E2BIG, EBADF, EBUSY, EEXIST, EINVAL, EPERM } from "../../abi/errno.ts";
import { SIGCHLD } from "../../abi/signal.ts";
import { R8 } from "../../emulator/registers.ts";
import { handler } from "../dispatch.ts";
import { PAGE_SIZE, TASK_SIZE } from "../mm/layout.ts";
import { readBytes } from "../mm/user-copy.ts";
import { MAX_PID_NS_LEVEL, type PidNamespace } from "../pid/pid-namespace.ts";
import { capable, capableIn } from "../task/capable.ts";
import type { CloneRequest } from "../task/clone-request.ts";
import { cloneTask, vforkPending } from "../task/clone.ts";
import type { Task } from "../task/task.ts";

const TWO_32 = 4294967296;

const PLAIN: CloneRequest = {
  flags: 0,
  clearHandlers: false,
  exitSignal: SIGCHLD,
  stack: 0,
  parentTid: 0,
  childTid: 0,
  pidfd: 0,
  tls: 0,
  wanted: () => [],
  taken: EEXIST,
  mayChoose: () => {},
  refuseNewPidWithParent: false,
};

/** Creates the child and, after CLONE_VFORK, waits for it; the pid as the caller sees it. */
function createChild(task: Task, request: CloneRequest): number {
  const child = cloneTask(task, request);
  const pid = child.pid.numberIn(task.pid.namespace);
  if ((request.flags & CLONE_VFORK) === 0) return pid;
  task.callProgress = pid;
  task.killableOnly = true;
  return task.sleepOn(null, Infinity, pid);
}

/** A call that is run again after its vfork sleep has made its child already. */
function resumeVfork(task: Task): number {
  if (!vforkPending(task)) return task.callProgress;
  task.killableOnly = true;
  return task.sleepOn(null, Infinity, task.callProgress);
}

export const fork = handler("fork", (task) => createChild(task, PLAIN));

export const vfork = handler("vfork", (task) => {
  if (task.callProgress > 0) return resumeVfork(task);
  return createChild(task, { ...PLAIN, flags: CLONE_VM | CLONE_VFORK });
});

export const clone = handler("clone", (task, flags, stack, parentTid, childTid, tls) => {
  if (task.callProgress > 0) return resumeVfork(task);
  const low = (flags % TWO_32) >>> 0;
  return createChild(task, {
    ...PLAIN,
    flags: (low & ~CSIGNAL) >>> 0,
    exitSignal: low & CSIGNAL,
    stack,
    parentTid,
    childTid,
    pidfd: parentTid,
    tls,
  });
});

export const clone2 = handler("clone2", (task, cs, pids) => {
  if (task.callProgress > 0) return resumeVfork(task);
  const bytes = readBytes(task.memory, cs, clone_struct.size);
  const view = new DataView(bytes.buffer);
  const { offsets } = clone_struct;
  const word = (offset: number): number => view.getUint32(offset, true);
  if (word(offsets.reserved1) !== 0) throw EINVAL;
  if (word(offsets.reserved2) !== 0 || word(offsets.reserved2 + 4) !== 0) throw EINVAL;
  if (word(offsets.flags + 4) !== 0) throw EINVAL;
  const flags = word(offsets.flags);
  const base = task.namespaces.pidForChildren;
  const wanted = readChosenPids(task, pids, word(offsets.nr_pids), base);
  return createChild(task, {
    ...PLAIN,
    flags: (flags & ~CSIGNAL) >>> 0,
    exitSignal: flags & CSIGNAL,
    stack: word(offsets.child_stack + 4) * TWO_32 + word(offsets.child_stack),
    parentTid: word(offsets.parent_tid),
    childTid: word(offsets.child_tid),
    pidfd: word(offsets.parent_tid),
    tls: task.kernel.engine.cpu.get(R8),
    wanted: () => wanted,
    taken: EBUSY,
    refuseNewPidWithParent: true,
  });
});

/**
 * The pids array of clone2, outermost first, aligned to the caller's level: fewer entries than levels mean the youngest
 * ones, 0 means any.
 * @throws EINVAL EFAULT EPERM, in this order
 */
function readChosenPids(task: Task, pids: number, count: number, base: PidNamespace): (number | undefined)[] {
  if (count === 0) return [];
  const depth = base.level + 1;
  if (count > depth) throw EINVAL;
  const list = readPids(task, pids, count);
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  const wanted = new Array<number | undefined>(depth).fill(undefined);
  list.forEach((pid, index) => {
    if (pid !== 0) wanted[depth - count + index] = pid;
  });
  return wanted;
}

const readPids = (task: Task, address: number, count: number): number[] => {
  const view = new DataView(readBytes(task.memory, address, count * 4).buffer);
  return Array.from({ length: count }, (_, index) => view.getInt32(index * 4, true));
};

export const clone3 = handler("clone3", (task, address, size) => {
  if (task.callProgress > 0) return resumeVfork(task);
  if (size > PAGE_SIZE) throw E2BIG;
  if (size < CLONE_ARGS_SIZE_VER0) throw EINVAL;
  const bytes = new Uint8Array(CLONE_ARGS_SIZE_VER2);
  if (size > bytes.length) {
    const tail = readBytes(task.memory, address + bytes.length, size - bytes.length);
    if (tail.some((byte) => byte !== 0)) throw E2BIG;
  }
  bytes.set(readBytes(task.memory, address, Math.min(size, bytes.length)));
  const args = clone_args.decode(new DataView(bytes.buffer), 0);

  const chosen = args.set_tid_size;
  if (chosen > BigInt(MAX_PID_NS_LEVEL)) throw EINVAL;
  if ((args.set_tid === 0n) !== (chosen === 0n)) throw EINVAL;
  if ((args.exit_signal & ~BigInt(CSIGNAL)) !== 0n || args.exit_signal > 64n) throw EINVAL;
  const intoCgroup = (args.flags & BigInt(CLONE_INTO_CGROUP)) !== 0n;
  if (intoCgroup && (args.cgroup > 0x7fffffffn || size < CLONE_ARGS_SIZE_VER2)) throw EINVAL;
  const setTid = chosen === 0n ? [] : readPids(task, Number(args.set_tid), Number(chosen));

  const known = 0xffffffffn | BigInt(CLONE_CLEAR_SIGHAND) | BigInt(CLONE_INTO_CGROUP);
  if ((args.flags & ~known) !== 0n) throw EINVAL;
  const flags = Number(args.flags & 0xffffffffn);
  if ((flags & CLONE_DETACHED) !== 0 || (flags & CSIGNAL & ~CLONE_NEWTIME) !== 0) throw EINVAL;
  const clearHandlers = (args.flags & BigInt(CLONE_CLEAR_SIGHAND)) !== 0n;
  if (clearHandlers && (flags & CLONE_SIGHAND) !== 0) throw EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && args.exit_signal !== 0n) throw EINVAL;
  const stack = stackTop(Number(args.stack), Number(args.stack_size));
  // There is no cgroup file system whose directories could be named.
  if (intoCgroup) task.files.get(Number(args.cgroup));
  if (intoCgroup) throw EBADF;
  return createChild(task, {
    ...PLAIN,
    flags,
    clearHandlers,
    exitSignal: Number(args.exit_signal),
    stack,
    parentTid: Number(args.parent_tid),
    childTid: Number(args.child_tid),
    pidfd: Number(args.pidfd),
    tls: Number(args.tls),
    wanted: (childLevel) => alignSetTid(setTid, childLevel),
    taken: EEXIST,
    mayChoose: (namespace) => requireCheckpointRestore(task, namespace),
  });
});

/** @throws EINVAL */
function stackTop(stack: number, size: number): number {
  if ((stack === 0) !== (size === 0)) throw EINVAL;
  if (stack > TASK_SIZE || size > TASK_SIZE - stack) throw EINVAL;
  return stack + size;
}

/** set_tid stands innermost first. @throws EINVAL if there are more entries than levels */
function alignSetTid(setTid: readonly number[], childLevel: number): (number | undefined)[] {
  if (setTid.length > childLevel + 1) throw EINVAL;
  const wanted = new Array<number | undefined>(childLevel + 1).fill(undefined);
  setTid.forEach((pid, index) => (wanted[childLevel - index] = pid));
  return wanted;
}

function requireCheckpointRestore(task: Task, namespace: PidNamespace): void {
  if (capableIn(task, CAP_CHECKPOINT_RESTORE, namespace.owner)) return;
  if (!capableIn(task, CAP_SYS_ADMIN, namespace.owner)) throw EPERM;
}
