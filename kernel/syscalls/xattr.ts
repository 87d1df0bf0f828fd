/** xattr(7) on file systems that have no extended attributes. */
import { EINVAL, EOPNOTSUPP, ERANGE } from "../../abi/errno.ts";
import { AT_FDCWD, XATTR_CREATE, XATTR_NAME_MAX, XATTR_REPLACE } from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { readCString } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { readPath } from "../vfs/byte-string.ts";
import { resolve } from "../vfs/path-walk.ts";

function requireName(task: Task, address: number): void {
  if (readCString(task.memory, address, XATTR_NAME_MAX + 1, ERANGE).length === 0) throw ERANGE;
}

function requireFile(task: Task, path: number, followLast: boolean): void {
  resolve(task, AT_FDCWD, readPath(task, path), { followLast });
}

function requireFlags(flags: number): void {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) throw EINVAL;
}

const get = (followLast: boolean) => (task: Task, path: number, name: number) => {
  requireName(task, name);
  requireFile(task, path, followLast);
  return -EOPNOTSUPP.number;
};

const list = (followLast: boolean) => (task: Task, path: number) => {
  requireFile(task, path, followLast);
  return 0;
};

const set =
  (followLast: boolean) => (task: Task, path: number, name: number, _v: number, _s: number, flags: number) => {
    requireFlags(flags);
    requireName(task, name);
    requireFile(task, path, followLast);
    return -EOPNOTSUPP.number;
  };

const forFd = (task: Task, fd: number, name: number) => {
  task.files.get(fd);
  requireName(task, name);
  return -EOPNOTSUPP.number;
};

export const xattrHandlers = [
  handler("getxattr", get(true)),
  handler("lgetxattr", get(false)),
  handler("fgetxattr", forFd),
  handler("listxattr", list(true)),
  handler("llistxattr", list(false)),
  handler("flistxattr", (task, fd) => {
    task.files.get(fd);
    return 0;
  }),
  handler("setxattr", set(true)),
  handler("lsetxattr", set(false)),
  handler("fsetxattr", (task, fd, name, _value, _size, flags) => {
    requireFlags(flags);
    return forFd(task, fd, name);
  }),
  handler("removexattr", get(true)),
  handler("lremovexattr", get(false)),
  handler("fremovexattr", forFd),
];
