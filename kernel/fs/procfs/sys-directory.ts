/** /proc/sys: the settings programs ask for, and the few that can be changed (sysctl(2), pid_namespaces(7)). */
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN } from "../../../abi/capability.ts";
import { EINVAL, EPERM } from "../../../abi/errno.ts";
import { INITIAL_LIMITS } from "./sys-values.ts";
import { KERNEL_RELEASE, KERNEL_VERSION } from "../../identity.ts";
import type { PidNamespace } from "../../pid/pid-namespace.ts";
import { PID_MAX_LIMIT, PID_MAX_MIN } from "../../pid/pid-namespace.ts";
import { capableIn } from "../../task/capable.ts";
import type { Task } from "../../task/task.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { ProcFs } from "./proc-fs.ts";
import {
  ProcFile,
  ProcFixedDirectory,
  parseNumber,
  type ProcEntries,
  type ProcText,
  type ProcWrite,
} from "./proc-inode.ts";

const text =
  (make: ProcText) =>
  (fs: ProcFs): Inode =>
    new ProcFile(fs, make);

const constant = (value: string | number) => text(() => `${value}\n`);

const setting =
  (make: ProcText, take: ProcWrite) =>
  (fs: ProcFs): Inode =>
    new ProcFile(fs, make, 0o644, take);

const directory =
  (entries: ProcEntries) =>
  (fs: ProcFs): Inode =>
    new ProcFixedDirectory(fs, entries);

/** Settings of a pid namespace are those of the reader's own, whatever the mount shows. */
const pidsOf = (task: Task): PidNamespace => task.pid.namespace;

function requireAdmin(task: Task, namespace: PidNamespace, ...capabilities: number[]): void {
  if (!capabilities.some((capability) => capableIn(task, capability, namespace.owner))) throw EPERM;
}

function setPidMax(task: Task, value: string): void {
  const namespace = pidsOf(task);
  requireAdmin(task, namespace, CAP_SYS_ADMIN);
  const wanted = parseNumber(value);
  if (wanted < PID_MAX_MIN || wanted > PID_MAX_LIMIT) throw EINVAL;
  namespace.pidMax = wanted;
}

function setLastPid(task: Task, value: string): void {
  const namespace = pidsOf(task);
  requireAdmin(task, namespace, CAP_SYS_ADMIN, CAP_CHECKPOINT_RESTORE);
  const wanted = parseNumber(value);
  if (wanted < 0 || wanted >= namespace.pidMax) throw EINVAL;
  namespace.lastPid = wanted;
}

function setName(field: "nodename" | "domainname"): ProcWrite {
  return (task, value) => {
    const { uts } = task.namespaces;
    if (!capableIn(task, CAP_SYS_ADMIN, uts.owner)) throw EPERM;
    if (value.length > 64) throw EINVAL;
    uts[field] = value;
  };
}

/** A version 4 UUID from the world's entropy. */
function uuid(task: Task): string {
  const bytes = new Uint8Array(16);
  task.kernel.world.entropy.fill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const bootId = (fs: ProcFs): Inode => {
  let made: string | null = null;
  return new ProcFile(fs, (task) => `${(made ??= uuid(task))}\n`);
};

const kernelEntries: ProcEntries = {
  pid_max: setting((task) => `${pidsOf(task).pidMax}\n`, setPidMax),
  ns_last_pid: setting((task) => `${pidsOf(task).lastPid}\n`, setLastPid),
  hostname: setting((task) => `${task.namespaces.uts.nodename}\n`, setName("nodename")),
  domainname: setting((task) => `${task.namespaces.uts.domainname}\n`, setName("domainname")),
  osrelease: constant(KERNEL_RELEASE),
  ostype: constant("Linux"),
  version: constant(KERNEL_VERSION),
  cap_last_cap: constant(40),
  ngroups_max: constant(65536),
  overflowuid: constant(65534),
  overflowgid: constant(65534),
  "threads-max": text((task) => `${task.kernel.maxTasks}\n`),
  randomize_va_space: constant(0),
  sched_child_runs_first: constant(0),
  yama: directory({ ptrace_scope: constant(0) }),
  unprivileged_userns_clone: constant(1),
  random: directory({
    uuid: text((task) => `${uuid(task)}\n`),
    boot_id: bootId,
    entropy_avail: constant(256),
    poolsize: constant(256),
  }),
  pty: directory({ max: constant(4096), nr: constant(0) }),
  shmmax: constant("18446744073692774399"),
  shmall: constant("18446744073692774399"),
  shmmni: constant(4096),
  msgmax: constant(8192),
  msgmnb: constant(16384),
  msgmni: constant(32000),
  sem: constant("32000\t1024000000\t500\t32000"),
};

const vmEntries: ProcEntries = {
  overcommit_memory: constant(0),
  overcommit_ratio: constant(50),
  max_map_count: constant(INITIAL_LIMITS.maxMapCount),
  mmap_min_addr: constant(INITIAL_LIMITS.mmapMinAddress),
  swappiness: constant(60),
};

const fsEntries: ProcEntries = {
  "file-max": constant(INITIAL_LIMITS.fileMax),
  "file-nr": constant(`0\t0\t${INITIAL_LIMITS.fileMax}`),
  nr_open: constant(INITIAL_LIMITS.nrOpen),
  "pipe-max-size": constant(INITIAL_LIMITS.pipeMaxSize),
  protected_symlinks: constant(0),
  protected_hardlinks: constant(0),
};

export const sysDirectory = directory({
  kernel: directory(kernelEntries),
  vm: directory(vmEntries),
  fs: directory(fsEntries),
  user: directory({ max_user_namespaces: constant(32768), max_pid_namespaces: constant(32768) }),
  net: directory({ core: directory({ somaxconn: constant(4096) }) }),
});
