/**
 * A name in a file system's tree, as mounts, working directories and open files refer to it. The tree of dentries is
 * a cache of what directories say, but a dentry somebody holds keeps its identity while the name exists.
 */
import type { FileSystem } from "./file-system.ts";
import type { Inode } from "./inode.ts";

/** Children of one directory beyond which unused ones are forgotten. */
const CROWDED = 8192;

export class Dentry {
  readonly fs: FileSystem;
  parent: Dentry | null;
  name: string;
  readonly inode: Inode;
  /** The name has been removed; paths through it end in " (deleted)". */
  deleted = false;
  /** A file made with O_TMPFILE may be given a name by linkat(2). */
  linkable = false;
  /** Mounts, in all namespaces, that lie on this directory or file. */
  mounts = 0;
  private readonly children = new Map<string, Dentry>();

  constructor(fs: FileSystem, parent: Dentry | null, name: string, inode: Inode) {
    this.fs = fs;
    this.parent = parent;
    this.name = name;
    this.inode = inode;
  }

  /** The dentry of a name in this directory, undefined if there is no such name. */
  child(name: string): Dentry | undefined {
    const known = this.children.get(name);
    if (known !== undefined && known.inode.cached) return known;
    const inode = this.inode.lookup(name, known ? known.inode : null);
    if (inode === null) {
      if (known) this.forget(known);
      return undefined;
    }
    if (known?.inode === inode) return known;
    if (known) this.forget(known);
    return this.add(name, inode);
  }

  /** A name that has just come into being. */
  add(name: string, inode: Inode): Dentry {
    if (this.children.size >= CROWDED) this.forgetUnused();
    const made = new Dentry(this.fs, this, name, inode);
    this.children.set(name, made);
    return made;
  }

  /** The name is gone. */
  forget(child: Dentry): void {
    child.deleted = true;
    if (this.children.get(child.name) === child) this.children.delete(child.name);
  }

  /** `child` is called `name` in this directory from now on. */
  adopt(child: Dentry, name: string): void {
    child.parent?.children.delete(child.name);
    child.parent = this;
    child.name = name;
    this.children.set(name, child);
  }

  /** Two names change places (renameat2(2), RENAME_EXCHANGE). */
  static exchange(left: Dentry, right: Dentry): void {
    const [leftParent, leftName] = [left.parent!, left.name];
    const [rightParent, rightName] = [right.parent!, right.name];
    left.parent = rightParent;
    left.name = rightName;
    right.parent = leftParent;
    right.name = leftName;
    rightParent.children.set(rightName, left);
    leftParent.children.set(leftName, right);
  }

  /** True if this is `other` or lies below it. */
  isBelow(other: Dentry): boolean {
    for (let at: Dentry | null = this; at; at = at.parent) if (at === other) return true;
    return false;
  }

  /** Drops children whose inode says that it is gone (processes in /proc). */
  forgetStale(isStale: (inode: Inode) => boolean): void {
    for (const child of this.children.values()) if (child.mounts === 0 && isStale(child.inode)) this.forget(child);
  }

  private forgetUnused(): void {
    for (const [name, child] of this.children) {
      if (child.mounts === 0 && child.children.size === 0 && child.inode.users === 0) this.children.delete(name);
    }
  }
}
