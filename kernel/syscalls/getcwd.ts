/** getcwd(2), chdir(2), fchdir(2), chroot(2), umask(2). */
import { EACCES, ENOENT, ENOTDIR, EPERM, ERANGE } from "../../abi/errno.ts";
import { AT_FDCWD } from "../../abi/fcntl.ts";
import { CAP_SYS_CHROOT } from "../../abi/capability.ts";
import { handler } from "../dispatch.ts";
import { copyToUser } from "../mm/user-copy.ts";
import { capableIn } from "../task/capable.ts";
import { readPath, toBytes } from "../vfs/byte-string.ts";
import { pathWithin } from "../vfs/path.ts";
import { resolve } from "../vfs/path-walk.ts";
import { MAY_EXEC, permits, requireAccess } from "../vfs/permission.ts";

export const getcwd = handler("getcwd", (task, buffer, size) => {
  const { cwd, root } = task.fs;
  if (cwd.dentry.deleted) throw ENOENT;
  const { text, reachable } = pathWithin(cwd, root);
  const bytes = toBytes(`${reachable ? "" : "(unreachable)"}${text}\0`);
  if (bytes.length > size) throw ERANGE;
  copyToUser(task.memory, buffer, bytes);
  return bytes.length;
});

export const chdir = handler("chdir", (task, path) => {
  const place = resolve(task, AT_FDCWD, readPath(task, path), { followLast: true, mustBeDirectory: true });
  requireAccess(task.creds, place.dentry.inode, MAY_EXEC);
  task.fs.cwd = place;
  return 0;
});

export const fchdir = handler("fchdir", (task, fd) => {
  const { path, inode } = task.files.getAny(fd);
  if (!path || !inode.isDirectory) throw ENOTDIR;
  if (!permits(task.creds, inode, MAY_EXEC)) throw EACCES;
  task.fs.cwd = path;
  return 0;
});

export const chroot = handler("chroot", (task, path) => {
  const place = resolve(task, AT_FDCWD, readPath(task, path), { followLast: true, mustBeDirectory: true });
  requireAccess(task.creds, place.dentry.inode, MAY_EXEC);
  if (!capableIn(task, CAP_SYS_CHROOT, task.creds.userNamespace)) throw EPERM;
  task.fs.root = place;
  return 0;
});

export const umask = handler("umask", (task, mask) => {
  const old = task.fs.umask;
  task.fs.umask = mask & 0o777;
  return old;
});
