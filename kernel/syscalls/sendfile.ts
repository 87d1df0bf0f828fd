/** sendfile(2), splice(2), tee(2), copy_file_range(2): from file to file through a buffer of the kernel's. */
import { EAGAIN, EBADF, EINVAL, EISDIR, EOVERFLOW, ESPIPE } from "../../abi/errno.ts";
import {
  MAX_RW_COUNT,
  O_APPEND,
  O_NONBLOCK,
  SPLICE_F_GIFT,
  SPLICE_F_MORE,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { PipeFile, brokenPipe } from "../fs/pipe-file.ts";
import type { Pipe } from "../fs/pipe.ts";
import { readI64, writeU64 } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { userVector } from "../vfs/iovec.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { RegularFile } from "../vfs/regular-file.ts";
import { readableFile, writableFile } from "../vfs/fd-table.ts";
import { BytesTransfer } from "../vfs/transfer.ts";

const CHUNK = 65536;

/** A position in user memory that a call uses instead of the file's own, and moves on. */
function readOffset(task: Task, address: number): number {
  const offset = readI64(task.memory, address);
  if (offset < 0) throw EINVAL;
  return offset;
}

export const sendfile = handler("sendfile", (task, outFd, inFd, offset, wanted) => {
  const source = readableFile(task, inFd);
  const target = writableFile(task, outFd);
  if (!source.seekable) throw offset === 0 ? EINVAL : ESPIPE;
  if (source.inode.isDirectory) throw EINVAL;
  if ((target.flags & O_APPEND) !== 0) throw EINVAL;
  const start = offset === 0 ? source.position : readOffset(task, offset);
  const count = Math.min(wanted, MAX_RW_COUNT);
  let done = 0;
  while (done < count) {
    const room = target instanceof PipeFile ? roomIn(target.pipe) : CHUNK;
    if (room === 0) {
      if (done > 0) break;
      if ((target.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
      return task.sleepOn((target as PipeFile).pipe.writable);
    }
    const buffer = new Uint8Array(Math.min(count - done, CHUNK, room));
    const got = source.readFrom(task, new BytesTransfer(buffer), start + done);
    if (got < 0) return done > 0 ? done : got;
    if (got === 0) break;
    const moved = target.write(task, new BytesTransfer(buffer.subarray(0, got)));
    // Nothing has been taken out of the source that the call cannot read again.
    if (moved < 0) return done > 0 && moved > -4096 ? done : moved;
    done += moved;
    const goesOn = target instanceof RegularFile || target instanceof PipeFile;
    if (moved < got || !goesOn) break;
  }
  if (offset === 0) source.position = start + done;
  else writeU64(task.memory, offset, start + done);
  return done;
});

/** What can be written without waiting; a pipe nobody reads takes anything, to say so. */
const roomIn = (pipe: Pipe): number => (pipe.hasReaders ? pipe.room : CHUNK);

export const copyFileRange = handler("copy_file_range", (task, inFd, inOffset, outFd, outOffset, wanted, flags) => {
  if (flags !== 0) throw EINVAL;
  const source = readableFile(task, inFd);
  const target = writableFile(task, outFd);
  if ((target.flags & O_APPEND) !== 0) throw EBADF;
  if (source.inode.isDirectory || target.inode.isDirectory) throw EISDIR;
  if (!(source instanceof RegularFile) || !(target instanceof RegularFile)) throw EINVAL;
  const from = inOffset === 0 ? source.position : readOffset(task, inOffset);
  const to = outOffset === 0 ? target.position : readOffset(task, outOffset);
  if (from + wanted > 2 ** 63 || to + wanted > 2 ** 63) throw EOVERFLOW;
  const count = Math.min(wanted, MAX_RW_COUNT, Math.max(0, source.inode.size - from));
  if (source.inode === target.inode && from < to + count && to < from + count) throw EINVAL;
  let done = 0;
  while (done < count) {
    const buffer = new Uint8Array(Math.min(count - done, CHUNK));
    const got = source.readFrom(task, new BytesTransfer(buffer), from + done);
    if (got <= 0) break;
    const moved = target.writeTo(task, new BytesTransfer(buffer.subarray(0, got)), to + done);
    done += moved;
    if (moved < got) break;
  }
  if (inOffset === 0) source.position = from + done;
  else writeU64(task.memory, inOffset, from + done);
  if (outOffset === 0) target.position = to + done;
  else writeU64(task.memory, outOffset, to + done);
  return done;
});

const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

export const splice = handler("splice", (task, inFd, inOffset, outFd, outOffset, wanted, flags) => {
  if ((flags & ~SPLICE_FLAGS) !== 0) throw EINVAL;
  if (wanted === 0) return 0;
  const source = readableFile(task, inFd);
  const target = writableFile(task, outFd);
  const nonBlocking = (flags & SPLICE_F_NONBLOCK) !== 0;
  const count = Math.min(wanted, CHUNK);
  if (source instanceof PipeFile) {
    if (inOffset !== 0) throw ESPIPE;
    if (outOffset !== 0 && (target instanceof PipeFile || !target.seekable)) throw ESPIPE;
    return fromPipe(task, source, target, outOffset, count, nonBlocking);
  }
  if (!(target instanceof PipeFile)) throw EINVAL;
  if (outOffset !== 0) throw ESPIPE;
  if (inOffset !== 0 && !source.seekable) throw ESPIPE;
  return intoPipe(task, source, inOffset, target, count, nonBlocking);
});

function fromPipe(
  task: Task,
  source: PipeFile,
  target: OpenFile,
  outOffset: number,
  wanted: number,
  nonBlocking: boolean,
): number {
  const { pipe } = source;
  if (target instanceof PipeFile && target.pipe === pipe) throw EINVAL;
  if ((target.flags & O_APPEND) !== 0) throw EINVAL;
  if (pipe.length === 0) {
    if (!pipe.hasWriters) return 0;
    if (nonBlocking || (source.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
    return task.sleepOn(pipe.readable);
  }
  let count = Math.min(wanted, pipe.length);
  if (target instanceof PipeFile) {
    if (!target.pipe.hasReaders) return brokenPipe(task, 0);
    if (target.pipe.room === 0) {
      if (nonBlocking || (target.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
      return task.sleepOn(target.pipe.writable);
    }
    count = Math.min(count, target.pipe.room);
  }
  const bytes = new BytesTransfer(pipe.contents().subarray(0, count));
  let moved: number;
  if (outOffset === 0) {
    moved = target.write(task, bytes);
  } else {
    const position = readOffset(task, outOffset);
    moved = target.writeTo(task, bytes, position);
    if (moved > 0) writeU64(task.memory, outOffset, position + moved);
  }
  // What has gone on leaves the pipe only now.
  if (moved > 0) pipe.take(new BytesTransfer(new Uint8Array(moved)));
  return moved;
}

function intoPipe(
  task: Task,
  source: OpenFile,
  inOffset: number,
  target: PipeFile,
  wanted: number,
  nonBlocking: boolean,
): number {
  const { pipe } = target;
  if (!pipe.hasReaders) return brokenPipe(task, 0);
  if (pipe.room === 0) {
    if (nonBlocking || (target.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
    return task.sleepOn(pipe.writable);
  }
  const buffer = new Uint8Array(Math.min(wanted, pipe.room));
  let got: number;
  if (inOffset === 0) {
    got = source.read(task, new BytesTransfer(buffer));
  } else {
    const position = readOffset(task, inOffset);
    got = source.readFrom(task, new BytesTransfer(buffer), position);
    if (got > 0) writeU64(task.memory, inOffset, position + got);
  }
  if (got > 0) pipe.put(new BytesTransfer(buffer.subarray(0, got)), got);
  return got;
}

export const tee = handler("tee", (task, inFd, outFd, wanted, flags) => {
  if ((flags & ~SPLICE_FLAGS) !== 0) throw EINVAL;
  if (wanted === 0) return 0;
  const source = readableFile(task, inFd);
  const target = writableFile(task, outFd);
  if (!(source instanceof PipeFile) || !(target instanceof PipeFile) || source.pipe === target.pipe) throw EINVAL;
  const nonBlocking = (flags & SPLICE_F_NONBLOCK) !== 0;
  if (source.pipe.length === 0) {
    if (!source.pipe.hasWriters) return 0;
    return nonBlocking ? -EAGAIN.number : task.sleepOn(source.pipe.readable);
  }
  if (!target.pipe.hasReaders) return brokenPipe(task, 0);
  if (target.pipe.room === 0) return nonBlocking ? -EAGAIN.number : task.sleepOn(target.pipe.writable);
  const count = Math.min(wanted, source.pipe.length, target.pipe.room);
  return target.pipe.put(new BytesTransfer(source.pipe.contents().subarray(0, count)), count);
});

/** Pages are copied: what the caller changes afterwards does not show in the pipe. */
export const vmsplice = handler("vmsplice", (task, fd, iov, count, flags) => {
  if ((flags & ~SPLICE_FLAGS) !== 0) throw EINVAL;
  const file = task.files.get(fd);
  if (!(file instanceof PipeFile)) throw EBADF;
  if (file.writable) return file.write(task, userVector(task, iov, count, false));
  return file.read(task, userVector(task, iov, count, true));
});
