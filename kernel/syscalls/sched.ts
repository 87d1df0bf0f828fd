/** Scheduling parameters: checked and kept as Linux does, though all tasks run alike (sched(7)). */
import { CAP_SYS_NICE } from "../../abi/capability.ts";
import { E2BIG, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import { RLIMIT_RTPRIO } from "../../abi/resource.ts";
import {
  SCHED_ATTR_SIZE_VER0,
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_FIFO,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_IDLE,
  SCHED_NORMAL,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
  sched_attr,
} from "../../abi/sched.ts";
import { handler } from "../dispatch.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { copyToUser, readBytes, readU32, writeU32 } from "../mm/user-copy.ts";
import { capableIn } from "../task/capable.ts";
import { isRealTime } from "../task/scheduling.ts";
import type { Task } from "../task/task.ts";

const POLICIES: readonly number[] = [SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE];
const RR_INTERVAL_NS = 100_000_000;
const FAIR_INTERVAL_NS = 3_000_000;

/** @throws EINVAL ESRCH */
function targetOf(task: Task, pid: number): Task {
  if (pid < 0) throw EINVAL;
  const target = pid === 0 ? task : task.pid.namespace.find(pid)?.task;
  if (!target) throw ESRCH;
  return target;
}

/** @throws EPERM */
function requireOwner(task: Task, target: Task): void {
  const { euid } = task.creds;
  if (euid === target.creds.euid || euid === target.creds.uid) return;
  if (!capableIn(task, CAP_SYS_NICE, target.creds.userNamespace)) throw EPERM;
}

/** @throws EINVAL EPERM */
function change(task: Task, target: Task, policy: number, priority: number, resetOnFork: boolean): void {
  if (!POLICIES.includes(policy)) throw EINVAL;
  if (isRealTime(policy) ? priority < 1 || priority > 99 : priority !== 0) throw EINVAL;
  requireOwner(task, target);
  const old = target.scheduling;
  if (!capableIn(task, CAP_SYS_NICE, task.creds.userNamespace)) {
    const allowed = target.group.limits[RLIMIT_RTPRIO]!.current;
    if (isRealTime(policy) && priority > allowed && priority > old.priority) throw EPERM;
    if (isRealTime(policy) && policy !== old.policy && allowed === 0) throw EPERM;
    if (old.resetOnFork && !resetOnFork) throw EPERM;
  }
  target.scheduling = { policy, priority, resetOnFork };
}

export const sched_yield = handler("sched_yield", (task) => {
  task.kernel.scheduler.yieldNow = task.kernel.scheduler.runnableCount > 0;
  return 0;
});

export const sched_getaffinity = handler("sched_getaffinity", (task, pid, size, address) => {
  if (size % 8 !== 0 || size < 8) throw EINVAL;
  targetOf(task, pid);
  copyToUser(task.memory, address, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  return 8;
});

export const sched_setaffinity = handler("sched_setaffinity", (task, pid, size, address) => {
  const mask = readBytes(task.memory, address, Math.min(size, 128));
  requireOwner(task, targetOf(task, pid));
  // There is one processor, number 0.
  if (((mask[0] ?? 0) & 1) === 0) throw EINVAL;
  return 0;
});

export const sched_getscheduler = handler("sched_getscheduler", (task, pid) => {
  const { policy, resetOnFork } = targetOf(task, pid).scheduling;
  return policy | (resetOnFork ? SCHED_RESET_ON_FORK : 0);
});

export const sched_setscheduler = handler("sched_setscheduler", (task, pid, policy, address) => {
  if (address === 0 || pid < 0 || policy < 0) throw EINVAL;
  const priority = readU32(task.memory, address) | 0;
  const reset = (policy & SCHED_RESET_ON_FORK) !== 0;
  change(task, targetOf(task, pid), policy & ~SCHED_RESET_ON_FORK, priority, reset);
  return 0;
});

export const sched_getparam = handler("sched_getparam", (task, pid, address) => {
  if (address === 0) throw EINVAL;
  writeU32(task.memory, address, targetOf(task, pid).scheduling.priority);
  return 0;
});

export const sched_setparam = handler("sched_setparam", (task, pid, address) => {
  if (address === 0 || pid < 0) throw EINVAL;
  const priority = readU32(task.memory, address) | 0;
  const target = targetOf(task, pid);
  change(task, target, target.scheduling.policy, priority, target.scheduling.resetOnFork);
  return 0;
});

export const sched_setattr = handler("sched_setattr", (task, pid, address, flags) => {
  if (address === 0 || pid < 0 || flags !== 0) throw EINVAL;
  const size = readU32(task.memory, address) || SCHED_ATTR_SIZE_VER0;
  if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE) {
    writeU32(task.memory, address, sched_attr.size);
    throw E2BIG;
  }
  const given = readBytes(task.memory, address, size);
  if (given.subarray(sched_attr.size).some((byte) => byte !== 0)) throw E2BIG;
  const bytes = new Uint8Array(sched_attr.size);
  bytes.set(given.subarray(0, sched_attr.size));
  const attr = sched_attr.decode(new DataView(bytes.buffer), 0);
  if ((attr.sched_policy | 0) < 0 || attr.sched_policy === SCHED_DEADLINE) throw EINVAL;
  const known = BigInt(SCHED_FLAG_RESET_ON_FORK);
  if ((attr.sched_flags & ~known) !== 0n) throw EINVAL;
  const target = targetOf(task, pid);
  change(task, target, attr.sched_policy, attr.sched_priority, attr.sched_flags === known);
  if (!isRealTime(attr.sched_policy)) target.nice = Math.max(-20, Math.min(19, attr.sched_nice));
  return 0;
});

export const sched_getattr = handler("sched_getattr", (task, pid, address, size, flags) => {
  if (address === 0 || pid < 0 || flags !== 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0) throw EINVAL;
  const { scheduling, nice } = targetOf(task, pid);
  const bytes = new Uint8Array(sched_attr.size);
  const shown = Math.min(size, sched_attr.size);
  sched_attr.encode(new DataView(bytes.buffer), 0, {
    size: shown,
    sched_policy: scheduling.policy,
    sched_flags: scheduling.resetOnFork ? SCHED_FLAG_RESET_ON_FORK : 0,
    sched_nice: isRealTime(scheduling.policy) ? 0 : nice,
    sched_priority: scheduling.priority,
  });
  copyToUser(task.memory, address, bytes.subarray(0, shown));
  return 0;
});

export const sched_rr_get_interval = handler("sched_rr_get_interval", (task, pid, address) => {
  const { policy } = targetOf(task, pid).scheduling;
  const interval = policy === SCHED_RR ? RR_INTERVAL_NS : policy === SCHED_FIFO ? 0 : FAIR_INTERVAL_NS;
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(8, interval, true);
  copyToUser(task.memory, address, bytes);
  return 0;
});

/** @throws EINVAL */
function checkPolicy(policy: number): void {
  if (!POLICIES.includes(policy) && policy !== SCHED_DEADLINE) throw EINVAL;
}

export const sched_get_priority_max = handler("sched_get_priority_max", (_task, policy) => {
  checkPolicy(policy);
  return isRealTime(policy) ? 99 : 0;
});

export const sched_get_priority_min = handler("sched_get_priority_min", (_task, policy) => {
  checkPolicy(policy);
  return isRealTime(policy) ? 1 : 0;
});
