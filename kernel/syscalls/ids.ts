/** Process, user and group ids, sessions and process groups (credentials(7)). */
import { CAP_SETGID, CAP_SETUID } from "../../abi/capability.ts";
import { EACCES, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import { handler, type Handler } from "../dispatch.ts";
import { copyToUser, readBytes, writeU32 } from "../mm/user-copy.ts";
import type { Pid } from "../pid/pid.ts";
import { capableIn } from "../task/capable.ts";
import type { Credentials } from "../task/credentials.ts";
import { adjustCapabilities } from "../task/change-ids.ts";
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";

export const getpid = handler("getpid", (task) => task.group.pid.numberIn(task.pid.namespace));
export const gettid = handler("gettid", (task) => task.tid);
export const getppid = handler("getppid", (task) => task.group.parent?.pid.numberIn(task.pid.namespace) ?? 0);

const shownUid = (task: Task, uid: number): number => task.creds.userNamespace.uidShown(uid);
const shownGid = (task: Task, gid: number): number => task.creds.userNamespace.gidShown(gid);

export const getuid = handler("getuid", (task) => shownUid(task, task.creds.uid));
export const geteuid = handler("geteuid", (task) => shownUid(task, task.creds.euid));
export const getgid = handler("getgid", (task) => shownGid(task, task.creds.gid));
export const getegid = handler("getegid", (task) => shownGid(task, task.creds.egid));

const mayUser = (task: Task): boolean => capableIn(task, CAP_SETUID, task.creds.userNamespace);
const mayGroup = (task: Task): boolean => capableIn(task, CAP_SETGID, task.creds.userNamespace);

/** A uid given by the guest as a global one. @throws EINVAL */
function globalUid(task: Task, uid: number): number {
  const global = task.creds.userNamespace.uidGlobal(uid >>> 0);
  if (global < 0) throw EINVAL;
  return global;
}

function globalGid(task: Task, gid: number): number {
  const global = task.creds.userNamespace.gidGlobal(gid >>> 0);
  if (global < 0) throw EINVAL;
  return global;
}

const isUnset = (id: number): boolean => id >>> 0 === 0xffffffff;

function change(task: Task, changes: Partial<Credentials>): number {
  const old = task.creds;
  task.creds = adjustCapabilities(old, { ...old, ...changes });
  if (task.creds.euid !== old.euid || task.creds.egid !== old.egid) {
    task.group.dumpable = 0;
    task.parentDeathSignal = 0;
  }
  return 0;
}

export const setuid = handler("setuid", (task, id) => {
  const uid = globalUid(task, id);
  const { creds } = task;
  if (mayUser(task)) return change(task, { uid, euid: uid, suid: uid, fsuid: uid });
  if (uid !== creds.uid && uid !== creds.suid) throw EPERM;
  return change(task, { euid: uid, fsuid: uid });
});

export const setgid = handler("setgid", (task, id) => {
  const gid = globalGid(task, id);
  const { creds } = task;
  if (mayGroup(task)) return change(task, { gid, egid: gid, sgid: gid, fsgid: gid });
  if (gid !== creds.gid && gid !== creds.sgid) throw EPERM;
  return change(task, { egid: gid, fsgid: gid });
});

export const setreuid = handler("setreuid", (task, realId, effectiveId) => {
  const { creds } = task;
  const privileged = mayUser(task);
  const real = isUnset(realId) ? creds.uid : globalUid(task, realId);
  const effective = isUnset(effectiveId) ? creds.euid : globalUid(task, effectiveId);
  if (!privileged) {
    if (!isUnset(realId) && real !== creds.uid && real !== creds.euid) throw EPERM;
    if (!isUnset(effectiveId) && ![creds.uid, creds.euid, creds.suid].includes(effective)) throw EPERM;
  }
  const saves = !isUnset(realId) || (!isUnset(effectiveId) && effective !== creds.uid);
  return change(task, { uid: real, euid: effective, suid: saves ? effective : creds.suid, fsuid: effective });
});

export const setregid = handler("setregid", (task, realId, effectiveId) => {
  const { creds } = task;
  const privileged = mayGroup(task);
  const real = isUnset(realId) ? creds.gid : globalGid(task, realId);
  const effective = isUnset(effectiveId) ? creds.egid : globalGid(task, effectiveId);
  if (!privileged) {
    if (!isUnset(realId) && real !== creds.gid && real !== creds.egid) throw EPERM;
    if (!isUnset(effectiveId) && ![creds.gid, creds.egid, creds.sgid].includes(effective)) throw EPERM;
  }
  const saves = !isUnset(realId) || (!isUnset(effectiveId) && effective !== creds.gid);
  return change(task, { gid: real, egid: effective, sgid: saves ? effective : creds.sgid, fsgid: effective });
});

export const setresuid = handler("setresuid", (task, ...ids) => {
  const { creds } = task;
  const old = [creds.uid, creds.euid, creds.suid] as const;
  const [uid, euid, suid] = [0, 1, 2].map((index) =>
    isUnset(ids[index]!) ? old[index]! : globalUid(task, ids[index]!),
  );
  if (!mayUser(task) && [uid!, euid!, suid!].some((id) => !old.includes(id))) throw EPERM;
  return change(task, { uid: uid!, euid: euid!, suid: suid!, fsuid: euid! });
});

export const setresgid = handler("setresgid", (task, ...ids) => {
  const { creds } = task;
  const old = [creds.gid, creds.egid, creds.sgid] as const;
  const [gid, egid, sgid] = [0, 1, 2].map((index) =>
    isUnset(ids[index]!) ? old[index]! : globalGid(task, ids[index]!),
  );
  if (!mayGroup(task) && [gid!, egid!, sgid!].some((id) => !old.includes(id))) throw EPERM;
  return change(task, { gid: gid!, egid: egid!, sgid: sgid!, fsgid: egid! });
});

export const getresuid = handler("getresuid", (task, real, effective, saved) => {
  writeU32(task.memory, real, shownUid(task, task.creds.uid));
  writeU32(task.memory, effective, shownUid(task, task.creds.euid));
  writeU32(task.memory, saved, shownUid(task, task.creds.suid));
  return 0;
});

export const getresgid = handler("getresgid", (task, real, effective, saved) => {
  writeU32(task.memory, real, shownGid(task, task.creds.gid));
  writeU32(task.memory, effective, shownGid(task, task.creds.egid));
  writeU32(task.memory, saved, shownGid(task, task.creds.sgid));
  return 0;
});

export const setfsuid = handler("setfsuid", (task, id) => {
  const { creds } = task;
  const uid = creds.userNamespace.uidGlobal(id >>> 0);
  const allowed = uid >= 0 && (mayUser(task) || [creds.uid, creds.euid, creds.suid, creds.fsuid].includes(uid));
  if (allowed) task.creds = { ...creds, fsuid: uid };
  return shownUid(task, creds.fsuid);
});

export const setfsgid = handler("setfsgid", (task, id) => {
  const { creds } = task;
  const gid = creds.userNamespace.gidGlobal(id >>> 0);
  const allowed = gid >= 0 && (mayGroup(task) || [creds.gid, creds.egid, creds.sgid, creds.fsgid].includes(gid));
  if (allowed) task.creds = { ...creds, fsgid: gid };
  return shownGid(task, creds.fsgid);
});

const MAX_GROUPS = 65536;

export const getgroups = handler("getgroups", (task, size, address) => {
  const { groups } = task.creds;
  if (size < 0) throw EINVAL;
  if (size === 0) return groups.length;
  if (groups.length > size) throw EINVAL;
  const list = Uint32Array.from(groups, (gid) => shownGid(task, gid));
  copyToUser(task.memory, address, new Uint8Array(list.buffer));
  return groups.length;
});

export const setgroups = handler("setgroups", (task, size, address) => {
  const { userNamespace } = task.creds;
  const denied = !userNamespace.setgroupsAllowed || userNamespace.gidMap.length === 0;
  if (denied || !mayGroup(task)) throw EPERM;
  if (size < 0 || size > MAX_GROUPS) throw EINVAL;
  const list = new Uint32Array(readBytes(task.memory, address, size * 4).buffer);
  task.creds = { ...task.creds, groups: [...list].map((gid) => globalGid(task, gid)).sort((a, b) => a - b) };
  return 0;
});

/** The process group or session leader a number names; 0 is the caller's own. @throws ESRCH */
function groupByPid(task: Task, pid: number): ThreadGroup {
  const group = pid === 0 ? task.group : task.pid.namespace.find(pid)?.group;
  if (!group) throw ESRCH;
  return group;
}

export const getpgid = handler("getpgid", (task, pid) =>
  groupByPid(task, pid).processGroup.numberIn(task.pid.namespace),
);
export const getpgrp = handler("getpgrp", (task) => task.group.processGroup.numberIn(task.pid.namespace));
export const getsid = handler("getsid", (task, pid) => groupByPid(task, pid).session.numberIn(task.pid.namespace));

export const setpgid = handler("setpgid", (task, pid, pgid) => {
  if (pgid < 0 || (pgid === 0 && pid < 0)) throw EINVAL;
  const group = groupByPid(task, pid);
  const ownChild = group.parent === task.group;
  if (group !== task.group && !ownChild) throw ESRCH;
  if (ownChild) {
    if (group.session !== task.group.session) throw EPERM;
    if (group.hasExeced) throw EACCES;
  }
  if (group.isSessionLeader) throw EPERM;
  let target: Pid = group.pid;
  if (pgid !== 0 && pgid !== group.pid.numberIn(task.pid.namespace)) {
    const found = task.pid.namespace.find(pgid);
    if (!found || ![...found.processGroup].some((member) => member.session === task.group.session)) throw EPERM;
    target = found;
  }
  group.setProcessGroup(target);
  return 0;
});

export const setsid = handler("setsid", (task) => {
  const { group } = task;
  if (group.isSessionLeader || group.pid.processGroup.size > 0) throw EPERM;
  group.setSession(group.pid);
  group.setProcessGroup(group.pid);
  group.tty = null;
  return group.pid.numberIn(task.pid.namespace);
});

export const idHandlers: readonly Handler[] = [
  getpid,
  gettid,
  getppid,
  getuid,
  geteuid,
  getgid,
  getegid,
  setuid,
  setgid,
  setreuid,
  setregid,
  setresuid,
  setresgid,
  getresuid,
  getresgid,
  setfsuid,
  setfsgid,
  getgroups,
  setgroups,
  getpgid,
  getpgrp,
  getsid,
  setpgid,
  setsid,
];
