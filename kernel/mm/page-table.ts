/**
 * Four-level page tables in guest RAM (Intel SDM volume 3, section 4.5), walked on 32-bit words. An entry is named by
 * the index of its low word in `PhysicalMemory.u32`; 0 means there is none.
 */
import type { PhysicalMemory } from "../../emulator/physical-memory.ts";
import type { Engine } from "../../emulator/engine.ts";
import type { Frames } from "./frames.ts";

export const PTE_PRESENT = 1;
export const PTE_WRITE = 2;
export const PTE_USER = 4;
export const PTE_ACCESSED = 32;
export const PTE_DIRTY = 64;
/** In the high word. */
export const PTE_NO_EXECUTE = 0x80000000;
const FRAME_MASK = 0xfffff000;
const TABLE_FLAGS = PTE_PRESENT | PTE_WRITE | PTE_USER;

const TABLE_SPAN = 0x200000;
const DIRECTORY_SPAN = 0x40000000;
const POINTER_SPAN = 0x8000000000;

export class PageTable {
  readonly root: number;
  private readonly frames: Frames;
  private readonly words: Uint32Array;
  /** Frames of all tables below the root. */
  private readonly tables: number[] = [];
  /** The 2 MiB region whose table was used last, and the index of that table's first word. */
  private lastRegion = -1;
  private lastTable = 0;

  constructor(frames: Frames, engine: Engine) {
    this.frames = frames;
    this.words = (frames.memory as PhysicalMemory).u32;
    this.root = frames.allocateZeroed();
    this.words[this.root * 1024 + 1022] = engine.supervisorEntryLow;
    this.words[this.root * 1024 + 1023] = engine.supervisorEntryHigh;
  }

  /** Index of the entry for an address, 0 if there is no table for it yet. */
  find(address: number): number {
    const region = Math.floor(address / TABLE_SPAN);
    const slot = ((address >>> 12) & 511) * 2;
    if (region === this.lastRegion) return this.lastTable + slot;
    const table = this.walk(address, false);
    if (table === 0) return 0;
    this.lastRegion = region;
    this.lastTable = table;
    return table + slot;
  }

  /** Index of the entry for an address, with tables made as needed. @throws ENOMEM */
  ensure(address: number): number {
    const found = this.find(address);
    if (found !== 0) return found;
    this.lastTable = this.walk(address, true);
    this.lastRegion = Math.floor(address / TABLE_SPAN);
    return this.lastTable + ((address >>> 12) & 511) * 2;
  }

  /** Calls back for each present entry in [start, end), in order, skipping absent tables of any level. */
  forEachPresent(start: number, end: number, visit: (entry: number, address: number) => void): void {
    const { words } = this;
    let address = start;
    while (address < end) {
      const span = this.absentSpan(address);
      if (span > 0) {
        address = (Math.floor(address / span) + 1) * span;
        continue;
      }
      const stop = Math.min(end, (Math.floor(address / TABLE_SPAN) + 1) * TABLE_SPAN);
      for (let entry = this.find(address); address < stop; entry += 2, address += 4096) {
        if ((words[entry]! & PTE_PRESENT) !== 0) visit(entry, address);
      }
    }
  }

  /** Gives back the last-level tables that lie wholly in [start, end); their entries must be clear. */
  freeTables(start: number, end: number): void {
    let address = Math.ceil(start / TABLE_SPAN) * TABLE_SPAN;
    while (address + TABLE_SPAN <= end) {
      const span = this.absentSpan(address);
      if (span > 0) {
        address = (Math.floor(address / span) + 1) * span;
        continue;
      }
      const directory = this.walkTo(address, 2, false);
      const slot = directory + ((address >>> 21) & 511) * 2;
      this.freeTable(slot);
      address += TABLE_SPAN;
    }
    this.lastRegion = -1;
  }

  /** Gives all tables back. */
  dispose(): void {
    for (const pfn of this.tables) this.frames.release(pfn);
    this.tables.length = 0;
    this.frames.release(this.root);
    this.lastRegion = -1;
  }

  /** Frames of tables, the root included. */
  get tableCount(): number {
    return this.tables.length + 1;
  }

  private freeTable(slot: number): void {
    const pfn = this.words[slot]! >>> 12;
    this.tables.splice(this.tables.lastIndexOf(pfn), 1);
    this.frames.release(pfn);
    this.words[slot] = 0;
    this.words[slot + 1] = 0;
  }

  /** Bytes covered by the smallest absent table at the address; 0 if the last-level table is there. */
  private absentSpan(address: number): number {
    if (Math.floor(address / TABLE_SPAN) === this.lastRegion) return 0;
    if (this.walkTo(address, 3, false) === 0) return POINTER_SPAN;
    if (this.walkTo(address, 2, false) === 0) return DIRECTORY_SPAN;
    return this.walk(address, false) === 0 ? TABLE_SPAN : 0;
  }

  private walk(address: number, create: boolean): number {
    return this.walkTo(address, 1, create);
  }

  /** First word of the table of a level (3: page-directory pointers, 2: directory, 1: page table), 0 if absent. */
  private walkTo(address: number, level: 1 | 2 | 3, create: boolean): number {
    const high = Math.floor(address / 4294967296);
    const low = address >>> 0;
    let table = this.below(this.root * 1024 + ((high >>> 7) & 511) * 2, create);
    if (level === 3 || table === 0) return table;
    table = this.below(table + (((high & 0x7f) << 2) | (low >>> 30)) * 2, create);
    if (level === 2 || table === 0) return table;
    return this.below(table + ((low >>> 21) & 511) * 2, create);
  }

  private below(slot: number, create: boolean): number {
    const entry = this.words[slot]!;
    if ((entry & PTE_PRESENT) !== 0) return ((entry & FRAME_MASK) >>> 12) * 1024;
    if (!create) return 0;
    const pfn = this.frames.allocateZeroed();
    this.tables.push(pfn);
    this.words[slot] = (pfn * 4096) | TABLE_FLAGS;
    this.words[slot + 1] = 0;
    return pfn * 1024;
  }
}
