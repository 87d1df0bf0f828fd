/** What System V IPC objects belong to (ipc_namespaces(7), svipc(7)). */
import { EACCES, EIDRM, EINVAL, EPERM } from "../../abi/errno.ts";
import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from "../../abi/capability.ts";
import type { UserNamespace } from "../namespaces/user-namespace.ts";
import { capableIn } from "../task/capable.ts";
import type { Task } from "../task/task.ts";
import type { SharedSegment } from "./shared-memory.ts";

/** Owner and permissions of an object (struct ipc_perm). Ids are global. */
export interface IpcPermissions {
  readonly key: number;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** The low nine bits. */
  mode: number;
}

export class IpcNamespace {
  readonly inode: number;
  readonly owner: UserNamespace;
  /** Segments by identifier, those marked for removal included. */
  readonly segments = new Map<number, SharedSegment>();
  private nextId = 0;

  constructor(inode: number, owner: UserNamespace) {
    this.inode = inode;
    this.owner = owner;
  }

  allocateId(): number {
    return this.nextId++;
  }

  /** The segment that a key names. */
  segmentByKey(key: number): SharedSegment | undefined {
    for (const segment of this.segments.values())
      if (segment.permissions.key === key && !segment.removed) return segment;
    return undefined;
  }

  /** @throws EINVAL EIDRM */
  segment(id: number): SharedSegment {
    const segment = this.segments.get(id);
    if (!segment) throw id >= 0 && id < this.nextId ? EIDRM : EINVAL;
    return segment;
  }

  /** Nobody lives here any more: what is left goes. */
  dispose(): void {
    for (const segment of [...this.segments.values()]) segment.remove();
  }

  /** @throws EACCES unless the task has the wanted bits (0o4 read, 0o2 write) on the object */
  checkAccess(task: Task, permissions: IpcPermissions, wanted: number): void {
    const { creds } = task;
    const { uid, cuid, gid, cgid, mode } = permissions;
    const isGroup = [gid, cgid].some((id) => id === creds.egid || creds.groups.includes(id));
    const shift = creds.euid === uid || creds.euid === cuid ? 6 : isGroup ? 3 : 0;
    if ((wanted & ~(mode >> shift)) === 0) return;
    if (!capableIn(task, CAP_IPC_OWNER, this.owner)) throw EACCES;
  }

  /** @throws EPERM unless the task owns the object or may do everything */
  checkOwner(task: Task, { uid, cuid }: IpcPermissions): void {
    const { euid } = task.creds;
    if (euid !== uid && euid !== cuid && !capableIn(task, CAP_SYS_ADMIN, this.owner)) throw EPERM;
  }
}
