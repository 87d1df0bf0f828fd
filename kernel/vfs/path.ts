/** Paths as text, the way /proc, getcwd(2) and error reports show them. */
import type { Dentry } from "./dentry.ts";
import { crossMounts, type Path } from "./mount.ts";

export const samePlace = (left: Path, right: Path): boolean =>
  left.mount === right.mount && left.dentry === right.dentry;

/** The directory above, across mounts; the root is its own parent. */
export function parentOf(path: Path, root: Path): Path {
  let { mount, dentry } = path;
  if (samePlace(path, root)) return path;
  while (dentry === mount.root || dentry.parent === null) {
    if (mount.parent === null || mount.mountpoint === null) return { mount, dentry };
    dentry = mount.mountpoint;
    mount = mount.parent;
    if (mount === root.mount && dentry === root.dentry) return root;
  }
  return crossMounts({ mount, dentry: dentry.parent });
}

export interface PathText {
  text: string;
  /** The walk upwards met the given root. */
  reachable: boolean;
}

/** The path from `root` down to a place, without the mark of a deleted name. */
export function pathWithin(path: Path, root: Path): PathText {
  let text = "";
  let { mount, dentry } = path;
  for (;;) {
    if (mount === root.mount && dentry === root.dentry) return { text: text || "/", reachable: true };
    if (dentry === mount.root || dentry.parent === null) {
      if (mount.parent === null || mount.mountpoint === null) {
        // A file that never had a name describes itself.
        return { text: dentry.name + text || "/", reachable: false };
      }
      dentry = mount.mountpoint;
      mount = mount.parent;
      continue;
    }
    text = `/${dentry.name}${text}`;
    dentry = dentry.parent;
  }
}

/** The path as /proc/PID/fd shows it, with " (deleted)" behind a name that is gone. */
export function pathToString(path: Path, root: Path): string {
  const { text } = pathWithin(path, root);
  return path.dentry.deleted ? `${text} (deleted)` : text;
}

/** The path of a dentry inside its file system, for mountinfo. */
export function pathInFileSystem(dentry: Dentry): string {
  let text = "";
  for (let at = dentry; at.parent; at = at.parent) text = `/${at.name}${text}`;
  return text || "/";
}
