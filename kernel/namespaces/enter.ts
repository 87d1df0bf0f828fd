/** Moving into namespaces that exist already (setns(2)). */
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../../abi/clone.ts";
import { CAP_SYS_ADMIN, CAP_SYS_CHROOT } from "../../abi/capability.ts";
import { EINVAL, EPERM, EUSERS } from "../../abi/errno.ts";
import { IpcNamespace } from "../ipc/ipc-namespace.ts";
import { PidNamespace } from "../pid/pid-namespace.ts";
import { capableIn } from "../task/capable.ts";
import { hasCapability, newNamespaceCredentials, type Credentials } from "../task/credentials.ts";
import type { Task } from "../task/task.ts";
import { MountNamespace } from "../vfs/mount.ts";
import type { NamespaceSet, PlainNamespace, UtsNamespace } from "./namespace-set.ts";
import { UserNamespace } from "./user-namespace.ts";

/** A namespace with the CLONE_NEW* flag of its kind. */
export interface NamespaceTarget {
  flag: number;
  namespace: object;
}

/** What the task will be once all targets have been checked. */
interface Change {
  creds: Credentials;
  set: NamespaceSet;
  mount: MountNamespace | null;
}

/** Enters all the namespaces or none; user namespaces first, since their privileges count for the others. */
export function enterNamespaces(task: Task, targets: readonly NamespaceTarget[]): void {
  const change: Change = { creds: task.creds, set: task.namespaces, mount: null };
  const ordered = [...targets].sort((a, b) => Number(b.flag === CLONE_NEWUSER) - Number(a.flag === CLONE_NEWUSER));
  for (const target of ordered) prepare(task, change, target);
  task.creds = change.creds;
  task.namespaces = change.set;
  if (change.mount) {
    task.fs.root = change.mount.root.rootPath;
    task.fs.cwd = change.mount.root.rootPath;
  }
}

/** @throws EPERM EINVAL EUSERS */
function prepare(task: Task, change: Change, { flag, namespace }: NamespaceTarget): void {
  switch (flag) {
    case CLONE_NEWUSER:
      if (!(namespace instanceof UserNamespace)) throw EINVAL;
      change.creds = enterUser(task, namespace);
      return;
    case CLONE_NEWPID:
      if (!(namespace instanceof PidNamespace)) throw EINVAL;
      requireAdmin(change, namespace.owner);
      if (!task.pid.namespace.contains(namespace)) throw EINVAL;
      change.set = { ...change.set, pidForChildren: namespace };
      return;
    case CLONE_NEWNS:
      if (!(namespace instanceof MountNamespace)) throw EINVAL;
      requireAdmin(change, namespace.owner);
      if (!hasCapability(change.creds, CAP_SYS_CHROOT, change.creds.userNamespace)) throw EPERM;
      if (task.fs.users > 1) throw EINVAL;
      change.mount = namespace;
      change.set = { ...change.set, mount: namespace };
      return;
    default:
      enterOther(task, change, flag, namespace as PlainNamespace);
  }
}

function enterOther(task: Task, change: Change, flag: number, namespace: PlainNamespace): void {
  requireAdmin(change, namespace.owner);
  switch (flag) {
    case CLONE_NEWUTS:
      change.set = { ...change.set, uts: namespace as UtsNamespace };
      return;
    case CLONE_NEWIPC:
      if (!(namespace instanceof IpcNamespace)) throw EINVAL;
      change.set = { ...change.set, ipc: namespace };
      return;
    case CLONE_NEWNET:
      change.set = { ...change.set, net: namespace };
      return;
    case CLONE_NEWCGROUP:
      change.set = { ...change.set, cgroup: namespace };
      return;
    case CLONE_NEWTIME:
      if (task.group.tasks.size > 1) throw EUSERS;
      change.set = { ...change.set, time: namespace, timeForChildren: namespace };
      return;
    default:
      throw EINVAL;
  }
}

function requireAdmin({ creds }: Change, owner: UserNamespace): void {
  if (!hasCapability(creds, CAP_SYS_ADMIN, owner)) throw EPERM;
  if (!hasCapability(creds, CAP_SYS_ADMIN, creds.userNamespace)) throw EPERM;
}

function enterUser(task: Task, namespace: UserNamespace): Credentials {
  if (namespace === task.creds.userNamespace) throw EINVAL;
  if (task.group.tasks.size > 1 || task.fs.users > 1) throw EINVAL;
  if (!capableIn(task, CAP_SYS_ADMIN, namespace)) throw EPERM;
  return newNamespaceCredentials(task.creds, namespace);
}
