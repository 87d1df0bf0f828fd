/** read(2), write(2), pread(2), pwrite(2), readv(2), writev(2), preadv2(2), pwritev2(2), lseek(2). */
import { EBADF, EINVAL, EOPNOTSUPP, ESPIPE } from "../../abi/errno.ts";
import {
  MAX_RW_COUNT,
  O_APPEND,
  RWF_APPEND,
  RWF_DSYNC,
  RWF_HIPRI,
  RWF_NOAPPEND,
  RWF_NOWAIT,
  RWF_SYNC,
} from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { checkRange } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { userVector } from "../vfs/iovec.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { readableFile, writableFile } from "../vfs/fd-table.ts";
import { UserTransfer, type Transfer } from "../vfs/transfer.ts";

function buffer(task: Task, address: number, count: number, intoUser: boolean): Transfer {
  checkRange(address, count);
  return new UserTransfer(task.memory, address, Math.min(count, MAX_RW_COUNT), intoUser);
}

export const read = handler("read", (task, fd, buf, count) =>
  readableFile(task, fd).read(task, buffer(task, buf, count, true)),
);

export const write = handler("write", (task, fd, buf, count) =>
  writableFile(task, fd).write(task, buffer(task, buf, count, false)),
);

/** Files without positions give ESPIPE, before anything else is looked at. */
function positioned(file: OpenFile, position: number): OpenFile {
  if (!file.seekable) throw ESPIPE;
  if (position < 0) throw EINVAL;
  return file;
}

export const pread64 = handler("pread64", (task, fd, buf, count, position) => {
  if (position < 0) throw EINVAL;
  const file = task.files.get(fd);
  positioned(file, position);
  if (!file.readable) throw EBADF;
  return file.readFrom(task, buffer(task, buf, count, true), position);
});

export const pwrite64 = handler("pwrite64", (task, fd, buf, count, position) => {
  if (position < 0) throw EINVAL;
  const file = task.files.get(fd);
  positioned(file, position);
  if (!file.writable) throw EBADF;
  return file.writeTo(task, buffer(task, buf, count, false), position);
});

export const readv = handler("readv", (task, fd, iov, count) =>
  readableFile(task, fd).read(task, userVector(task, iov, count, true)),
);

export const writev = handler("writev", (task, fd, iov, count) =>
  writableFile(task, fd).write(task, userVector(task, iov, count, false)),
);

export const preadv = handler("preadv", (task, fd, iov, count, position) => {
  if (position < 0) throw EINVAL;
  return positioned(readableFile(task, fd), position).readFrom(task, userVector(task, iov, count, true), position);
});

export const pwritev = handler("pwritev", (task, fd, iov, count, position) => {
  if (position < 0) throw EINVAL;
  return positioned(writableFile(task, fd), position).writeTo(task, userVector(task, iov, count, false), position);
});

const KNOWN_RWF = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND;

export const preadv2 = handler("preadv2", (task, fd, iov, count, position, _high, flags) => {
  if ((flags & ~KNOWN_RWF) !== 0 || (flags & (RWF_APPEND | RWF_NOAPPEND)) !== 0) throw EOPNOTSUPP;
  if (position < -1) throw EINVAL;
  const file = readableFile(task, fd);
  const to = userVector(task, iov, count, true);
  return position === -1 ? file.read(task, to) : positioned(file, position).readFrom(task, to, position);
});

export const pwritev2 = handler("pwritev2", (task, fd, iov, count, position, _high, flags) => {
  if ((flags & ~KNOWN_RWF) !== 0) throw EOPNOTSUPP;
  if ((flags & RWF_APPEND) !== 0 && (flags & RWF_NOAPPEND) !== 0) throw EINVAL;
  if (position < -1) throw EINVAL;
  const file = writableFile(task, fd);
  const from = userVector(task, iov, count, false);
  const status = file.flags;
  if ((flags & RWF_APPEND) !== 0) file.flags |= O_APPEND;
  if ((flags & RWF_NOAPPEND) !== 0) file.flags &= ~O_APPEND;
  try {
    if (position === -1) return file.write(task, from);
    return positioned(file, position).writeTo(task, from, position);
  } finally {
    file.flags = status;
  }
});

export const lseek = handler("lseek", (task, fd, offset, whence) => task.files.get(fd).seek(task, offset, whence));
