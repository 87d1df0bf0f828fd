/** Which calls on files exist, and how completely. */
import { full, partial, type TableEntry } from "../dispatch.ts";
import { dup, dup2, dup3 } from "./dup.ts";
import { fcntl, flock } from "./fcntl.ts";
import { chdir, chroot, fchdir, getcwd, umask } from "./getcwd.ts";
import { getdents, getdents64 } from "./getdents.ts";
import { ioctl } from "./ioctl.ts";
import { close, closeRange, creat, open, openat, openat2 } from "./open.ts";
import { pipe, pipe2 } from "./pipe.ts";
import {
  lseek,
  pread64,
  preadv,
  preadv2,
  pwrite64,
  pwritev,
  pwritev2,
  read,
  readv,
  write,
  writev,
} from "./read-write.ts";
import { fstat, fstatfs, lstat, newfstatat, stat, statfs, statx } from "./stat.ts";

export const fileCalls: readonly TableEntry[] = [
  full(read),
  full(write),
  full(readv),
  full(writev),
  full(pread64),
  full(pwrite64),
  full(preadv),
  full(pwritev),
  full(preadv2),
  full(pwritev2),
  full(lseek),
  full(open),
  full(openat),
  full(openat2),
  full(creat),
  full(close),
  full(closeRange),
  full(stat),
  full(lstat),
  full(fstat),
  full(newfstatat),
  full(statx),
  full(statfs),
  full(fstatfs),
  full(getcwd),
  full(chdir),
  full(fchdir),
  full(chroot),
  full(umask),
  full(getdents),
  full(getdents64),
  full(dup),
  full(dup2),
  full(dup3),
  full(pipe),
  full(pipe2),
  partial(ioctl, "terminals, pipes and descriptor flags"),
  partial(fcntl, "owners are remembered but SIGIO is never sent; no leases, no directory notification"),
  full(flock),
];
