import { enumSet, flagSet } from "./flags.ts";
import { i16, i32, shown, struct, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// poll(2)
export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;
export const POLLRDBAND = 0x80;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLMSG = 0x400;
export const POLLREMOVE = 0x1000;
export const POLLRDHUP = 0x2000;
export const pollEvents = flagSet("poll events", {
  POLLIN,
  POLLPRI,
  POLLOUT,
  POLLERR,
  POLLHUP,
  POLLNVAL,
  POLLRDNORM,
  POLLRDBAND,
  POLLWRNORM,
  POLLWRBAND,
  POLLMSG,
  POLLREMOVE,
  POLLRDHUP,
});
export const pollfd = struct(
  "pollfd",
  { fd: shown(i32, "fd"), events: shown(i16, pollEvents), revents: shown(i16, pollEvents) },
  { size: 8, page: "poll(2)" },
);
export type pollfd = TypeOf<typeof pollfd>;

// epoll(7)
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const epollOperations = enumSet(
  "epoll_ctl operations",
  { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD },
  { unknown: "EPOLL_CTL_???" },
);
export const EPOLLIN = 1;
export const EPOLLPRI = 2;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 0x10;
export const EPOLLNVAL = 0x20;
export const EPOLLRDNORM = 0x40;
export const EPOLLRDBAND = 0x80;
export const EPOLLWRNORM = 0x100;
export const EPOLLWRBAND = 0x200;
export const EPOLLMSG = 0x400;
export const EPOLLRDHUP = 0x2000;
export const EPOLLEXCLUSIVE = 0x10000000;
export const EPOLLWAKEUP = 0x20000000;
export const EPOLLONESHOT = 0x40000000;
export const EPOLLET = 0x80000000;
export const epollEvents = flagSet("epoll events", {
  EPOLLIN,
  EPOLLPRI,
  EPOLLOUT,
  EPOLLERR,
  EPOLLHUP,
  EPOLLNVAL,
  EPOLLRDNORM,
  EPOLLRDBAND,
  EPOLLWRNORM,
  EPOLLWRBAND,
  EPOLLMSG,
  EPOLLRDHUP,
  EPOLLEXCLUSIVE,
  EPOLLWAKEUP,
  EPOLLONESHOT,
  EPOLLET,
});
export const EPOLL_CLOEXEC = 0o2000000;
export const epollCreateFlags = flagSet("epoll_create1 flags", { EPOLL_CLOEXEC });
/** Packed on x86-64 so that it looks the same to 32-bit programs. */
export const epoll_event = struct(
  "epoll_event",
  { events: shown(u32, epollEvents), data: shown(u64, "hex") },
  { size: 12, packed: true, page: "epoll_ctl(2)" },
);
export type epoll_event = TypeOf<typeof epoll_event>;

/** select(2) looks at no descriptor beyond this. */
export const FD_SETSIZE = 1024;
