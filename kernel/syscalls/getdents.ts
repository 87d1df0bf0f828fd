/** getdents(2), getdents64(2). */
import { EINVAL, ENOENT } from "../../abi/errno.ts";
import { linux_dirent, linux_dirent64 } from "../../abi/dirent.ts";
import { handler } from "../dispatch.ts";
import { copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";

/** Most that one call collects, whatever the caller's buffer holds. */
const CHUNK = 65536;

function collect(task: Task, fd: number, address: number, count: number, wide: boolean): number {
  const file = task.files.get(fd);
  if (file.inode.isDirectory && file.inode.nlink === 0) throw ENOENT;
  const buffer = new Uint8Array(Math.min(count, CHUNK));
  const view = new DataView(buffer.buffer);
  const before = file.position;
  let used = 0;
  let tooSmall = false;
  file.readDirectory(task, (name, inode, type, next) => {
    const header = wide ? linux_dirent64.size : linux_dirent.size;
    const length = (header + name.length + (wide ? 1 : 2) + 7) & ~7;
    if (used + length > buffer.length) {
      tooSmall = used === 0;
      return false;
    }
    if (wide) linux_dirent64.encode(view, used, { d_ino: inode, d_off: next, d_reclen: length, d_type: type });
    else linux_dirent.encode(view, used, { d_ino: inode, d_off: next, d_reclen: length });
    for (let at = 0; at < name.length; at++) buffer[used + header + at] = name.charCodeAt(at);
    if (!wide) buffer[used + length - 1] = type;
    used += length;
    return true;
  });
  if (tooSmall) throw EINVAL;
  try {
    copyToUser(task.memory, address, buffer.subarray(0, used));
  } catch (error) {
    file.position = before;
    throw error;
  }
  return used;
}

export const getdents = handler("getdents", (task, fd, dirp, count) => collect(task, fd, dirp, count, false));

export const getdents64 = handler("getdents64", (task, fd, dirp, count) => collect(task, fd, dirp, count, true));
