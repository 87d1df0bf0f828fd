/**
 * A folder, or one file, of the host as a file system. The guest stays inside: every component of a path is looked
 * at by us, symbolic links are resolved in the guest's own tree, and before a directory is used it is checked to be
 * the one that was found there (see `HostInode.verify`).
 */
import { ELOOP, EROFS } from "../../../abi/errno.ts";
import { S_IFLNK, S_IFMT } from "../../../abi/stat.ts";
import type { Kernel } from "../../kernel.ts";
import { FileSystem, type FsStatistics } from "../../vfs/file-system.ts";
import { type HostAccess, checked } from "./host-access.ts";
import { HostInode } from "./host-inode.ts";

/** What ext4 says it is; programs ask to find out whether a file system is a real one. */
const HOST_MAGIC = 0xef53;

export class HostFs extends FileSystem {
  readonly access: HostAccess;
  readonly root: HostInode;
  /** Absolute host path of the root. */
  readonly path: string;
  /** Inodes with pages, for when frames run short. */
  readonly paged = new Set<HostInode>();
  /** Regular files with several names, by device and inode number. */
  readonly hardLinks = new Map<string, HostInode>();

  /** @throws the host's errno if there is nothing at the path */
  constructor(kernel: Kernel, access: HostAccess, path: string, writable: boolean) {
    super(kernel, "hostfs", HOST_MAGIC);
    this.access = access;
    this.readOnly = !writable;
    this.path = resolveLinks(access, path);
    const stat = checked(access.files.lstat(this.path));
    this.root = new HostInode(this, null, "", stat);
    kernel.frames.onShortage((wanted) => this.reclaim(wanted));
  }

  get isFolder(): boolean {
    return this.root.isDirectory;
  }

  override walkStarted(): void {
    this.access.tick++;
  }

  /** A name has gone or moved: paths through it, in this mount or another, may mean something else. */
  namesChanged(): void {
    this.access.tick++;
  }

  /** @throws EROFS */
  requireWritable(): void {
    if (this.readOnly) throw EROFS;
  }

  override statistics(): FsStatistics {
    const stat = checked(this.access.files.statfs(this.path));
    const { blockSize, blocks, free, available } = stat;
    return { blockSize, blocks, free, available, files: 0, freeFiles: 0 };
  }

  override sync(): void {
    for (const inode of this.paged) inode.sync();
  }

  private reclaim(wanted: number): number {
    let freed = 0;
    for (const inode of this.paged) {
      if (freed >= wanted) break;
      freed += inode.reclaim(wanted - freed);
    }
    return freed;
  }
}

/** The path without links in its last component: whoever configured the mount meant what the link leads to. */
function resolveLinks(access: HostAccess, path: string): string {
  let at = path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
  for (let links = 0; links < 40; links++) {
    const stat = checked(access.files.lstat(at));
    if ((stat.mode & S_IFMT) !== S_IFLNK) return at;
    const target = access.files.readlink(at);
    const text = checked<string>(target);
    at = text.startsWith("/") ? text : `${at.slice(0, at.lastIndexOf("/") + 1)}${text}`;
  }
  throw ELOOP;
}
