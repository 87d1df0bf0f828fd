/** System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
import { EEXIST, EINVAL, ENOENT, ENOSPC } from "../../abi/errno.ts";
import * as ipc from "../../abi/ipc.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { handler } from "../dispatch.ts";
import { SharedSegment } from "../ipc/shared-memory.ts";
import { PROT_ALL } from "../mm/address-space.ts";
import { PAGE_SIZE, TASK_SIZE, pageCeil } from "../mm/layout.ts";
import { copyToUser, readBytes } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";

/** SHMMNI and SHMMIN of Linux. */
const MAX_SEGMENTS = 4096;
const READ = 4;
const WRITE = 2;
const { ipc64_perm, shmid64_ds } = ipc;

export const shmget = handler("shmget", (task, key, size, flags) => {
  const namespace = task.namespaces.ipc;
  const found = key === ipc.IPC_PRIVATE ? undefined : namespace.segmentByKey(key);
  if (found) {
    if ((flags & ipc.IPC_CREAT) !== 0 && (flags & ipc.IPC_EXCL) !== 0) throw EEXIST;
    namespace.checkAccess(task, found.permissions, (flags | (flags >> 3) | (flags >> 6)) & 7);
    if (size > found.size) throw EINVAL;
    return found.id;
  }
  if (key !== ipc.IPC_PRIVATE && (flags & ipc.IPC_CREAT) === 0) throw ENOENT;
  if (size < 1 || size > TASK_SIZE) throw EINVAL;
  if ((flags & ipc.SHM_HUGETLB) !== 0) throw EINVAL;
  if (namespace.segments.size >= MAX_SEGMENTS) throw ENOSPC;
  const { euid, egid } = task.creds;
  const permissions = { key, uid: euid, gid: egid, cuid: euid, cgid: egid, mode: flags & 0o777 };
  return new SharedSegment(task.kernel, namespace, permissions, size, task.group.pid).id;
});

export const shmat = handler("shmat", (task, id, address, flags) => {
  let at = address;
  if (at % PAGE_SIZE !== 0) {
    if ((flags & ipc.SHM_RND) === 0) throw EINVAL;
    at -= at % PAGE_SIZE;
  }
  if (at === 0 && (flags & ipc.SHM_REMAP) !== 0) throw EINVAL;
  const namespace = task.namespaces.ipc;
  const segment = namespace.segment(id);
  const readOnly = (flags & ipc.SHM_RDONLY) !== 0;
  const execute = (flags & ipc.SHM_EXEC) !== 0;
  namespace.checkAccess(task, segment.permissions, READ | (readOnly ? 0 : WRITE) | (execute ? 1 : 0));
  const request = {
    length: pageCeil(segment.size),
    prot: PROT_READ | (readOnly ? 0 : PROT_WRITE) | (execute ? PROT_EXEC : 0),
    maxProt: readOnly ? PROT_ALL & ~PROT_WRITE : PROT_ALL,
    shared: true,
    store: segment.store,
    file: segment,
  };
  const { memory } = task;
  if (at !== 0 && (flags & ipc.SHM_REMAP) === 0 && memory.vmas.overlaps(at, at + request.length)) throw EINVAL;
  const result = at === 0 ? memory.map(0, request) : memory.mapFixed(at, request);
  segment.lastUser = task.group.pid;
  return result;
});

export const shmdt = handler("shmdt", (task, address) => {
  if (address % PAGE_SIZE !== 0) throw EINVAL;
  const { memory } = task;
  // The attachment may have been cut into pieces since; all of them go.
  const first = memory.vmas.areas.find(
    (area) => area.file instanceof SharedSegment && area.start - area.storePage * PAGE_SIZE === address,
  );
  const segment = first?.file;
  if (!(segment instanceof SharedSegment)) throw EINVAL;
  segment.lastUser = task.group.pid;
  const pieces = memory.vmas.areas.filter(
    (area) => area.file === segment && area.start - area.storePage * PAGE_SIZE === address,
  );
  for (const { start, end } of [...pieces]) memory.unmap(start, end - start);
  return 0;
});

function writeStatus(task: Task, address: number, segment: SharedSegment): void {
  const { key, uid, gid, cuid, cgid, mode } = segment.permissions;
  const { userNamespace } = task.creds;
  const { namespace } = task.pid;
  const bytes = new Uint8Array(shmid64_ds.size);
  shmid64_ds.encode(new DataView(bytes.buffer), 0, {
    shm_perm: {
      key,
      uid: userNamespace.uidInside(uid) >>> 0,
      gid: userNamespace.gidInside(gid) >>> 0,
      cuid: userNamespace.uidInside(cuid) >>> 0,
      cgid: userNamespace.gidInside(cgid) >>> 0,
      mode: mode | (segment.removed ? SHM_DEST : 0) | (segment.locked ? SHM_LOCKED : 0),
    },
    shm_segsz: segment.size,
    shm_atime: segment.attachTime,
    shm_dtime: segment.detachTime,
    shm_ctime: segment.changeTime,
    shm_cpid: segment.creator.numberIn(namespace),
    shm_lpid: segment.lastUser?.numberIn(namespace) ?? 0,
    shm_nattch: segment.attached,
  });
  copyToUser(task.memory, address, bytes);
}

const SHM_DEST = 0o1000;
const SHM_LOCKED = 0o2000;

/** IPC_SET: owner and permissions. @throws EFAULT EPERM EINVAL */
function setOwner(task: Task, segment: SharedSegment, address: number): void {
  const view = new DataView(readBytes(task.memory, address, shmid64_ds.size).buffer);
  const wanted = ipc64_perm.decode(view, 0);
  task.namespaces.ipc.checkOwner(task, segment.permissions);
  const uid = task.creds.userNamespace.uidGlobal(wanted.uid);
  const gid = task.creds.userNamespace.gidGlobal(wanted.gid);
  if (uid < 0 || gid < 0) throw EINVAL;
  Object.assign(segment.permissions, { uid, gid, mode: wanted.mode & 0o777 });
  segment.changeTime = task.kernel.realtime().seconds;
}

export const shmctl = handler("shmctl", (task, id, command, buffer) => {
  if (id < 0) throw EINVAL;
  const namespace = task.namespaces.ipc;
  switch (command & ~ipc.IPC_64) {
    case ipc.IPC_STAT: {
      const segment = namespace.segment(id);
      namespace.checkAccess(task, segment.permissions, READ);
      writeStatus(task, buffer, segment);
      return 0;
    }
    case ipc.IPC_SET:
      setOwner(task, namespace.segment(id), buffer);
      return 0;
    case ipc.IPC_RMID: {
      const segment = namespace.segment(id);
      namespace.checkOwner(task, segment.permissions);
      segment.remove();
      return 0;
    }
    case ipc.SHM_LOCK:
    case ipc.SHM_UNLOCK: {
      const segment = namespace.segment(id);
      namespace.checkOwner(task, segment.permissions);
      // Nothing is ever swapped out: only the mark is kept.
      segment.locked = (command & ~ipc.IPC_64) === ipc.SHM_LOCK;
      return 0;
    }
    default:
      throw EINVAL;
  }
});
