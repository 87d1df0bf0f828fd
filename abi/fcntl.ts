import { enumSet, flagSet } from "./flags.ts";
import { i16, i32, i64, shown, struct, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// open(2)
export const O_ACCMODE = 3;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const FASYNC = 0o20000;
export const O_DIRECT = 0o40000;
/** Always accepted, never needed on x86-64; the kernel adds it to every file of a 64-bit process. */
export const O_LARGEFILE = 0o100000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
/** O_SYNC without its O_DSYNC half. */
export const __O_SYNC = 0o4000000;
export const O_SYNC = 0o4010000;
export const O_PATH = 0o10000000;
/** O_TMPFILE without its O_DIRECTORY half. */
export const __O_TMPFILE = 0o20000000;
export const O_TMPFILE = 0o20200000;
export const O_NDELAY = O_NONBLOCK;
export const O_ASYNC = FASYNC;

export const openFlags = flagSet(
  "open flags",
  {
    O_CREAT,
    O_EXCL,
    O_NOCTTY,
    O_TRUNC,
    O_APPEND,
    O_NONBLOCK,
    O_DSYNC,
    FASYNC,
    O_DIRECT,
    O_LARGEFILE,
    O_DIRECTORY,
    O_NOFOLLOW,
    O_NOATIME,
    O_CLOEXEC,
    __O_SYNC,
    O_SYNC,
    O_PATH,
    __O_TMPFILE,
    O_TMPFILE,
  },
  { fields: [{ mask: O_ACCMODE, values: { O_RDONLY, O_WRONLY, O_RDWR } }] },
);

/** Flags of pipe2(2), dup3(2), eventfd2(2) and friends that share O_*'s values. */
export const pipe2Flags = flagSet("pipe2 flags", { O_CLOEXEC, O_NONBLOCK, O_DIRECT });
export const dup3Flags = flagSet("dup3 flags", { O_CLOEXEC });

// openat(2) and relatives
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;
export const AT_STATX_FORCE_SYNC = 0x2000;
export const AT_STATX_DONT_SYNC = 0x4000;
export const AT_STATX_SYNC_TYPE = 0x6000;
export const AT_RECURSIVE = 0x8000;
export const AT_HANDLE_FID = 0x200;
export const AT_HANDLE_MNT_ID_UNIQUE = 1;
export const AT_EXECVE_CHECK = 0x10000;
export const AT_STATX_SYNC_AS_STAT = 0;
export const statAtFlags = flagSet("fstatat flags", { AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH });
export const statxFlags = flagSet("statx flags", {
  AT_STATX_FORCE_SYNC,
  AT_STATX_DONT_SYNC,
  AT_SYMLINK_NOFOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
});
export const unlinkAtFlags = flagSet("unlinkat flags", { AT_REMOVEDIR });
export const linkAtFlags = flagSet("linkat flags", { AT_SYMLINK_FOLLOW, AT_EMPTY_PATH });
export const accessAtFlags = flagSet("faccessat2 flags", { AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
export const chownAtFlags = flagSet("fchownat flags", { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
export const execveAtFlags = flagSet("execveat flags", { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EXECVE_CHECK });
export const nameToHandleFlags = flagSet("name_to_handle_at flags", {
  AT_HANDLE_FID,
  AT_SYMLINK_FOLLOW,
  AT_EMPTY_PATH,
  AT_HANDLE_MNT_ID_UNIQUE,
});

export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 0x10;
export const RESOLVE_CACHED = 0x20;
export const resolveFlags = flagSet("openat2 resolve flags", {
  RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_CACHED,
});
/** The argument of openat2(2); extensible, the caller says how long it is. */
export const open_how = struct(
  "open_how",
  { flags: shown(u64, openFlags), mode: shown(u64, "octal"), resolve: shown(u64, resolveFlags) },
  { size: 24, page: "openat2(2)" },
);
export type open_how = TypeOf<typeof open_how>;

// access(2)
export const F_OK = 0;
export const X_OK = 1;
export const W_OK = 2;
export const R_OK = 4;
export const accessModes = flagSet("access mode", { R_OK, W_OK, X_OK }, { zero: "F_OK" });

// fcntl(2)
export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_SETOWN = 8;
export const F_GETOWN = 9;
export const F_SETSIG = 10;
export const F_GETSIG = 11;
export const F_SETOWN_EX = 15;
export const F_GETOWN_EX = 16;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;
export const F_SETLEASE = 1024;
export const F_GETLEASE = 1025;
export const F_NOTIFY = 1026;
export const F_DUPFD_QUERY = 1027;
export const F_CREATED_QUERY = 1028;
export const F_CANCELLK = 1029;
export const F_DUPFD_CLOEXEC = 1030;
export const F_SETPIPE_SZ = 1031;
export const F_GETPIPE_SZ = 1032;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;
export const F_GET_RW_HINT = 1035;
export const F_SET_RW_HINT = 1036;
export const F_GET_FILE_RW_HINT = 1037;
export const F_SET_FILE_RW_HINT = 1038;
export const fcntlCommands = enumSet(
  "fcntl commands",
  {
    F_DUPFD,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_SETFL,
    F_GETLK,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_GETOWN,
    F_SETSIG,
    F_GETSIG,
    F_SETOWN_EX,
    F_GETOWN_EX,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_SETLEASE,
    F_GETLEASE,
    F_NOTIFY,
    F_DUPFD_QUERY,
    F_CREATED_QUERY,
    F_CANCELLK,
    F_DUPFD_CLOEXEC,
    F_SETPIPE_SZ,
    F_GETPIPE_SZ,
    F_ADD_SEALS,
    F_GET_SEALS,
    F_GET_RW_HINT,
    F_SET_RW_HINT,
    F_GET_FILE_RW_HINT,
    F_SET_FILE_RW_HINT,
  },
  { unknown: "F_???" },
);
export const FD_CLOEXEC = 1;
export const fdFlags = flagSet("descriptor flags", { FD_CLOEXEC });
export const F_SEAL_SEAL = 1;
export const F_SEAL_SHRINK = 2;
export const F_SEAL_GROW = 4;
export const F_SEAL_WRITE = 8;
export const F_SEAL_FUTURE_WRITE = 16;
export const F_SEAL_EXEC = 32;
export const sealFlags = flagSet("file seals", {
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_GROW,
  F_SEAL_WRITE,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_EXEC,
});
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
export const lockTypes = enumSet("lock types", { F_RDLCK, F_WRLCK, F_UNLCK }, { unknown: "F_???" });
export const F_OWNER_TID = 0;
export const F_OWNER_PID = 1;
export const F_OWNER_PGRP = 2;
export const ownerTypes = enumSet("owner types", { F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP });
export const DN_ACCESS = 1;
export const DN_MODIFY = 2;
export const DN_CREATE = 4;
export const DN_DELETE = 8;
export const DN_RENAME = 16;
export const DN_ATTRIB = 32;
export const DN_MULTISHOT = 0x80000000;
export const notifyFlags = flagSet("F_NOTIFY flags", {
  DN_ACCESS,
  DN_MODIFY,
  DN_CREATE,
  DN_DELETE,
  DN_RENAME,
  DN_ATTRIB,
  DN_MULTISHOT,
});

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const seekWhence = enumSet(
  "lseek whence",
  { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE },
  { unknown: "SEEK_???" },
);

export const flock = struct(
  "flock",
  { l_type: shown(i16, lockTypes), l_whence: shown(i16, seekWhence), l_start: i64, l_len: i64, l_pid: i32 },
  { size: 32, page: "fcntl(2)" },
);
export type flock = TypeOf<typeof flock>;
export const f_owner_ex = struct(
  "f_owner_ex",
  { type: shown(i32, ownerTypes), pid: i32 },
  { size: 8, page: "fcntl(2)" },
);

// flock(2)
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_UN = 8;
export const LOCK_NB = 4;
export const flockOperations = flagSet("flock operation", { LOCK_SH, LOCK_EX, LOCK_UN, LOCK_NB });

// renameat2(2), fallocate(2), posix_fadvise(2), copy and splice
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;
export const renameFlags = flagSet("renameat2 flags", { RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT });
export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;
export const FALLOC_FL_COLLAPSE_RANGE = 8;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;
export const FALLOC_FL_UNSHARE_RANGE = 0x40;
export const fallocateModes = flagSet("fallocate mode", {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_UNSHARE_RANGE,
});
export const POSIX_FADV_NORMAL = 0;
export const POSIX_FADV_RANDOM = 1;
export const POSIX_FADV_SEQUENTIAL = 2;
export const POSIX_FADV_WILLNEED = 3;
export const POSIX_FADV_DONTNEED = 4;
export const POSIX_FADV_NOREUSE = 5;
export const fadviseAdvice = enumSet("fadvise advice", {
  POSIX_FADV_NORMAL,
  POSIX_FADV_RANDOM,
  POSIX_FADV_SEQUENTIAL,
  POSIX_FADV_WILLNEED,
  POSIX_FADV_DONTNEED,
  POSIX_FADV_NOREUSE,
});
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const SPLICE_F_MORE = 4;
export const SPLICE_F_GIFT = 8;
export const spliceFlags = flagSet("splice flags", { SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT });
export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
export const SYNC_FILE_RANGE_WRITE = 2;
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;
export const syncFileRangeFlags = flagSet("sync_file_range flags", {
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  SYNC_FILE_RANGE_WAIT_AFTER,
});
export const RWF_HIPRI = 1;
export const RWF_DSYNC = 2;
export const RWF_SYNC = 4;
export const RWF_NOWAIT = 8;
export const RWF_APPEND = 0x10;
export const RWF_NOAPPEND = 0x20;
export const RWF_ATOMIC = 0x40;
export const RWF_DONTCACHE = 0x80;
export const preadv2Flags = flagSet("preadv2 flags", {
  RWF_HIPRI,
  RWF_DSYNC,
  RWF_SYNC,
  RWF_NOWAIT,
  RWF_APPEND,
  RWF_NOAPPEND,
  RWF_ATOMIC,
  RWF_DONTCACHE,
});
export const CLOSE_RANGE_UNSHARE = 2;
export const CLOSE_RANGE_CLOEXEC = 4;
export const closeRangeFlags = flagSet("close_range flags", { CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC });
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;
export const setxattrFlags = flagSet("setxattr flags", { XATTR_CREATE, XATTR_REPLACE });

// Limits of <linux/limits.h>
/** Longest path with its NUL; longer ones are ENAMETOOLONG. */
export const PATH_MAX = 4096;
/** Longest single name without NUL. */
export const NAME_MAX = 255;
export const PIPE_BUF = 4096;
export const IOV_MAX = 1024;
/** Most that one read or write moves: INT_MAX rounded down to a page. */
export const MAX_RW_COUNT = 0x7ffff000;
export const SYMLOOP_MAX = 40;
export const XATTR_NAME_MAX = 255;
export const XATTR_SIZE_MAX = 65536;
