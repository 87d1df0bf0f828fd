/**
 * Windows: pages that follow each other in the address space and in RAM. A region keeps the one that each of its base
 * registers used last at a constant address, its place (region/sites.ts); an access within it needs one comparison.
 *
 * TLB entries remember how far the window around their page reaches, and in which generation: whatever takes a right
 * away from a page, or puts code into it, begins a new generation and empties all places.
 */
import type { Assembler } from "./emit/assembler.ts";
import { I32, I64 } from "./emit/assembler.ts";
import { Memory, W } from "./emit/opcodes.ts";
import { pushTlbEntry } from "./context.ts";
import { AT_GENERATION, AT_RIP, AT_SITES_USED, type Layout } from "./layout.ts";
import { LEAF_ACCESSED, LEAF_WRITTEN, WRITE } from "./page-walk.ts";

/**
 * A place (of SITE_SIZE bytes): address of the window's first byte (8), where that lies in RAM (4), whether the place is
 * in the list of those in use (4), and what `address - start` is at most for accesses of up to some bytes (8 each).
 */
export const SITE_START = 0;
export const SITE_HOST = 8;
export const SITE_USED = 12;
const SITE_BOUNDS = 16;

/** Accesses of at most so many bytes; the aligned ones compare with the distance turned by four bits. */
const CLASSES: readonly { readonly bytes: number; readonly aligned: boolean }[] = [
  { bytes: 8, aligned: false },
  { bytes: 16, aligned: false },
  { bytes: 16, aligned: true },
  { bytes: 64, aligned: false },
  { bytes: 256, aligned: false },
  { bytes: 256, aligned: true },
];

/** Where a place has the largest distance for an access; undefined: there is none for so many bytes. */
export function boundOffset(size: number, aligned: boolean): number | undefined {
  const found = CLASSES.findIndex((each) => size <= each.bytes && each.aligned === aligned);
  return found < 0 ? undefined : SITE_BOUNDS + found * 8;
}

/** A window reaches so far to either side of a page. */
const MOST_PAGES = 64;
/** Windows remembered for reading and for writing, by where in a page table they lie. */
const REMEMBERED = 1024;
const WORDS_APART = MOST_PAGES * 2;

/** Windows around page-table entries, those found last remembered for as long as their generation lasts. */
export class WindowFinder {
  private readonly ram: { readonly u32: Uint32Array; readonly frameCount: number };
  private readonly codeFrames: Uint8Array;
  /** Of each: generation, index of the first entry, of the last one. */
  private readonly known = new Uint32Array(REMEMBERED * 2 * 3);

  constructor(ram: { readonly u32: Uint32Array; readonly frameCount: number }, codeFrames: Uint8Array) {
    this.ram = ram;
    this.codeFrames = codeFrames;
  }

  /** Numbers of generations begin anew. */
  forget(): void {
    this.known.fill(0);
  }

  /** The last word of a TLB entry: see `windowWord`. */
  find(leaf: number, write: boolean, generation: number): number {
    const { known } = this;
    const at = ((Math.floor(leaf / WORDS_APART) % REMEMBERED) * 2 + (write ? 1 : 0)) * 3;
    if (known[at] !== generation || leaf < known[at + 1]! || leaf > known[at + 2]!) {
      const word = windowWord(this.ram, leaf, write, this.codeFrames, generation);
      known[at] = generation;
      known[at + 1] = leaf - (word & 0xff) * 2;
      known[at + 2] = leaf + ((word >>> 8) & 0xff) * 2;
      return word;
    }
    const before = Math.min((leaf - known[at + 1]!) / 2, MOST_PAGES);
    const behind = Math.min((known[at + 2]! - leaf) / 2, MOST_PAGES);
    return before | (behind << 8) | (generation << 16);
  }
}

/**
 * The last word of a TLB entry: how many pages before and behind that of the page-table entry at index `leaf` belong to its
 * window, and the generation. Only entries that the walker would let pass without a change count.
 */
function windowWord(
  { u32, frameCount }: { readonly u32: Uint32Array; readonly frameCount: number },
  leaf: number,
  write: boolean,
  codeFrames: Uint8Array,
  generation: number,
): number {
  const wanted = write ? LEAF_WRITTEN : LEAF_ACCESSED;
  const reach = (step: number, most: number): number => {
    let pfn = u32[leaf]! >>> 12;
    let count = 0;
    for (let slot = leaf + step * 2; count < most; count++, slot += step * 2) {
      pfn += step;
      const low = u32[slot]!;
      if ((low & wanted) !== wanted || low >>> 12 !== pfn || (u32[slot + 1]! & 0xfffff) !== 0) break;
      if (pfn >= frameCount || (write && codeFrames[pfn] !== 0)) break;
    }
    return count;
  };
  const number = (leaf & 1023) >> 1;
  const before = reach(-1, Math.min(number, MOST_PAGES));
  const behind = reach(1, Math.min(511 - number, MOST_PAGES));
  return before | (behind << 8) | (generation << 16);
}

/** In a function of (address, rip, size, …): the complement of what the host's `accessBy` answers. */
export function writeSlowAccess(e: Assembler, accessBy: number, how: number, pushSize: () => void): void {
  const [address, rip] = [0, 1];
  e.storeLocalAt(Memory.i64_store, AT_RIP, rip);
  e.get(address).wrap().get(address).i64(32).op(W.i64_shr_u).wrap();
  pushSize();
  e.i32(how).call(accessBy).i32(-1).op(W.i32_xor);
}

/**
 * The body of `readAt` and its like (runtime/signatures.ts): gives a place the window of an address, from the TLB or else
 * by the host, which puts it there.
 */
export function writeAccessAt(e: Assembler, layout: Layout, accessBy: number, how: number): void {
  const [address, size, place] = [0, 2, 3];
  const tlb = (how & WRITE) === 0 ? layout.readTlb : layout.writeTlb;
  const [entry, window, before, bytes] = [e.local(I32), e.local(I32), e.local(I32), e.local(I32)];
  const distance = e.local(I64);
  const pushEntryKnown = (): void => {
    e.get(address).get(entry).memory(Memory.i64_load, tlb).op(W.i64_sub).i64(4096).op(W.i64_lt_u);
    e.get(entry)
      .memory(Memory.i32_load, tlb + 12)
      .tee(window)
      .i32(16)
      .op(W.i32_shr_u);
    e.loadAt(Memory.i32_load, AT_GENERATION).op(W.i32_eq, W.i32_and);
  };
  const pushPlaceHost = (): void => {
    e.get(place).memory(Memory.i32_load, SITE_HOST).get(distance).wrap().op(W.i32_add);
    e.i32(-1).op(W.i32_xor);
  };
  // The test was for the bytes of a class, which may be more.
  e.get(address).get(place).memory(Memory.i64_load, SITE_START).op(W.i64_sub).tee(distance);
  e.get(place).memory(Memory.i64_load, SITE_BOUNDS).op(W.i64_le_u);
  e.get(distance).get(size).extend().op(W.i64_add);
  e.get(place).memory(Memory.i64_load, SITE_BOUNDS).i64(CLASSES[0]!.bytes).op(W.i64_add, W.i64_le_u, W.i32_and);
  e.if();
  pushPlaceHost();
  e.return();
  e.end();
  pushTlbEntry(e, address, entry);
  pushEntryKnown();
  e.op(W.i32_eqz);
  e.if();
  // The window may have all of the bytes even if the page does not.
  writeSlowAccess(e, accessBy, how, () => e.i32(1));
  e.op(W.i32_eqz);
  e.if();
  e.i32(0).return();
  e.end();
  e.get(entry)
    .memory(Memory.i32_load, tlb + 12)
    .set(window);
  e.end();

  writeUse(e, layout, place);
  e.get(window).i32(0xff).op(W.i32_and).i32(12).op(W.i32_shl).set(before);
  e.get(window).i32(8).op(W.i32_shr_u).i32(0xff).op(W.i32_and).i32(12).op(W.i32_shl);
  e.get(before).op(W.i32_add).i32(4096).op(W.i32_add).set(bytes);
  e.get(place).get(entry).memory(Memory.i64_load, tlb).get(before).extend().op(W.i64_sub);
  e.memory(Memory.i64_store, SITE_START);
  e.get(place)
    .get(entry)
    .memory(Memory.i32_load, tlb + 8)
    .get(before)
    .op(W.i32_sub)
    .memory(Memory.i32_store, SITE_HOST);
  CLASSES.forEach((each, i) => {
    e.get(place).get(bytes).i32(each.bytes).op(W.i32_sub);
    if (each.aligned) e.i32(4).op(W.i32_shr_u);
    e.extend().memory(Memory.i64_store, SITE_BOUNDS + i * 8);
  });

  e.get(address).get(place).memory(Memory.i64_load, SITE_START).op(W.i64_sub).tee(distance);
  e.get(bytes).get(size).op(W.i32_sub).extend().op(W.i64_gt_u);
  e.if();
  writeSlowAccess(e, accessBy, how, () => e.get(size));
  e.return();
  e.end();
  pushPlaceHost();
}

/** Puts a place into the list of those in use. */
function writeUse(e: Assembler, layout: Layout, place: number): void {
  e.get(place).memory(Memory.i32_load, SITE_USED).op(W.i32_eqz);
  e.if();
  e.loadAt(Memory.i32_load, AT_SITES_USED).i32(2).op(W.i32_shl).get(place).memory(Memory.i32_store, layout.usedSites);
  e.i32(0).loadAt(Memory.i32_load, AT_SITES_USED).i32(1).op(W.i32_add).memory(Memory.i32_store, AT_SITES_USED);
  e.get(place).i32(1).memory(Memory.i32_store, SITE_USED);
  e.end();
}
