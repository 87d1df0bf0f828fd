/** A file system in memory (tmpfs(5)): names in maps, contents in frames. */
import { ENOSPC } from "../../abi/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, TMPFS_MAGIC } from "../../abi/stat.ts";
import type { Kernel } from "../kernel.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { FileSystem, type FsStatistics } from "../vfs/file-system.ts";
import type { Inode, NewNode } from "../vfs/inode.ts";
import { SpecialInode } from "./special-inode.ts";
import { SymlinkInode } from "./symlink-inode.ts";
import { TmpfsDirectory } from "./tmpfs-directory.ts";
import { TmpfsFile, type FileSource } from "./tmpfs-file.ts";

export interface TmpFsOptions {
  /** Bytes of file contents; half of RAM unless given, as Linux has it. */
  size?: number;
  /** Permissions of the root directory. */
  mode?: number;
  /** Name shown in /proc/mounts. */
  type?: string;
  uid?: number;
  gid?: number;
}

export class TmpFs extends FileSystem {
  readonly root: TmpfsDirectory;
  usedPages = 0;
  files = 0;
  private readonly maxPages: number;
  /** Half as many as RAM has pages, as Linux has it (nr_inodes): names are kept outside of the guest's RAM. */
  private readonly maxFiles: number;
  private nextInode = 1;

  constructor(kernel: Kernel, options: TmpFsOptions = {}) {
    super(kernel, options.type ?? "tmpfs", TMPFS_MAGIC);
    const half = Math.floor(kernel.frames.memory.frameCount / 2);
    this.maxFiles = half;
    this.maxPages = options.size === undefined ? half : Math.ceil(options.size / PAGE_SIZE);
    const [uid, gid] = [options.uid ?? 0, options.gid ?? 0];
    this.root = new TmpfsDirectory(this, { mode: S_IFDIR | (options.mode ?? 0o1777), uid, gid }, null);
  }

  allocateNumber(): number {
    this.files++;
    return this.nextInode++;
  }

  /** @throws ENOSPC */
  reserve(pages: number): void {
    if (this.usedPages + pages > this.maxPages) throw ENOSPC;
  }

  /** A new inode without a name. @param source initial contents of a regular file; @throws ENOSPC */
  make(node: NewNode, directory: TmpfsDirectory, source?: FileSource): Inode {
    if (this.files >= this.maxFiles) throw ENOSPC;
    const type = node.mode & S_IFMT;
    const inode = this.ofType(type, node, directory, source);
    inode.uid = node.uid;
    inode.gid = node.gid;
    inode.atime = inode.mtime = inode.ctime = inode.birth = this.kernel.realtime();
    return inode;
  }

  override get mountOptions(): string {
    return `,size=${(this.maxPages * PAGE_SIZE) / 1024}k`;
  }

  override statistics(): FsStatistics {
    const free = Math.max(0, this.maxPages - this.usedPages);
    const [blocks, files] = [this.maxPages, this.maxFiles];
    return { blockSize: PAGE_SIZE, blocks, free, available: free, files, freeFiles: Math.max(0, files - this.files) };
  }

  private ofType(type: number, node: NewNode, directory: TmpfsDirectory, source?: FileSource): Inode {
    switch (type) {
      case S_IFDIR:
        return new TmpfsDirectory(this, node, directory);
      case S_IFREG:
        return new TmpfsFile(this, node.mode, source);
      case S_IFLNK:
        return new SymlinkInode(this, this.allocateNumber(), node.target ?? "");
      default:
        return new SpecialInode(this, this.allocateNumber(), node.mode, node.rdev ?? 0);
    }
  }
}
