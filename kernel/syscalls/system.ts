/** uname(2), sethostname(2), sysinfo(2), getrandom(2), limits, usage, priorities and scheduling parameters. */
import { CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE } from "../../abi/capability.ts";
import { EACCES, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import { GRND_INSECURE, GRND_NONBLOCK, GRND_RANDOM } from "../../abi/random.ts";
import {
  PRIO_PGRP,
  PRIO_PROCESS,
  PRIO_USER,
  RLIMIT_AS,
  RLIMIT_DATA,
  RLIMIT_NOFILE,
  RLIMIT_STACK,
  RUSAGE_CHILDREN,
  RUSAGE_SELF,
  RUSAGE_THREAD,
  rusage,
} from "../../abi/resource.ts";
import {
  MEMBARRIER_CMD_PRIVATE_EXPEDITED,
  MEMBARRIER_CMD_QUERY,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
} from "../../abi/sched.ts";
import { sysinfo as sysinfoLayout } from "../../abi/sysinfo.ts";
import { __NEW_UTS_LEN, utsname } from "../../abi/utsname.ts";
import { handler } from "../dispatch.ts";
import { KERNEL_RELEASE, KERNEL_VERSION, RELEASE_AS_26 } from "../identity.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { copyToUser, forEachPiece, readBytes, readU64, writeU32 } from "../mm/user-copy.ts";
import { capable, capableIn } from "../task/capable.ts";
import type { ResourceLimit } from "../task/resource-limits.ts";
import type { Task } from "../task/task.ts";
import { childrenUsage, groupUsage, threadUsage } from "../task/usage.ts";
import { accountTime } from "../time/clocks.ts";
import { NR_OPEN } from "../vfs/fd-table.ts";

/** personality(2). */
const UNAME26 = 0x0020000;

export const uname = handler("uname", (task, address) => {
  const { uts } = task.namespaces;
  const bytes = new Uint8Array(utsname.size);
  utsname.encode(new DataView(bytes.buffer), 0, {
    sysname: "Linux",
    nodename: uts.nodename,
    release: (task.personality & UNAME26) !== 0 ? RELEASE_AS_26 : KERNEL_RELEASE,
    version: KERNEL_VERSION,
    machine: "x86_64",
    domainname: uts.domainname,
  });
  copyToUser(task.memory, address, bytes);
  return 0;
});

/** @throws EPERM EINVAL EFAULT */
function readName(task: Task, address: number, length: number): string {
  if (!capableIn(task, CAP_SYS_ADMIN, task.namespaces.uts.owner)) throw EPERM;
  if (length < 0 || length > __NEW_UTS_LEN) throw EINVAL;
  return String.fromCharCode(...readBytes(task.memory, address, length));
}

export const sethostname = handler("sethostname", (task, address, length) => {
  task.namespaces.uts.nodename = readName(task, address, length);
  return 0;
});

export const setdomainname = handler("setdomainname", (task, address, length) => {
  task.namespaces.uts.domainname = readName(task, address, length);
  return 0;
});

export const sysinfo = handler("sysinfo", (task, address) => {
  const { kernel } = task;
  const { memory } = kernel.frames;
  const bytes = new Uint8Array(sysinfoLayout.size);
  sysinfoLayout.encode(new DataView(bytes.buffer), 0, {
    uptime: Math.floor(kernel.now() / 1e9),
    totalram: memory.buffer.byteLength,
    freeram: memory.freeFrames * PAGE_SIZE,
    procs: kernel.taskCount,
    mem_unit: 1,
  });
  copyToUser(task.memory, address, bytes);
  return 0;
});

const RANDOM_PIECE = 65536;

export const getrandom = handler("getrandom", (task, address, length, flags) => {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) throw EINVAL;
  if ((flags & (GRND_RANDOM | GRND_INSECURE)) === (GRND_RANDOM | GRND_INSECURE)) throw EINVAL;
  const count = Math.min(length, 0x7ffff000);
  if (count === 0) return 0;
  return forEachPiece(task.memory, address, count, true, (piece) => {
    for (let at = 0; at < piece.length; at += RANDOM_PIECE) {
      task.kernel.world.entropy.fill(piece.subarray(at, at + RANDOM_PIECE));
    }
    return piece.length;
  });
});

export const getcpu = handler("getcpu", (task, cpu, node) => {
  if (cpu !== 0) writeU32(task.memory, cpu, 0);
  if (node !== 0) writeU32(task.memory, node, 0);
  return 0;
});

const LIMIT_COUNT = 16;
const INFINITY_WORD = 2 ** 64;

function writeLimit(task: Task, address: number, { current, maximum }: ResourceLimit): void {
  const words = new Uint32Array(4).fill(0xffffffff);
  [current, maximum].forEach((value, index) => {
    if (value === Infinity) return;
    words[index * 2] = value;
    words[index * 2 + 1] = Math.floor(value / 4294967296);
  });
  copyToUser(task.memory, address, new Uint8Array(words.buffer));
}

function readLimit(task: Task, address: number): ResourceLimit {
  const word = (at: number): number => {
    const value = readU64(task.memory, at);
    return value >= INFINITY_WORD ? Infinity : value;
  };
  return { current: word(address), maximum: word(address + 8) };
}

/** @throws EINVAL EPERM */
function setLimit(task: Task, target: Task, resource: number, wanted: ResourceLimit): void {
  const limit = target.group.limits[resource]!;
  if (wanted.current > wanted.maximum) throw EINVAL;
  if (resource === RLIMIT_NOFILE && wanted.maximum > NR_OPEN) throw EPERM;
  if (wanted.maximum > limit.maximum && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
  target.group.limits[resource] = wanted;
  if (!target.mm) return;
  if (resource === RLIMIT_STACK) target.mm.limits.stack = wanted.current;
  if (resource === RLIMIT_AS) target.mm.limits.addressSpace = wanted.current;
  if (resource === RLIMIT_DATA) target.mm.limits.data = wanted.current;
}

export const getrlimit = handler("getrlimit", (task, resource, address) => {
  if (resource < 0 || resource >= LIMIT_COUNT) throw EINVAL;
  writeLimit(task, address, task.group.limits[resource]!);
  return 0;
});

export const setrlimit = handler("setrlimit", (task, resource, address) => {
  const wanted = readLimit(task, address);
  if (resource < 0 || resource >= LIMIT_COUNT) throw EINVAL;
  setLimit(task, task, resource, wanted);
  return 0;
});

export const prlimit64 = handler("prlimit64", (task, pid, resource, newAddress, oldAddress) => {
  if (resource < 0 || resource >= LIMIT_COUNT) throw EINVAL;
  const wanted = newAddress === 0 ? null : readLimit(task, newAddress);
  const target = pid === 0 ? task : task.pid.namespace.find(pid)?.task;
  if (!target) throw ESRCH;
  const [own, other] = [task.creds, target.creds];
  const same = [other.uid, other.euid, other.suid].every((uid) => uid === own.uid);
  if (target.group !== task.group && !same && !capableIn(task, CAP_SYS_RESOURCE, other.userNamespace)) throw EPERM;
  const old = target.group.limits[resource]!;
  if (wanted) setLimit(task, target, resource, wanted);
  if (oldAddress !== 0) writeLimit(task, oldAddress, old);
  return 0;
});

export const getrusage = handler("getrusage", (task, who, address) => {
  const bytes = new Uint8Array(rusage.size);
  const view = new DataView(bytes.buffer);
  accountTime(task.kernel);
  if (who === RUSAGE_SELF) rusage.encode(view, 0, groupUsage(task.group, false));
  else if (who === RUSAGE_CHILDREN) rusage.encode(view, 0, childrenUsage(task.group));
  else if (who === RUSAGE_THREAD) rusage.encode(view, 0, threadUsage(task));
  else throw EINVAL;
  copyToUser(task.memory, address, bytes);
  return 0;
});

/** The tasks getpriority and setpriority speak of. @throws EINVAL ESRCH */
function tasksOf(task: Task, which: number, who: number): Task[] {
  if (which !== PRIO_PROCESS && which !== PRIO_PGRP && which !== PRIO_USER) throw EINVAL;
  const all = [...task.pid.namespace.all()].flatMap((pid) => (pid.task ? [pid.task] : []));
  const group = who === 0 ? task.group.processGroup : task.pid.namespace.find(who);
  const uid = who === 0 ? task.creds.uid : who;
  const found =
    which === PRIO_PROCESS
      ? [who === 0 ? task : task.pid.namespace.find(who)?.task].filter((each): each is Task => !!each)
      : all.filter((each) => (which === PRIO_PGRP ? each.group.processGroup === group : each.creds.uid === uid));
  if (found.length === 0) throw ESRCH;
  return found;
}

/** The system call's result is 20 - nice, so that it is never negative. */
export const getpriority = handler("getpriority", (task, which, who) => {
  return 20 - Math.min(...tasksOf(task, which, who).map((each) => each.nice));
});

export const setpriority = handler("setpriority", (task, which, who, priority) => {
  const nice = Math.max(-20, Math.min(19, priority));
  for (const target of tasksOf(task, which, who)) {
    if (target.creds.uid !== task.creds.euid && !capable(task, CAP_SYS_NICE)) throw EPERM;
    if (nice < target.nice && !capable(task, CAP_SYS_NICE)) throw EACCES;
    target.nice = nice;
  }
  return 0;
});

/** With one processor every barrier holds already; only the query and the known commands are answered. */
export const membarrier = handler("membarrier", (task, command, flags) => {
  if (flags !== 0) throw EINVAL;
  if (command === MEMBARRIER_CMD_QUERY) return 0x1f;
  if ((command & (command - 1)) !== 0 || (command & ~0x1f) !== 0) throw EINVAL;
  if (command === MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) task.memory.membarrierRegistered = true;
  if (command === MEMBARRIER_CMD_PRIVATE_EXPEDITED && !task.memory.membarrierRegistered) throw EPERM;
  return 0;
});

export const reboot = handler("reboot", () => {
  throw EPERM;
});

export const syslog = handler("syslog", (task, type) => {
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  if (type < 0 || type > 10) throw EINVAL;
  return 0;
});
