/**
 * From a path name to a place (path_resolution(7)): symbolic links, mounts, `..` at the root, trailing slashes, search
 * permission, the jumping links of /proc, and the restrictions of openat2(2).
 */
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../../abi/errno.ts";
import {
  AT_FDCWD,
  NAME_MAX,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  SYMLOOP_MAX,
} from "../../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import { crossMounts, type Path } from "./mount.ts";
import { parentOf, samePlace } from "./path.ts";
import { MAY_EXEC, permits } from "./permission.ts";
import { placeOf } from "./place-of.ts";

export interface WalkOptions {
  /** Follow a symbolic link in the last component. */
  followLast?: boolean;
  /** An empty path means the descriptor itself (AT_EMPTY_PATH). */
  emptyPath?: boolean;
  /** The result must be a directory: ENOTDIR. */
  mustBeDirectory?: boolean;
  /** RESOLVE_* of openat2(2). */
  resolve?: number;
}

/** The end of a walk that may have come to a name that does not exist. */
export interface LastStep {
  /** Directory in which the last name was, or was not, found. */
  parent: Path;
  /** The last name; empty when the path ended in "/", "." or "..". */
  name: string;
  /** The path ended in ".": some calls have an errno of their own for that. */
  dot: "" | "." | "..";
  /** A slash followed the last name. */
  slash: boolean;
  found: Path | null;
}

/** The place a path names. @throws ENOENT ENOTDIR EACCES ELOOP ENAMETOOLONG EBADF */
export function resolve(task: Task, dirfd: number, path: string, options: WalkOptions = {}): Path {
  if (path === "") {
    if (!options.emptyPath) throw ENOENT;
    if (dirfd === AT_FDCWD) return task.fs.cwd;
    return placeOf(task.files.getAny(dirfd));
  }
  const end = walk(task, startOf(task, dirfd, path), path, options.followLast ?? false, false, options.resolve ?? 0);
  if (!end.found) throw ENOENT;
  if ((end.slash || options.mustBeDirectory) && !end.found.dentry.inode.isDirectory) throw ENOTDIR;
  return end.found;
}

/** The directory and name that a call creates, removes or renames; a last link is not followed. */
export function resolveParent(task: Task, dirfd: number, path: string): LastStep {
  if (path === "") throw ENOENT;
  return walk(task, startOf(task, dirfd, path), path, false, true, 0);
}

/** For open(2) with O_CREAT: the last name need not exist, and with `followLast` a link there leads on. */
export function resolveForCreate(task: Task, dirfd: number, path: string, followLast: boolean, resolve = 0): LastStep {
  if (path === "") throw ENOENT;
  return walk(task, startOf(task, dirfd, path), path, followLast, false, resolve);
}

function startOf(task: Task, dirfd: number, path: string): Path {
  if (path.startsWith("/")) return task.fs.root;
  if (dirfd === AT_FDCWD) return task.fs.cwd;
  const file = task.files.getAny(dirfd);
  if (!file.path || !file.inode.isDirectory) throw ENOTDIR;
  return file.path;
}

/**
 * Walks along `path`.
 * @param parentOnly stop before the last component is looked up as a link
 */
function walk(
  task: Task,
  start: Path,
  path: string,
  followLast: boolean,
  parentOnly: boolean,
  restrictions: number,
): LastStep {
  const scoped = (restrictions & RESOLVE_IN_ROOT) !== 0;
  const beneath = (restrictions & RESOLVE_BENEATH) !== 0;
  let current = start;
  let root = task.fs.root;
  if (beneath && path.startsWith("/")) throw EXDEV;
  if (scoped || beneath) root = current;
  const { creds } = task;
  let rest = path;
  let links = 0;
  let dot: LastStep["dot"] = "";
  let at = 0;
  current.dentry.fs.walkStarted();
  for (;;) {
    while (rest.charCodeAt(at) === 47) at++;
    if (at >= rest.length) return { parent: current, name: "", dot, slash: false, found: current };
    let end = rest.indexOf("/", at);
    if (end < 0) end = rest.length;
    const name = rest.slice(at, end);
    const from = end;
    while (end < rest.length && rest.charCodeAt(end) === 47) end++;
    const last = end >= rest.length;
    const slash = last && end > from;

    const { dentry } = current;
    if (!dentry.inode.isDirectory) throw ENOTDIR;
    if (!permits(creds, dentry.inode, MAY_EXEC)) throw EACCES;
    if (name === "." || name === "..") {
      if (name === "..") {
        if (beneath && samePlace(current, root)) throw EXDEV;
        const above = parentOf(current, root);
        if ((restrictions & RESOLVE_NO_XDEV) !== 0 && above.mount !== current.mount) throw EXDEV;
        current = above;
      }
      dot = last ? name : "";
      at = end;
      continue;
    }
    dot = "";
    if (name.length > NAME_MAX) throw ENAMETOOLONG;
    if (last && parentOnly) {
      const child = dentry.child(name);
      return {
        parent: current,
        name,
        dot,
        slash,
        found: child ? crossMounts({ mount: current.mount, dentry: child }) : null,
      };
    }
    const child = dentry.child(name);
    if (child === undefined) {
      if (!last) throw ENOENT;
      return { parent: current, name, dot, slash, found: null };
    }
    const { inode } = child;
    if (inode.isSymlink && (!last || followLast || slash)) {
      if (++links > SYMLOOP_MAX || (restrictions & RESOLVE_NO_SYMLINKS) !== 0) throw ELOOP;
      const magic = inode.magicTarget(task);
      if (magic !== null) {
        if ((restrictions & RESOLVE_NO_MAGICLINKS) !== 0) throw ELOOP;
        if (scoped || beneath || ((restrictions & RESOLVE_NO_XDEV) !== 0 && magic.mount !== current.mount)) throw EXDEV;
        current = magic;
        at = end;
        if (last) {
          if (slash && !magic.dentry.inode.isDirectory) throw ENOTDIR;
          return { parent: current, name: "", dot, slash, found: current };
        }
        current.dentry.fs.walkStarted();
        continue;
      }
      const target = inode.readlink(task);
      if (target === "") throw ENOENT;
      if (target.startsWith("/")) {
        if (beneath) throw EXDEV;
        if ((restrictions & RESOLVE_NO_XDEV) !== 0 && root.mount !== current.mount) throw EXDEV;
        current = root;
        current.dentry.fs.walkStarted();
      }
      rest = target + rest.slice(from);
      at = 0;
      continue;
    }
    const next = crossMounts({ mount: current.mount, dentry: child });
    if (next.mount !== current.mount) {
      if ((restrictions & RESOLVE_NO_XDEV) !== 0) throw EXDEV;
      next.dentry.fs.walkStarted();
    }
    if (last) return { parent: current, name, dot, slash, found: next };
    current = next;
    at = end;
  }
}
