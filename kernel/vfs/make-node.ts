/** Making new names: files, directories, links, nodes (open(2), mkdir(2), mknod(2), symlink(2), link(2)). */
import { EEXIST, EMLINK, ENOENT, EPERM, EROFS, EXDEV } from "../../abi/errno.ts";
import { S_IFDIR, S_IFMT, S_ISGID } from "../../abi/stat.ts";
import { CAP_FSETID } from "../../abi/capability.ts";
import type { Task } from "../task/task.ts";
import type { Path } from "./mount.ts";
import type { LastStep } from "./path-walk.ts";
import { capableOver, inGroup, MAY_EXEC, MAY_WRITE, requireAccess } from "./permission.ts";

const MAX_LINKS = 65000;

/** Whether a name may be made in the directory. @throws ENOENT EROFS EACCES */
export function requireMayCreate(task: Task, parent: Path): void {
  const { inode, deleted } = parent.dentry;
  if (deleted || inode.nlink === 0) throw ENOENT;
  if (parent.mount.readOnly) throw EROFS;
  requireAccess(task.creds, inode, MAY_WRITE | MAY_EXEC);
}

/** Makes a node owned by the task; mode holds the type, with the umask already applied. */
export function makeNode(
  task: Task,
  parent: Path,
  name: string,
  node: { mode: number; rdev?: number; target?: string },
): Path {
  requireMayCreate(task, parent);
  const directory = parent.dentry.inode;
  const { creds } = task;
  let { mode } = node;
  let gid = creds.fsgid;
  if ((directory.mode & S_ISGID) !== 0) {
    gid = directory.gid;
    if ((mode & S_IFMT) === S_IFDIR) mode |= S_ISGID;
    else if (
      (mode & (S_ISGID | 0o10)) === (S_ISGID | 0o10) &&
      !inGroup(creds, gid) &&
      !capableOver(creds, directory, CAP_FSETID)
    ) {
      mode &= ~S_ISGID;
    }
  }
  const inode = directory.create(name, { ...node, mode, uid: creds.fsuid, gid });
  return { mount: parent.mount, dentry: parent.dentry.add(name, inode) };
}

/** The end of a walk as a name that does not exist yet. @throws EEXIST ENOENT */
export function requireAbsent(end: LastStep, isDirectory = false): void {
  if (end.found || end.name === "") throw EEXIST;
  if (end.slash && !isDirectory) throw ENOENT;
}

/** Gives an existing file another name. */
export function makeLink(task: Task, existing: Path, end: LastStep): void {
  requireAbsent(end);
  const { inode } = existing.dentry;
  // Mounts of one file system are different places for link(2) too.
  if (existing.mount !== end.parent.mount) throw EXDEV;
  requireMayCreate(task, end.parent);
  if (inode.isDirectory) throw EPERM;
  if (inode.nlink === 0 && !existing.dentry.linkable) throw ENOENT;
  if (inode.nlink >= MAX_LINKS) throw EMLINK;
  end.parent.dentry.inode.link(end.name, inode);
  end.parent.dentry.add(end.name, inode);
}
