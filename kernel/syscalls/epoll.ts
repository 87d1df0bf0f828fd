/** epoll_create(2), epoll_ctl(2), epoll_wait(2), eventfd(2). */
import { EBADF, EINTR, EINVAL } from "../../abi/errno.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE } from "../../abi/eventfd.ts";
import { O_NONBLOCK } from "../../abi/fcntl.ts";
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLWAKEUP,
  epoll_event,
} from "../../abi/poll.ts";
import { handler } from "../dispatch.ts";
import { EpollFile } from "../fs/epoll.ts";
import { EventFile } from "../fs/eventfd.ts";
import { checkRange, copyToUser, readU32 } from "../mm/user-copy.ts";
import { readTimespec } from "../task/deadline.ts";
import type { Task } from "../task/task.ts";
import { sleepOnFiles, startDeadline, timedOut } from "./poll.ts";
import { installNew } from "../vfs/fd-table.ts";
import { restoreMask, useTemporaryMask } from "./temporary-mask.ts";

export const epollCreate = handler("epoll_create", (task, size) => {
  if (size <= 0) throw EINVAL;
  return installNew(task, new EpollFile(task.kernel), false);
});

export const epollCreate1 = handler("epoll_create1", (task, flags) => {
  if ((flags & ~EPOLL_CLOEXEC) !== 0) throw EINVAL;
  return installNew(task, new EpollFile(task.kernel), (flags & EPOLL_CLOEXEC) !== 0);
});

/** What may stand beside EPOLLEXCLUSIVE. */
const WITH_EXCLUSIVE = (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE) >>> 0;

export const epollCtl = handler("epoll_ctl", (task, epfd, operation, fd, event) => {
  let [events, low, high] = [0, 0, 0];
  if (operation !== EPOLL_CTL_DEL) {
    checkRange(event, epoll_event.size);
    events = readU32(task.memory, event);
    low = readU32(task.memory, event + 4);
    high = readU32(task.memory, event + 8);
  }
  const epoll = task.files.get(epfd);
  const file = task.files.get(fd);
  if (!(epoll instanceof EpollFile) || epoll === file) throw EINVAL;
  if ((events & EPOLLEXCLUSIVE) !== 0) {
    if (operation === EPOLL_CTL_MOD || (events & ~WITH_EXCLUSIVE) !== 0) throw EINVAL;
  }
  switch (operation) {
    case EPOLL_CTL_ADD:
      epoll.add(fd, file, events, low, high);
      return 0;
    case EPOLL_CTL_MOD:
      epoll.modify(fd, file, events, low, high);
      return 0;
    case EPOLL_CTL_DEL:
      epoll.remove(fd, file);
      return 0;
    default:
      throw EINVAL;
  }
});

const MAX_EVENTS = Math.floor(0x7fffffff / epoll_event.size);

function wait(task: Task, epfd: number, address: number, limit: number): number {
  if (limit <= 0 || limit > MAX_EVENTS) throw EINVAL;
  checkRange(address, limit * epoll_event.size);
  const epoll = task.files.peek(epfd);
  if (!epoll) throw EBADF;
  if (!(epoll instanceof EpollFile)) throw EINVAL;
  const ready = epoll.collect(Math.min(limit, 4096));
  if (ready.length === 0) {
    if (timedOut(task)) return 0;
    return sleepOnFiles(task, [epoll], -EINTR.number);
  }
  const bytes = new Uint8Array(ready.length * epoll_event.size);
  const view = new DataView(bytes.buffer);
  for (const [index, { events, dataLow, dataHigh }] of ready.entries()) {
    const at = index * epoll_event.size;
    view.setUint32(at, events, true);
    view.setUint32(at + 4, dataLow, true);
    view.setUint32(at + 8, dataHigh, true);
  }
  copyToUser(task.memory, address, bytes);
  return ready.length;
}

const milliseconds = (timeout: number): number => (timeout < 0 ? Infinity : timeout * 1e6);

export const epollWait = handler("epoll_wait", (task, epfd, events, limit, timeout) => {
  startDeadline(task, milliseconds(timeout));
  return wait(task, epfd, events, limit);
});

export const epollPwait = handler("epoll_pwait", (task, epfd, events, limit, timeout, mask, size) => {
  startDeadline(task, milliseconds(timeout));
  useTemporaryMask(task, mask, size);
  return restoreMask(task, () => wait(task, epfd, events, limit));
});

export const epollPwait2 = handler("epoll_pwait2", (task, epfd, events, limit, time, mask, size) => {
  if (task.callDeadline < 0) startDeadline(task, time === 0 ? Infinity : readTimespec(task, time));
  useTemporaryMask(task, mask, size);
  return restoreMask(task, () => wait(task, epfd, events, limit));
});

function makeEvent(task: Task, initial: number, flags: number): number {
  if ((flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) !== 0) throw EINVAL;
  const file = new EventFile(task.kernel, initial, (flags & EFD_SEMAPHORE) !== 0, flags & O_NONBLOCK);
  return installNew(task, file, (flags & EFD_CLOEXEC) !== 0);
}

export const eventfd = handler("eventfd", (task, initial) => makeEvent(task, initial, 0));
export const eventfd2 = handler("eventfd2", makeEvent);
