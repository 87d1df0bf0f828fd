/** Which calls on files exist, and how completely. */
import { full, partial, type TableEntry } from "../dispatch.ts";
import * as attributes from "./chmod.ts";
import { dup, dup2, dup3 } from "./dup.ts";
import * as epoll from "./epoll.ts";
import { fcntl, flock } from "./fcntl.ts";
import { chdir, chroot, fchdir, getcwd, umask } from "./getcwd.ts";
import { getdents, getdents64 } from "./getdents.ts";
import { ioctl } from "./ioctl.ts";
import { memfdCreate } from "./memfd.ts";
import * as names from "./mkdir.ts";
import { mount, pivotRoot, umount2 } from "./mount.ts";
import * as opening from "./open.ts";
import { pipe, pipe2 } from "./pipe.ts";
import { poll, ppoll, pselect6, select } from "./poll.ts";
import * as transfer from "./read-write.ts";
import * as renaming from "./rename.ts";
import { copyFileRange, sendfile, splice, tee, vmsplice } from "./sendfile.ts";
import * as stat from "./stat.ts";
import * as sizes from "./truncate.ts";
import { xattrHandlers } from "./xattr.ts";

const WAITS_AGAIN = "after a stop and continue a finite time-out starts anew";

export const fileCalls: readonly TableEntry[] = [
  full(transfer.read),
  full(transfer.write),
  full(transfer.readv),
  full(transfer.writev),
  full(transfer.pread64),
  full(transfer.pwrite64),
  full(transfer.preadv),
  full(transfer.pwritev),
  partial(transfer.preadv2, "RWF_NOWAIT does not avoid waiting for the host"),
  partial(transfer.pwritev2, "RWF_NOWAIT does not avoid waiting for the host"),
  full(transfer.lseek),

  full(opening.open),
  full(opening.openat),
  partial(opening.openat2, "RESOLVE_CACHED always answers EAGAIN"),
  full(opening.creat),
  full(opening.close),
  full(opening.closeRange),
  full(dup),
  full(dup2),
  full(dup3),
  partial(fcntl, "owners are remembered but SIGIO is never sent; no leases, no directory notification"),
  full(flock),
  partial(ioctl, "terminals, pipes and descriptor flags"),
  full(pipe),
  full(pipe2),

  full(stat.stat),
  full(stat.lstat),
  full(stat.fstat),
  full(stat.newfstatat),
  full(stat.statx),
  full(stat.statfs),
  full(stat.fstatfs),
  full(attributes.access),
  full(attributes.faccessat),
  full(attributes.faccessat2),
  full(attributes.chmod),
  full(attributes.fchmod),
  full(attributes.fchmodat),
  full(attributes.fchmodat2),
  full(attributes.chown),
  full(attributes.lchown),
  full(attributes.fchown),
  full(attributes.fchownat),
  full(attributes.utime),
  full(attributes.utimes),
  full(attributes.futimesat),
  full(attributes.utimensat),

  full(getcwd),
  full(chdir),
  full(fchdir),
  full(chroot),
  full(umask),
  full(getdents),
  full(getdents64),

  full(names.mkdir),
  full(names.mkdirat),
  full(names.mknod),
  full(names.mknodat),
  full(names.symlink),
  full(names.symlinkat),
  full(names.linkCall),
  full(names.linkat),
  full(names.readlink),
  full(names.readlinkat),
  full(renaming.rename),
  full(renaming.renameat),
  partial(renaming.renameat2, "RENAME_EXCHANGE not on host folders, RENAME_WHITEOUT nowhere"),
  full(renaming.unlink),
  full(renaming.unlinkat),
  full(renaming.rmdir),

  full(sizes.truncate),
  full(sizes.ftruncate),
  partial(sizes.fallocate, "no collapsing or inserting of ranges; host folders refuse it"),
  full(sizes.fsync),
  full(sizes.fdatasync),
  full(sizes.sync),
  full(sizes.syncfs),
  full(sizes.syncFileRange),
  full(sizes.fadvise64),
  full(sizes.readahead),
  full(sendfile),
  full(copyFileRange),
  full(splice),
  full(tee),
  partial(vmsplice, "pages are copied into the pipe, not shared with it"),

  partial(poll, WAITS_AGAIN),
  partial(ppoll, WAITS_AGAIN),
  partial(select, WAITS_AGAIN),
  partial(pselect6, WAITS_AGAIN),
  full(epoll.epollCreate),
  full(epoll.epollCreate1),
  full(epoll.epollCtl),
  full(epoll.epollWait),
  full(epoll.epollPwait),
  full(epoll.epollPwait2),
  full(epoll.eventfd),
  full(epoll.eventfd2),
  full(memfdCreate),

  partial(mount, "proc, tmpfs, devtmpfs, bind, move and remount; propagation is accepted and has no effect"),
  partial(umount2, "no MNT_EXPIRE"),
  full(pivotRoot),
  ...xattrHandlers.map((handler) => partial(handler, "no file system here has extended attributes")),
];
