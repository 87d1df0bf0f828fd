/**
 * Page tables of an engine's own, over the kernel's: what the engine reads it sees in place, what it writes goes to
 * copies. So two engines can execute the same piece of a program one after the other, and until `settle` nothing of it
 * has happened. Entries are made when the engine faults on them, as a hypervisor's shadow page tables are.
 */
import type { Engine } from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { FETCH, PageWalker, READ, WRITE, type AccessKind, type PageFault } from "../wasm/page-walk.ts";

const TWO_32 = 4294967296;
/** P, RW, US, A, D (Intel SDM volume 3, section 4.5). */
const TABLE = 0x27;
const READABLE = 0x65;
const PRESENT = 1;
const WRITABLE = 2;
const NO_EXECUTE = 0x80000000;
/** More flushes of single pages than this cost more than one of all. */
const FEW_PAGES = 16;
/** Tables kept when the address space changes. */
const MOST_TABLES = 256;

/** A frame the engine has written to a copy of. */
export interface WrittenFrame {
  /** The kernel's frame. */
  readonly truth: number;
  readonly copy: number;
  /** A virtual address of it. */
  readonly page: number;
}

export class ShadowSpace {
  /** Frames written since `settle`. */
  readonly written: WrittenFrame[] = [];

  private readonly memory: PhysicalMemory;
  private readonly engine: Engine;
  private readonly u32: Uint32Array;
  /** Walks the kernel's tables. */
  private readonly walker: PageWalker;
  private readonly root: number;
  private readonly tables: number[] = [];
  /** Copies by the frame they are of, and the other way round; 0: none. */
  private readonly copies: Uint32Array;
  private readonly originals: Uint32Array;
  /** How many entries map a frame or its copy. */
  private readonly mappings: Uint16Array;
  /** Frames the engine may have translations of. */
  private readonly executed: Uint8Array;
  /** Entries made, by index of their low word, with their virtual page; some may have gone since. */
  private readonly filled: { readonly slot: number; readonly page: number }[] = [];
  private readonly copyEntries: { readonly slot: number; readonly page: number }[] = [];
  private readonly pool: number[] = [];

  constructor(memory: PhysicalMemory, engine: Engine) {
    this.memory = memory;
    this.engine = engine;
    this.u32 = memory.u32;
    this.walker = new PageWalker(memory);
    this.copies = new Uint32Array(memory.frameCount);
    this.originals = new Uint32Array(memory.frameCount);
    this.mappings = new Uint16Array(memory.frameCount);
    this.executed = new Uint8Array(memory.frameCount);
    this.root = this.frame();
    this.clearRoot();
    engine.activate(this.root * PAGE_SIZE);
  }

  /** Why the last `resolve` or `find` failed. */
  get fault(): PageFault {
    return this.walker.fault;
  }

  /** The kernel's address space is another one, or may have changed everywhere. */
  activate(root: number): void {
    this.walker.root = root;
    if (this.tables.length > MOST_TABLES) this.freeTables();
    this.forgetAll();
  }

  /** Forgets all entries. */
  forgetAll(): void {
    for (const { slot } of this.filled) this.clear(slot);
    this.filled.length = 0;
    this.copyEntries.length = 0;
    this.engine.flushTlb();
  }

  forgetPage(address: number): void {
    const slot = this.slot(address % TWO_32, Math.floor(address / TWO_32), false);
    if (slot === 0 || (this.u32[slot]! & PRESENT) === 0) return;
    this.clear(slot);
    this.engine.flushPage(address);
  }

  /** Makes an access possible that faulted. False: the kernel's tables do not allow it either, and `fault` says why. */
  resolve(low: number, high: number, access: AccessKind): boolean {
    const truth = this.walker.translate(low, high, access);
    if (truth < 0) return false;
    let slot = this.slot(low, high, true);
    const page = high * TWO_32 + low - (low % PAGE_SIZE);
    if (access === WRITE && this.copies[truth] === 0) {
      // Other entries of the same frame would go on showing it unchanged.
      if (this.mappings[truth]! > (this.u32[slot]! & PRESENT)) {
        this.forgetAll();
        slot = this.slot(low, high, true);
      }
      this.makeCopy(truth, page);
    }
    this.fill(slot, page, truth, access);
    return true;
  }

  /** The frame the engine sees at an address, -1 if there is none for this access. */
  find(address: number, access: AccessKind = READ): number {
    const truth = this.walker.translate(address % TWO_32, Math.floor(address / TWO_32), access);
    return truth < 0 ? -1 : this.copies[truth] || truth;
  }

  /** Up to `length` bytes as the engine sees them: fewer where the next page cannot be read. */
  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = address + done;
      const pfn = this.find(at);
      if (pfn < 0) return bytes.slice(0, done);
      const offset = at % PAGE_SIZE;
      const size = Math.min(length - done, PAGE_SIZE - offset);
      bytes.set(this.memory.u8.subarray(pfn * PAGE_SIZE + offset, pfn * PAGE_SIZE + offset + size), done);
      done += size;
    }
    return bytes;
  }

  /** The frame the engine sees instead of the kernel's: the same one as long as it has not written to it. */
  seen(truth: number): number {
    return this.copies[truth] || truth;
  }

  /** Ends the piece: all copies are dropped. Whoever wants to keep what was written has taken it before. */
  settle(): void {
    const { u32, engine, copyEntries } = this;
    for (const { slot, page } of copyEntries) {
      const truth = this.originals[u32[slot]! >>> 12]!;
      if ((u32[slot]! & PRESENT) === 0 || truth === 0) continue;
      u32[slot] = truth * PAGE_SIZE + READABLE;
      if (copyEntries.length <= FEW_PAGES) engine.flushPage(page);
    }
    if (copyEntries.length > FEW_PAGES) engine.flushTlb();
    copyEntries.length = 0;
    for (const { truth, copy } of this.written) {
      this.copies[truth] = 0;
      this.originals[copy] = 0;
      this.pool.push(copy);
    }
    this.written.length = 0;
  }

  /** The bytes of a frame have changed behind the engine's back. */
  frameChanged(pfn: number): void {
    if (this.executed[pfn] !== 0) this.engine.invalidateFrame(pfn);
  }

  dispose(): void {
    this.settle();
    this.freeTables();
    for (const pfn of [this.root, ...this.pool]) this.memory.release(pfn);
    this.pool.length = 0;
  }

  private makeCopy(truth: number, page: number): void {
    const copy = this.pool.pop() ?? this.frame();
    this.memory.copyFrame(truth, copy);
    this.frameChanged(copy);
    this.copies[truth] = copy;
    this.originals[copy] = truth;
    this.written.push({ truth, copy, page });
  }

  private fill(slot: number, page: number, truth: number, access: AccessKind): void {
    const { u32 } = this;
    const old = u32[slot]!;
    const isNew = (old & PRESENT) === 0;
    const copy = this.copies[truth]!;
    const pfn = copy || truth;
    const executable = access === FETCH || (!isNew && u32[slot + 1] === 0);
    u32[slot] = pfn * PAGE_SIZE + READABLE + (access === WRITE ? WRITABLE : old & WRITABLE);
    u32[slot + 1] = executable ? 0 : NO_EXECUTE;
    if (executable) this.executed[pfn] = 1;
    if (copy !== 0 && old >>> 12 !== copy) this.copyEntries.push({ slot, page });
    if (isNew) {
      this.mappings[truth]!++;
      this.filled.push({ slot, page });
    } else this.engine.flushPage(page);
  }

  private clear(slot: number): void {
    const { u32 } = this;
    if ((u32[slot]! & PRESENT) === 0) return;
    const pfn = u32[slot]! >>> 12;
    this.mappings[this.originals[pfn] || pfn]!--;
    u32[slot] = 0;
    u32[slot + 1] = 0;
  }

  /** Index of the low word of the entry for an address; 0 if there is no table and none is to be made. */
  private slot(low: number, high: number, create: boolean): number {
    let table = this.root;
    const indexes = [(high >>> 7) & 511, ((high & 127) << 2) | (low >>> 30), (low >>> 21) & 511];
    for (const index of indexes) {
      const slot = table * 1024 + index * 2;
      if (this.u32[slot] === 0) {
        if (!create) return 0;
        const pfn = this.frame();
        this.u32.fill(0, pfn * 1024, (pfn + 1) * 1024);
        this.tables.push(pfn);
        this.u32[slot] = pfn * PAGE_SIZE + TABLE;
      }
      table = this.u32[slot]! >>> 12;
    }
    return table * 1024 + ((low >>> 12) & 511) * 2;
  }

  private freeTables(): void {
    this.forgetAll();
    for (const pfn of this.tables) this.memory.release(pfn);
    this.tables.length = 0;
    this.clearRoot();
  }

  private clearRoot(): void {
    this.u32.fill(0, this.root * 1024, (this.root + 1) * 1024);
    this.u32[this.root * 1024 + 1022] = this.engine.supervisorEntryLow;
    this.u32[this.root * 1024 + 1023] = this.engine.supervisorEntryHigh;
  }

  private frame(): number {
    const pfn = this.memory.allocate();
    if (pfn === 0) throw new RangeError("no frame is left for what lockstep keeps beside the guest's memory");
    return pfn;
  }
}
