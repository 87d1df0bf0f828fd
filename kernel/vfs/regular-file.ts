/** Regular files: positions, appending, size limits and access times; where the bytes lie is the subclass's matter. */
import { CAP_FSETID } from "../../abi/capability.ts";
import { EFBIG, EINVAL, ENXIO, EOPNOTSUPP, Errno } from "../../abi/errno.ts";
import { O_APPEND, O_NOATIME, SEEK_DATA, SEEK_HOLE } from "../../abi/fcntl.ts";
import { RLIMIT_FSIZE } from "../../abi/resource.ts";
import { SIGXFSZ } from "../../abi/signal.ts";
import { S_ISGID, S_ISUID } from "../../abi/stat.ts";
import type { MappedFile } from "../mm/vma.ts";
import { ownSigInfo, sendSignalToTask } from "../signal/send.ts";
import type { Task } from "../task/task.ts";
import { MappedInode } from "./mapped-inode.ts";
import { OpenFile, seekTarget } from "./open-file.ts";
import { capableOver } from "./permission.ts";
import { BytesTransfer, type Transfer } from "./transfer.ts";

/** Largest file offset: positions beyond are not exact numbers, and no file system of ours holds as much. */
export const MAX_FILE_SIZE = 2 ** 52;
const DAY = 86400;

export abstract class RegularFile extends OpenFile {
  private mapped: MappedFile | null = null;

  /** Fills the piece from the file; fewer bytes than asked at the end, or -errno. */
  protected abstract readPiece(piece: Uint8Array, position: number): number;
  /** Stores the piece, extending the file; the bytes taken, or throws. */
  protected abstract writePiece(piece: Uint8Array, position: number): number;

  override get seekable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    const count = this.readFrom(task, to, this.position);
    if (count > 0) this.position += count;
    return count;
  }

  override readFrom(task: Task, to: Transfer, position: number): number {
    if (to.remaining === 0) return 0;
    const count = this.moveIn(to, position);
    if ((this.flags & O_NOATIME) === 0) this.accessed(task);
    return count;
  }

  override readAt(into: Uint8Array, position: number): number {
    return this.moveIn(new BytesTransfer(into), position);
  }

  override write(task: Task, from: Transfer): number {
    if ((this.flags & O_APPEND) !== 0) {
      this.inode.refresh();
      this.position = this.inode.size;
    }
    const count = this.writeTo(task, from, this.position);
    if (count > 0) this.position += count;
    return count;
  }

  override writeTo(task: Task, from: Transfer, start: number): number {
    const position = (this.flags & O_APPEND) !== 0 ? this.inode.size : start;
    if (from.remaining === 0) return 0;
    const limit = roomBelowLimit(task, position);
    let at = position;
    let failure: Errno | null = null;
    const moved = from.move((piece) => {
      try {
        const count = this.writePiece(piece, at);
        at += count;
        return count;
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        failure = error;
        return 0;
      }
    }, limit);
    if (moved === 0 && failure !== null) throw failure as Errno;
    this.modified(task);
    return moved;
  }

  override seek(_task: Task, offset: number, whence: number): number {
    if (whence === SEEK_DATA || whence === SEEK_HOLE) this.position = this.seekSparse(offset, whence);
    else this.position = seekTarget(this.position, whence === 2 ? this.currentSize() : 0, offset, whence);
    return this.position;
  }

  override truncate(task: Task, size: number): void {
    if (size > this.inode.size) roomBelowLimit(task, size - 1);
    this.inode.truncate(size);
    this.dropPrivileges(task);
  }

  override allocate(_task: Task, _mode: number, _offset: number, _length: number): void {
    throw EOPNOTSUPP;
  }

  override sync(): void {
    this.inode.sync();
  }

  override mappedFile(): MappedFile {
    const { store } = this.inode;
    if (!store) throw EINVAL;
    return (this.mapped ??= new MappedInode(this.inode, store, this.path, this.description));
  }

  /** A file all of which is data, unless the subclass knows better. */
  protected seekSparse(offset: number, whence: number): number {
    const size = this.currentSize();
    if (offset < 0 || offset >= size) throw ENXIO;
    return whence === SEEK_DATA ? offset : size;
  }

  protected currentSize(): number {
    this.inode.refresh();
    return this.inode.size;
  }

  /** Records a read, as mounts with relatime do. */
  protected accessed(task: Task): void {
    const { inode } = this;
    const mode = this.path ? this.path.mount.attributes.accessTime : "relatime";
    if (mode === "noatime" || this.path?.mount.readOnly) return;
    if (mode === "relatime") {
      const { atime, mtime, ctime } = inode;
      const newer = later(atime, mtime) && later(atime, ctime);
      if (newer && task.kernel.world.clock.bootTime.seconds + task.kernel.now() / 1e9 - atime.seconds < DAY) return;
    }
    inode.atime = task.kernel.realtime();
  }

  protected modified(task: Task): void {
    const { inode } = this;
    inode.mtime = inode.ctime = task.kernel.realtime();
    this.dropPrivileges(task);
  }

  /** Whoever writes to a set-user-ID program makes it an ordinary one (write(2)). */
  private dropPrivileges(task: Task): void {
    const { inode } = this;
    if ((inode.mode & (S_ISUID | S_ISGID)) === 0) return;
    let gone = inode.mode & S_ISUID;
    if ((inode.mode & 0o10) !== 0) gone |= inode.mode & S_ISGID;
    if (gone !== 0 && !capableOver(task.creds, inode, CAP_FSETID)) inode.setAttributes({ mode: inode.mode & ~gone });
  }

  private moveIn(to: Transfer, position: number): number {
    let at = position;
    let failure = 0;
    const moved = to.move((piece) => {
      const count = this.readPiece(piece, at);
      if (count < 0) {
        failure = count;
        return 0;
      }
      at += count;
      return count;
    });
    return moved === 0 ? failure : moved;
  }
}

const later = (
  left: { seconds: number; nanoseconds: number },
  right: { seconds: number; nanoseconds: number },
): boolean => left.seconds > right.seconds || (left.seconds === right.seconds && left.nanoseconds > right.nanoseconds);

/**
 * Bytes that may be written from a position on.
 * @throws EFBIG with SIGXFSZ at RLIMIT_FSIZE (setrlimit(2))
 */
export function roomBelowLimit(task: Task, position: number): number {
  const limit = task.group.limits[RLIMIT_FSIZE]!.current;
  if (position >= limit) {
    sendSignalToTask(task, ownSigInfo(task, SIGXFSZ));
    throw EFBIG;
  }
  if (position >= MAX_FILE_SIZE) throw EFBIG;
  return Math.min(limit, MAX_FILE_SIZE) - position;
}
