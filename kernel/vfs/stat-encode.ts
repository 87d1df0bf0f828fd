/** struct stat and struct statx from an inode (stat(2), statx(2)). */
import {
  S_IFBLK,
  S_IFCHR,
  STATX_ATTR_MOUNT_ROOT,
  STATX_BASIC_STATS,
  STATX_BTIME,
  STATX_MNT_ID,
  stat,
  statx,
} from "../../abi/stat.ts";
import { OVERFLOW_ID } from "../namespaces/user-namespace.ts";
import { copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { deviceMajor, deviceMinor } from "./device-number.ts";
import type { Inode } from "./inode.ts";
import type { Path } from "./mount.ts";

const TWO_32 = 4294967296;

/** Filled and copied out at once; nothing is left in it. */
const scratch = new Uint8Array(stat.size);
const view = new DataView(scratch.buffer);
const at = stat.offsets;

function put64(offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_32), true);
}

const visible = (id: number): number => (id < 0 ? OVERFLOW_ID : id);

const hasDevice = (inode: Inode): boolean => inode.type === S_IFCHR || inode.type === S_IFBLK;

/** Writes struct stat to user memory. @throws EFAULT */
export function writeStat(task: Task, inode: Inode, address: number): void {
  const { userNamespace } = task.creds;
  inode.refresh();
  put64(at.st_dev, inode.fs.device);
  put64(at.st_ino, inode.number);
  put64(at.st_nlink, inode.nlink);
  view.setUint32(at.st_mode, inode.mode, true);
  view.setUint32(at.st_uid, visible(userNamespace.uidInside(inode.uid)), true);
  view.setUint32(at.st_gid, visible(userNamespace.gidInside(inode.gid)), true);
  put64(at.st_rdev, hasDevice(inode) ? inode.rdev : 0);
  put64(at.st_size, inode.size);
  put64(at.st_blksize, inode.blockSize);
  put64(at.st_blocks, inode.blocks);
  put64(at.st_atime, inode.atime.seconds);
  put64(at.st_atime_nsec, inode.atime.nanoseconds);
  put64(at.st_mtime, inode.mtime.seconds);
  put64(at.st_mtime_nsec, inode.mtime.nanoseconds);
  put64(at.st_ctime, inode.ctime.seconds);
  put64(at.st_ctime_nsec, inode.ctime.nanoseconds);
  copyToUser(task.memory, address, scratch);
}

/** Writes struct statx to user memory. @throws EFAULT */
export function writeStatx(task: Task, inode: Inode, place: Path | null, address: number): void {
  const { userNamespace } = task.creds;
  inode.refresh();
  const time = ({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }) => ({
    tv_sec: seconds,
    tv_nsec: nanoseconds,
  });
  const born = inode.birth.seconds !== 0;
  const rdev = hasDevice(inode) ? inode.rdev : 0;
  const isMountRoot = place !== null && place.dentry === place.mount.root;
  copyToUser(
    task.memory,
    address,
    statx.bytes({
      stx_mask: STATX_BASIC_STATS | (born ? STATX_BTIME : 0) | (place ? STATX_MNT_ID : 0),
      stx_blksize: inode.blockSize,
      stx_attributes: isMountRoot ? STATX_ATTR_MOUNT_ROOT : 0,
      stx_attributes_mask: STATX_ATTR_MOUNT_ROOT,
      stx_nlink: inode.nlink,
      stx_uid: visible(userNamespace.uidInside(inode.uid)),
      stx_gid: visible(userNamespace.gidInside(inode.gid)),
      stx_mode: inode.mode,
      stx_ino: inode.number,
      stx_size: inode.size,
      stx_blocks: inode.blocks,
      stx_atime: time(inode.atime),
      stx_btime: time(inode.birth),
      stx_ctime: time(inode.ctime),
      stx_mtime: time(inode.mtime),
      stx_rdev_major: deviceMajor(rdev),
      stx_rdev_minor: deviceMinor(rdev),
      stx_dev_major: deviceMajor(inode.fs.device),
      stx_dev_minor: deviceMinor(inode.fs.device),
      stx_mnt_id: place?.mount.id ?? 0,
    }),
  );
}
