/** chmod(2), chown(2), utimensat(2), access(2) and their relatives. */
import { EACCES, EINVAL, EOPNOTSUPP, EROFS } from "../../abi/errno.ts";
import { AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, F_OK, W_OK, X_OK } from "../../abi/fcntl.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK, UTIME_NOW, UTIME_OMIT } from "../../abi/stat.ts";
import { handler } from "../dispatch.ts";
import { readI64 } from "../mm/user-copy.ts";
import type { Credentials } from "../task/credentials.ts";
import type { Task } from "../task/task.ts";
import { changeMode, changeOwner, changeTimes, type NewTime, type Target } from "../vfs/attributes.ts";
import { readPath } from "../vfs/byte-string.ts";
import { permits } from "../vfs/permission.ts";
import { findForStat } from "./stat.ts";

function targetAt(task: Task, dirfd: number, path: number, flags: number): Target {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  return findForStat(task, dirfd, readPath(task, path), flags);
}

const targetOf = (task: Task, fd: number): Target => {
  const file = task.files.get(fd);
  return { inode: file.inode, place: file.path };
};

function modeAt(task: Task, dirfd: number, path: number, mode: number, flags: number): number {
  const target = targetAt(task, dirfd, path, flags);
  if (target.inode.isSymlink) throw EOPNOTSUPP;
  changeMode(task, target, mode);
  return 0;
}

export const chmod = handler("chmod", (task, path, mode) => modeAt(task, AT_FDCWD, path, mode, 0));
export const fchmodat = handler("fchmodat", (task, dirfd, path, mode) => modeAt(task, dirfd, path, mode, 0));
export const fchmodat2 = handler("fchmodat2", modeAt);
export const fchmod = handler("fchmod", (task, fd, mode) => {
  changeMode(task, targetOf(task, fd), mode);
  return 0;
});

function ownerAt(task: Task, dirfd: number, path: number, uid: number, gid: number, flags: number): number {
  changeOwner(task, targetAt(task, dirfd, path, flags), uid, gid);
  return 0;
}

export const chown = handler("chown", (task, path, uid, gid) => ownerAt(task, AT_FDCWD, path, uid, gid, 0));
export const lchown = handler("lchown", (task, path, uid, gid) =>
  ownerAt(task, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW),
);
export const fchownat = handler("fchownat", ownerAt);
export const fchown = handler("fchown", (task, fd, uid, gid) => {
  changeOwner(task, targetOf(task, fd), uid, gid);
  return 0;
});

/** One struct timespec of utimensat(2). */
function newTime(task: Task, address: number): NewTime {
  const nanoseconds = readI64(task.memory, address + 8);
  if (nanoseconds === UTIME_NOW) return "now";
  if (nanoseconds === UTIME_OMIT) return "keep";
  if (nanoseconds < 0 || nanoseconds >= 1e9) throw EINVAL;
  return { seconds: readI64(task.memory, address), nanoseconds };
}

function microTime(task: Task, address: number): NewTime {
  const microseconds = readI64(task.memory, address + 8);
  if (microseconds < 0 || microseconds >= 1e6) throw EINVAL;
  return { seconds: readI64(task.memory, address), nanoseconds: microseconds * 1000 };
}

const NOW: [NewTime, NewTime] = ["now", "now"];

function microTimes(task: Task, address: number): [NewTime, NewTime] {
  return address === 0 ? NOW : [microTime(task, address), microTime(task, address + 16)];
}

export const utimensat = handler("utimensat", (task, dirfd, path, times, flags) => {
  const [atime, mtime] = times === 0 ? NOW : [newTime(task, times), newTime(task, times + 16)];
  if (atime === "keep" && mtime === "keep") return 0;
  if (path === 0 && dirfd !== AT_FDCWD) {
    if (flags !== 0) throw EINVAL;
    changeTimes(task, targetOf(task, dirfd), atime, mtime);
    return 0;
  }
  changeTimes(task, targetAt(task, dirfd, path, flags), atime, mtime);
  return 0;
});

export const futimesat = handler("futimesat", (task, dirfd, path, times) => {
  const [atime, mtime] = microTimes(task, times);
  const target = path === 0 && dirfd !== AT_FDCWD ? targetOf(task, dirfd) : targetAt(task, dirfd, path, 0);
  changeTimes(task, target, atime, mtime);
  return 0;
});

export const utimes = handler("utimes", (task, path, times) => {
  const [atime, mtime] = microTimes(task, times);
  changeTimes(task, targetAt(task, AT_FDCWD, path, 0), atime, mtime);
  return 0;
});

export const utime = handler("utime", (task, path, times) => {
  const seconds = (offset: number): NewTime =>
    times === 0 ? "now" : { seconds: readI64(task.memory, times + offset), nanoseconds: 0 };
  const [atime, mtime] = [seconds(0), seconds(8)];
  changeTimes(task, targetAt(task, AT_FDCWD, path, 0), atime, mtime);
  return 0;
});

/** access(2) asks for the real ids: capabilities count as they would after giving up set-user-ID. */
function realCredentials(creds: Credentials): Credentials {
  const { uid, gid, permitted } = creds;
  if (creds.fsuid === uid && creds.fsgid === gid) return creds;
  const isRoot = creds.userNamespace.uidInside(uid) === 0;
  return { ...creds, fsuid: uid, fsgid: gid, effective: isRoot ? permitted : 0n };
}

function accessAt(task: Task, dirfd: number, path: number, mode: number, flags: number): number {
  if ((mode & ~7) !== 0 || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const effective = task.creds;
  const creds = (flags & AT_EACCESS) !== 0 ? effective : realCredentials(effective);
  const name = readPath(task, path);
  task.creds = creds;
  try {
    const { inode, place } = findForStat(task, dirfd, name, flags & ~AT_EACCESS);
    if (mode === F_OK) return 0;
    if ((mode & X_OK) !== 0 && inode.isRegular && place?.mount.attributes.noExec) throw EACCES;
    if (!permits(creds, inode, mode)) throw EACCES;
    const special = [S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(inode.type);
    if ((mode & W_OK) !== 0 && !special && place?.mount.readOnly) throw EROFS;
    return 0;
  } finally {
    task.creds = effective;
  }
}

export const access = handler("access", (task, path, mode) => accessAt(task, AT_FDCWD, path, mode, 0));
export const faccessat = handler("faccessat", (task, dirfd, path, mode) => accessAt(task, dirfd, path, mode, 0));
export const faccessat2 = handler("faccessat2", accessAt);
