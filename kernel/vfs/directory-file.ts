/**
 * An open directory. Its entries are those of the moment reading began at position 0: names made or removed later
 * may be missed or shown, as readdir(3) allows.
 */
import { EISDIR } from "../../abi/errno.ts";
import { DT_DIR } from "../../abi/dirent.ts";
import type { Task } from "../task/task.ts";
import type { DirectoryEntry } from "./inode.ts";
import { OpenFile, seekTarget } from "./open-file.ts";
import type { Path } from "./mount.ts";
import { parentOf } from "./path.ts";

export class DirectoryFile extends OpenFile {
  declare readonly path: Path;
  private entries: DirectoryEntry[] | null = null;

  constructor(path: Path, flags: number) {
    super(path.dentry.inode, path, flags);
  }

  override read(): number {
    throw EISDIR;
  }

  override readFrom(): number {
    throw EISDIR;
  }

  override get seekable(): boolean {
    return true;
  }

  override seek(_task: Task, offset: number, whence: number): number {
    this.position = seekTarget(this.position, 0, offset, whence);
    if (this.position === 0) this.entries = null;
    return this.position;
  }

  override sync(): void {
    this.inode.sync();
  }

  override readDirectory(task: Task, put: (name: string, inode: number, type: number, next: number) => boolean): void {
    if (this.position === 0 || this.entries === null) this.entries = this.snapshot(task);
    for (let at = this.position; at < this.entries.length; at++) {
      const { name, inode, type } = this.entries[at]!;
      if (!put(name, inode, type, at + 1)) return;
      this.position = at + 1;
    }
  }

  private snapshot(task: Task): DirectoryEntry[] {
    const above = parentOf(this.path, task.fs.root);
    return [
      { name: ".", inode: this.inode.number, type: DT_DIR },
      { name: "..", inode: above.dentry.inode.number, type: DT_DIR },
      ...this.inode.list(task),
    ];
  }
}
