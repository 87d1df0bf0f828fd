/** rename(2), unlink(2), rmdir(2). */
import { EINVAL } from "../../abi/errno.ts";
import { AT_FDCWD, AT_REMOVEDIR, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import type { Task } from "../task/task.ts";
import { readPath } from "../vfs/byte-string.ts";
import { resolveParent } from "../vfs/path-walk.ts";
import { removeDirectory, removeName, renameNode } from "../vfs/remove-node.ts";

function renameAt(task: Task, oldFd: number, oldPath: number, newFd: number, newPath: number, flags: number): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) throw EINVAL;
  if ((flags & RENAME_EXCHANGE) !== 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) throw EINVAL;
  const [from, to] = [readPath(task, oldPath), readPath(task, newPath)];
  renameNode(task, resolveParent(task, oldFd, from), resolveParent(task, newFd, to), flags);
  return 0;
}

export const rename = handler("rename", (task, oldPath, newPath) =>
  renameAt(task, AT_FDCWD, oldPath, AT_FDCWD, newPath, 0),
);
export const renameat = handler("renameat", (task, oldFd, oldPath, newFd, newPath) =>
  renameAt(task, oldFd, oldPath, newFd, newPath, 0),
);
export const renameat2 = handler("renameat2", renameAt);

export const unlink = handler("unlink", (task, path) => {
  removeName(task, resolveParent(task, AT_FDCWD, readPath(task, path)));
  return 0;
});

export const rmdir = handler("rmdir", (task, path) => {
  removeDirectory(task, resolveParent(task, AT_FDCWD, readPath(task, path)));
  return 0;
});

export const unlinkat = handler("unlinkat", (task, dirfd, path, flags) => {
  if ((flags & ~AT_REMOVEDIR) !== 0) throw EINVAL;
  const end = resolveParent(task, dirfd, readPath(task, path));
  if ((flags & AT_REMOVEDIR) !== 0) removeDirectory(task, end);
  else removeName(task, end);
  return 0;
});
