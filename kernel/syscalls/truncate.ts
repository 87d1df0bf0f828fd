/** truncate(2), fallocate(2), fsync(2), sync(2), posix_fadvise(2), readahead(2). */
import { EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, EROFS, ESPIPE } from "../../abi/errno.ts";
import {
  AT_FDCWD,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  POSIX_FADV_NOREUSE,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
} from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import type { Task } from "../task/task.ts";
import { readPath } from "../vfs/byte-string.ts";
import { openPlace } from "../vfs/open.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { resolve } from "../vfs/path-walk.ts";
import { MAY_WRITE, requireAccess } from "../vfs/permission.ts";
import { MAX_FILE_SIZE } from "../vfs/regular-file.ts";

export const truncate = handler("truncate", (task, path, length) => {
  if (length < 0) throw EINVAL;
  const place = resolve(task, AT_FDCWD, readPath(task, path), { followLast: true });
  const { inode } = place.dentry;
  if (inode.isDirectory) throw EISDIR;
  if (!inode.isRegular) throw EINVAL;
  if (place.mount.readOnly) throw EROFS;
  requireAccess(task.creds, inode, MAY_WRITE);
  const file = openPlace(task, place, 1);
  if (!file) throw EINVAL;
  try {
    setSize(task, file, length);
  } finally {
    file.release();
  }
  return 0;
});

function setSize(task: Task, file: OpenFile, length: number): void {
  if (length > MAX_FILE_SIZE) throw EFBIG;
  file.truncate(task, length);
}

export const ftruncate = handler("ftruncate", (task, fd, length) => {
  if (length < 0) throw EINVAL;
  const file = task.files.get(fd);
  if (!file.inode.isRegular || !file.writable) throw EINVAL;
  setSize(task, file, length);
  return 0;
});

export const fallocate = handler("fallocate", (task, fd, mode, offset, length) => {
  const file = task.files.get(fd);
  if (offset < 0 || length <= 0) throw EINVAL;
  if ((mode & ~0x7f) !== 0 || (mode & 4) !== 0) throw EOPNOTSUPP;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && (mode & FALLOC_FL_KEEP_SIZE) === 0) throw EOPNOTSUPP;
  if (!file.writable) throw EBADF;
  if (!file.seekable) throw ESPIPE;
  if (file.inode.isDirectory) throw EISDIR;
  if (!file.inode.isRegular) throw ENODEV;
  if (offset + length > MAX_FILE_SIZE) throw EFBIG;
  file.allocate(task, mode, offset, length);
  return 0;
});

export const fsync = handler("fsync", (task, fd) => {
  task.files.get(fd).sync();
  return 0;
});

export const fdatasync = handler("fdatasync", (task, fd) => {
  task.files.get(fd).sync();
  return 0;
});

export const sync = handler("sync", (task) => {
  for (const mount of task.namespaces.mount.mounts) mount.fs.sync();
  return 0;
});

export const syncfs = handler("syncfs", (task, fd) => {
  task.files.get(fd).inode.fs.sync();
  return 0;
});

export const syncFileRange = handler("sync_file_range", (task, fd, offset, length, flags) => {
  const known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if ((flags & ~known) !== 0 || offset < 0 || length < 0) throw EINVAL;
  const file = task.files.get(fd);
  if (!file.inode.isRegular && !file.inode.isDirectory) throw ESPIPE;
  file.sync();
  return 0;
});

export const fadvise64 = handler("fadvise64", (task, fd, _offset, length, advice) => {
  const file = task.files.get(fd);
  if (!file.seekable) throw ESPIPE;
  if (length < 0 || advice < 0 || advice > POSIX_FADV_NOREUSE) throw EINVAL;
  return 0;
});

export const readahead = handler("readahead", (task, fd) => {
  const file = task.files.get(fd);
  if (!file.readable) throw EBADF;
  if (!file.inode.isRegular) throw EINVAL;
  return 0;
});
