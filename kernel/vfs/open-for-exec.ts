/** The file that execve(2) is about to run. */
import { EACCES, ELOOP } from "../../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_RDONLY } from "../../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import type { OpenFile } from "./open-file.ts";
import { resolve } from "./path-walk.ts";
import { MAY_EXEC, requireAccess } from "./permission.ts";

/**
 * Finds and opens a program; the caller releases the file.
 * @param flags AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW of execveat(2)
 * @throws EACCES for what is no regular file, may not be executed, or lies on a noexec mount
 */
export function openForExec(task: Task, path: string, dirfd = AT_FDCWD, flags = 0): OpenFile {
  const followLast = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  const place = resolve(task, dirfd, path, { followLast, emptyPath: (flags & AT_EMPTY_PATH) !== 0 });
  const { inode } = place.dentry;
  if (inode.isSymlink) throw ELOOP;
  if (!inode.isRegular || place.mount.attributes.noExec) throw EACCES;
  requireAccess(task.creds, inode, MAY_EXEC);
  const file = inode.open(task, place, O_RDONLY);
  if (!file) throw EACCES;
  return file;
}
