/** Four-level translation with permissions, accessed and dirty bits (Intel SDM volume 3, chapter 4). */
import { PF_FETCH, PF_PRESENT, PF_USER, PF_WRITE, VECTOR_GP, VECTOR_PF } from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";

const P = 1;
const RW = 2;
const US = 4;
const A = 32;
const D = 64;
const PS = 128;

/** What a user's page-table entry has when reading through it, or writing, changes nothing. */
export const LEAF_ACCESSED = P | US | A;
export const LEAF_WRITTEN = LEAF_ACCESSED | RW | D;

export const READ = 0;
export const WRITE = PF_WRITE;
export const FETCH = PF_FETCH;
export type AccessKind = typeof READ | typeof WRITE | typeof FETCH;

/** Added to READ or WRITE where no copies are taken: bytes that cross a page are refused. */
export const WHOLE = 0x100;
/** Added to that: the TLB gets the window around the page. */
export const WITH_WINDOW = 0x200;
/** Added to that: the access may yet not be made, so one that would change a page-table entry is refused. */
export const LOOK = 0x400;

/** The fault of the last translation that failed. */
export interface PageFault {
  vector: number;
  errorCode: number;
}

export class PageWalker {
  /** Physical address of the PML4. */
  root = 0;
  readonly fault: PageFault = { vector: 0, errorCode: 0 };
  /** Index in RAM's words of the entry that the last translation ended at; 0 for a large page. */
  leaf = 0;
  private readonly u32: Uint32Array;
  private readonly frameCount: number;
  private readonly path = new Uint32Array(4);

  constructor(memory: PhysicalMemory) {
    this.u32 = memory.u32;
    this.frameCount = memory.frameCount;
  }

  /**
   * Frame number of the page holding a virtual address, for user code; sets A and D bits. -1: `fault` says why, or, where
   * `marks` is false, the page's entry lacks such a bit.
   * Throws when a table entry points outside RAM: the kernel's mistake, not the guest's.
   */
  translate(low: number, high: number, access: AccessKind, marks = true): number {
    const sign = high >>> 15;
    if (sign !== 0 && sign !== 0x1ffff) return this.fail(VECTOR_GP, 0);
    const { u32, path } = this;
    let table = this.root >>> 12;
    let writable = RW;
    let executable = true;
    let user = US;
    for (let level = 3; ; level--) {
      const slot = table * 1024 + slotNumber(low, high, level) * 2;
      const entry = u32[slot]!;
      const entryHigh = u32[slot + 1]!;
      if ((entry & P) === 0) return this.fail(VECTOR_PF, PF_USER | access);
      path[level] = slot;
      writable &= entry;
      user &= entry;
      if (entryHigh >>> 31 !== 0) executable = false;
      let pfn = (entryHigh & 0xfffff) * 1048576 + (entry >>> 12);
      const large = (level === 1 || level === 2) && (entry & PS) !== 0;
      if (level > 0 && !large) {
        table = this.inRam(pfn);
        continue;
      }
      if (user === 0 || (access === WRITE && writable === 0) || (access === FETCH && !executable)) {
        return this.fail(VECTOR_PF, PF_PRESENT | PF_USER | access);
      }
      if (large)
        pfn = level === 1 ? pfn - (pfn % 512) + ((low >>> 12) & 511) : pfn - (pfn % 262144) + ((low >>> 12) & 262143);
      this.inRam(pfn);
      const marked = access === WRITE ? A | D : A;
      if (!marks && (entry & marked) !== marked) return -1;
      for (let above = 3; above >= level; above--) u32[path[above]!]! |= A;
      if (access === WRITE) u32[slot]! |= D;
      this.leaf = large ? 0 : slot;
      return pfn;
    }
  }

  private inRam(pfn: number): number {
    if (pfn < this.frameCount) return pfn;
    throw new Error(`a page-table entry points to frame ${pfn}, outside RAM of ${this.frameCount * PAGE_SIZE} bytes`);
  }

  private fail(vector: number, errorCode: number): -1 {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return -1;
  }
}

function slotNumber(low: number, high: number, level: number): number {
  switch (level) {
    case 3:
      return (high >>> 7) & 511;
    case 2:
      return ((high & 0x7f) << 2) | (low >>> 30);
    case 1:
      return (low >>> 21) & 511;
    default:
      return (low >>> 12) & 511;
  }
}
