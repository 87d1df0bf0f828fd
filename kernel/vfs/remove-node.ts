/** Removing and moving names (unlink(2), rmdir(2), rename(2)). */
import { EACCES, EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV } from "../../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import { Dentry } from "./dentry.ts";
import type { Path } from "./mount.ts";
import type { LastStep } from "./path-walk.ts";
import { MAY_EXEC, MAY_WRITE, permits, requireAccess, requireNotSticky } from "./permission.ts";

function requireMayRemove(task: Task, parent: Path, victim: Dentry): void {
  if (parent.mount.readOnly) throw EROFS;
  requireAccess(task.creds, parent.dentry.inode, MAY_WRITE | MAY_EXEC);
  requireNotSticky(task.creds, parent.dentry.inode, victim.inode);
}

/** The dentry a walk has ended on, below any mounts. */
const nameOf = (end: LastStep): Dentry | undefined => end.parent.dentry.child(end.name);

export function removeName(task: Task, end: LastStep): void {
  if (end.name === "") throw EISDIR;
  const victim = nameOf(end);
  if (!victim) throw ENOENT;
  if (end.slash) throw victim.inode.isDirectory ? EISDIR : ENOTDIR;
  requireMayRemove(task, end.parent, victim);
  if (victim.inode.isDirectory) throw EISDIR;
  if (victim.mounts > 0) throw EBUSY;
  end.parent.dentry.inode.unlink(end.name, victim.inode);
  end.parent.dentry.forget(victim);
  victim.inode.unlinked();
}

export function removeDirectory(task: Task, end: LastStep): void {
  if (end.name === "") throw end.dot === "." ? EINVAL : end.dot === ".." ? ENOTEMPTY : EBUSY;
  const victim = nameOf(end);
  if (!victim) throw ENOENT;
  requireMayRemove(task, end.parent, victim);
  if (!victim.inode.isDirectory) throw ENOTDIR;
  if (victim.mounts > 0) throw EBUSY;
  end.parent.dentry.inode.rmdir(end.name, victim.inode);
  end.parent.dentry.forget(victim);
  victim.inode.unlinked();
}

export function renameNode(task: Task, from: LastStep, to: LastStep, flags: number): void {
  if (from.parent.mount !== to.parent.mount) throw EXDEV;
  if (from.name === "") throw EBUSY;
  if (to.name === "") throw (flags & RENAME_NOREPLACE) !== 0 ? EEXIST : EBUSY;
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  const source = nameOf(from);
  if (!source) throw ENOENT;
  const target = nameOf(to);
  if (target && (flags & RENAME_NOREPLACE) !== 0) throw EEXIST;
  if (exchange && !target) throw ENOENT;
  if (!source.inode.isDirectory && (from.slash || (to.slash && !exchange))) throw ENOTDIR;
  if (exchange && to.slash && !target!.inode.isDirectory) throw ENOTDIR;
  // A directory cannot move into itself, nor replace one of its own ancestors.
  if (to.parent.dentry.isBelow(source)) throw EINVAL;
  if (target && from.parent.dentry.isBelow(target)) throw exchange ? EINVAL : ENOTEMPTY;
  if (target?.inode === source.inode) return;

  const { dentry: toDirectory } = to.parent;
  const { dentry: fromDirectory } = from.parent;
  requireMayRemove(task, from.parent, source);
  if (target) {
    requireMayRemove(task, to.parent, target);
    if (!exchange) {
      if (source.inode.isDirectory && !target.inode.isDirectory) throw ENOTDIR;
      if (!source.inode.isDirectory && target.inode.isDirectory) throw EISDIR;
    }
  } else {
    if (toDirectory.deleted || toDirectory.inode.nlink === 0) throw ENOENT;
    requireAccess(task.creds, toDirectory.inode, MAY_WRITE | MAY_EXEC);
  }
  // A directory that gets another parent is itself changed: its "..".
  if (fromDirectory !== toDirectory) {
    if (source.inode.isDirectory && !permits(task.creds, source.inode, MAY_WRITE)) throw EACCES;
    if (exchange && target!.inode.isDirectory && !permits(task.creds, target!.inode, MAY_WRITE)) throw EACCES;
  }
  if (source.mounts > 0 || (target && target.mounts > 0)) throw EBUSY;

  if (exchange) {
    fromDirectory.inode.exchange(from.name, source.inode, toDirectory.inode, to.name, target!.inode);
    Dentry.exchange(source, target!);
    return;
  }
  fromDirectory.inode.rename(from.name, source.inode, toDirectory.inode, to.name, target?.inode ?? null);
  if (target) toDirectory.forget(target);
  toDirectory.adopt(source, to.name);
  target?.inode.unlinked();
}
