/** A regular file of a tmpfs: its pages are the file. One unpacked from an archive reads its first contents from there. */
import { F_SEAL_SEAL } from "../../abi/fcntl.ts";
import { ENOSPC } from "../../abi/errno.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { PageStore, type PageLoader } from "../mm/page-store.ts";
import type { Task } from "../task/task.ts";
import { Inode } from "../vfs/inode.ts";
import type { Path } from "../vfs/mount.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { StoreFile, type StoreInode } from "../vfs/store-file.ts";
import type { TmpFs } from "./tmpfs.ts";

/** Contents that are copied into frames when they are first needed. */
export interface FileSource {
  bytes: Uint8Array;
}

class SourceLoader implements PageLoader {
  private readonly bytes: Uint8Array;
  /** Bytes from here on have been cut off once and are zeros now. */
  limit: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.limit = bytes.length;
  }

  load(index: number, store: PageStore): void {
    const pfn = store.frames.allocateZeroed();
    const start = index * PAGE_SIZE;
    if (start < this.limit) {
      store.frames.bytes(pfn).set(this.bytes.subarray(start, Math.min(start + PAGE_SIZE, this.limit)));
    }
    store.place(index, pfn);
  }
}

export class TmpfsFile extends Inode implements StoreInode {
  declare readonly fs: TmpFs;
  fileSeals = F_SEAL_SEAL;
  private readonly contents: PageStore;
  private readonly loader: SourceLoader | undefined;
  private accounted = 0;

  constructor(fs: TmpFs, mode: number, source?: FileSource) {
    super(fs, fs.allocateNumber(), mode);
    this.loader = source && source.bytes.length > 0 ? new SourceLoader(source.bytes) : undefined;
    this.contents = new PageStore(fs.kernel.frames, this.loader);
    this.contents.size = source?.bytes.length ?? 0;
  }

  override get store(): PageStore {
    return this.contents;
  }

  override get blocks(): number {
    const pages = this.loader ? Math.ceil(this.loader.limit / PAGE_SIZE) : 0;
    return Math.max(pages, this.contents.pages.size) * 8;
  }

  override open(_task: Task, path: Path, flags: number): OpenFile {
    return new StoreFile(this, path, flags);
  }

  override truncate(size: number): void {
    if (this.loader) this.loader.limit = Math.min(this.loader.limit, size);
    this.contents.truncate(size);
    this.account();
    this.mtime = this.ctime = this.fs.kernel.realtime();
  }

  reserve(position: number, length: number): void {
    const first = Math.floor(position / PAGE_SIZE);
    const last = Math.floor((position + length - 1) / PAGE_SIZE);
    if (last - first > this.fs.kernel.frames.memory.frameCount) throw ENOSPC;
    let absent = 0;
    for (let index = first; index <= last; index++) if (this.contents.cachedPage(index) === 0) absent++;
    if (absent > 0) this.fs.reserve(absent);
  }

  account(): void {
    const now = this.contents.pages.size;
    this.fs.usedPages += now - this.accounted;
    this.accounted = now;
  }

  protected override evict(): void {
    this.contents.dispose();
    this.account();
  }
}
