/** What clone, clone2, clone3, fork and vfork ask of their common core, and the rules on it (clone(2); spec clone2, 4.2). */
import {
  CLONE_DETACHED,
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VM,
} from "../../abi/clone.ts";
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../../abi/capability.ts";
import { EAGAIN, EINVAL, ENOSPC, EPERM, type Errno } from "../../abi/errno.ts";
import { RLIMIT_NPROC } from "../../abi/resource.ts";
import { TASK_SIZE } from "../mm/layout.ts";
import { MAX_USER_NS_LEVEL, type UserNamespace } from "../namespaces/user-namespace.ts";
import { MAX_PID_NS_LEVEL, type PidNamespace } from "../pid/pid-namespace.ts";
import { capable, capableIn } from "./capable.ts";
import type { Task } from "./task.ts";

export interface CloneRequest {
  /** CLONE_* bits below 2^32 without the exit signal. */
  flags: number;
  /** CLONE_CLEAR_SIGHAND. */
  clearHandlers: boolean;
  exitSignal: number;
  /** The child's stack pointer, 0 to keep the parent's. */
  stack: number;
  parentTid: number;
  childTid: number;
  /** Where the pidfd is stored. */
  pidfd: number;
  tls: number;
  /** Chosen pids for a child at this level, outermost first; undefined where the kernel chooses. @throws EINVAL */
  wanted: (childLevel: number) => readonly (number | undefined)[];
  /** The error for a chosen pid that is in use. */
  taken: Errno;
  /** Privilege to choose a pid in a namespace; throws EPERM. */
  mayChoose: (namespace: PidNamespace) => void;
  /** clone2 keeps the rule of 2.6.32 that mainline has dropped: CLONE_NEWPID excludes CLONE_PARENT. */
  refuseNewPidWithParent: boolean;
}

const NAMESPACES =
  CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME;

/** True if all the flags of `mask` are set. */
export const has = (flags: number, mask: number): boolean => ((flags & mask) | 0) === (mask | 0);

/** Rules 1 to 9: combinations that make no sense. @throws EINVAL */
export function checkCombinations(task: Task, request: CloneRequest): void {
  const { flags } = request;
  if (has(flags, CLONE_PIDFD | CLONE_PARENT_SETTID) && request.pidfd === request.parentTid) throw EINVAL;
  if (has(flags, CLONE_NEWNS | CLONE_FS)) throw EINVAL;
  if (has(flags, CLONE_NEWUSER | CLONE_FS)) throw EINVAL;
  if (has(flags, CLONE_THREAD) && !has(flags, CLONE_SIGHAND)) throw EINVAL;
  if (has(flags, CLONE_SIGHAND) && !has(flags, CLONE_VM)) throw EINVAL;
  if (has(flags, CLONE_PARENT) && task.group.unkillable) throw EINVAL;
  const { pidForChildren, time, timeForChildren } = task.namespaces;
  const elsewhere = pidForChildren !== task.pid.namespace;
  if (has(flags, CLONE_THREAD) && ((flags & (CLONE_NEWUSER | CLONE_NEWPID)) !== 0 || elsewhere)) throw EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_VM)) !== 0 && time !== timeForChildren) throw EINVAL;
  if (has(flags, CLONE_PIDFD) && (flags & (CLONE_DETACHED | CLONE_THREAD)) !== 0) throw EINVAL;
}

/** Rules 10 and 11: a new user namespace, and room for one more task. @throws ENOSPC EPERM EAGAIN */
export function checkLimits(task: Task, request: CloneRequest): void {
  const { creds, kernel } = task;
  if (has(request.flags, CLONE_NEWUSER)) checkNewUserNamespace(task);
  const limit = task.group.limits[RLIMIT_NPROC]!.current;
  const privileged = creds.uid === 0 || capable(task, CAP_SYS_RESOURCE) || capable(task, CAP_SYS_ADMIN);
  if (!privileged && limit < kernel.maxTasks && tasksOf(task) >= limit) throw EAGAIN;
  if (kernel.taskCount >= kernel.maxTasks) throw EAGAIN;
}

/** user_namespaces(7): nesting, chroot, and ids that must be mapped. @throws ENOSPC EPERM */
export function checkNewUserNamespace(task: Task): void {
  const { creds } = task;
  if (creds.userNamespace.level >= MAX_USER_NS_LEVEL) throw ENOSPC;
  const { root } = task.fs;
  if (root.mount !== task.namespaces.mount.root || root.dentry !== root.mount.root) throw EPERM;
  if (creds.userNamespace.uidInside(creds.euid) < 0 || creds.userNamespace.gidInside(creds.egid) < 0) throw EPERM;
}

/** Rules 12 to 16, privilege first. @throws EPERM EINVAL ENOSPC */
export function checkNamespaces(task: Task, request: CloneRequest, owner: UserNamespace): void {
  const { flags } = request;
  if ((flags & NAMESPACES) === 0) return;
  if (!capableIn(task, CAP_SYS_ADMIN, owner) && owner === task.creds.userNamespace) throw EPERM;
  if (has(flags, CLONE_NEWIPC | CLONE_SYSVSEM)) throw EINVAL;
  if (!has(flags, CLONE_NEWPID)) return;
  if (request.refuseNewPidWithParent && has(flags, CLONE_PARENT)) throw EINVAL;
  if (task.namespaces.pidForChildren !== task.pid.namespace) throw EINVAL;
  if (task.pid.namespace.level >= MAX_PID_NS_LEVEL) throw ENOSPC;
}

/** Rule 18. @throws EPERM */
export function checkTls(request: CloneRequest): void {
  if (has(request.flags, CLONE_SETTLS) && request.tls >= TASK_SIZE) throw EPERM;
}

function tasksOf(task: Task): number {
  let count = 0;
  for (const pid of task.kernel.initPidNamespace.all()) if (pid.task?.creds.uid === task.creds.uid) count++;
  return count;
}
