/** mount(2), umount2(2), pivot_root(2). */
import { EBUSY, EINVAL, ENODEV, ENOTDIR, EPERM } from "../../abi/errno.ts";
import { AT_FDCWD, PATH_MAX } from "../../abi/fcntl.ts";
import { CAP_SYS_ADMIN } from "../../abi/capability.ts";
import {
  MNT_DETACH,
  MNT_EXPIRE,
  MNT_FORCE,
  MS_BIND,
  MS_MGC_MSK,
  MS_MGC_VAL,
  MS_MOVE,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_UNBINDABLE,
  UMOUNT_NOFOLLOW,
} from "../../abi/mount.ts";
import { handler } from "../dispatch.ts";
import { createDevFs } from "../fs/devfs.ts";
import { ProcFs } from "../fs/procfs/proc-fs.ts";
import { TmpFs, type TmpFsOptions } from "../fs/tmpfs.ts";
import { readCString } from "../mm/user-copy.ts";
import { capableIn } from "../task/capable.ts";
import type { Task } from "../task/task.ts";
import { fromBytes, readPath } from "../vfs/byte-string.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import type { Mount, MountAttributes, MountNamespace, Path } from "../vfs/mount.ts";
import { samePlace } from "../vfs/path.ts";
import { resolve } from "../vfs/path-walk.ts";

function requireAdmin(task: Task): MountNamespace {
  const namespace = task.namespaces.mount;
  if (!capableIn(task, CAP_SYS_ADMIN, namespace.owner)) throw EPERM;
  return namespace;
}

function attributesOf(flags: number): MountAttributes {
  return {
    readOnly: (flags & MS_RDONLY) !== 0,
    noSuid: (flags & MS_NOSUID) !== 0,
    noDev: (flags & MS_NODEV) !== 0,
    noExec: (flags & MS_NOEXEC) !== 0,
    accessTime: (flags & MS_NOATIME) !== 0 ? "noatime" : (flags & MS_STRICTATIME) !== 0 ? "strictatime" : "relatime",
  };
}

const text = (task: Task, address: number): string =>
  address === 0 ? "" : fromBytes(readCString(task.memory, address, PATH_MAX));

const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

export const mount = handler("mount", (task, source, target, type, rawFlags, data) => {
  let flags = (rawFlags % 4294967296) | 0;
  if ((flags & MS_MGC_MSK) >>> 0 === MS_MGC_VAL) flags &= ~MS_MGC_MSK;
  const typeName = text(task, type);
  const sourceName = text(task, source);
  const options = text(task, data);
  const place = resolve(task, AT_FDCWD, readPath(task, target), { followLast: true });
  const namespace = requireAdmin(task);
  if ((flags & MS_REMOUNT) !== 0) return remount(place, flags);
  if ((flags & MS_BIND) !== 0) return bind(task, namespace, sourceName, place, flags);
  if ((flags & PROPAGATION) !== 0) return requireRoot(place) && 0;
  if ((flags & MS_MOVE) !== 0) return move(task, namespace, sourceName, place);
  if (type === 0) throw EINVAL;
  const fs = create(task, typeName, options);
  if (!place.dentry.inode.isDirectory) throw ENOTDIR;
  namespace.mount(fs.rootDentry, place, sourceName === "" ? "none" : sourceName, attributesOf(flags));
  return 0;
});

/** The mount whose root the place is. @throws EINVAL */
function requireRoot(place: Path): Mount {
  if (place.dentry !== place.mount.root) throw EINVAL;
  return place.mount;
}

function remount(place: Path, flags: number): number {
  const { fs } = requireRoot(place);
  const wanted = attributesOf(flags);
  // What the file system itself does not let us write stays so.
  if (fs.readOnly && !wanted.readOnly && (flags & MS_BIND) === 0) throw EPERM;
  place.mount.attributes = wanted;
  return 0;
}

function bind(task: Task, namespace: MountNamespace, source: string, place: Path, flags: number): number {
  if (source === "") throw EINVAL;
  const from = resolve(task, AT_FDCWD, source, { followLast: true });
  if (from.mount.namespace !== namespace) throw EINVAL;
  if (from.dentry.inode.isDirectory !== place.dentry.inode.isDirectory) throw ENOTDIR;
  if ((flags & MS_REC) !== 0) namespace.bindTree(from, place);
  else namespace.mount(from.dentry, place, from.mount.source, from.mount.attributes);
  return 0;
}

function move(task: Task, namespace: MountNamespace, source: string, place: Path): number {
  const { mount } = resolve(task, AT_FDCWD, source, { followLast: true });
  if (mount.namespace !== namespace || !mount.parent) throw EINVAL;
  for (let at: Mount | null = place.mount; at; at = at.parent) if (at === mount) throw EINVAL;
  mount.detach();
  mount.attach(place);
  return 0;
}

/** @throws ENODEV for a type this kernel does not have, EINVAL for options it does not know */
function create(task: Task, type: string, options: string): FileSystem {
  const { kernel, creds } = task;
  switch (type) {
    case "proc":
      return new ProcFs(kernel, task.pid.namespace);
    case "tmpfs":
    case "ramfs":
      return new TmpFs(kernel, {
        type,
        uid: creds.fsuid,
        gid: creds.fsgid,
        ...tmpfsOptions(options, kernel.frames.memory.frameCount * 4096),
      });
    case "devtmpfs":
      return createDevFs(kernel);
    case "sysfs":
      return new TmpFs(kernel, { type, mode: 0o555 });
    default:
      throw ENODEV;
  }
}

function tmpfsOptions(text: string, ram: number): TmpFsOptions {
  const options: TmpFsOptions = {};
  for (const word of text.split(",")) {
    const [name, value = ""] = word.split("=");
    if (name === "size") options.size = parseSize(value, ram);
    else if (name === "mode" && /^[0-7]{1,5}$/.test(value)) options.mode = parseInt(value, 8);
    else if (name === "uid" && /^\d+$/.test(value)) options.uid = Number(value);
    else if (name === "gid" && /^\d+$/.test(value)) options.gid = Number(value);
    else if (name !== "" && !IGNORED_OPTIONS.has(name!)) throw EINVAL;
  }
  return options;
}

const IGNORED_OPTIONS = new Set(["nr_inodes", "nr_blocks", "huge", "mpol", "inode64", "inode32", "noswap", "rw", "ro"]);

function parseSize(value: string, ram: number): number {
  const match = /^(\d+)([kmg%]?)$/i.exec(value);
  if (!match) throw EINVAL;
  const number = Number(match[1]);
  switch (match[2]!.toLowerCase()) {
    case "k":
      return number * 2 ** 10;
    case "m":
      return number * 2 ** 20;
    case "g":
      return number * 2 ** 30;
    case "%":
      return (number * ram) / 100;
    default:
      return number;
  }
}

/** Somebody's working directory, root or open file lies on the mount. */
function isInUse(task: Task, mount: Mount): boolean {
  for (const { task: other } of task.kernel.initPidNamespace.all()) {
    if (!other || other.state >= 3) continue;
    if (other.fs.cwd.mount === mount || other.fs.root.mount === mount) return true;
    for (const [, file] of other.files.entries()) if (file.path?.mount === mount) return true;
  }
  return false;
}

export const umount2 = handler("umount2", (task, target, flags) => {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) throw EINVAL;
  if ((flags & MNT_EXPIRE) !== 0) throw EINVAL;
  const place = resolve(task, AT_FDCWD, readPath(task, target), { followLast: (flags & UMOUNT_NOFOLLOW) === 0 });
  const namespace = requireAdmin(task);
  const gone = requireRoot(place);
  if (gone.namespace !== namespace || !gone.parent) throw EINVAL;
  const lazily = (flags & MNT_DETACH) !== 0;
  if (!lazily && isInUse(task, gone)) throw EBUSY;
  gone.fs.sync();
  namespace.unmount(gone, lazily);
  return 0;
});

export const pivotRoot = handler("pivot_root", (task, newPath, oldPath) => {
  const namespace = requireAdmin(task);
  const newRoot = resolve(task, AT_FDCWD, readPath(task, newPath), { followLast: true, mustBeDirectory: true });
  const putOld = resolve(task, AT_FDCWD, readPath(task, oldPath), { followLast: true, mustBeDirectory: true });
  const oldRoot = task.fs.root;
  const { mount } = newRoot;
  if (mount === oldRoot.mount || putOld.mount === oldRoot.mount) throw EBUSY;
  if (newRoot.dentry !== mount.root || oldRoot.dentry !== oldRoot.mount.root) throw EINVAL;
  if (mount.namespace !== namespace || !mount.parent || oldRoot.mount !== namespace.root) throw EINVAL;
  let below: Mount | null = putOld.mount;
  while (below && below !== mount) below = below.parent;
  if (!below) throw EINVAL;
  mount.detach();
  namespace.root = mount;
  oldRoot.mount.attach(putOld);
  // Everyone whose root or working directory was the old root moves to the new one.
  for (const { task: other } of task.kernel.initPidNamespace.all()) {
    if (!other || other.state >= 3) continue;
    if (samePlace(other.fs.root, oldRoot)) other.fs.root = newRoot;
    if (samePlace(other.fs.cwd, oldRoot)) other.fs.cwd = newRoot;
  }
  return 0;
});
