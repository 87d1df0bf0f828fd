/**
 * One process's memory: areas, page tables, and the operations of mmap(2), munmap(2), mprotect(2), mremap(2) and brk(2)
 * on them. Pages come on demand, see `page-fault.ts`.
 */
import { EACCES, EEXIST, EFAULT, EINVAL, ENOMEM } from "../../abi/errno.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import type { Engine } from "../../emulator/engine.ts";
import type { Frames } from "./frames.ts";
import {
  LOW_MMAP_BASE,
  LOW_MMAP_END,
  MMAP_BASE,
  MMAP_MIN_ADDRESS,
  PAGE_SIZE,
  STACK_GUARD_GAP,
  TASK_SIZE,
  pageCeil,
} from "./layout.ts";
import type { PageStore, StoreMapper } from "./page-store.ts";
import { PTE_DIRTY, PTE_NO_EXECUTE, PTE_PRESENT, PTE_USER, PTE_WRITE, PageTable } from "./page-table.ts";
import { VmaList, type MappedFile, type Vma } from "./vma.ts";

const MAX_AREAS = 65530;
export const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;

/** What a new mapping is; absent fields mean private, anonymous, of any protection. */
export interface MappingRequest {
  length: number;
  prot: number;
  maxProt?: number;
  shared?: boolean;
  growsDown?: boolean;
  noReserve?: boolean;
  store?: PageStore | null;
  storePage?: number;
  file?: MappedFile | null;
  name?: string;
}

export class AddressSpace implements StoreMapper {
  readonly frames: Frames;
  readonly engine: Engine;
  readonly table: PageTable;
  readonly vmas = new VmaList();
  /** Tasks that use it. */
  users = 1;
  /** MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED has been called (membarrier(2)). */
  membarrierRegistered = false;
  residentPages = 0;
  /** RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK of the owner, refreshed by prlimit(2). */
  limits = { addressSpace: Infinity, data: Infinity, stack: 8 << 20 };
  brkStart = 0;
  brkEnd = 0;
  /** Where the initial stack, arguments and environment lie, for /proc/PID/{stat,cmdline,environ}. */
  marks = {
    startCode: 0,
    endCode: 0,
    startData: 0,
    endData: 0,
    startStack: 0,
    argStart: 0,
    argEnd: 0,
    envStart: 0,
    envEnd: 0,
  };
  auxv: Uint8Array = new Uint8Array(0);

  constructor(frames: Frames, engine: Engine) {
    this.frames = frames;
    this.engine = engine;
    this.table = new PageTable(frames, engine);
  }

  /** Physical address of the top-level table, for the engine. */
  get root(): number {
    return this.table.root * PAGE_SIZE;
  }

  private lastSearch = { ceiling: MMAP_BASE, length: 0, removals: 0 };

  /** Bytes of address space in use. */
  get totalBytes(): number {
    let total = 0;
    for (const area of this.vmas.areas) total += area.end - area.start;
    return total;
  }

  /**
   * Maps at exactly `address`, replacing what is there.
   * @throws EINVAL ENOMEM
   */
  mapFixed(address: number, request: MappingRequest): number {
    const length = pageCeil(request.length);
    if (address % PAGE_SIZE !== 0) throw EINVAL;
    if (length > TASK_SIZE || address > TASK_SIZE - length) throw ENOMEM;
    this.checkRoom(request, length);
    this.unmap(address, length);
    return this.place(address, length, request);
  }

  /** Maps at exactly `address` if nothing is there. @throws EEXIST EINVAL ENOMEM */
  mapNoReplace(address: number, request: MappingRequest): number {
    const length = pageCeil(request.length);
    if (address % PAGE_SIZE !== 0) throw EINVAL;
    if (length > TASK_SIZE || address > TASK_SIZE - length) throw ENOMEM;
    if (this.vmas.overlaps(address, address + length)) throw EEXIST;
    this.checkRoom(request, length);
    return this.place(address, length, request);
  }

  /** Maps near `hint` if that is free, else where there is room. @throws ENOMEM */
  map(hint: number, request: MappingRequest, low = false): number {
    const length = pageCeil(request.length);
    if (length > TASK_SIZE) throw ENOMEM;
    this.checkRoom(request, length);
    const wish = pageCeil(hint);
    const wished =
      wish >= MMAP_MIN_ADDRESS && wish <= TASK_SIZE - length && !this.vmas.overlaps(wish, wish + length) && !low;
    return this.place(wished ? wish : this.findRoom(length, low), length, request);
  }

  /** Removes all mappings in the range. @throws EINVAL ENOMEM */
  unmap(address: number, length: number): void {
    const end = address + length;
    if (!this.vmas.overlaps(address, end)) return;
    const around = this.vmas.find(address);
    const makesTwoOfOne = around !== undefined && around.start < address && around.end > end;
    if (makesTwoOfOne && this.vmas.areas.length >= MAX_AREAS) throw ENOMEM;
    const areas = this.vmas.isolate(address, end);
    for (const area of areas) this.dropPages(area.start, area.end, area);
    this.vmas.removeRange(address, end);
    for (const { store } of areas) if (store) this.forgetUnusedStore(store);
    this.table.freeTables(address, end);
    this.engine.flushTlb();
  }

  /** Changes the protection of a wholly mapped range. @throws ENOMEM EACCES */
  protect(start: number, length: number, prot: number): void {
    const end = start + length;
    this.requireMapped(start, end);
    for (let at = this.vmas.indexAbove(start); at < this.vmas.areas.length; at++) {
      const area = this.vmas.areas[at]!;
      if (area.start >= end) break;
      if ((prot & ~area.maxProt) !== 0) throw EACCES;
    }
    for (const area of this.isolate(start, end)) {
      area.prot = prot;
      this.reprotectPages(area);
    }
    this.vmas.join(start, end);
    this.engine.flushTlb();
  }

  /** The areas of a range, cut where it begins and ends. @throws ENOMEM if that makes too many */
  isolate(start: number, end: number): Vma[] {
    let count = this.vmas.areas.length;
    for (const border of [start, end]) {
      const area = this.vmas.find(border);
      if (area && area.start < border) count++;
    }
    if (count > MAX_AREAS) throw ENOMEM;
    return this.vmas.isolate(start, end);
  }

  /** ENOMEM unless every page of the range is mapped. */
  requireMapped(start: number, end: number): void {
    let at = start;
    for (let index = this.vmas.indexAbove(start); at < end; index++) {
      const area = this.vmas.areas[index];
      if (!area || area.start > at) throw ENOMEM;
      at = area.end;
    }
  }

  /**
   * Grows, shrinks or moves a mapping, mremap(2). With `target` it moves exactly there; with `keep` an empty mapping
   * stays behind (MREMAP_DONTUNMAP).
   * @throws EFAULT EINVAL ENOMEM
   */
  remap(address: number, oldLength: number, newLength: number, mayMove: boolean, target = -1, keep = false): number {
    const area = this.vmas.find(address);
    if (!area || address + oldLength > area.end) throw EFAULT;
    if (target < 0 && keep) {
      target = this.findRoom(newLength, false);
    } else if (target < 0) {
      if (newLength <= oldLength) {
        if (newLength < oldLength) this.unmap(address + newLength, oldLength - newLength);
        return address;
      }
      const growth = newLength - oldLength;
      const atEnd = address + oldLength === area.end;
      if (atEnd && area.end + growth <= TASK_SIZE && !this.vmas.overlaps(area.end, area.end + growth)) {
        this.checkRoom({ length: growth, prot: area.prot }, growth);
        const old = area.end;
        area.end += growth;
        this.vmas.join(address, old);
        return address;
      }
      if (!mayMove) throw ENOMEM;
      target = this.findRoom(newLength, false);
    } else {
      this.unmap(target, newLength);
      if (newLength < oldLength) {
        this.unmap(address + newLength, oldLength - newLength);
        oldLength = newLength;
      }
    }
    this.checkRoom({ length: newLength, prot: area.prot }, keep ? newLength : Math.max(0, newLength - oldLength));
    return this.move(area, address, oldLength, newLength, target, keep);
  }

  /** Sets the program break if possible; the break there is now, brk(2). */
  setBreak(wanted: number): number {
    if (wanted < this.brkStart || wanted > TASK_SIZE) return this.brkEnd;
    const [oldTop, newTop] = [pageCeil(this.brkEnd), pageCeil(wanted)];
    if (wanted - this.brkStart > this.limits.data) return this.brkEnd;
    if (newTop > oldTop) {
      if (this.vmas.overlaps(oldTop, newTop + PAGE_SIZE)) return this.brkEnd;
      const request = { length: newTop - oldTop, prot: PROT_READ | PROT_WRITE, name: "[heap]" };
      try {
        this.checkRoom(request, request.length);
      } catch (error) {
        if (error === ENOMEM) return this.brkEnd;
        throw error;
      }
      this.place(oldTop, request.length, request);
    } else if (newTop < oldTop) {
      this.unmap(newTop, oldTop - newTop);
    }
    this.brkEnd = wanted;
    return wanted;
  }

  /** Gives the frames of a range back without unmapping it: the next touch sees zeros or the file again. */
  discardPages(start: number, end: number): void {
    for (let at = this.vmas.indexAbove(start); at < this.vmas.areas.length; at++) {
      const area = this.vmas.areas[at]!;
      if (area.start >= end) break;
      this.dropPages(Math.max(start, area.start), Math.min(end, area.end), area);
    }
    this.engine.flushTlb();
  }

  /** Writes what shared mappings have changed in the range back to their files (msync(2)). */
  writeBack(start: number, end: number): void {
    const words = this.frames.memory.u32;
    for (let at = this.vmas.indexAbove(start); at < this.vmas.areas.length; at++) {
      const area = this.vmas.areas[at]!;
      if (area.start >= end) break;
      const { store } = area;
      if (!area.shared || !store) continue;
      this.table.forEachPresent(area.start, area.end, (entry, address) => {
        if ((words[entry]! & PTE_DIRTY) !== 0) store.markDirty(area.storePage + (address - area.start) / PAGE_SIZE);
      });
      store.flush();
    }
  }

  dropStorePages(store: PageStore, firstIndex: number): void {
    for (const area of this.vmas.areas) {
      if (area.store !== store) continue;
      const start = area.start + Math.max(0, firstIndex - area.storePage) * PAGE_SIZE;
      if (start < area.end) this.dropPages(start, area.end, area);
    }
    this.engine.flushTlb();
  }

  /** Gives everything back. */
  dispose(): void {
    const stores = new Set<PageStore>();
    for (const area of this.vmas.areas) {
      if (area.store) stores.add(area.store);
      this.dropPages(area.start, area.end, area);
    }
    for (const store of stores) store.mappers.delete(this);
    this.vmas.removeRange(0, TASK_SIZE);
    this.table.dispose();
  }

  /** Forgets the translations of [start, end) in an area and releases their frames. */
  dropPages(start: number, end: number, area: Vma): void {
    const words = this.frames.memory.u32;
    this.table.forEachPresent(start, end, (entry, address) => {
      const low = words[entry]!;
      if (area.shared && area.store && (low & PTE_DIRTY) !== 0) {
        area.store.markDirty(area.storePage + (address - area.start) / PAGE_SIZE);
      }
      words[entry] = 0;
      words[entry + 1] = 0;
      this.frames.release(low >>> 12);
      this.residentPages--;
    });
  }

  /** A free range of the length, at the highest place below the mmap base. @throws ENOMEM */
  findRoom(length: number, low: boolean): number {
    const floor = low ? LOW_MMAP_BASE : MMAP_MIN_ADDRESS;
    let ceiling = low ? LOW_MMAP_END : this.searchFrom(length);
    const { areas } = this.vmas;
    for (let index = this.vmas.indexAbove(ceiling - 1); ; index--) {
      const area = areas[index];
      if (area && area.start < ceiling) {
        // Room is looked for below this area; the one above it has been dealt with.
        if (area.end <= ceiling && ceiling - area.end >= length) break;
        ceiling = area.growsDown ? area.start - STACK_GUARD_GAP : area.start;
      }
      if (index <= 0) break;
    }
    if (ceiling - floor < length) throw ENOMEM;
    if (!low) this.lastSearch = { ceiling, length, removals: this.vmas.removals };
    return ceiling - length;
  }

  /** Where to begin: above the place of the last search there was nothing as long, and nothing was removed since. */
  private searchFrom(length: number): number {
    const { ceiling, length: searched, removals } = this.lastSearch;
    return length >= searched && removals === this.vmas.removals ? ceiling : MMAP_BASE;
  }

  private place(start: number, length: number, request: MappingRequest): number {
    if (this.vmas.areas.length >= MAX_AREAS) throw ENOMEM;
    request.store?.mappers.add(this);
    this.vmas.insert({
      start,
      end: start + length,
      prot: request.prot,
      maxProt: request.maxProt ?? PROT_ALL,
      shared: request.shared ?? false,
      growsDown: request.growsDown ?? false,
      dontFork: false,
      wipeOnFork: false,
      noReserve: request.noReserve ?? false,
      locked: false,
      store: request.store ?? null,
      storePage: request.storePage ?? 0,
      file: request.file ?? null,
      name: request.name ?? "",
    });
    return start;
  }

  /** Private writable memory but the stack, as RLIMIT_DATA counts it (getrlimit(2)). */
  private dataBytes(): number {
    let bytes = 0;
    for (const { start, end, prot, shared, growsDown } of this.vmas.areas) {
      if ((prot & PROT_WRITE) !== 0 && !shared && !growsDown) bytes += end - start;
    }
    return bytes;
  }

  /** RLIMIT_AS and RLIMIT_DATA, and the heuristic overcommit rule: one request for more than there is in all is refused. */
  private checkRoom(request: MappingRequest, length: number): void {
    const limit = this.limits.addressSpace;
    if (limit !== Infinity && this.totalBytes + length > limit) throw ENOMEM;
    const isData = (request.prot & PROT_WRITE) !== 0 && !request.shared;
    if (isData && !request.growsDown && this.limits.data !== Infinity && this.dataBytes() + length > this.limits.data) {
      throw ENOMEM;
    }
    if (isData && !request.noReserve && length > this.frames.memory.buffer.byteLength) throw ENOMEM;
  }

  /** A store that no area shows any more need not tell this space when its pages go. */
  private forgetUnusedStore(store: PageStore): void {
    if (!this.vmas.areas.some((area) => area.store === store)) store.mappers.delete(this);
  }

  private reprotectPages(area: Vma): void {
    const words = this.frames.memory.u32;
    const accessible = area.prot !== 0;
    this.table.forEachPresent(area.start, area.end, (entry) => {
      let low = words[entry]!;
      low = accessible ? low | PTE_USER : low & ~PTE_USER;
      // Write permission comes back with the next write fault, which knows whether the page must be copied.
      if ((area.prot & PROT_WRITE) === 0) low &= ~PTE_WRITE;
      words[entry] = low;
      if ((area.prot & PROT_EXEC) !== 0) {
        words[entry + 1] = words[entry + 1]! & ~PTE_NO_EXECUTE;
        this.frames.markExecutable(low >>> 12);
      } else {
        words[entry + 1] = words[entry + 1]! | PTE_NO_EXECUTE;
      }
    });
  }

  private move(area: Vma, from: number, oldLength: number, newLength: number, to: number, keep: boolean): number {
    const { table, vmas } = this;
    const words = this.frames.memory.u32;
    const copy: Vma = { ...area, start: to, end: to + newLength };
    if (area.store) copy.storePage = area.storePage + (from - area.start) / PAGE_SIZE;
    if (vmas.areas.length >= MAX_AREAS - 3) throw ENOMEM;
    // Tables come first: once pages move nothing may fail.
    table.forEachPresent(from, from + oldLength, (_entry, address) => void table.ensure(to + (address - from)));
    table.forEachPresent(from, from + oldLength, (entry, address) => {
      const target = table.ensure(to + (address - from));
      words[target] = words[entry]!;
      words[target + 1] = words[entry + 1]!;
      words[entry] = 0;
      words[entry + 1] = 0;
    });
    if (keep) {
      vmas.insert(copy);
      this.engine.flushTlb();
      return to;
    }
    vmas.isolate(from, from + oldLength);
    // The file must not lose its last area in between.
    copy.file?.retain();
    vmas.removeRange(from, from + oldLength);
    vmas.insert(copy);
    copy.file?.release();
    this.engine.flushTlb();
    return to;
  }
}

/** True if the entry lets user code read, and write if asked. */
export const permits = (low: number, write: boolean): boolean => {
  const needed = write ? PTE_PRESENT | PTE_USER | PTE_WRITE : PTE_PRESENT | PTE_USER;
  return (low & needed) === needed;
};
