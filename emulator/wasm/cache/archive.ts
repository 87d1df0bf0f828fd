/**
 * Translations of earlier runs and those to keep for later ones, by pages of code: a page is known by its address and a
 * hash of its bytes. Pages that change while they run are not kept.
 */
import { PAGE_SIZE, type PhysicalMemory } from "../../physical-memory.ts";
import { ByteWriter } from "../emit/byte-writer.ts";
import { ByteReader } from "./byte-reader.ts";
import { decodeBody, decodePage, encodeBody, encodePage, type SavedBlock, type SavedRegion } from "./saved-page.ts";
import type { SavedHandler } from "../interpret/handlers.ts";
import type { TranslationStore } from "./translation-store.ts";

const HANDLERS = "handlers";
/** What is kept for one run: more is left for the next. */
const MOST_PAGES = 20_000;

/** What is known of a page. */
export class ArchivedPage {
  readonly key: string;
  readonly blocks: Map<number, SavedBlock>;
  readonly regions: Map<number, SavedRegion>;
  changed = false;
  /** Whether its regions were asked for. */
  visited = false;

  constructor(key: string, blocks: readonly SavedBlock[], regions: readonly SavedRegion[]) {
    this.key = key;
    this.blocks = new Map(blocks.map((block) => [block.address, block]));
    this.regions = new Map(regions.map((region) => [region.address, region]));
  }

  addBlock(block: SavedBlock): void {
    this.blocks.set(block.address, block);
    this.changed = true;
  }

  addRegion(region: SavedRegion): void {
    this.regions.set(region.address, region);
    this.changed = true;
  }
}

export class Archive {
  private readonly ram: PhysicalMemory;
  private readonly store: TranslationStore;
  /** Tells apart what depends on how the engine was made. */
  private readonly prefix: string;
  private readonly pages = new Map<string, ArchivedPage>();
  /** Pages by frame and virtual address, as long as the frame does not change. */
  private readonly frames = new Map<number, Map<number, ArchivedPage | undefined>>();
  private readonly changing = new Set<number>();

  constructor(ram: PhysicalMemory, store: TranslationStore, prefix: string) {
    this.ram = ram;
    this.store = store;
    this.prefix = prefix;
  }

  /** The page of code at a virtual address in a frame; undefined: nothing is kept of it. */
  page(page: number, pfn: number): ArchivedPage | undefined {
    let known = this.frames.get(pfn);
    if (!known) this.frames.set(pfn, (known = new Map()));
    if (known.has(page)) return known.get(page);
    const found = this.changing.has(pfn) || this.pages.size >= MOST_PAGES ? undefined : this.open(page, pfn);
    known.set(page, found);
    return found;
  }

  private open(page: number, pfn: number): ArchivedPage {
    const key = `${this.prefix}-${page.toString(16)}-${hashOf(this.ram.u32, (pfn * PAGE_SIZE) / 4)}`;
    let found = this.pages.get(key);
    if (!found) {
      const saved = this.read(key, decodePage);
      found = new ArchivedPage(key, saved?.blocks ?? [], saved?.regions ?? []);
      this.pages.set(key, found);
    }
    return found;
  }

  /** The bytes of a frame have changed: its code is not worth keeping. */
  forget(pfn: number): void {
    if (!this.frames.delete(pfn)) return;
    this.changing.add(pfn);
  }

  handlers(): SavedHandler[] {
    const decode = (bytes: Uint8Array): SavedHandler[] => {
      const from = new ByteReader(bytes);
      return from.list(() => ({ name: from.name(), touched: from.unsigned(), body: decodeBody(from) }));
    };
    return this.read(`${this.prefix}-${HANDLERS}`, decode) ?? [];
  }

  /** Keeps what is new. @param handlers all of them, or undefined when none is new */
  save(handlers: readonly SavedHandler[] | undefined): void {
    if (handlers) {
      const out = new ByteWriter();
      out.unsigned(handlers.length);
      for (const { name, touched, body } of handlers) {
        out.name(name);
        out.unsigned(touched);
        encodeBody(out, body);
      }
      this.store.put(`${this.prefix}-${HANDLERS}`, sealed(out.bytes));
    }
    for (const page of this.pages.values()) {
      if (!page.changed) continue;
      page.changed = false;
      const content = encodePage({ blocks: [...page.blocks.values()], regions: [...page.regions.values()] });
      this.store.put(page.key, sealed(content));
    }
  }

  /** What the store has under a key; damaged bytes count as none. */
  private read<T>(key: string, decode: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.store.get(key);
    const content = bytes && unsealed(bytes);
    if (!content) return undefined;
    try {
      return decode(content);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

/** Bytes with their checksum in front. */
function sealed(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 4);
  new DataView(out.buffer).setUint32(0, checksum(bytes), true);
  out.set(bytes, 4);
  return out;
}

function unsealed(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 4) return undefined;
  const content = bytes.subarray(4);
  const expected = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return checksum(content) === expected ? content : undefined;
}

/** FNV-1a. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

/** 64 bits over the words of a page, in hexadecimal: two multiplicative hashes that rotate. */
function hashOf(words: Uint32Array, start: number): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = start; i < start + PAGE_SIZE / 4; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b + word, 0x1b873593);
    b = (b << 13) | (b >>> 19);
  }
  a ^= a >>> 16;
  b ^= b >>> 15;
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
