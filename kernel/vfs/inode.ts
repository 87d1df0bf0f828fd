/**
 * A file, whatever its names: type, owner, times, contents (inode(7)). Subclasses implement the operations their file
 * system has; what they leave out fails with the errno Linux gives.
 *
 * Invariant: an inode's pages live while it has a name, an open file, a mapping or a handler that works on it.
 */
import { EINVAL, ENOTDIR, ENXIO, EPERM } from "../../abi/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import type { Timestamp } from "../kernel.ts";
import type { PageStore } from "../mm/page-store.ts";
import type { Task } from "../task/task.ts";
import type { FileLocks } from "./file-locks.ts";
import type { FileSystem } from "./file-system.ts";
import type { Path } from "./mount.ts";
import type { OpenFile } from "./open-file.ts";

/** What a new name shall be: type and permissions, owner, device of a node, target of a symbolic link. */
export interface NewNode {
  mode: number;
  uid: number;
  gid: number;
  rdev?: number;
  target?: string;
}

export interface DirectoryEntry {
  name: string;
  inode: number;
  /** DT_* of dirent.h. */
  type: number;
}

/** Attributes to be changed; absent ones stay. Ids are global. */
export interface AttributeChanges {
  mode?: number;
  uid?: number;
  gid?: number;
  atime?: Timestamp;
  mtime?: Timestamp;
}

export const EPOCH: Timestamp = Object.freeze({ seconds: 0, nanoseconds: 0 });

export abstract class Inode {
  readonly fs: FileSystem;
  readonly number: number;
  /** Type and permissions, S_IF* | 07777. */
  mode: number;
  uid = 0;
  gid = 0;
  nlink = 1;
  /** Device number of a device node. */
  rdev = 0;
  atime: Timestamp = EPOCH;
  mtime: Timestamp = EPOCH;
  ctime: Timestamp = EPOCH;
  birth: Timestamp = EPOCH;
  /** Open files, mappings and others that need the contents. */
  users = 0;
  /** Made when the first lock is. */
  locks: FileLocks | null = null;
  constructor(fs: FileSystem, number: number, mode: number) {
    this.fs = fs;
    this.number = number;
    this.mode = mode;
  }

  get type(): number {
    return this.mode & S_IFMT;
  }

  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }

  get isSymlink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }

  get isRegular(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }

  /** A dentry with this inode may be believed without asking the directory again. */
  get cached(): boolean {
    return true;
  }

  /** Pages of a file that has some. */
  get store(): PageStore | undefined {
    return undefined;
  }

  get size(): number {
    return this.store ? this.store.size : 0;
  }

  /** st_blocks: units of 512 bytes. */
  get blocks(): number {
    return this.store ? this.store.pages.size * 8 : 0;
  }

  get blockSize(): number {
    return 4096;
  }

  /** Brings attributes up to date before they are shown. */
  refresh(): void {}

  retain(): void {
    this.users++;
  }

  release(): void {
    if (--this.users === 0 && this.nlink === 0) this.evict();
  }

  /** The last name is gone. */
  unlinked(): void {
    if (this.users === 0 && this.nlink === 0) this.evict();
  }

  /** Nobody can reach the contents any more. */
  protected evict(): void {}

  // Directories.

  /** @param _known what the name meant before: to be returned if it still means that */
  lookup(_name: string, _known: Inode | null): Inode | null {
    throw ENOTDIR;
  }

  /** Everything in the directory but "." and "..". */
  list(_task: Task): DirectoryEntry[] {
    throw ENOTDIR;
  }

  create(_name: string, _node: NewNode): Inode {
    throw EPERM;
  }

  /** A file without a name (O_TMPFILE, memfd_create(2)). */
  createUnnamed(_node: NewNode): Inode {
    throw EPERM;
  }

  link(_name: string, _inode: Inode): void {
    throw EPERM;
  }

  /** Removes the name of anything but a directory. */
  unlink(_name: string, _inode: Inode): void {
    throw EPERM;
  }

  /** @throws ENOTEMPTY */
  rmdir(_name: string, _inode: Inode): void {
    throw EPERM;
  }

  /** Moves `inode`, replacing `target` if there is one; the caller has checked types and permissions. */
  rename(_name: string, _inode: Inode, _directory: Inode, _newName: string, _target: Inode | null): void {
    throw EPERM;
  }

  exchange(_name: string, _inode: Inode, _directory: Inode, _newName: string, _other: Inode): void {
    throw EINVAL;
  }

  // Symbolic links.

  /** @param _task who asks: links of /proc depend on that; null for the kernel itself */
  readlink(_task: Task | null): string {
    throw EINVAL;
  }

  /** Where a link of /proc jumps to without a path name; null for an ordinary link. */
  magicTarget(_task: Task): Path | null {
    return null;
  }

  // Files.

  /** An open file, or null if the task sleeps until it can be opened (fifo(7)). */
  open(_task: Task, _path: Path, _flags: number): OpenFile | null {
    throw ENXIO;
  }

  truncate(_size: number): void {
    throw EINVAL;
  }

  /** Permissions have been checked. */
  setAttributes(changes: AttributeChanges): void {
    if (changes.mode !== undefined) this.mode = (this.mode & S_IFMT) | (changes.mode & 0o7777);
    if (changes.uid !== undefined) this.uid = changes.uid;
    if (changes.gid !== undefined) this.gid = changes.gid;
    if (changes.atime) this.atime = changes.atime;
    if (changes.mtime) this.mtime = changes.mtime;
    this.ctime = this.fs.kernel.realtime();
  }

  sync(): void {}
}
