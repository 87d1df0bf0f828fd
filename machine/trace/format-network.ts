import {
  addressFamilies,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  messageFlags,
  msghdr,
  sockaddr_nl,
  SOCKADDR_UN_HEADER,
} from "../../abi/socket.ts";
import { iovec } from "../../abi/uio.ts";
import type { StructContext } from "./format-struct.ts";
import { readView } from "./guest-reader.ts";
import { formatAddress, quote, quoteStart } from "./text.ts";

/** `{sa_family=AF_UNIX, sun_path="/run/s"}`: an address of `length` bytes. */
export function formatSockaddr(context: StructContext, address: number, length: number): string {
  if (length < SOCKADDR_UN_HEADER || length > 128) return formatAddress(address);
  const view = readView(context.reader, address, length);
  if (view === undefined) return formatAddress(address);
  const family = view.getUint16(0, true);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, length);
  const parts = [`sa_family=${addressFamilies.format(family)}`];
  if (family === AF_UNIX && length > SOCKADDR_UN_HEADER) {
    const path = bytes.subarray(SOCKADDR_UN_HEADER);
    // An abstract name starts with NUL and has no end but the length.
    const end = path.indexOf(0);
    parts.push(
      path[0] === 0
        ? `sun_path=@${quote(path.subarray(1))}`
        : `sun_path=${quote(end < 0 ? path : path.subarray(0, end))}`,
    );
  } else if (family === AF_INET && length >= 8) {
    parts.push(`sin_port=htons(${view.getUint16(2)})`, `sin_addr=inet_addr("${bytes.subarray(4, 8).join(".")}")`);
  } else if (family === AF_INET6 && length >= 24) {
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i).toString(16));
    parts.push(`sin6_port=htons(${view.getUint16(2)})`, `inet_pton(AF_INET6, "${groups.join(":")}", &sin6_addr)`);
  } else if (family === AF_NETLINK && length >= sockaddr_nl.size) {
    const { nl_pid, nl_groups } = sockaddr_nl.decode(view);
    parts.push(`nl_pid=${nl_pid}`, `nl_groups=${nl_groups === 0 ? "00000000" : `0x${nl_groups.toString(16)}`}`);
  } else if (length > SOCKADDR_UN_HEADER) {
    parts.push(`sa_data=${quote(bytes.subarray(SOCKADDR_UN_HEADER, 16))}`);
  }
  return `{${parts.join(", ")}}`;
}

/** `[{iov_base="abc", iov_len=3}]`; contents up to `available` bytes, addresses if `available` is undefined. */
export function formatIovec(
  context: StructContext,
  address: number,
  count: number,
  available: number | undefined,
): string {
  const shown = Math.min(count, context.stringLimit);
  const view = readView(context.reader, address, shown * iovec.size);
  if (view === undefined) return formatAddress(address);
  const items: string[] = [];
  let left = available ?? 0;
  for (let i = 0; i < shown; i++) {
    const vector = iovec.decode(view, i * iovec.size);
    const length = Math.min(Number(vector.iov_len), left);
    left -= length;
    const wanted = Math.min(length, context.stringLimit);
    const bytes = available === undefined ? undefined : context.reader.read(Number(vector.iov_base), wanted);
    const base = bytes ? quoteStart(bytes, context.stringLimit, wanted === length) : formatAddress(vector.iov_base);
    items.push(`{iov_base=${base}, iov_len=${vector.iov_len}}`);
  }
  if (count > shown) items.push("...");
  return `[${items.join(", ")}]`;
}

export function formatMsghdr(context: StructContext, address: number, available: number | undefined): string {
  const view = readView(context.reader, address, msghdr.size);
  if (view === undefined) return formatAddress(address);
  const message = msghdr.decode(view);
  const name =
    message.msg_name === 0n ? "NULL" : formatSockaddr(context, Number(message.msg_name), message.msg_namelen);
  const vectors = formatIovec(context, Number(message.msg_iov), Number(message.msg_iovlen), available);
  const parts = [
    `msg_name=${name}`,
    `msg_namelen=${message.msg_namelen}`,
    `msg_iov=${vectors}`,
    `msg_iovlen=${message.msg_iovlen}`,
  ];
  if (message.msg_controllen !== 0n) parts.push(`msg_control=${formatAddress(message.msg_control)}`);
  parts.push(`msg_controllen=${message.msg_controllen}`, `msg_flags=${messageFlags.format(message.msg_flags)}`);
  return `{${parts.join(", ")}}`;
}
