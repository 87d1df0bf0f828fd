/** Root, working directory and umask: what CLONE_FS shares (clone(2)). */
import type { Path } from "./mount.ts";

export class FsContext {
  root: Path;
  cwd: Path;
  umask: number;
  /** Tasks that share it. */
  users = 1;

  constructor(root: Path, cwd: Path, umask = 0o22) {
    this.root = root;
    this.cwd = cwd;
    this.umask = umask;
  }

  /** A private copy with one user. */
  clone(): FsContext {
    return new FsContext(this.root, this.cwd, this.umask);
  }

  retain(): void {
    this.users++;
  }

  release(): void {
    this.users--;
  }
}
