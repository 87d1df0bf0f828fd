/** A regular file whose contents are the pages of its store: tmpfs, memfd (tmpfs(5)). */
import { ENOSPC, ENXIO, EOPNOTSUPP, EPERM } from "../../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  SEEK_DATA,
} from "../../abi/fcntl.ts";
import { PROT_WRITE } from "../../abi/mman.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import type { PageStore } from "../mm/page-store.ts";
import type { Task } from "../task/task.ts";
import type { Inode } from "./inode.ts";
import type { Path } from "./mount.ts";
import { RegularFile, roomBelowLimit } from "./regular-file.ts";
import { clearStore, readStore, writeStore } from "./store-io.ts";

/** What a store file needs of its inode besides the store. */
export interface StoreInode extends Inode {
  readonly store: PageStore;
  /** F_SEAL_* set so far; F_SEAL_SEAL for files that cannot be sealed. */
  fileSeals: number;
  /** Makes sure that pages for [position, position + length) may be added. @throws ENOSPC */
  reserve(position: number, length: number): void;
  /** Pages may have come or gone. */
  account(): void;
}

export class StoreFile extends RegularFile {
  declare readonly inode: StoreInode;
  private readonly label: string;

  constructor(inode: StoreInode, path: Path | null, flags: number, label = "") {
    super(inode, path, flags);
    this.label = label;
  }

  override get description(): string {
    return this.label;
  }

  protected override readPiece(piece: Uint8Array, position: number): number {
    const { store } = this.inode;
    const count = Math.min(piece.length, store.size - position);
    if (count <= 0) return 0;
    readStore(store, count === piece.length ? piece : piece.subarray(0, count), position);
    return count;
  }

  protected override writePiece(piece: Uint8Array, position: number): number {
    const { inode } = this;
    const { store } = inode;
    let count = piece.length;
    if (inode.fileSeals !== 0) {
      if ((inode.fileSeals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) throw EPERM;
      if ((inode.fileSeals & F_SEAL_GROW) !== 0) count = Math.min(count, store.size - position);
      if (count <= 0) throw EPERM;
    }
    try {
      inode.reserve(position, count);
    } catch (error) {
      if (error !== ENOSPC || PAGE_SIZE - (position % PAGE_SIZE) >= count) throw error;
      return this.writeWhatFits(piece.subarray(0, count), position);
    }
    writeStore(store, count === piece.length ? piece : piece.subarray(0, count), position);
    if (position + count > store.size) store.truncate(position + count);
    inode.account();
    return count;
  }

  override truncate(task: Task, size: number): void {
    const { fileSeals, size: old } = this.inode;
    if (size < old && (fileSeals & F_SEAL_SHRINK) !== 0) throw EPERM;
    if (size > old && (fileSeals & F_SEAL_GROW) !== 0) throw EPERM;
    super.truncate(task, size);
  }

  override allocate(task: Task, mode: number, offset: number, length: number): void {
    const { inode } = this;
    const { store } = inode;
    const end = offset + length;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0) throw EOPNOTSUPP;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      if ((mode & FALLOC_FL_KEEP_SIZE) === 0 || (mode & FALLOC_FL_ZERO_RANGE) !== 0) throw EOPNOTSUPP;
      if ((inode.fileSeals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) throw EPERM;
      clearStore(store, offset, Math.min(end, store.size));
    } else {
      if (end > store.size) {
        roomBelowLimit(task, end - 1);
        if ((inode.fileSeals & F_SEAL_GROW) !== 0 && (mode & FALLOC_FL_KEEP_SIZE) === 0) throw EPERM;
      }
      inode.reserve(offset, length);
      if ((mode & FALLOC_FL_ZERO_RANGE) !== 0) clearStore(store, offset, end);
      for (let index = Math.floor(offset / PAGE_SIZE); index * PAGE_SIZE < end; index++) store.page(index);
      if (end > store.size && (mode & FALLOC_FL_KEEP_SIZE) === 0) store.truncate(end);
    }
    inode.account();
    this.modified(task);
  }

  override get seals(): number {
    return this.inode.fileSeals;
  }

  override addSeals(seals: number): void {
    const { inode } = this;
    if (!this.writable) throw EPERM;
    if ((inode.fileSeals & F_SEAL_SEAL) !== 0) throw EPERM;
    inode.fileSeals |= seals;
  }

  override checkMap(prot: number, shared: boolean): void {
    if (shared && (prot & PROT_WRITE) !== 0 && (this.inode.fileSeals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) {
      throw EPERM;
    }
  }

  protected override seekSparse(offset: number, whence: number): number {
    const { store } = this.inode;
    if (offset < 0 || offset >= store.size) throw ENXIO;
    const wantData = whence === SEEK_DATA;
    for (let at = offset; at < store.size; at = (Math.floor(at / PAGE_SIZE) + 1) * PAGE_SIZE) {
      if ((store.cachedPage(Math.floor(at / PAGE_SIZE)) !== 0) === wantData) return at;
    }
    if (wantData) throw ENXIO;
    return store.size;
  }

  /** Page by page until the file system is full. @throws ENOSPC if not even the first page fits */
  private writeWhatFits(piece: Uint8Array, position: number): number {
    let done = 0;
    try {
      while (done < piece.length) {
        const inPage = PAGE_SIZE - ((position + done) % PAGE_SIZE);
        done += this.writePiece(piece.subarray(done, done + inPage), position + done);
      }
    } catch (error) {
      if (error !== ENOSPC || done === 0) throw error;
    }
    return done;
  }
}
