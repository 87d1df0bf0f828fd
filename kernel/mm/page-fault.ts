/**
 * What happens when user code, or the kernel on its behalf, touches a page that is not there or not writable: demand
 * zero, file pages, copy on write, stack growth; else the reason for a SIGSEGV or SIGBUS (mmap(2), sigaction(2)).
 */
import { ENOMEM } from "../../abi/errno.ts";
import { RUN_FRAMES } from "../../emulator/physical-memory.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import type { AddressSpace } from "./address-space.ts";
import { PAGE_SIZE, STACK_GUARD_GAP, TASK_SIZE, pageFloor } from "./layout.ts";
import { PTE_ACCESSED, PTE_DIRTY, PTE_NO_EXECUTE, PTE_PRESENT, PTE_USER, PTE_WRITE } from "./page-table.ts";
import type { Vma } from "./vma.ts";

export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_EXECUTE = 2;
export type Access = typeof ACCESS_READ | typeof ACCESS_WRITE | typeof ACCESS_EXECUTE;

/** The access may be tried again. */
export const FAULT_RESOLVED = 0;
/** Nothing is mapped there: SIGSEGV, SEGV_MAPERR. */
export const FAULT_UNMAPPED = 1;
/** The mapping forbids it: SIGSEGV, SEGV_ACCERR. */
export const FAULT_FORBIDDEN = 2;
/** Behind the end of a mapped file: SIGBUS, BUS_ADRERR. */
export const FAULT_BEYOND_FILE = 3;
/** No frame left. */
export const FAULT_OUT_OF_MEMORY = 4;

/** File pages in the same aligned window of this many bytes are mapped together when they are in memory anyway. */
const FAULT_AROUND = 16 * PAGE_SIZE;

/** Resolves a fault at `address`, or says why not. */
export function handleFault(space: AddressSpace, address: number, access: Access): number {
  if (address >= TASK_SIZE) return FAULT_UNMAPPED;
  const area = space.vmas.find(address) ?? growStack(space, address);
  if (!area) return FAULT_UNMAPPED;
  if (!allows(area.prot, access)) return FAULT_FORBIDDEN;
  try {
    return resolve(space, area, pageFloor(address), access);
  } catch (error) {
    if (error === ENOMEM) return FAULT_OUT_OF_MEMORY;
    throw error;
  }
}

function allows(prot: number, access: Access): boolean {
  if (access === ACCESS_WRITE) return (prot & PROT_WRITE) !== 0;
  if (access === ACCESS_EXECUTE) return (prot & PROT_EXEC) !== 0;
  // x86 has no pages that can be written or executed but not read.
  return (prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) !== 0;
}

function growStack(space: AddressSpace, address: number): Vma | undefined {
  const index = space.vmas.indexAbove(address);
  const above = space.vmas.areas[index];
  if (!above?.growsDown) return undefined;
  const start = pageFloor(address);
  if (above.end - start > space.limits.stack) return undefined;
  const below = space.vmas.areas[index - 1];
  if (below && below.end > start - STACK_GUARD_GAP && below.prot !== 0) return undefined;
  above.start = start;
  return above;
}

function resolve(space: AddressSpace, area: Vma, page: number, access: Access): number {
  const { frames } = space;
  const words = frames.memory.u32;
  const entry = space.table.ensure(page);
  const low = words[entry]!;
  if ((low & PTE_PRESENT) !== 0) return resolvePresent(space, area, entry, page, access);
  if (area.store) return resolveFile(space, area, entry, page, access);
  if (access !== ACCESS_WRITE && (area.prot & PROT_WRITE) === 0) {
    frames.retain(frames.zeroFrame);
    install(space, area, entry, frames.zeroFrame, false);
  } else {
    install(space, area, entry, frames.memory.clear(frameFor(space, entry)), (area.prot & PROT_WRITE) !== 0);
  }
  space.residentPages++;
  return FAULT_RESOLVED;
}

/** The entry is there but did not permit the access: copy on write, or permission that mprotect has given back. */
function resolvePresent(space: AddressSpace, area: Vma, entry: number, page: number, access: Access): number {
  const { frames } = space;
  const words = frames.memory.u32;
  const low = words[entry]!;
  if (access !== ACCESS_WRITE) {
    words[entry] = low | PTE_USER;
    space.engine.flushPage(page);
    return FAULT_RESOLVED;
  }
  if ((low & PTE_WRITE) !== 0) return FAULT_RESOLVED;
  const pfn = low >>> 12;
  if (area.shared || frames.memory.referenceCount(pfn) === 1) {
    words[entry] = low | PTE_WRITE | PTE_DIRTY | PTE_USER;
    space.engine.flushPage(page);
    return FAULT_RESOLVED;
  }
  install(space, area, entry, copyOf(space, entry, pfn), true);
  frames.release(pfn);
  space.engine.flushPage(page);
  return FAULT_RESOLVED;
}

function resolveFile(space: AddressSpace, area: Vma, entry: number, page: number, access: Access): number {
  const { frames } = space;
  const store = area.store!;
  const index = area.storePage + (page - area.start) / PAGE_SIZE;
  if (!store.covers(index)) return FAULT_BEYOND_FILE;
  const pfn = store.page(index);
  const write = access === ACCESS_WRITE;
  if (write && !area.shared) {
    install(space, area, entry, copyOf(space, entry, pfn), true);
    space.residentPages++;
    return FAULT_RESOLVED;
  }
  frames.retain(pfn);
  if (write) store.markDirty(index);
  install(space, area, entry, pfn, write);
  space.residentPages++;
  if (!write) mapAround(space, area, page);
  return FAULT_RESOLVED;
}

/** Maps neighbouring file pages that are in memory, read-only: most programs touch them next. */
function mapAround(space: AddressSpace, area: Vma, page: number): void {
  const { frames } = space;
  const words = frames.memory.u32;
  const store = area.store!;
  const window = page - (page % FAULT_AROUND);
  const from = Math.max(window, area.start);
  const to = Math.min(window + FAULT_AROUND, area.end);
  let entry = space.table.find(from);
  let index = area.storePage + (from - area.start) / PAGE_SIZE;
  for (let at = from; at < to; at += PAGE_SIZE, index++, entry += 2) {
    if ((words[entry]! & PTE_PRESENT) !== 0) continue;
    const pfn = store.cachedPage(index);
    if (pfn === 0 || !store.covers(index)) continue;
    frames.retain(pfn);
    install(space, area, entry, pfn, false);
    space.residentPages++;
  }
}

function install(space: AddressSpace, area: Vma, entry: number, pfn: number, writable: boolean): void {
  const words = space.frames.memory.u32;
  let low = pfn * PAGE_SIZE + PTE_PRESENT + PTE_USER + PTE_ACCESSED;
  if (writable) low += PTE_WRITE + PTE_DIRTY;
  words[entry] = low;
  if ((area.prot & PROT_EXEC) !== 0) {
    words[entry + 1] = 0;
    space.frames.markExecutable(pfn);
  } else {
    words[entry + 1] = PTE_NO_EXECUTE;
  }
}

function copyOf(space: AddressSpace, entry: number, pfn: number): number {
  const { memory, zeroFrame } = space.frames;
  const copy = frameFor(space, entry);
  if (pfn === zeroFrame) return memory.clear(copy);
  memory.copyFrame(pfn, copy);
  return copy;
}

/** A frame with undefined contents for the page of a page-table entry: one that follows its neighbours' where that can be. */
function frameFor({ frames }: AddressSpace, entry: number): number {
  const words = frames.memory.u32;
  const place = (entry >>> 1) % RUN_FRAMES;
  let known = 0;
  for (let other = 0; other < RUN_FRAMES; other++) {
    const low = words[entry + (other - place) * 2]!;
    const run = (low & PTE_PRESENT) === 0 ? 0 : (low >>> 12) - other;
    if (run <= 0 || run === known || run % RUN_FRAMES !== 0) continue;
    known = run;
    const pfn = frames.allocateInRun(run, place);
    if (pfn !== 0) return pfn;
  }
  return frames.allocateInRun(0, place) || frames.allocate();
}
