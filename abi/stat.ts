import { enumSet, flagSet } from "./flags.ts";
import { array, i32, i64, pad, shown, struct, u16, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o60000;
export const S_IFDIR = 0o40000;
export const S_IFCHR = 0o20000;
export const S_IFIFO = 0o10000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const S_IRWXU = 0o700;
export const S_IRUSR = 0o400;
export const S_IWUSR = 0o200;
export const S_IXUSR = 0o100;
export const S_IRWXG = 0o70;
export const S_IRGRP = 0o40;
export const S_IWGRP = 0o20;
export const S_IXGRP = 0o10;
export const S_IRWXO = 7;
export const S_IROTH = 4;
export const S_IWOTH = 2;
export const S_IXOTH = 1;

/** st_mode, inode(7). */
export const fileMode = flagSet(
  "file mode",
  { S_ISUID, S_ISGID, S_ISVTX },
  {
    fields: [{ mask: S_IFMT, values: { S_IFSOCK, S_IFLNK, S_IFREG, S_IFBLK, S_IFDIR, S_IFCHR, S_IFIFO } }],
    rest: "octal",
  },
);

/** The kernel's struct stat of x86-64, which glibc shares. Blocks are of 512 bytes. */
export const stat = struct(
  "stat",
  {
    st_dev: shown(u64, "hex"),
    st_ino: u64,
    st_nlink: u64,
    st_mode: shown(u32, fileMode),
    st_uid: u32,
    st_gid: u32,
    __pad0: pad(4),
    st_rdev: shown(u64, "hex"),
    st_size: i64,
    st_blksize: i64,
    st_blocks: i64,
    st_atime: i64,
    st_atime_nsec: u64,
    st_mtime: i64,
    st_mtime_nsec: u64,
    st_ctime: i64,
    st_ctime_nsec: u64,
    __unused: pad(24),
  },
  { size: 144, page: "stat(2)" },
);
export type stat = TypeOf<typeof stat>;

export const STATX_TYPE = 1;
export const STATX_MODE = 2;
export const STATX_NLINK = 4;
export const STATX_UID = 8;
export const STATX_GID = 0x10;
export const STATX_ATIME = 0x20;
export const STATX_MTIME = 0x40;
export const STATX_CTIME = 0x80;
export const STATX_INO = 0x100;
export const STATX_SIZE = 0x200;
export const STATX_BLOCKS = 0x400;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;
export const STATX_DIOALIGN = 0x2000;
export const STATX_MNT_ID_UNIQUE = 0x4000;
export const STATX_SUBVOL = 0x8000;
export const STATX_WRITE_ATOMIC = 0x10000;
export const STATX_DIO_READ_ALIGN = 0x20000;
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_ALL = 0xfff;
export const STATX__RESERVED = 0x80000000;
export const statxMask = flagSet("statx mask", {
  STATX_TYPE,
  STATX_MODE,
  STATX_NLINK,
  STATX_UID,
  STATX_GID,
  STATX_ATIME,
  STATX_MTIME,
  STATX_CTIME,
  STATX_INO,
  STATX_SIZE,
  STATX_BLOCKS,
  STATX_BTIME,
  STATX_MNT_ID,
  STATX_DIOALIGN,
  STATX_MNT_ID_UNIQUE,
  STATX_SUBVOL,
  STATX_WRITE_ATOMIC,
  STATX_DIO_READ_ALIGN,
});
export const STATX_ATTR_COMPRESSED = 4;
export const STATX_ATTR_IMMUTABLE = 0x10;
export const STATX_ATTR_APPEND = 0x20;
export const STATX_ATTR_NODUMP = 0x40;
export const STATX_ATTR_ENCRYPTED = 0x800;
export const STATX_ATTR_AUTOMOUNT = 0x1000;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;
export const STATX_ATTR_VERITY = 0x100000;
export const STATX_ATTR_DAX = 0x200000;
export const statxAttributes = flagSet("statx attributes", {
  STATX_ATTR_COMPRESSED,
  STATX_ATTR_IMMUTABLE,
  STATX_ATTR_APPEND,
  STATX_ATTR_NODUMP,
  STATX_ATTR_ENCRYPTED,
  STATX_ATTR_AUTOMOUNT,
  STATX_ATTR_MOUNT_ROOT,
  STATX_ATTR_VERITY,
  STATX_ATTR_DAX,
});

export const statx_timestamp = struct(
  "statx_timestamp",
  { tv_sec: i64, tv_nsec: u32, __reserved: pad(4) },
  { size: 16, page: "statx(2)" },
);

export const statx = struct(
  "statx",
  {
    stx_mask: shown(u32, statxMask),
    stx_blksize: u32,
    stx_attributes: shown(u64, statxAttributes),
    stx_nlink: u32,
    stx_uid: u32,
    stx_gid: u32,
    stx_mode: shown(u16, fileMode),
    __spare0: pad(2),
    stx_ino: u64,
    stx_size: u64,
    stx_blocks: u64,
    stx_attributes_mask: shown(u64, statxAttributes),
    stx_atime: statx_timestamp,
    stx_btime: statx_timestamp,
    stx_ctime: statx_timestamp,
    stx_mtime: statx_timestamp,
    stx_rdev_major: u32,
    stx_rdev_minor: u32,
    stx_dev_major: u32,
    stx_dev_minor: u32,
    stx_mnt_id: u64,
    stx_dio_mem_align: u32,
    stx_dio_offset_align: u32,
    __spare3: pad(96),
  },
  { size: 256, page: "statx(2)" },
);
export type statx = TypeOf<typeof statx>;

export const TMPFS_MAGIC = 0x1021994;
export const RAMFS_MAGIC = 0x858458f6;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const SYSFS_MAGIC = 0x62656572;
export const DEVPTS_SUPER_MAGIC = 0x1cd1;
export const PIPEFS_MAGIC = 0x50495045;
export const SOCKFS_MAGIC = 0x534f434b;
export const ANON_INODE_FS_MAGIC = 0x9041934;
export const OVERLAYFS_SUPER_MAGIC = 0x794c7630;
export const EXT4_SUPER_MAGIC = 0xef53;
export const CGROUP2_SUPER_MAGIC = 0x63677270;
export const NSFS_MAGIC = 0x6e736673;
export const BPF_FS_MAGIC = 0xcafe4a11;
export const DEBUGFS_MAGIC = 0x64626720;
export const TRACEFS_MAGIC = 0x74726163;
export const SECURITYFS_MAGIC = 0x73636673;
export const MQUEUE_MAGIC = 0x19800202;
export const HUGETLBFS_MAGIC = 0x958458f6;
export const FUSE_SUPER_MAGIC = 0x65735546;
export const PID_FS_MAGIC = 0x50494446;
/** f_type of statfs(2). */
export const filesystemMagics = enumSet("file system types", {
  TMPFS_MAGIC,
  RAMFS_MAGIC,
  PROC_SUPER_MAGIC,
  SYSFS_MAGIC,
  DEVPTS_SUPER_MAGIC,
  PIPEFS_MAGIC,
  SOCKFS_MAGIC,
  ANON_INODE_FS_MAGIC,
  OVERLAYFS_SUPER_MAGIC,
  EXT4_SUPER_MAGIC,
  CGROUP2_SUPER_MAGIC,
  NSFS_MAGIC,
  BPF_FS_MAGIC,
  DEBUGFS_MAGIC,
  TRACEFS_MAGIC,
  SECURITYFS_MAGIC,
  MQUEUE_MAGIC,
  HUGETLBFS_MAGIC,
  FUSE_SUPER_MAGIC,
  PID_FS_MAGIC,
});

export const ST_RDONLY = 1;
export const ST_NOSUID = 2;
export const ST_NODEV = 4;
export const ST_NOEXEC = 8;
export const ST_SYNCHRONOUS = 0x10;
export const ST_VALID = 0x20;
export const ST_MANDLOCK = 0x40;
export const ST_NOATIME = 0x400;
export const ST_NODIRATIME = 0x800;
export const ST_RELATIME = 0x1000;
export const ST_NOSYMFOLLOW = 0x2000;
export const statfsFlags = flagSet("statfs flags", {
  ST_RDONLY,
  ST_NOSUID,
  ST_NODEV,
  ST_NOEXEC,
  ST_SYNCHRONOUS,
  ST_VALID,
  ST_MANDLOCK,
  ST_NOATIME,
  ST_NODIRATIME,
  ST_RELATIME,
  ST_NOSYMFOLLOW,
});

export const statfs = struct(
  "statfs",
  {
    f_type: shown(i64, filesystemMagics),
    f_bsize: i64,
    f_blocks: u64,
    f_bfree: u64,
    f_bavail: u64,
    f_files: u64,
    f_ffree: u64,
    f_fsid: array(i32, 2),
    f_namelen: i64,
    f_frsize: i64,
    f_flags: shown(i64, statfsFlags),
    f_spare: pad(32),
  },
  { size: 120, page: "statfs(2)" },
);
export type statfs = TypeOf<typeof statfs>;

export const UTIME_NOW = 1073741823;
export const UTIME_OMIT = 1073741822;

/** makedev(3) as the kernel encodes st_dev and st_rdev for user space. */
export function makedev(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/** [major, minor] of a device number. */
export function splitDevice(device: bigint): [major: number, minor: number] {
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn);
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn);
  return [Number(major), Number(minor)];
}
