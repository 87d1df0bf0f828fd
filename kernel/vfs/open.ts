/** open(2) behind the flags of its callers: find or make the file, check what the flags ask for, open it. */
import { EACCES, EEXIST, EISDIR, ELOOP, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, EROFS } from "../../abi/errno.ts";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  __O_TMPFILE,
} from "../../abi/fcntl.ts";
import { S_IFBLK, S_IFCHR, S_IFREG, S_IFSOCK } from "../../abi/stat.ts";
import type { Task } from "../task/task.ts";
import { DirectoryFile } from "./directory-file.ts";
import type { Path } from "./mount.ts";
import { makeNode } from "./make-node.ts";
import { PathFile, type OpenFile } from "./open-file.ts";
import { Dentry } from "./dentry.ts";
import { resolve, resolveForCreate } from "./path-walk.ts";
import { MAY_EXEC, MAY_READ, MAY_WRITE, requireAccess, requireOwner } from "./permission.ts";

/** Flags that only matter while the file is being opened. */
const CREATION_FLAGS = O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_CLOEXEC;

/**
 * Opens a path; null if the task sleeps (a FIFO without a partner).
 * @param restrictions RESOLVE_* of openat2(2)
 */
export function openPath(
  task: Task,
  dirfd: number,
  path: string,
  flags: number,
  mode: number,
  restrictions = 0,
): OpenFile | null {
  const followLast = (flags & O_NOFOLLOW) === 0;
  if ((flags & O_PATH) !== 0) {
    const place = resolve(task, dirfd, path, {
      followLast,
      mustBeDirectory: (flags & O_DIRECTORY) !== 0,
      resolve: restrictions,
    });
    return new PathFile(place, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }
  if ((flags & __O_TMPFILE) !== 0) return openUnnamed(task, dirfd, path, flags, mode, restrictions);
  if ((flags & O_CREAT) === 0) {
    const place = resolve(task, dirfd, path, { followLast, resolve: restrictions });
    return openPlace(task, place, flags);
  }
  const exclusive = (flags & O_EXCL) !== 0;
  const end = resolveForCreate(task, dirfd, path, followLast && !exclusive, restrictions);
  // Only mkdir makes something by a name with a slash behind it.
  if (end.slash) throw EISDIR;
  if (end.found) {
    if (exclusive) throw EEXIST;
    if (end.found.dentry.inode.isDirectory) throw EISDIR;
    return openPlace(task, end.found, flags);
  }
  const place = makeNode(task, end.parent, end.name, { mode: S_IFREG | (mode & 0o7777 & ~task.fs.umask) });
  return openInode(task, place, flags & ~O_TRUNC);
}

/** Opens what has been found, after all checks of open(2). */
export function openPlace(task: Task, place: Path, flags: number): OpenFile | null {
  const { inode } = place.dentry;
  const { attributes } = place.mount;
  if (inode.isSymlink) throw ELOOP;
  if ((flags & O_DIRECTORY) !== 0 && !inode.isDirectory) throw ENOTDIR;
  const wanted = accessOf(flags);
  const type = inode.type;
  if (inode.isDirectory && (wanted & MAY_WRITE) !== 0) throw EISDIR;
  if ((type === S_IFCHR || type === S_IFBLK) && attributes.noDev) throw EACCES;
  if ((wanted & MAY_WRITE) !== 0 && type === S_IFREG && place.mount.readOnly) throw EROFS;
  requireAccess(task.creds, inode, wanted);
  if ((flags & O_NOATIME) !== 0) requireOwner(task.creds, inode);
  if (type === S_IFSOCK) throw ENXIO;
  const file = openInode(task, place, flags);
  if (file && (flags & O_TRUNC) !== 0 && type === S_IFREG) {
    try {
      inode.truncate(0);
    } catch (error) {
      file.release();
      throw error;
    }
  }
  return file;
}

function openInode(task: Task, place: Path, flags: number): OpenFile | null {
  const status = flags & ~CREATION_FLAGS;
  const { inode } = place.dentry;
  if (inode.isDirectory) return new DirectoryFile(place, status);
  return inode.open(task, place, status);
}

function accessOf(flags: number): number {
  const mode = flags & O_ACCMODE;
  const wanted = mode === O_RDONLY ? MAY_READ : mode === O_WRONLY ? MAY_WRITE : MAY_READ | MAY_WRITE;
  return (flags & O_TRUNC) !== 0 ? wanted | MAY_WRITE : wanted;
}

function openUnnamed(
  task: Task,
  dirfd: number,
  path: string,
  flags: number,
  mode: number,
  restrictions: number,
): OpenFile | null {
  const place = resolve(task, dirfd, path, { followLast: true, mustBeDirectory: true, resolve: restrictions });
  const directory = place.dentry.inode;
  if (place.mount.readOnly) throw EROFS;
  requireAccess(task.creds, directory, MAY_WRITE | MAY_EXEC);
  const { fsuid, fsgid } = task.creds;
  let inode;
  try {
    inode = directory.createUnnamed({ mode: S_IFREG | (mode & 0o7777 & ~task.fs.umask), uid: fsuid, gid: fsgid });
  } catch (error) {
    throw error === EPERM ? EOPNOTSUPP : error;
  }
  const dentry = new Dentry(inode.fs, place.dentry, `#${inode.number}`, inode);
  dentry.deleted = true;
  dentry.linkable = (flags & O_EXCL) === 0;
  return openInode(task, { mount: place.mount, dentry }, flags & ~(O_TMPFILE | O_EXCL));
}
