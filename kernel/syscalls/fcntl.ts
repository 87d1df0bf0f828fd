/** fcntl(2), flock(2). */
import { EAGAIN, EBADF, EDEADLK, EINVAL, EOVERFLOW, EPERM, ESRCH } from "../../abi/errno.ts";
import * as abi from "../../abi/fcntl.ts";
import { RDX } from "../../emulator/registers.ts";
import { handler } from "../dispatch.ts";
import { PipeFile } from "../fs/pipe-file.ts";
import { copyToUser, readBytes } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { descriptorLimit } from "../vfs/fd-table.ts";
import { FileLocks, type RecordLock } from "../vfs/file-locks.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { isOwner } from "../vfs/permission.ts";
import { duplicate } from "./dup.ts";

const { O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME, O_NONBLOCK } = abi;
const CHANGEABLE = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;
/** Commands that work on a descriptor opened with O_PATH. */
const FOR_PATHS = new Set<number>([abi.F_DUPFD, abi.F_DUPFD_CLOEXEC, abi.F_GETFD, abi.F_SETFD, abi.F_GETFL]);

/** The argument as an int. The register may hold a negative one in 64 bits, which no number holds exactly. */
const lowWord = (task: Task, argument: number): number =>
  argument <= Number.MAX_SAFE_INTEGER ? argument | 0 : task.kernel.engine.cpu.u32[RDX * 2]! | 0;

export const fcntl = handler("fcntl", (task, fd, command, argument) => {
  const file = FOR_PATHS.has(command) ? task.files.getAny(fd) : task.files.get(fd);
  switch (command) {
    case abi.F_DUPFD:
    case abi.F_DUPFD_CLOEXEC: {
      const minFd = lowWord(task, argument);
      if (minFd < 0 || minFd >= descriptorLimit(task)) throw EINVAL;
      return duplicate(task, file, command === abi.F_DUPFD ? 0 : abi.FD_CLOEXEC, minFd);
    }
    case abi.F_GETFD:
      return task.files.getFlags(fd);
    case abi.F_SETFD:
      task.files.setFlags(fd, lowWord(task, argument) & abi.FD_CLOEXEC);
      return 0;
    case abi.F_GETFL:
      return file.flags;
    case abi.F_SETFL:
      return setStatus(task, file, lowWord(task, argument));
    case abi.F_GETLK:
    case abi.F_OFD_GETLK:
      return getLock(task, file, command, argument);
    case abi.F_SETLK:
    case abi.F_SETLKW:
    case abi.F_OFD_SETLK:
    case abi.F_OFD_SETLKW:
      return setLock(task, fd, command, argument);
    case abi.F_GETPIPE_SZ:
      if (!(file instanceof PipeFile)) throw EBADF;
      return file.pipe.capacity;
    case abi.F_SETPIPE_SZ:
      if (!(file instanceof PipeFile)) throw EBADF;
      return file.setCapacity(task, argument);
    case abi.F_ADD_SEALS:
      if ((lowWord(task, argument) & ~Number(abi.sealFlags.mask)) !== 0) throw EINVAL;
      file.addSeals(lowWord(task, argument));
      return 0;
    case abi.F_GET_SEALS:
      return file.seals;
    default:
      return ownerCommand(task, file, command, argument);
  }
});

function setStatus(task: Task, file: OpenFile, wanted: number): number {
  if ((wanted & ~file.flags & O_NOATIME) !== 0 && !isOwner(task.creds, file.inode)) throw EPERM;
  file.setStatus((file.flags & ~CHANGEABLE) | (wanted & CHANGEABLE));
  return 0;
}

/** Who is to get SIGIO: remembered, but nothing ever sends it. */
function ownerCommand(task: Task, file: OpenFile, command: number, argument: number): number {
  const owner = (file.owner ??= { type: abi.F_OWNER_PID, pid: 0, signal: 0 });
  switch (command) {
    case abi.F_GETOWN:
      return owner.type === abi.F_OWNER_PGRP ? -owner.pid : owner.pid;
    case abi.F_SETOWN: {
      const pid = lowWord(task, argument);
      if (pid !== 0 && !task.pid.namespace.find(Math.abs(pid))) throw ESRCH;
      owner.type = pid < 0 ? abi.F_OWNER_PGRP : abi.F_OWNER_PID;
      owner.pid = Math.abs(pid);
      return 0;
    }
    case abi.F_GETSIG:
      return owner.signal;
    case abi.F_SETSIG:
      if (argument > 64) throw EINVAL;
      owner.signal = argument;
      return 0;
    case abi.F_GETOWN_EX:
      copyToUser(task.memory, argument, abi.f_owner_ex.bytes({ type: owner.type, pid: owner.pid }));
      return 0;
    case abi.F_SETOWN_EX: {
      const wanted = abi.f_owner_ex.decode(viewOf(readBytes(task.memory, argument, abi.f_owner_ex.size)));
      if (wanted.type < 0 || wanted.type > abi.F_OWNER_PGRP) throw EINVAL;
      if (wanted.pid !== 0 && !task.pid.namespace.find(wanted.pid)) throw ESRCH;
      owner.type = wanted.type;
      owner.pid = wanted.pid;
      return 0;
    }
    case abi.F_GETLEASE:
      return abi.F_UNLCK;
    default:
      throw EINVAL;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The lock that a struct flock describes. @throws EFAULT EINVAL EOVERFLOW */
function readLock(task: Task, file: OpenFile, command: number, address: number): RecordLock & { type: number } {
  const given = abi.flock.decode(viewOf(readBytes(task.memory, address, abi.flock.size)));
  const ofFile = command === abi.F_OFD_GETLK || command === abi.F_OFD_SETLK || command === abi.F_OFD_SETLKW;
  if (ofFile && given.l_pid !== 0) throw EINVAL;
  let start = Number(given.l_start);
  if (given.l_whence === abi.SEEK_CUR) start += file.position;
  else if (given.l_whence === abi.SEEK_END) start += file.inode.size;
  else if (given.l_whence !== abi.SEEK_SET) throw EINVAL;
  const length = Number(given.l_len);
  if (start > 2 ** 63 - 1) throw EOVERFLOW;
  let end = length === 0 ? Infinity : start + length;
  if (length < 0) [start, end] = [start + length, start];
  if (start < 0) throw EINVAL;
  if (given.l_type < abi.F_RDLCK || given.l_type > abi.F_UNLCK) throw EINVAL;
  return {
    type: given.l_type,
    owner: ofFile ? file : task.files,
    exclusive: given.l_type === abi.F_WRLCK,
    start,
    end,
    holder: ofFile ? null : task,
  };
}

function getLock(task: Task, file: OpenFile, command: number, address: number): number {
  const wanted = readLock(task, file, command, address);
  if (wanted.type === abi.F_UNLCK && command === abi.F_GETLK) throw EINVAL;
  const found = file.inode.locks?.conflict(wanted);
  const bytes = readBytes(task.memory, address, abi.flock.size);
  const view = viewOf(bytes);
  if (!found) {
    view.setInt16(abi.flock.offsets.l_type, abi.F_UNLCK, true);
  } else {
    abi.flock.encode(view, 0, {
      l_type: found.exclusive ? abi.F_WRLCK : abi.F_RDLCK,
      l_whence: abi.SEEK_SET,
      l_start: found.start,
      l_len: found.end === Infinity ? 0 : found.end - found.start,
      l_pid: found.holder ? found.holder.group.pid.numberIn(task.pid.namespace) : -1,
    });
  }
  copyToUser(task.memory, address, bytes);
  return 0;
}

function setLock(task: Task, fd: number, command: number, address: number): number {
  const file = task.files.get(fd);
  const wanted = readLock(task, file, command, address);
  if (wanted.type === abi.F_RDLCK && !file.readable) throw EBADF;
  if (wanted.type === abi.F_WRLCK && !file.writable) throw EBADF;
  const locks = (file.inode.locks ??= new FileLocks());
  if (wanted.type === abi.F_UNLCK) {
    locks.clear(wanted.owner, wanted.start, wanted.end);
    return 0;
  }
  const conflict = locks.conflict(wanted);
  if (!conflict) {
    locks.set(wanted);
    return 0;
  }
  if (command !== abi.F_SETLKW && command !== abi.F_OFD_SETLKW) return -EAGAIN.number;
  if (command === abi.F_SETLKW && closesCircle(task, conflict)) throw EDEADLK;
  const { exclusive, start, end } = wanted;
  task.callState = { lockFd: fd, exclusive, start, end } satisfies WaitingForLock;
  return task.sleepOn(locks.changed);
}

/** What a task asleep in F_SETLKW remembers. */
interface WaitingForLock {
  readonly lockFd: number;
  readonly exclusive: boolean;
  readonly start: number;
  readonly end: number;
}

/** Following who waits for whom from the holder of a conflicting lock leads back to the task. */
function closesCircle(task: Task, conflict: RecordLock): boolean {
  const seen = new Set<Task>();
  let holder: Task | null = conflict.holder;
  while (holder && !seen.has(holder)) {
    if (holder.files === task.files) return true;
    seen.add(holder);
    holder = waitsFor(holder);
  }
  return false;
}

/** Who holds the lock that a process is waiting for. */
function waitsFor(task: Task): Task | null {
  for (const { callState, queues, files } of task.group.tasks) {
    if (queues.length === 0 || !isWaiting(callState)) continue;
    const locks = files.peek(callState.lockFd)?.inode.locks;
    return locks?.conflict({ ...callState, owner: files, holder: task })?.holder ?? null;
  }
  return null;
}

const isWaiting = (state: unknown): state is WaitingForLock =>
  typeof state === "object" && state !== null && "lockFd" in state;

export const flock = handler("flock", (task, fd, operation) => {
  const file = task.files.get(fd);
  const kind = operation & ~abi.LOCK_NB;
  if (kind !== abi.LOCK_SH && kind !== abi.LOCK_EX && kind !== abi.LOCK_UN) throw EINVAL;
  const locks = (file.inode.locks ??= new FileLocks());
  if (kind === abi.LOCK_UN) {
    locks.clearWhole(file);
    return 0;
  }
  const exclusive = kind === abi.LOCK_EX;
  if (!locks.wholeConflict(file, exclusive)) {
    locks.setWhole(file, exclusive);
    return 0;
  }
  if ((operation & abi.LOCK_NB) !== 0) return -EAGAIN.number;
  // Changing a lock gives the old one up first.
  locks.clearWhole(file);
  return task.sleepOn(locks.changed);
});
