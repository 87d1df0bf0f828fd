/** Virtual memory areas: ranges of an address space with one protection and one backing, kept sorted by address. */
import type { PageStore } from "./page-store.ts";
import { PAGE_SIZE } from "./layout.ts";

/** A file as a mapping sees it; mappings keep it alive as open descriptors do. */
export interface MappedFile {
  readonly store: PageStore;
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  retain(): void;
  release(): void;
}

export interface Vma {
  start: number;
  end: number;
  /** PROT_READ | PROT_WRITE | PROT_EXEC. */
  prot: number;
  /** What mprotect may ask for: a read-only descriptor cannot back a writable shared mapping. */
  maxProt: number;
  shared: boolean;
  growsDown: boolean;
  /** MADV_DONTFORK: not copied to a child. */
  dontFork: boolean;
  /** MADV_WIPEONFORK: a child sees zeros. */
  wipeOnFork: boolean;
  /** MAP_NORESERVE, for /proc/PID/smaps. */
  noReserve: boolean;
  locked: boolean;
  /** Pages of a file or of shared memory; null for private anonymous memory. */
  store: PageStore | null;
  /** Index in the store of the page at `start`. */
  storePage: number;
  file: MappedFile | null;
  /** The bracketed name in /proc/PID/maps, such as [heap]. */
  name: string;
}

const continues = (left: Vma, right: Vma): boolean =>
  left.end === right.start &&
  left.prot === right.prot &&
  left.maxProt === right.maxProt &&
  left.shared === right.shared &&
  left.store === right.store &&
  left.file === right.file &&
  left.name === right.name &&
  left.growsDown === right.growsDown &&
  left.dontFork === right.dontFork &&
  left.wipeOnFork === right.wipeOnFork &&
  left.noReserve === right.noReserve &&
  left.locked === right.locked &&
  (left.store === null || left.storePage + (left.end - left.start) / PAGE_SIZE === right.storePage);

/** Like splice, which is slow near the front of a long list; mmap goes downwards, so that is where areas come. */
function insertAt(areas: Vma[], at: number, area: Vma): void {
  if (at >= NEAR_FRONT || areas.length < 4 * NEAR_FRONT) {
    areas.splice(at, 0, area);
    return;
  }
  areas.unshift(area);
  for (let index = 0; index < at; index++) areas[index] = areas[index + 1]!;
  areas[at] = area;
}

const NEAR_FRONT = 64;

export class VmaList {
  readonly areas: Vma[] = [];
  /** Counts the times that room was made. */
  removals = 0;
  private hint = 0;

  /** Index of the first area that ends above the address; `areas.length` if none does. */
  indexAbove(address: number): number {
    const { areas } = this;
    const guess = areas[this.hint];
    if (guess && guess.start <= address && address < guess.end) return this.hint;
    let low = 0;
    let high = areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (areas[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    this.hint = low;
    return low;
  }

  /** The area holding the address. */
  find(address: number): Vma | undefined {
    const area = this.areas[this.indexAbove(address)];
    return area && area.start <= address ? area : undefined;
  }

  /** True if some area overlaps [start, end). */
  overlaps(start: number, end: number): boolean {
    const area = this.areas[this.indexAbove(start)];
    return area !== undefined && area.start < end;
  }

  /** Puts an area into free space and joins it with neighbours it continues. */
  insert(area: Vma): void {
    const at = this.indexAbove(area.start);
    insertAt(this.areas, at, area);
    area.file?.retain();
    this.joinAround(at, at);
  }

  /** Splits areas so that `start` and `end` fall on borders; the areas in between, in order. */
  isolate(start: number, end: number): Vma[] {
    this.splitAt(start);
    this.splitAt(end);
    const from = this.indexAbove(start);
    let to = from;
    while (to < this.areas.length && this.areas[to]!.start < end) to++;
    return this.areas.slice(from, to);
  }

  /** Takes out areas that `isolate` has returned. */
  removeRange(start: number, end: number): void {
    this.removals++;
    const from = this.indexAbove(start);
    let to = from;
    while (to < this.areas.length && this.areas[to]!.start < end) to++;
    for (const gone of this.areas.splice(from, to - from)) gone.file?.release();
  }

  /** Joins areas in and around the range that continue each other. */
  join(start: number, end: number): void {
    const from = this.indexAbove(Math.max(0, start - 1));
    this.joinAround(from, this.indexAbove(end));
  }

  private joinAround(from: number, to: number): void {
    const { areas } = this;
    for (let right = Math.min(to + 1, areas.length - 1); right >= Math.max(1, from); right--) {
      const [left, next] = [areas[right - 1]!, areas[right]!];
      if (!continues(left, next)) continue;
      left.end = next.end;
      areas.splice(right, 1);
      next.file?.release();
    }
  }

  private splitAt(address: number): void {
    const at = this.indexAbove(address);
    const area = this.areas[at];
    if (!area || area.start >= address) return;
    const upper = { ...area, start: address };
    if (area.store) upper.storePage = area.storePage + (address - area.start) / PAGE_SIZE;
    area.end = address;
    area.file?.retain();
    this.areas.splice(at + 1, 0, upper);
  }
}
