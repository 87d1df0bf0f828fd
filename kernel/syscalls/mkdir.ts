/** mkdir(2), mknod(2), symlink(2), link(2), readlink(2). */
import { EINVAL, ENOENT, EPERM } from "../../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW } from "../../abi/fcntl.ts";
import { CAP_DAC_READ_SEARCH, CAP_MKNOD } from "../../abi/capability.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../../abi/stat.ts";
import { handler } from "../dispatch.ts";
import { copyToUser } from "../mm/user-copy.ts";
import { capable } from "../task/capable.ts";
import type { Task } from "../task/task.ts";
import { readPath, toBytes } from "../vfs/byte-string.ts";
import { makeLink, makeNode, requireAbsent } from "../vfs/make-node.ts";
import { resolve, resolveParent } from "../vfs/path-walk.ts";

function makeDirectory(task: Task, dirfd: number, path: number, mode: number): number {
  const end = resolveParent(task, dirfd, readPath(task, path));
  requireAbsent(end, true);
  // The set-id bits of a new directory come from its parent alone.
  makeNode(task, end.parent, end.name, { mode: S_IFDIR | (mode & 0o1777 & ~task.fs.umask) });
  return 0;
}

export const mkdir = handler("mkdir", (task, path, mode) => makeDirectory(task, AT_FDCWD, path, mode));
export const mkdirat = handler("mkdirat", makeDirectory);

function makeSpecial(task: Task, dirfd: number, path: number, given: number, device: number): number {
  const type = (given & S_IFMT) === 0 ? S_IFREG : given & S_IFMT;
  const name = readPath(task, path);
  if (type === S_IFDIR) throw EPERM;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type)) throw EINVAL;
  const end = resolveParent(task, dirfd, name);
  requireAbsent(end);
  const isDevice = type === S_IFCHR || type === S_IFBLK;
  if (isDevice && !capable(task, CAP_MKNOD)) throw EPERM;
  const mode = type | (given & 0o7777 & ~task.fs.umask);
  makeNode(task, end.parent, end.name, { mode, rdev: isDevice ? device : 0 });
  return 0;
}

export const mknod = handler("mknod", (task, path, mode, device) => makeSpecial(task, AT_FDCWD, path, mode, device));
export const mknodat = handler("mknodat", makeSpecial);

function makeSymlink(task: Task, target: number, dirfd: number, path: number): number {
  const text = readPath(task, target);
  if (text === "") throw ENOENT;
  const end = resolveParent(task, dirfd, readPath(task, path));
  requireAbsent(end);
  makeNode(task, end.parent, end.name, { mode: S_IFLNK | 0o777, target: text });
  return 0;
}

export const symlink = handler("symlink", (task, target, path) => makeSymlink(task, target, AT_FDCWD, path));
export const symlinkat = handler("symlinkat", makeSymlink);

function link(task: Task, oldFd: number, oldPath: number, newFd: number, newPath: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const name = readPath(task, oldPath);
  const emptyPath = (flags & AT_EMPTY_PATH) !== 0;
  if (emptyPath && name === "" && !capable(task, CAP_DAC_READ_SEARCH)) throw ENOENT;
  const existing = resolve(task, oldFd, name, { followLast: (flags & AT_SYMLINK_FOLLOW) !== 0, emptyPath });
  const end = resolveParent(task, newFd, readPath(task, newPath));
  makeLink(task, existing, end);
  return 0;
}

export const linkCall = handler("link", (task, oldPath, newPath) =>
  link(task, AT_FDCWD, oldPath, AT_FDCWD, newPath, 0),
);
export const linkat = handler("linkat", link);

function readLink(task: Task, dirfd: number, path: number, buffer: number, size: number): number {
  if (size <= 0) throw EINVAL;
  const name = readPath(task, path);
  // An empty path means the link that dirfd itself was opened for (O_PATH | O_NOFOLLOW).
  const place = resolve(task, dirfd, name, { emptyPath: true });
  if (!place.dentry.inode.isSymlink) throw name === "" ? ENOENT : EINVAL;
  const bytes = toBytes(place.dentry.inode.readlink(task)).subarray(0, size);
  copyToUser(task.memory, buffer, bytes);
  return bytes.length;
}

export const readlink = handler("readlink", (task, path, buffer, size) => {
  if (size > 0 && readPath(task, path) === "") throw ENOENT;
  return readLink(task, AT_FDCWD, path, buffer, size);
});
export const readlinkat = handler("readlinkat", readLink);
