/** A mounted file system's own object (a superblock): one tree of inodes, whatever it is mounted on. */
import type { Kernel } from "../kernel.ts";
import { Dentry } from "./dentry.ts";
import { encodeDevice } from "./device-number.ts";
import type { Inode } from "./inode.ts";

/** The numbers of statfs(2). */
export interface FsStatistics {
  blockSize: number;
  blocks: number;
  free: number;
  available: number;
  files: number;
  freeFiles: number;
}

export abstract class FileSystem {
  readonly kernel: Kernel;
  /** Name in /proc/filesystems and the third field of /proc/mounts. */
  readonly type: string;
  /** f_type of statfs(2). */
  readonly magic: number;
  /** st_dev of its files. */
  readonly device: number;
  /** The file system cannot be written, whatever its mounts say. */
  readOnly = false;
  private topDentry: Dentry | null = null;

  constructor(kernel: Kernel, type: string, magic: number) {
    this.kernel = kernel;
    this.type = type;
    this.magic = magic;
    this.device = encodeDevice(0, kernel.allocateDevice());
  }

  abstract readonly root: Inode;

  get rootDentry(): Dentry {
    return (this.topDentry ??= new Dentry(this, null, "", this.root));
  }

  /** A path walk begins in, or comes into, this file system: what was verified before may be out of date. */
  walkStarted(): void {}

  /** What comes after the mount flags in /proc/mounts. */
  get mountOptions(): string {
    return "";
  }

  statistics(): FsStatistics {
    return { blockSize: 4096, blocks: 0, free: 0, available: 0, files: 0, freeFiles: 0 };
  }

  /** Writes everything changed to where it belongs (syncfs(2)). */
  sync(): void {}
}
