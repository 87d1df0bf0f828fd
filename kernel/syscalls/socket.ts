/** The part of sockets there is: connected pairs (socketpair(2), send(2), recv(2), shutdown(2)). */
import {
  EAFNOSUPPORT,
  EINVAL,
  EISCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from "../../abi/errno.ts";
import { FD_CLOEXEC, MAX_RW_COUNT, O_NONBLOCK } from "../../abi/fcntl.ts";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SHUT_RDWR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOCK_TYPE_MASK,
} from "../../abi/socket.ts";
import { handler } from "../dispatch.ts";
import { createSocketPair, PairedSocket } from "../fs/socket-pair.ts";
import { checkRange, readBytes, writeU32 } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { installPair } from "../vfs/install-pair.ts";
import { UserTransfer } from "../vfs/transfer.ts";

const SOCKADDR_STORAGE_SIZE = 128;

export const socketpair = handler("socketpair", (task, domain, type, protocol, address) => {
  if ((type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) throw EINVAL;
  if (domain !== AF_UNIX) throw EAFNOSUPPORT;
  if (protocol !== 0 && protocol !== AF_UNIX) throw EPROTONOSUPPORT;
  const kind = type & SOCK_TYPE_MASK;
  if (kind !== SOCK_STREAM && kind !== SOCK_DGRAM && kind !== SOCK_SEQPACKET) throw ESOCKTNOSUPPORT;
  const pair = createSocketPair(task, kind, (type & SOCK_NONBLOCK) !== 0 ? O_NONBLOCK : 0);
  installPair(task, pair, (type & SOCK_CLOEXEC) !== 0 ? FD_CLOEXEC : 0, address);
  return 0;
});

/** @throws EBADF ENOTSOCK */
function socketOf(task: Task, fd: number): PairedSocket {
  const file = task.files.get(fd);
  if (!(file instanceof PairedSocket)) throw ENOTSOCK;
  return file;
}

/** Runs an operation with MSG_DONTWAIT taken for O_NONBLOCK. */
function withFlags(socket: PairedSocket, flags: number, act: () => number): number {
  if ((flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) !== 0) throw EOPNOTSUPP;
  const { flags: status } = socket;
  if ((flags & MSG_DONTWAIT) === 0) return act();
  socket.setStatus(status | O_NONBLOCK);
  try {
    return act();
  } finally {
    socket.setStatus(status);
  }
}

export const sendto = handler("sendto", (task, fd, buffer, length, flags, address, addressLength) => {
  checkRange(buffer, length);
  const socket = socketOf(task, fd);
  if (address !== 0) {
    if (addressLength < 0 || addressLength > SOCKADDR_STORAGE_SIZE) throw EINVAL;
    readBytes(task.memory, address, addressLength);
    throw EISCONN;
  }
  const from = new UserTransfer(task.memory, buffer, Math.min(length, MAX_RW_COUNT), false);
  if ((flags & MSG_NOSIGNAL) !== 0 && socket.broken) return -EPIPE.number;
  return withFlags(socket, flags, () => socket.write(task, from));
});

export const recvfrom = handler("recvfrom", (task, fd, buffer, length, flags, address, addressLength) => {
  checkRange(buffer, length);
  const socket = socketOf(task, fd);
  const to = new UserTransfer(task.memory, buffer, Math.min(length, MAX_RW_COUNT), true);
  const result = withFlags(socket, flags, () => socket.read(task, to));
  // The peer has no name.
  if (result >= 0 && address !== 0 && addressLength !== 0) writeU32(task.memory, addressLength, 0);
  return result;
});

export const shutdown = handler("shutdown", (task, fd, how) => {
  const socket = socketOf(task, fd);
  if (how < 0 || how > SHUT_RDWR) throw EINVAL;
  socket.shutdown(how);
  return 0;
});
