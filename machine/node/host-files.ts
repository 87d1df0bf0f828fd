/** Host files by way of node:fs, synchronously, with Linux's error numbers. */
import {
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  fsyncSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  statfsSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { EINVAL, ENOENT, EOPNOTSUPP } from "../../abi/errno.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../../abi/fcntl.ts";
import type { HostDirent, HostFiles, HostStat } from "../../kernel/world.ts";
import { isAscii } from "../byte-string.ts";
import { negativeErrno } from "./host-errno.ts";

/** Node takes no larger count. */
const LONGEST_TRANSFER = 0x7fffffff;

/** DT_* of dirent.h. */
const DT_UNKNOWN = 0;
const DT_FIFO = 1;
const DT_CHR = 2;
const DT_DIR = 4;
const DT_BLK = 6;
const DT_REG = 8;
const DT_LNK = 10;
const DT_SOCK = 12;

/** A byte string as node:fs takes it. */
function hostPath(path: string): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, "latin1");
}

/** Runs something for its effect: 0, or -errno. */
function attempt(action: () => void): number {
  try {
    action();
    return 0;
  } catch (error) {
    return negativeErrno(error);
  }
}

function fromStats(stats: Stats): HostStat {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blocks, blksize, atimeMs, mtimeMs, ctimeMs } = stats;
  return { dev, ino, mode, nlink, uid, gid, rdev, size, blocks, blksize, atimeMs, mtimeMs, ctimeMs };
}

function direntType(entry: Dirent): number {
  if (entry.isFile()) return DT_REG;
  if (entry.isDirectory()) return DT_DIR;
  if (entry.isSymbolicLink()) return DT_LNK;
  if (entry.isFIFO()) return DT_FIFO;
  if (entry.isCharacterDevice()) return DT_CHR;
  if (entry.isBlockDevice()) return DT_BLK;
  return entry.isSocket() ? DT_SOCK : DT_UNKNOWN;
}

/**
 * open(2) flags in the host's numbers. Links are not followed, a terminal is not taken over, and a FIFO that has come
 * in the place of a file does not hang the machine.
 */
function hostFlags(flags: number): number {
  let result = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  const access = flags & O_ACCMODE;
  result |= access === O_RDWR ? constants.O_RDWR : access === O_WRONLY ? constants.O_WRONLY : constants.O_RDONLY;
  if (flags & O_CREAT) result |= constants.O_CREAT;
  if (flags & O_EXCL) result |= constants.O_EXCL;
  if (flags & O_TRUNC) result |= constants.O_TRUNC;
  if (flags & O_APPEND) result |= constants.O_APPEND;
  if (flags & O_DIRECTORY) result |= constants.O_DIRECTORY;
  if (flags & O_DSYNC) result |= constants.O_DSYNC;
  return result;
}

/** Creates something with exactly the mode given: the guest's kernel has applied the guest's umask already. */
function withoutUmask<T>(create: () => T): T {
  let saved: number;
  try {
    saved = process.umask(0);
  } catch {
    // A worker thread may not change it.
    return create();
  }
  try {
    return create();
  } finally {
    process.umask(saved);
  }
}

export class NodeFiles implements HostFiles {
  lstat(path: string): HostStat | number {
    try {
      const stats = lstatSync(hostPath(path), { throwIfNoEntry: false });
      return stats ? fromStats(stats) : -ENOENT.number;
    } catch (error) {
      return negativeErrno(error);
    }
  }

  readlink(path: string): string | number {
    try {
      return readlinkSync(hostPath(path), "latin1");
    } catch (error) {
      return negativeErrno(error);
    }
  }

  readdir(path: string): HostDirent[] | number {
    try {
      const entries = readdirSync(hostPath(path) as string, { withFileTypes: true, encoding: "latin1" });
      return entries.map((entry) => ({ name: entry.name, type: direntType(entry) }));
    } catch (error) {
      return negativeErrno(error);
    }
  }

  open(path: string, flags: number, mode: number): number {
    const open = (): number => openSync(hostPath(path), hostFlags(flags), mode);
    try {
      return flags & O_CREAT ? withoutUmask(open) : open();
    } catch (error) {
      return negativeErrno(error);
    }
  }

  close(handle: number): void {
    attempt(() => closeSync(handle));
  }

  fstat(handle: number): HostStat | number {
    try {
      return fromStats(fstatSync(handle));
    } catch (error) {
      return negativeErrno(error);
    }
  }

  read(handle: number, into: Uint8Array, position: number): number {
    try {
      return readSync(handle, into, 0, Math.min(into.length, LONGEST_TRANSFER), position);
    } catch (error) {
      return negativeErrno(error);
    }
  }

  write(handle: number, from: Uint8Array, position: number): number {
    try {
      return writeSync(handle, from, 0, Math.min(from.length, LONGEST_TRANSFER), position);
    } catch (error) {
      return negativeErrno(error);
    }
  }

  truncate(handle: number, size: number): number {
    if (size < 0) return -EINVAL.number;
    return attempt(() => ftruncateSync(handle, size));
  }

  sync(handle: number): number {
    return attempt(() => fsyncSync(handle));
  }

  mkdir(path: string, mode: number): number {
    return attempt(() => withoutUmask(() => mkdirSync(hostPath(path), { mode })));
  }

  rmdir(path: string): number {
    return attempt(() => rmdirSync(hostPath(path)));
  }

  unlink(path: string): number {
    return attempt(() => unlinkSync(hostPath(path)));
  }

  symlink(target: string, path: string): number {
    return attempt(() => symlinkSync(hostPath(target), hostPath(path)));
  }

  link(existing: string, path: string): number {
    return attempt(() => linkSync(hostPath(existing), hostPath(path)));
  }

  rename(from: string, to: string): number {
    return attempt(() => renameSync(hostPath(from), hostPath(to)));
  }

  /** Linux has no way to change the mode of a symbolic link, and chmod(2) would follow it. */
  chmod(path: string, mode: number): number {
    const stats = this.lstat(path);
    if (typeof stats === "number") return stats;
    if ((stats.mode & constants.S_IFMT) === constants.S_IFLNK) return -EOPNOTSUPP.number;
    return attempt(() => chmodSync(hostPath(path), mode));
  }

  lchown(path: string, uid: number, gid: number): number {
    return attempt(() => lchownSync(hostPath(path), uid, gid));
  }

  utimes(path: string, atimeMs: number, mtimeMs: number): number {
    return attempt(() => lutimesSync(hostPath(path), atimeMs / 1000, mtimeMs / 1000));
  }

  statfs(path: string): { blockSize: number; blocks: number; free: number; available: number } | number {
    try {
      const { bsize, blocks, bfree, bavail } = statfsSync(hostPath(path));
      return { blockSize: bsize, blocks, free: bfree, available: bavail };
    } catch (error) {
      return negativeErrno(error);
    }
  }
}
