/** Moving bytes between RAM and the pages of a store: what read(2) and write(2) of files kept in frames do. */
import { PAGE_SIZE } from "../mm/layout.ts";
import type { PageStore } from "../mm/page-store.ts";

/** Copies file contents out; pages that do not exist read as zeros. The caller keeps within the size. */
export function readStore(store: PageStore, into: Uint8Array, position: number): void {
  const { u8 } = store.frames.memory;
  for (let done = 0; done < into.length;) {
    const index = Math.floor((position + done) / PAGE_SIZE);
    const offset = (position + done) % PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - offset, into.length - done);
    const pfn = store.loader ? store.page(index) : store.cachedPage(index);
    if (pfn === 0) {
      into.fill(0, done, done + count);
    } else {
      const from = pfn * PAGE_SIZE + offset;
      into.set(u8.subarray(from, from + count), done);
    }
    done += count;
  }
}

/** Copies bytes into file pages, made as needed; the size is the caller's business. @throws ENOMEM */
export function writeStore(store: PageStore, from: Uint8Array, position: number): void {
  const { frames } = store;
  const { u8 } = frames.memory;
  for (let done = 0; done < from.length;) {
    const index = Math.floor((position + done) / PAGE_SIZE);
    const offset = (position + done) % PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - offset, from.length - done);
    const pfn = store.page(index);
    u8.set(count === from.length ? from : from.subarray(done, done + count), pfn * PAGE_SIZE + offset);
    frames.written(pfn);
    done += count;
  }
}

/** Zeroes a range in pages that exist. */
export function clearStore(store: PageStore, start: number, end: number): void {
  const { frames } = store;
  for (let at = start; at < end;) {
    const index = Math.floor(at / PAGE_SIZE);
    const stop = Math.min(end, (index + 1) * PAGE_SIZE);
    const pfn = store.cachedPage(index);
    if (pfn !== 0) {
      frames.bytes(pfn).fill(0, at % PAGE_SIZE, stop - index * PAGE_SIZE);
      frames.written(pfn);
    }
    at = stop;
  }
}
