/** poll(2), ppoll(2), select(2), pselect6(2). */
import { EBADF, EINVAL, ERESTARTNOHAND } from "../../abi/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../../abi/poll.ts";
import { handler } from "../dispatch.ts";
import { copyFromUser, copyToUser, readI64, readU64, writeU64 } from "../mm/user-copy.ts";
import { readTimespec } from "../task/deadline.ts";
import type { Task } from "../task/task.ts";
import { descriptorLimit } from "../vfs/fd-table.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { useTemporaryMask, restoreMask } from "./temporary-mask.ts";

const POLLFD_SIZE = 8;

/** Remembers in the task when a wait of `timeout` ns from its first run ends. */
export function startDeadline(task: Task, timeout: number): void {
  if (task.callDeadline < 0) task.callDeadline = timeout === Infinity ? Infinity : task.kernel.now() + timeout;
}

export const timedOut = (task: Task): boolean =>
  task.callDeadline !== Infinity && task.callDeadline <= task.kernel.now();

/** Sleeps until one of the files may have become ready. */
export function sleepOnFiles(task: Task, files: Iterable<OpenFile>, interrupted: number): number {
  for (const file of files) for (const queue of file.pollQueues()) queue.add(task);
  return task.sleep(task.callDeadline, interrupted);
}

/** @returns the result, or BLOCKED */
function pollFiles(task: Task, address: number, count: number): number {
  if (count > descriptorLimit(task)) throw EINVAL;
  const bytes = new Uint8Array(count * POLLFD_SIZE);
  copyFromUser(task.memory, address, bytes);
  const view = new DataView(bytes.buffer);
  const watched: OpenFile[] = [];
  let ready = 0;
  for (let at = 0; at < bytes.length; at += POLLFD_SIZE) {
    const fd = view.getInt32(at, true);
    const events = view.getUint16(at + 4, true);
    let mask = 0;
    if (fd >= 0) {
      const file = task.files.peek(fd);
      if (!file) {
        mask = POLLNVAL;
      } else {
        mask = file.poll() & (events | POLLERR | POLLHUP);
        watched.push(file);
      }
    }
    view.setUint16(at + 6, mask, true);
    if (mask !== 0) ready++;
  }
  if (ready === 0 && !timedOut(task)) return sleepOnFiles(task, watched, -ERESTARTNOHAND.number);
  copyToUser(task.memory, address, bytes);
  return ready;
}

export const poll = handler("poll", (task, address, count, timeout) => {
  startDeadline(task, timeout < 0 ? Infinity : timeout * 1e6);
  return pollFiles(task, address, count);
});

/** What is left of the time, written back for the caller (select(2), ppoll(2) of the kernel). */
function writeRemaining(task: Task, address: number, unit: number): void {
  if (address === 0 || task.callDeadline === Infinity) return;
  const left = Math.max(0, task.callDeadline - task.kernel.now());
  const seconds = Math.floor(left / 1e9);
  try {
    writeU64(task.memory, address, seconds);
    writeU64(task.memory, address + 8, Math.floor((left - seconds * 1e9) / unit));
  } catch {
    // A time that cannot be written, in read-only memory for one, does not spoil the result.
  }
}

export const ppoll = handler("ppoll", (task, address, count, time, mask, maskSize) => {
  if (task.callDeadline < 0) startDeadline(task, time === 0 ? Infinity : readTimespec(task, time));
  useTemporaryMask(task, mask, maskSize);
  return restoreMask(task, () => {
    const result = pollFiles(task, address, count);
    if (result >= 0) writeRemaining(task, time, 1);
    return result;
  });
});

const READ_READY = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
const WRITE_READY = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
const READY: readonly number[] = [READ_READY, WRITE_READY, POLLPRI];

/** @param addresses of the three sets; 0 for none */
function selectFiles(task: Task, given: number, addresses: readonly number[]): number {
  if (given < 0) throw EINVAL;
  const count = Math.min(given, Math.max(task.files.size, 64));
  const size = Math.ceil(count / 64) * 8;
  const wanted = addresses.map((address) => {
    const set = new Uint8Array(size);
    if (address !== 0) copyFromUser(task.memory, address, set);
    return set;
  });
  const found = addresses.map(() => new Uint8Array(size));
  const watched: OpenFile[] = [];
  let ready = 0;
  for (let fd = 0; fd < count; fd++) {
    const [byte, bit] = [fd >> 3, 1 << (fd & 7)];
    if (((wanted[0]![byte]! | wanted[1]![byte]! | wanted[2]![byte]!) & bit) === 0) continue;
    const file = task.files.peek(fd);
    if (!file) throw EBADF;
    watched.push(file);
    const mask = file.poll();
    for (let set = 0; set < 3; set++) {
      if ((wanted[set]![byte]! & bit) === 0 || (mask & READY[set]!) === 0) continue;
      found[set]![byte]! |= bit;
      ready++;
    }
  }
  if (ready === 0 && !timedOut(task)) return sleepOnFiles(task, watched, -ERESTARTNOHAND.number);
  for (let set = 0; set < 3; set++) if (addresses[set] !== 0) copyToUser(task.memory, addresses[set]!, found[set]!);
  return ready;
}

export const select = handler("select", (task, count, readSet, writeSet, exceptSet, time) => {
  if (task.callDeadline < 0) {
    let timeout = Infinity;
    if (time !== 0) {
      const [seconds, microseconds] = [readI64(task.memory, time), readI64(task.memory, time + 8)];
      if (seconds < 0 || microseconds < 0) throw EINVAL;
      timeout = seconds * 1e9 + microseconds * 1e3;
    }
    startDeadline(task, timeout);
  }
  const result = selectFiles(task, count, [readSet, writeSet, exceptSet]);
  if (result >= 0) writeRemaining(task, time, 1000);
  return result;
});

export const pselect6 = handler("pselect6", (task, count, readSet, writeSet, exceptSet, time, pack) => {
  if (task.callDeadline < 0) startDeadline(task, time === 0 ? Infinity : readTimespec(task, time));
  if (pack !== 0) useTemporaryMask(task, readU64(task.memory, pack), readU64(task.memory, pack + 8));
  return restoreMask(task, () => {
    const result = selectFiles(task, count, [readSet, writeSet, exceptSet]);
    if (result >= 0) writeRemaining(task, time, 1);
    return result;
  });
});
