/** A file of the host, known by its place below the mount and by device and inode number. */
import { EINVAL, ENOENT, ENOTDIR, ENXIO, EPERM, ESTALE } from "../../../abi/errno.ts";
import { O_CREAT, O_EXCL, O_RDWR } from "../../../abi/fcntl.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../../abi/stat.ts";
import type { Timestamp } from "../../kernel.ts";
import type { PageStore } from "../../mm/page-store.ts";
import type { Task } from "../../task/task.ts";
import { Inode, type AttributeChanges, type DirectoryEntry, type NewNode } from "../../vfs/inode.ts";
import type { Path } from "../../vfs/mount.ts";
import type { OpenFile } from "../../vfs/open-file.ts";
import type { HostStat } from "../../world.ts";
import { check, checked } from "./host-access.ts";
import { HostFile } from "./host-file.ts";
import type { HostFs } from "./host-fs.ts";
import { HostPages } from "./host-pages.ts";

const timestamp = (ms: number): Timestamp => {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6)) };
};

const milliseconds = (time: Timestamp): number => time.seconds * 1000 + time.nanoseconds / 1e6;

export class HostInode extends Inode {
  declare readonly fs: HostFs;
  readonly hostDevice: number;
  /** Where the file is now; changed by rename(2). */
  private directory: HostInode | null;
  private name: string;
  private bytes = 0;
  private hostBlocks = 0;
  private hostBlockSize = 4096;
  /** `HostAccess.tick` of the last time this was seen to be at its path. */
  private seen: number;
  private cache: HostPages | null = null;

  constructor(fs: HostFs, directory: HostInode | null, name: string, stat: HostStat) {
    super(fs, stat.ino, stat.mode);
    this.hostDevice = stat.dev;
    this.directory = directory;
    this.name = name;
    this.seen = fs.access.tick;
    this.update(stat);
  }

  get hostPath(): string {
    const { directory } = this;
    if (!directory) return this.fs.path;
    const above = directory.hostPath;
    return above.endsWith("/") ? above + this.name : `${above}/${this.name}`;
  }

  /** Names are looked up on the host each time. */
  override get cached(): boolean {
    return false;
  }

  override get size(): number {
    return this.bytes;
  }

  override get blocks(): number {
    return this.hostBlocks;
  }

  override get blockSize(): number {
    return this.hostBlockSize;
  }

  override get store(): PageStore | undefined {
    return this.isRegular ? this.pages().store : undefined;
  }

  /** Pages of the file in memory, if there are any. */
  get cachedPages(): HostPages | null {
    return this.cache;
  }

  private pages(): HostPages {
    if (!this.cache) {
      this.cache = new HostPages(this);
      this.fs.paged.add(this);
    }
    return this.cache;
  }

  /**
   * Makes sure that the path of this file still leads to this file: it is the same inode that was found there inside
   * the mount, so whatever the components above it have become, using the path does not leave the mount.
   * @throws ESTALE
   */
  verify(): void {
    const { access } = this.fs;
    if (this.seen === access.tick) return;
    const stat = access.files.lstat(this.hostPath);
    if (typeof stat === "number" || stat.dev !== this.hostDevice || stat.ino !== this.number) throw ESTALE;
    this.seen = access.tick;
    this.update(stat);
  }

  override refresh(): void {
    const { access } = this.fs;
    const handle = access.peek(this);
    const stat = handle === undefined ? access.files.lstat(this.hostPath) : access.files.fstat(handle);
    if (typeof stat === "number" || stat.ino !== this.number || stat.dev !== this.hostDevice) return;
    this.update(stat);
  }

  /** Takes over what the host says; pages of a file changed behind our back are forgotten. */
  private update(stat: HostStat): void {
    const mtime = timestamp(stat.mtimeMs);
    this.cache?.revalidate(stat.size, mtime);
    this.mode = stat.mode;
    this.uid = stat.uid;
    this.gid = stat.gid;
    this.nlink = stat.nlink;
    this.rdev = stat.rdev;
    this.bytes = stat.size;
    this.hostBlocks = stat.blocks;
    this.hostBlockSize = stat.blksize;
    this.atime = timestamp(stat.atimeMs);
    this.mtime = mtime;
    this.ctime = timestamp(stat.ctimeMs);
  }

  /** The file has been written up to this size. */
  grown(size: number): void {
    this.cache?.written();
    if (size <= this.bytes) return;
    this.bytes = size;
    if (this.cache) this.cache.store.size = size;
  }

  reclaim(wanted: number): number {
    return this.cache?.store.reclaim(wanted) ?? 0;
  }

  override lookup(name: string, known: Inode | null): Inode | null {
    if (!this.isDirectory) throw ENOTDIR;
    this.verify();
    const { access } = this.fs;
    const stat = access.files.lstat(this.pathOf(name));
    if (typeof stat === "number") {
      if (stat === -ENOENT.number) return null;
      check(stat);
      return null;
    }
    return this.found(name, stat, known);
  }

  override list(): DirectoryEntry[] {
    this.verify();
    const entries = checked(this.fs.access.files.readdir(this.hostPath));
    return entries.map(({ name, type }) => ({ name, type, inode: numberFor(name) }));
  }

  override create(name: string, node: NewNode): Inode {
    this.fs.requireWritable();
    this.verify();
    const { access } = this.fs;
    const { files } = access;
    const path = this.pathOf(name);
    const permissions = node.mode & 0o7777;
    const type = node.mode & S_IFMT;
    let handle = -1;
    if (type === S_IFREG) handle = check(files.open(path, O_RDWR | O_CREAT | O_EXCL, permissions & 0o777));
    else if (type === S_IFDIR) check(files.mkdir(path, permissions & 0o777));
    else if (type === S_IFLNK) check(files.symlink(node.target ?? "", path));
    else throw EPERM;
    let stat = checked(handle >= 0 ? files.fstat(handle) : files.lstat(path));
    if (type !== S_IFLNK && (stat.mode & 0o7777) !== permissions && files.chmod(path, permissions) === 0) {
      stat = checked(files.lstat(path));
    }
    const inode = this.found(name, stat, null);
    if (handle >= 0) access.keep(inode, { number: handle, writable: true });
    return inode;
  }

  override link(name: string, inode: Inode): void {
    this.fs.requireWritable();
    const existing = inode as HostInode;
    existing.verify();
    this.verify();
    check(this.fs.access.files.link(existing.hostPath, this.pathOf(name)));
    this.fs.hardLinks.set(keyOf(existing.hostDevice, existing.number), existing);
    existing.refresh();
  }

  override unlink(name: string, inode: Inode): void {
    this.fs.requireWritable();
    this.verify();
    const victim = inode as HostInode;
    victim.holdIfUsed();
    check(this.fs.access.files.unlink(this.pathOf(name)));
    victim.lostName();
    this.fs.namesChanged();
  }

  override rmdir(name: string, inode: Inode): void {
    this.fs.requireWritable();
    this.verify();
    check(this.fs.access.files.rmdir(this.pathOf(name)));
    inode.nlink = 0;
    this.fs.namesChanged();
  }

  override rename(name: string, inode: Inode, directory: Inode, newName: string, target: Inode | null): void {
    this.fs.requireWritable();
    const to = directory as HostInode;
    this.verify();
    to.verify();
    (target as HostInode | null)?.holdIfUsed();
    check(this.fs.access.files.rename(this.pathOf(name), to.pathOf(newName)));
    (target as HostInode | null)?.lostName();
    const moved = inode as HostInode;
    moved.directory = to;
    moved.name = newName;
    this.fs.namesChanged();
  }

  override exchange(): void {
    throw EINVAL;
  }

  override readlink(): string {
    this.directory?.verify();
    return checked<string>(this.fs.access.files.readlink(this.hostPath));
  }

  override open(_task: Task, path: Path, flags: number): OpenFile {
    // Devices and sockets of the host are names only.
    if (!this.isRegular) throw ENXIO;
    this.directory?.verify();
    return new HostFile(this, path, flags);
  }

  override truncate(size: number): void {
    const { access } = this.fs;
    this.fs.requireWritable();
    check(access.files.truncate(access.handleOf(this, true), size));
    this.bytes = size;
    this.cache?.truncated(size);
  }

  override setAttributes(changes: AttributeChanges): void {
    this.fs.requireWritable();
    this.verify();
    const { files } = this.fs.access;
    const path = this.hostPath;
    const { mode, uid, gid, atime, mtime } = changes;
    if (mode !== undefined && (mode & 0o7777) !== (this.mode & 0o7777)) check(files.chmod(path, mode & 0o7777));
    const chowned = (uid !== undefined && uid !== this.uid) || (gid !== undefined && gid !== this.gid);
    if (chowned) check(files.lchown(path, uid ?? this.uid, gid ?? this.gid));
    if (atime || mtime) check(files.utimes(path, milliseconds(atime ?? this.atime), milliseconds(mtime ?? this.mtime)));
    this.refresh();
  }

  override sync(): void {
    this.cache?.store.flush();
    const handle = this.fs.access.peek(this);
    if (handle !== undefined && !this.fs.readOnly) this.fs.access.files.sync(handle);
  }

  protected override evict(): void {
    this.cache?.store.dispose();
    this.fs.paged.delete(this);
    this.fs.hardLinks.delete(keyOf(this.hostDevice, this.number));
    this.fs.access.drop(this);
  }

  private pathOf(name: string): string {
    const path = this.hostPath;
    return path.endsWith("/") ? path + name : `${path}/${name}`;
  }

  /** The inode for what the host has under a name. */
  private found(name: string, stat: HostStat, known: Inode | null): HostInode {
    const key = stat.nlink > 1 && (stat.mode & S_IFMT) === S_IFREG ? keyOf(stat.dev, stat.ino) : "";
    const same = known instanceof HostInode && known.isThe(stat) ? known : this.fs.hardLinks.get(key);
    if (same?.isThe(stat)) {
      same.directory = this;
      same.name = name;
      same.seen = this.fs.access.tick;
      same.update(stat);
      return same;
    }
    const made = new HostInode(this.fs, this, name, stat);
    if (key !== "") this.fs.hardLinks.set(key, made);
    return made;
  }

  private isThe(stat: HostStat): boolean {
    return this.number === stat.ino && this.hostDevice === stat.dev && this.type === (stat.mode & S_IFMT);
  }

  /** Somebody has the file open while its name goes: its handle must stay. */
  private holdIfUsed(): void {
    if (this.users === 0 || !this.isRegular) return;
    const { access } = this.fs;
    if (access.peek(this) === undefined) access.handleOf(this, false);
  }

  private lostName(): void {
    this.nlink = Math.max(0, this.nlink - 1);
  }
}

const keyOf = (device: number, inode: number): string => `${device}:${inode}`;

/** d_ino of a name in a listing: the host does not say, and 0 would mean that there is no file. */
function numberFor(name: string): number {
  let hash = 2166136261;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 16777619);
  return (hash >>> 0) + 1;
}
