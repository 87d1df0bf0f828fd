/**
 * The pages of one file or shared memory object, kept in frames: what read(2) copies from, what mmap(2) maps, and what
 * MAP_SHARED shares. A store without a loader is the object itself (tmpfs, shared anonymous memory); one with a loader
 * is a cache of something else.
 */
import type { Frames } from "./frames.ts";
import { PAGE_SIZE } from "./layout.ts";

export interface PageLoader {
  /** Fills pages from the one with this index on, at least one; each call of `place` takes the next page's frame. */
  load(index: number, store: PageStore): void;
  /** Writes a changed page back; absent for read-only sources. */
  writeBack?(index: number, bytes: Uint8Array): void;
}

/** An address space that maps pages of a store. */
export interface StoreMapper {
  /** Removes the translations of pages from this index on: they are about to go. */
  dropStorePages(store: PageStore, firstIndex: number): void;
}

export class PageStore {
  readonly frames: Frames;
  /** Address spaces that map the store, or did. */
  readonly mappers = new Set<StoreMapper>();
  /** Size in bytes of the file; pages that begin at or behind it do not exist for mappings. */
  size = 0;
  readonly pages = new Map<number, number>();
  readonly dirty = new Set<number>();
  readonly loader: PageLoader | undefined;

  constructor(frames: Frames, loader?: PageLoader) {
    this.frames = frames;
    this.loader = loader;
  }

  /** The frame of a page, without a reference for the caller; made of zeros or loaded if absent. @throws ENOMEM */
  page(index: number): number {
    const cached = this.pages.get(index);
    if (cached !== undefined) return cached;
    if (this.loader) {
      this.loader.load(index, this);
      return this.pages.get(index) ?? this.addZeroed(index);
    }
    return this.addZeroed(index);
  }

  /** The frame of a page if it is there already, else 0. */
  cachedPage(index: number): number {
    return this.pages.get(index) ?? 0;
  }

  /** True if the page lies at least partly inside the file. */
  covers(index: number): boolean {
    return index * PAGE_SIZE < this.size;
  }

  /** A loader hands over a frame; the store takes over the reference. */
  place(index: number, pfn: number): void {
    this.pages.set(index, pfn);
  }

  /** The page was or will be changed through a shared mapping. */
  markDirty(index: number): void {
    if (this.loader?.writeBack) this.dirty.add(index);
  }

  /** Writes changed pages to where they came from. */
  flush(): void {
    for (const index of this.dirty) {
      const pfn = this.pages.get(index);
      const length = Math.min(PAGE_SIZE, this.size - index * PAGE_SIZE);
      if (pfn !== undefined && length > 0) {
        this.loader?.writeBack?.(index, this.frames.bytes(pfn).subarray(0, length));
      }
    }
    this.dirty.clear();
  }

  /**
   * Sets the size; a smaller one drops the pages behind it, from mappings too, and zeroes the rest of the last one.
   */
  truncate(size: number): void {
    if (size < this.size) {
      const firstGone = Math.ceil(size / PAGE_SIZE);
      for (const mapper of this.mappers) mapper.dropStorePages(this, firstGone);
      for (const [index, pfn] of this.pages) {
        if (index < firstGone) continue;
        this.pages.delete(index);
        this.dirty.delete(index);
        this.frames.release(pfn);
      }
      const last = this.pages.get(firstGone - 1);
      if (last !== undefined && size % PAGE_SIZE !== 0) {
        this.frames.bytes(last).fill(0, size % PAGE_SIZE);
        this.frames.written(last);
      }
    }
    this.size = size;
  }

  /** Gives up pages nobody maps; returns how many. For stores with a loader. */
  reclaim(wanted: number): number {
    if (!this.loader) return 0;
    let freed = 0;
    for (const [index, pfn] of this.pages) {
      if (freed >= wanted) break;
      if (this.dirty.has(index) || this.frames.memory.referenceCount(pfn) !== 1) continue;
      this.pages.delete(index);
      this.frames.release(pfn);
      freed++;
    }
    return freed;
  }

  /** Gives all frames back; mappings keep theirs. */
  dispose(): void {
    this.flush();
    for (const pfn of this.pages.values()) this.frames.release(pfn);
    this.pages.clear();
  }

  private addZeroed(index: number): number {
    const pfn = this.frames.allocateZeroed();
    this.pages.set(index, pfn);
    return pfn;
  }
}
