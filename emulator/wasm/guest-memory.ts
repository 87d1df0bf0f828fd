/**
 * Guest-virtual memory as generated code sees it: the two data TLBs and everything that misses them.
 *
 * A TLB entry is the page's address, its physical address and how far its window reaches (windows.ts). An entry hits when
 * `address - tag <= 4096 - size` (unsigned), which tests page and crossing at once. A tag is invalid by lying in a slot
 * its address does not hash to:
 * address 0 belongs to slot 0, so zeros are invalid everywhere but there.
 *
 * Frames that hold translated code are never in the write TLB, so every write to one comes here.
 */
import { VECTOR_GP } from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import {
  AT_BOUNCE,
  AT_GENERATION,
  AT_SITES_USED,
  AT_STOP_ADDRESS,
  AT_STOP_ERROR,
  AT_STOP_VECTOR,
  SITE_SIZE,
  TLB_BYTES,
  unknownPage,
  type Layout,
} from "./layout.ts";
import { LOOK, PageWalker, READ, WHOLE, WITH_WINDOW, WRITE } from "./page-walk.ts";
import { SITE_HOST, SITE_START, WindowFinder } from "./windows.ts";

/** Generations of windows have 16 bits, and 0 means none. */
const LAST_GENERATION = 0xffff;

/** The upper part of the last addresses before those that are not canonical. */
const LAST_OF_LOWER_HALF = 0x7fff;

/** Offset of the TLB entry for the page of an address: mirrored by `pushTlbEntry` in context.ts. */
export function tlbOffset(low: number, high: number): number {
  const t = (low >>> 8) | (high << 24);
  return (t ^ (t >>> 10)) & 0x3ff0;
}

export class GuestMemory {
  readonly walker: PageWalker;
  readonly layout: Layout;
  /** Not 0 for frames that hold translated code. */
  readonly codeFrames: Uint8Array;
  /** Frames with code that the instruction under way has got for writing, when `codeWritable`. */
  readonly writtenCode: number[] = [];
  /** Whether writes to frames with code go through: only while a single instruction is executed. */
  codeWritable = false;
  /** The last fault was an address that is not canonical: whether it is #GP or #SS, the instruction says. */
  nonCanonical = false;
  /** Why the last access failed that did not fault: it wanted to write to a frame with code, or to cross a page whole. */
  refusal: "code" | "crossing" | undefined = undefined;

  /** Not 0 for frames that have been in the write TLB. */
  private readonly writtenFrames: Uint8Array;
  private readonly noPageLow: number;
  private readonly noPageHigh: number;
  private readonly windows: WindowFinder;
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;
  private crossing = 0;
  private firstHost = 0;
  private secondHost = 0;

  constructor(memory: PhysicalMemory, layout: Layout) {
    this.layout = layout;
    this.walker = new PageWalker(memory);
    this.u8 = memory.u8;
    this.u32 = memory.u32;
    this.codeFrames = new Uint8Array(memory.frameCount);
    this.writtenFrames = new Uint8Array(memory.frameCount);
    this.windows = new WindowFinder(memory, this.codeFrames);
    const noPage = unknownPage();
    this.noPageLow = Number(noPage & 0xffffffffn);
    this.noPageHigh = Number(noPage >> 32n);
    const { readSites, usedSites } = layout;
    this.emptySite(readSites);
    for (let filled = SITE_SIZE; readSites + filled < usedSites; filled *= 2) {
      this.u8.copyWithin(readSites + filled, readSites, Math.min(readSites + filled, usedSites - filled));
    }
    this.flush();
  }

  /** Makes places that miss look for their windows again: there may be larger ones. */
  private beginGeneration(): void {
    const { u32 } = this;
    if (u32[AT_GENERATION / 4]! === LAST_GENERATION) {
      u32[AT_GENERATION / 4] = 0;
      this.emptyTlbs();
      this.windows.forget();
    }
    u32[AT_GENERATION / 4]!++;
  }

  /** Forgets all windows: a page in one of them is no longer what it was. */
  private endWindows(): void {
    const { u32 } = this;
    this.beginGeneration();
    const used = this.layout.usedSites / 4;
    const count = u32[AT_SITES_USED / 4]!;
    for (let i = 0; i < count; i++) this.emptySite(u32[used + i]!);
    u32[AT_SITES_USED / 4] = 0;
  }

  private emptySite(place: number): void {
    const { u32 } = this;
    u32.fill(0, place / 4, (place + SITE_SIZE) / 4);
    u32[(place + SITE_START) / 4] = this.noPageLow;
    u32[(place + SITE_START) / 4 + 1] = this.noPageHigh;
    u32[(place + SITE_HOST) / 4] = this.layout.nothing;
  }

  flush(): void {
    this.endWindows();
    this.emptyTlbs();
  }

  private emptyTlbs(): void {
    this.u8.fill(0, this.layout.readTlb, this.layout.readTlb + 2 * TLB_BYTES);
    this.u32[this.layout.readTlb / 4] = PAGE_SIZE;
    this.u32[this.layout.writeTlb / 4] = PAGE_SIZE;
  }

  flushPage(low: number, high: number): void {
    this.endWindows();
    const offset = tlbOffset(low, high);
    const tag = offset === 0 ? PAGE_SIZE : 0;
    for (const tlb of [this.layout.readTlb, this.layout.writeTlb]) {
      this.u32[(tlb + offset) / 4] = tag;
      this.u32[(tlb + offset) / 4 + 1] = 0;
    }
  }

  /** Takes a frame out of the write TLB: it is about to hold translated code. */
  protect(pfn: number): void {
    if (this.codeFrames[pfn] !== 0) return;
    this.codeFrames[pfn] = 1;
    this.endWindows();
    if (this.writtenFrames[pfn] === 0) return;
    const { writeTlb } = this.layout;
    for (let offset = 0; offset < TLB_BYTES; offset += 16) {
      const slot = (writeTlb + offset) / 4;
      if (this.u32[slot + 2] === pfn * PAGE_SIZE) {
        this.u32[slot] = offset === 0 ? PAGE_SIZE : 0;
        this.u32[slot + 1] = 0;
      }
    }
  }

  /** Host address of `size` bytes for reading, or -1 with the stop filled in. Crossing bytes come as a copy. */
  readonly read = (low: number, high: number, size: number): number => this.access(low, high, size, READ);

  /** As `read`, for writing; a copy of crossing bytes goes back with `commit`. */
  readonly write = (low: number, high: number, size: number): number => this.access(low, high, size, WRITE);

  /** READ or WRITE with or without WHOLE and what goes with it: as `read` or `write`, with fewer answers. */
  readonly accessBy = (low: number, high: number, size: number, how: number): number =>
    (how & WHOLE) === 0 ? this.access(low, high, size, how) : this.whole(low, high, size, how);

  readonly commit = (size: number): void => {
    const first = this.crossing;
    this.u8.copyWithin(this.firstHost, AT_BOUNCE, AT_BOUNCE + first);
    this.u8.copyWithin(this.secondHost, AT_BOUNCE + first, AT_BOUNCE + size);
  };

  private whole(low: number, high: number, size: number, how: number): number {
    const host = this.host(low, high, how);
    if (size <= PAGE_SIZE - (low & 4095)) return host;
    this.refusal = "crossing";
    return -1;
  }

  private access(low: number, high: number, size: number, how: number): number {
    const first = PAGE_SIZE - (low & 4095);
    // An address that is not canonical counts for more than a page that is not there.
    if (size > first && high === LAST_OF_LOWER_HALF && low >>> 0 > 0xfffff000) return this.host(0, high + 1, how);
    const host = this.host(low, high, how);
    if (host < 0 || size <= first) return host;
    const second = this.host((low + first) | 0, high + (low >>> 0 >= 0xfffff000 ? 1 : 0), how);
    if (second < 0) return second;
    this.u8.copyWithin(AT_BOUNCE, host, host + first);
    this.u8.copyWithin(AT_BOUNCE + first, second, second + size - first);
    this.crossing = first;
    this.firstHost = host;
    this.secondHost = second;
    return AT_BOUNCE;
  }

  /** Host address of one byte; fills the TLB. */
  private host(low: number, high: number, how: number): number {
    this.refusal = undefined;
    const kind = (how & WRITE) === 0 ? READ : WRITE;
    const looks = (how & LOOK) !== 0;
    const pfn = this.walker.translate(low >>> 0, high >>> 0, kind, !looks);
    if (pfn < 0) {
      if (looks) return -1;
      this.noteFault(low, high);
      // The kernel will put a page there, next to others.
      this.beginGeneration();
      return -1;
    }
    const { layout, u32 } = this;
    if (kind === WRITE && this.codeFrames[pfn] !== 0) {
      if (!this.codeWritable) {
        this.refusal = "code";
        return -1;
      }
      this.writtenCode.push(pfn);
    } else {
      if (kind === WRITE) this.writtenFrames[pfn] = 1;
      const slot = ((kind === WRITE ? layout.writeTlb : layout.readTlb) + tlbOffset(low, high)) / 4;
      u32[slot] = low & ~4095;
      u32[slot + 1] = high;
      u32[slot + 2] = pfn * PAGE_SIZE;
      u32[slot + 3] = (how & WITH_WINDOW) !== 0 ? this.windowOfLeaf(kind === WRITE) : 0;
    }
    return pfn * PAGE_SIZE + (low & 4095);
  }

  /** The window around the page translated last, as the TLB has it. */
  private windowOfLeaf(write: boolean): number {
    const { walker, windows } = this;
    const generation = this.u32[AT_GENERATION / 4]!;
    return walker.leaf === 0 ? generation << 16 : windows.find(walker.leaf, write, generation);
  }

  noteFault(low: number, high: number): void {
    const { u32 } = this;
    const { vector, errorCode } = this.walker.fault;
    this.nonCanonical = vector === VECTOR_GP;
    u32[AT_STOP_VECTOR / 4] = vector;
    u32[AT_STOP_ERROR / 4] = errorCode;
    u32[AT_STOP_ADDRESS / 4] = low;
    u32[AT_STOP_ADDRESS / 4 + 1] = high;
  }
}
