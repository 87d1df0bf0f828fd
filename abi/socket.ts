import { enumSet, flagSet } from "./flags.ts";
import { bytes, cstring, i32, pad, shown, struct, u16, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// address_families(7), socket(2)
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_NETLINK = 16;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const AF_VSOCK = 40;
export const addressFamilies = enumSet(
  "address families",
  { AF_UNSPEC, AF_UNIX, AF_INET, AF_NETLINK, AF_INET6, AF_PACKET, AF_VSOCK },
  { unknown: "AF_???" },
);
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_RDM = 4;
export const SOCK_SEQPACKET = 5;
export const SOCK_DCCP = 6;
export const SOCK_PACKET = 10;
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
export const socketTypes = flagSet(
  "socket types",
  { SOCK_CLOEXEC, SOCK_NONBLOCK },
  {
    fields: [
      {
        mask: SOCK_TYPE_MASK,
        values: { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET },
      },
    ],
  },
);
export const accept4Flags = flagSet("accept4 flags", { SOCK_CLOEXEC, SOCK_NONBLOCK });
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_RAW = 255;
export const ipProtocols = enumSet("IP protocols", {
  IPPROTO_IP,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_IPV6,
  IPPROTO_ICMPV6,
  IPPROTO_RAW,
});

export const SOL_SOCKET = 1;
export const SOL_NETLINK = 270;
export const sockoptLevels = enumSet("socket option levels", {
  SOL_SOCKET,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_IPV6,
  SOL_NETLINK,
});
export const SO_DEBUG = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_DONTROUTE = 5;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_PRIORITY = 12;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_RCVLOWAT = 18;
export const SO_SNDLOWAT = 19;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;
export const SO_BINDTODEVICE = 25;
export const SO_TIMESTAMP = 29;
export const SO_ACCEPTCONN = 30;
export const SO_PEERSEC = 31;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_MARK = 36;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_PEERGROUPS = 59;
export const SO_COOKIE = 57;
export const SO_PASSPIDFD = 76;
export const SO_PEERPIDFD = 77;
export const socketOptions = enumSet("socket options", {
  SO_DEBUG,
  SO_REUSEADDR,
  SO_TYPE,
  SO_ERROR,
  SO_DONTROUTE,
  SO_BROADCAST,
  SO_SNDBUF,
  SO_RCVBUF,
  SO_KEEPALIVE,
  SO_OOBINLINE,
  SO_PRIORITY,
  SO_LINGER,
  SO_REUSEPORT,
  SO_PASSCRED,
  SO_PEERCRED,
  SO_RCVLOWAT,
  SO_SNDLOWAT,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SO_BINDTODEVICE,
  SO_TIMESTAMP,
  SO_ACCEPTCONN,
  SO_PEERSEC,
  SO_SNDBUFFORCE,
  SO_RCVBUFFORCE,
  SO_MARK,
  SO_PROTOCOL,
  SO_DOMAIN,
  SO_PEERGROUPS,
  SO_COOKIE,
  SO_PASSPIDFD,
  SO_PEERPIDFD,
});
export const TCP_NODELAY = 1;
export const TCP_MAXSEG = 2;
export const TCP_CORK = 3;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_INFO = 11;
export const TCP_QUICKACK = 12;
export const TCP_USER_TIMEOUT = 18;
export const TCP_FASTOPEN = 23;
export const tcpOptions = enumSet("TCP options", {
  TCP_NODELAY,
  TCP_MAXSEG,
  TCP_CORK,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_KEEPCNT,
  TCP_DEFER_ACCEPT,
  TCP_INFO,
  TCP_QUICKACK,
  TCP_USER_TIMEOUT,
  TCP_FASTOPEN,
});

export const MSG_OOB = 1;
export const MSG_PEEK = 2;
export const MSG_DONTROUTE = 4;
export const MSG_CTRUNC = 8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_CONFIRM = 0x800;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_FASTOPEN = 0x20000000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const messageFlags = flagSet("message flags", {
  MSG_OOB,
  MSG_PEEK,
  MSG_DONTROUTE,
  MSG_CTRUNC,
  MSG_TRUNC,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_WAITALL,
  MSG_CONFIRM,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_MORE,
  MSG_WAITFORONE,
  MSG_FASTOPEN,
  MSG_CMSG_CLOEXEC,
});
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;
export const shutdownHow = enumSet("shutdown how", { SHUT_RD, SHUT_WR, SHUT_RDWR }, { unknown: "SHUT_???" });
export const SOMAXCONN = 4096;
export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
export const SCM_SECURITY = 3;
export const SCM_PIDFD = 4;
export const controlMessageTypes = enumSet("control message types", {
  SCM_RIGHTS,
  SCM_CREDENTIALS,
  SCM_SECURITY,
  SCM_PIDFD,
});

export const UNIX_PATH_MAX = 108;
/** Bytes before sun_path: an unnamed address is this long. */
export const SOCKADDR_UN_HEADER = 2;
export const sockaddr = struct(
  "sockaddr",
  { sa_family: shown(u16, addressFamilies), sa_data: bytes(14) },
  { size: 16, page: "sockaddr(3type)" },
);
export const sockaddr_un = struct(
  "sockaddr_un",
  { sun_family: shown(u16, addressFamilies), sun_path: cstring(108) },
  { size: 110, page: "unix(7)" },
);
/** Port and address are in network byte order: sin_port is left as bytes. */
export const sockaddr_in = struct(
  "sockaddr_in",
  { sin_family: shown(u16, addressFamilies), sin_port: bytes(2), sin_addr: bytes(4), sin_zero: pad(8) },
  { size: 16, page: "ip(7)" },
);
export const sockaddr_in6 = struct(
  "sockaddr_in6",
  {
    sin6_family: shown(u16, addressFamilies),
    sin6_port: bytes(2),
    sin6_flowinfo: u32,
    sin6_addr: bytes(16),
    sin6_scope_id: u32,
  },
  { size: 28, page: "ipv6(7)" },
);
export const sockaddr_nl = struct(
  "sockaddr_nl",
  { nl_family: shown(u16, addressFamilies), nl_pad: pad(2), nl_pid: u32, nl_groups: shown(u32, "hex") },
  { size: 12, page: "netlink(7)" },
);
/** Room for any address, sockaddr_storage. */
export const SOCKADDR_STORAGE_SIZE = 128;

export const msghdr = struct(
  "msghdr",
  {
    msg_name: shown(u64, "address"),
    msg_namelen: i32,
    msg_iov: shown(u64, "address"),
    msg_iovlen: u64,
    msg_control: shown(u64, "address"),
    msg_controllen: u64,
    msg_flags: shown(u32, messageFlags),
  },
  { size: 56, page: "recvmsg(2)" },
);
export type msghdr = TypeOf<typeof msghdr>;
export const mmsghdr = struct("mmsghdr", { msg_hdr: msghdr, msg_len: u32 }, { size: 64, page: "recvmmsg(2)" });
/** Each control message starts with this and is padded to 8 bytes. */
export const cmsghdr = struct(
  "cmsghdr",
  { cmsg_len: u64, cmsg_level: i32, cmsg_type: i32 },
  { size: 16, page: "cmsg(3)" },
);
export const ucred = struct("ucred", { pid: i32, uid: u32, gid: u32 }, { size: 12, page: "unix(7)" });
export const linger = struct("linger", { l_onoff: i32, l_linger: i32 }, { size: 8, page: "socket(7)" });
