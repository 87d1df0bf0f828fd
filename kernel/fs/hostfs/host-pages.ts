/** The page cache of a host file: filled in large pieces for mmap(2) and execve(2), written back when changed. */
import { ENOMEM } from "../../../abi/errno.ts";
import type { Timestamp } from "../../kernel.ts";
import { PAGE_SIZE } from "../../mm/layout.ts";
import { PageStore, type PageLoader } from "../../mm/page-store.ts";
import { check } from "./host-access.ts";
import type { HostInode } from "./host-inode.ts";

/** Read at once around a missing page. */
const CHUNK_PAGES = 16;
const NANOSECONDS_OF_A_TICK = 1000;

export class HostPages implements PageLoader {
  readonly store: PageStore;
  private readonly inode: HostInode;
  /** Modification time of the file as it is in the cache. */
  private mtime: Timestamp;
  /** We have written since: the next modification time is our own doing. */
  private ownChange = false;

  constructor(inode: HostInode) {
    this.inode = inode;
    this.mtime = inode.mtime;
    this.store = new PageStore(inode.fs.kernel.frames, this);
    this.store.size = inode.size;
  }

  load(index: number, store: PageStore): void {
    const { access } = this.inode.fs;
    const handle = access.handleOf(this.inode, false);
    const first = index - (index % CHUNK_PAGES);
    const end = Math.min(first + CHUNK_PAGES, Math.ceil(store.size / PAGE_SIZE));
    const missing: number[] = [index];
    for (let page = first; page < end; page++) if (page !== index && store.cachedPage(page) === 0) missing.push(page);
    const taken = this.allocate(missing.length);
    const wanted = missing.slice(0, taken.length);
    const low = Math.min(...wanted);
    const bytes = new Uint8Array((Math.max(...wanted) + 1 - low) * PAGE_SIZE);
    const count = access.files.read(handle, bytes, low * PAGE_SIZE);
    if (count < 0) for (const pfn of taken) store.frames.release(pfn);
    check(count);
    wanted.forEach((page, at) => {
      const start = (page - low) * PAGE_SIZE;
      store.frames.bytes(taken[at]!).set(bytes.subarray(start, start + PAGE_SIZE));
      store.place(page, taken[at]!);
    });
  }

  writeBack(index: number, bytes: Uint8Array): void {
    const { fs } = this.inode;
    const handle = fs.access.handleOf(this.inode, true);
    check(fs.access.files.write(handle, bytes, index * PAGE_SIZE));
    this.ownChange = true;
  }

  /** The file itself has been written through us. */
  written(): void {
    this.ownChange = true;
  }

  truncated(size: number): void {
    this.store.truncate(size);
    this.ownChange = true;
  }

  /** The host reports this size and time: pages of another version of the file are given up. */
  revalidate(size: number, mtime: Timestamp): void {
    const moved =
      Math.abs(mtime.seconds - this.mtime.seconds) * 1e9 + Math.abs(mtime.nanoseconds - this.mtime.nanoseconds);
    const same = moved < NANOSECONDS_OF_A_TICK || this.ownChange;
    this.mtime = mtime;
    this.ownChange = false;
    if (same && size === this.store.size) return;
    if (size < this.store.size) this.store.truncate(size);
    else this.store.size = size;
    this.store.reclaim(Infinity);
  }

  /** As many frames as there are, up to `count`. @throws ENOMEM if there is none at all */
  private allocate(count: number): number[] {
    const frames: number[] = [];
    try {
      while (frames.length < count) frames.push(this.store.frames.allocate());
    } catch (error) {
      if (error !== ENOMEM || frames.length === 0) throw error;
    }
    return frames;
  }
}
