/** open(2), openat(2), creat(2), openat2(2), close(2), close_range(2). */
import { E2BIG, EAGAIN, EINVAL } from "../../abi/errno.ts";
import {
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  CLOSE_RANGE_UNSHARE,
  FD_CLOEXEC,
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_LARGEFILE,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  __O_TMPFILE,
  open_how,
  openFlags,
  resolveFlags,
} from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { readBytes } from "../mm/user-copy.ts";
import { BLOCKED, type Task } from "../task/task.ts";
import { readPath } from "../vfs/byte-string.ts";
import { openPath } from "../vfs/open.ts";

/** Opens and gives a descriptor; flags have been checked as far as open(2), which ignores unknown ones, does. */
function openAndInstall(task: Task, dirfd: number, path: string, given: number, mode: number, resolve = 0): number {
  let flags = given;
  if ((flags & __O_TMPFILE) !== 0) {
    if ((flags & O_TMPFILE) !== O_TMPFILE || (flags & O_CREAT) !== 0) throw EINVAL;
    if ((flags & O_ACCMODE) === O_RDONLY) throw EINVAL;
  }
  if ((flags & O_PATH) !== 0) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  else flags |= O_LARGEFILE;
  if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) throw EINVAL;
  const file = openPath(task, dirfd, path, flags, mode, resolve);
  if (file === null) return BLOCKED;
  try {
    return task.files.install(file, (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0, 0, task);
  } catch (error) {
    file.release();
    throw error;
  }
}

/** Bits that open(2) knows; the others it ignores. */
const VALID = Number(openFlags.mask) | O_ACCMODE;

export const open = handler("open", (task, path, flags, mode) =>
  openAndInstall(task, AT_FDCWD, readPath(task, path), flags & VALID, mode),
);

export const openat = handler("openat", (task, dirfd, path, flags, mode) =>
  openAndInstall(task, dirfd, readPath(task, path), flags & VALID, mode),
);

export const creat = handler("creat", (task, path, mode) =>
  openAndInstall(task, AT_FDCWD, readPath(task, path), O_CREAT | O_WRONLY | O_TRUNC, mode),
);

export const openat2 = handler("openat2", (task, dirfd, path, how, size) => {
  if (size < open_how.size) throw EINVAL;
  if (size > PAGE_SIZE) throw E2BIG;
  const bytes = readBytes(task.memory, how, size);
  if (bytes.subarray(open_how.size).some((byte) => byte !== 0)) throw E2BIG;
  const { flags, mode, resolve } = open_how.decode(new DataView(bytes.buffer));
  if ((flags & ~BigInt(VALID)) !== 0n || (resolve & ~resolveFlags.mask) !== 0n) throw EINVAL;
  const word = Number(flags);
  const creates = (word & (O_CREAT | __O_TMPFILE)) !== 0;
  if (mode > 0o7777n || (mode !== 0n && !creates)) throw EINVAL;
  if ((word & O_PATH) !== 0 && (word & ~(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) !== 0) throw EINVAL;
  const restrictions = Number(resolve);
  if ((restrictions & RESOLVE_BENEATH) !== 0 && (restrictions & RESOLVE_IN_ROOT) !== 0) throw EINVAL;
  // Nothing is certain to be in a cache here.
  if ((restrictions & RESOLVE_CACHED) !== 0) throw EAGAIN;
  let name = readPath(task, path);
  if ((restrictions & RESOLVE_IN_ROOT) !== 0 && name.startsWith("/")) name = name.replace(/^\/+/, "") || ".";
  return openAndInstall(task, dirfd, name, word, Number(mode), restrictions);
});

export const close = handler("close", (task, fd) => {
  task.files.close(fd);
  return 0;
});

export const closeRange = handler("close_range", (task, first, last, flags) => {
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) throw EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && task.files.users > 1) {
    const own = task.files.clone();
    task.files.release();
    task.files = own;
  }
  const end = Math.min(last + 1, task.files.size);
  for (let fd = first; fd < end; fd++) {
    if (!task.files.peek(fd)) continue;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) task.files.setFlags(fd, FD_CLOEXEC);
    else task.files.close(fd);
  }
  return 0;
});
