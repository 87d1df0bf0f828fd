/** A directory of a tmpfs. */
import { ENOTEMPTY } from "../../abi/errno.ts";
import { S_IFDIR } from "../../abi/stat.ts";
import { Inode, type DirectoryEntry, type NewNode } from "../vfs/inode.ts";
import type { TmpFs } from "./tmpfs.ts";
import type { FileSource } from "./tmpfs-file.ts";

/** What Linux counts for each entry in the size of a tmpfs directory. */
const ENTRY_SIZE = 20;

export class TmpfsDirectory extends Inode {
  declare readonly fs: TmpFs;
  private readonly entries = new Map<string, Inode>();

  constructor(fs: TmpFs, node: NewNode, parent: TmpfsDirectory | null) {
    super(fs, fs.allocateNumber(), S_IFDIR | (node.mode & 0o7777));
    this.uid = node.uid;
    this.gid = node.gid;
    this.nlink = 2;
    if (!parent) this.atime = this.mtime = this.ctime = this.birth = fs.kernel.realtime();
  }

  override get size(): number {
    return (this.entries.size + 2) * ENTRY_SIZE;
  }

  override lookup(name: string): Inode | null {
    return this.entries.get(name) ?? null;
  }

  override list(): DirectoryEntry[] {
    const all: DirectoryEntry[] = [];
    for (const [name, inode] of this.entries) all.push({ name, inode: inode.number, type: inode.mode >> 12 });
    return all;
  }

  override create(name: string, node: NewNode, source?: FileSource): Inode {
    const inode = this.fs.make(node, this, source);
    this.entries.set(name, inode);
    if (inode.isDirectory) this.nlink++;
    this.changed();
    return inode;
  }

  override createUnnamed(node: NewNode): Inode {
    const inode = this.fs.make(node, this);
    inode.nlink = 0;
    // Files count as long as they have a name.
    this.fs.files--;
    return inode;
  }

  override link(name: string, inode: Inode): void {
    if (inode.nlink === 0) this.fs.files++;
    this.entries.set(name, inode);
    inode.nlink++;
    inode.ctime = this.changed();
  }

  override unlink(name: string, inode: Inode): void {
    this.entries.delete(name);
    inode.nlink--;
    inode.ctime = this.changed();
    if (inode.nlink === 0) this.fs.files--;
  }

  override rmdir(name: string, inode: Inode): void {
    if (inode instanceof TmpfsDirectory && inode.entries.size > 0) throw ENOTEMPTY;
    this.entries.delete(name);
    inode.nlink = 0;
    this.nlink--;
    inode.ctime = this.changed();
    this.fs.files--;
  }

  override rename(name: string, inode: Inode, directory: Inode, newName: string, target: Inode | null): void {
    const to = directory as TmpfsDirectory;
    if (target) {
      if (target.isDirectory) to.rmdir(newName, target);
      else to.unlink(newName, target);
    }
    this.entries.delete(name);
    to.entries.set(newName, inode);
    if (inode.isDirectory) {
      this.nlink--;
      to.nlink++;
    }
    to.changed();
    inode.ctime = this.changed();
  }

  override exchange(name: string, inode: Inode, directory: Inode, newName: string, other: Inode): void {
    const to = directory as TmpfsDirectory;
    this.entries.set(name, other);
    to.entries.set(newName, inode);
    const moved = Number(inode.isDirectory) - Number(other.isDirectory);
    this.nlink -= moved;
    to.nlink += moved;
    to.changed();
    inode.ctime = other.ctime = this.changed();
  }

  private changed() {
    return (this.mtime = this.ctime = this.fs.kernel.realtime());
  }
}
