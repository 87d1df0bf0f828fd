/** stat(2), fstat(2), lstat(2), newfstatat(2), statx(2), statfs(2), fstatfs(2). */
import { EFAULT, EINVAL } from "../../abi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
  NAME_MAX,
} from "../../abi/fcntl.ts";
import {
  ST_NOATIME,
  ST_NODEV,
  ST_NOEXEC,
  ST_NOSUID,
  ST_RDONLY,
  ST_RELATIME,
  ST_VALID,
  STATX__RESERVED,
  statfs as statfsLayout,
} from "../../abi/stat.ts";
import { handler } from "../dispatch.ts";
import { copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { readPath } from "../vfs/byte-string.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Mount, Path } from "../vfs/mount.ts";
import { resolve } from "../vfs/path-walk.ts";
import { writeStat, writeStatx } from "../vfs/stat-encode.ts";

interface Found {
  inode: Inode;
  place: Path | null;
}

/** What a path, or a descriptor with an empty path and AT_EMPTY_PATH, stands for. */
export function findForStat(task: Task, dirfd: number, path: string, flags: number): Found {
  if (path === "" && (flags & AT_EMPTY_PATH) !== 0 && dirfd !== AT_FDCWD) {
    const file = task.files.getAny(dirfd);
    return { inode: file.inode, place: file.path };
  }
  const place = resolve(task, dirfd, path, {
    followLast: (flags & AT_SYMLINK_NOFOLLOW) === 0,
    emptyPath: (flags & AT_EMPTY_PATH) !== 0,
  });
  return { inode: place.dentry.inode, place };
}

function statAt(task: Task, dirfd: number, path: number, buffer: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  writeStat(task, findForStat(task, dirfd, readPath(task, path), flags).inode, buffer);
  return 0;
}

export const stat = handler("stat", (task, path, buffer) => statAt(task, AT_FDCWD, path, buffer, 0));

export const lstat = handler("lstat", (task, path, buffer) =>
  statAt(task, AT_FDCWD, path, buffer, AT_SYMLINK_NOFOLLOW),
);

export const fstat = handler("fstat", (task, fd, buffer) => {
  writeStat(task, task.files.getAny(fd).inode, buffer);
  return 0;
});

export const newfstatat = handler("newfstatat", statAt);

export const statx = handler("statx", (task, dirfd, path, flags, mask, buffer) => {
  if ((mask & STATX__RESERVED) !== 0) throw EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0) throw EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) throw EINVAL;
  // Since Linux 6.11 a null path means an empty one.
  if (path === 0 && (flags & AT_EMPTY_PATH) === 0) throw EFAULT;
  const { inode, place } = findForStat(task, dirfd, path === 0 ? "" : readPath(task, path), flags);
  writeStatx(task, inode, place, buffer);
  return 0;
});

function mountFlags(mount: Mount | null): number {
  if (!mount) return ST_VALID | ST_RELATIME;
  const { noSuid, noDev, noExec, accessTime } = mount.attributes;
  let flags = ST_VALID;
  if (mount.readOnly) flags |= ST_RDONLY;
  if (noSuid) flags |= ST_NOSUID;
  if (noDev) flags |= ST_NODEV;
  if (noExec) flags |= ST_NOEXEC;
  if (accessTime === "noatime") flags |= ST_NOATIME;
  if (accessTime === "relatime") flags |= ST_RELATIME;
  return flags;
}

function writeStatfs(task: Task, fs: FileSystem, mount: Mount | null, buffer: number): number {
  const { blockSize, blocks, free, available, files, freeFiles } = fs.statistics();
  const bytes = statfsLayout.bytes({
    f_type: fs.magic,
    f_bsize: blockSize,
    f_blocks: blocks,
    f_bfree: free,
    f_bavail: available,
    f_files: files,
    f_ffree: freeFiles,
    f_fsid: [fs.device, 0],
    f_namelen: NAME_MAX,
    f_frsize: blockSize,
    f_flags: mountFlags(mount),
  });
  copyToUser(task.memory, buffer, bytes);
  return 0;
}

export const statfs = handler("statfs", (task, path, buffer) => {
  const { mount } = resolve(task, AT_FDCWD, readPath(task, path), { followLast: true });
  return writeStatfs(task, mount.fs, mount, buffer);
});

export const fstatfs = handler("fstatfs", (task, fd, buffer) => {
  const file = task.files.getAny(fd);
  return writeStatfs(task, file.inode.fs, file.path?.mount ?? null, buffer);
});
