/**
 * Everything a machine can learn from outside, or do to it, goes through one object. Two runs with worlds that answer
 * alike are alike: nothing else in the kernel reads a clock, a random source, a terminal or a host file.
 */

export interface Clock {
  /** Seconds and nanoseconds since the epoch at the moment the machine was booted. */
  readonly bootTime: { readonly seconds: number; readonly nanoseconds: number };

  /** Nanoseconds since boot; never goes back. */
  now(): number;

  /** The engine has executed so many budget units: a virtual clock moves on, the host's ignores it. */
  executed(units: number): void;

  /**
   * All tasks sleep until this time (ns since boot). A virtual clock jumps there and answers true; the host's answers
   * false, and the machine waits in real time.
   */
  skipTo(time: number): boolean;
}

export interface Entropy {
  fill(bytes: Uint8Array): void;
}

/** What one of the three standard streams is on the host's side. */
export type StreamKind = "terminal" | "pipe" | "file" | "null";

export interface WindowSize {
  rows: number;
  columns: number;
}

/** The machine's only terminal and its three standard streams. Input is pushed by the machine, see `Console.input`. */
export interface ConsoleWorld {
  /** What standard input, output and error are connected to. */
  readonly streams: readonly [StreamKind, StreamKind, StreamKind];
  /** Writes to standard output (1) or error (2); returns the bytes taken, or -errno (EPIPE, ENOSPC, EIO). */
  write(stream: 1 | 2, bytes: Uint8Array): number;
  windowSize(): WindowSize;
  /** The guest wants more input than it has: the world may start reading. */
  wantInput(): void;
}

/** File type and attributes of a host file, in Linux's units. */
export interface HostStat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blocks: number;
  blksize: number;
  /** Milliseconds since the epoch, with fraction. */
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
}

export interface HostDirent {
  name: string;
  /** DT_* of dirent.h. */
  type: number;
}

/**
 * Host files, synchronously, by absolute host path. Every call that can fail throws nothing but returns -errno (Linux
 * numbers) as a number; symbolic links are never followed in the last component. Who may see which path is the
 * business of the host file system in `kernel/fs`, which resolves links itself inside its mount.
 */
export interface HostFiles {
  lstat(path: string): HostStat | number;
  readlink(path: string): string | number;
  readdir(path: string): HostDirent[] | number;
  /** flags as in open(2); O_NOFOLLOW is added. Returns a handle >= 0. */
  open(path: string, flags: number, mode: number): number;
  close(handle: number): void;
  fstat(handle: number): HostStat | number;
  read(handle: number, into: Uint8Array, position: number): number;
  write(handle: number, from: Uint8Array, position: number): number;
  truncate(handle: number, size: number): number;
  sync(handle: number): number;
  mkdir(path: string, mode: number): number;
  rmdir(path: string): number;
  unlink(path: string): number;
  symlink(target: string, path: string): number;
  link(existing: string, path: string): number;
  rename(from: string, to: string): number;
  chmod(path: string, mode: number): number;
  lchown(path: string, uid: number, gid: number): number;
  utimes(path: string, atimeMs: number, mtimeMs: number): number;
  statfs(path: string): { blockSize: number; blocks: number; free: number; available: number } | number;
}

export interface World {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly console: ConsoleWorld;
  /** Absent where there is no host file system, as in a browser. */
  readonly files?: HostFiles;
}
