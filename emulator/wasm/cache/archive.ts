/**
 * Translations of earlier runs and those to keep for later ones, by pages of code: a page is known by its address and a
 * hash of its bytes. Pages that change while they run are not kept.
 */
import { PAGE_SIZE } from "../../physical-memory.ts";
import { ByteWriter } from "../emit/byte-writer.ts";
import { ByteReader } from "./byte-reader.ts";
import {
  decodeBody,
  decodeNames,
  decodePage,
  encodeBody,
  encodeNames,
  encodePage,
  type SavedBlock,
  type SavedRegion,
} from "./saved-page.ts";
import type { SavedHandler } from "../interpret/handlers.ts";
import type { Layout } from "../layout.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { hostNaNsAreX86 } from "../runtime/host-nans.ts";
import { putSealed, readSealed } from "./sealed.ts";
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
  private readonly hashPage: (address: number) => bigint;
  private readonly store: TranslationStore;
  /** Tells apart what depends on how the engine was made. */
  private readonly prefix: string;
  private readonly pages = new Map<string, ArchivedPage>();
  /** Pages by frame and virtual address, as long as the frame does not change. */
  private readonly frames = new Map<number, Map<number, ArchivedPage | undefined>>();
  private readonly changing = new Set<number>();

  /** @param hashPage a hash of the page at an address in RAM */
  constructor(hashPage: (address: number) => bigint, store: TranslationStore, prefix: string) {
    this.hashPage = hashPage;
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
    const hash = BigInt.asUintN(64, this.hashPage(pfn * PAGE_SIZE));
    const key = `${this.prefix}-${page.toString(16)}-${hash.toString(16).padStart(16, "0")}`;
    let found = this.pages.get(key);
    if (!found) {
      const saved = readSealed(this.store, key, decodePage);
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

  /** Keeps what is new. @param handlers all of them, or undefined when none is new */
  save(handlers: readonly SavedHandler[] | undefined): void {
    if (handlers) {
      const out = new ByteWriter();
      encodeNames(
        out,
        handlers.map(({ name }) => name),
      );
      for (const { touched, body } of handlers) {
        out.unsigned(touched);
        encodeBody(out, body);
      }
      putSealed(this.store, `${this.prefix}-${HANDLERS}`, out.bytes);
    }
    for (const page of this.pages.values()) {
      if (!page.changed) continue;
      page.changed = false;
      const content = encodePage({ blocks: [...page.blocks.values()], regions: [...page.regions.values()] });
      putSealed(this.store, page.key, content);
    }
  }
}

/** The handlers that a store has. */
export function readHandlers(
  store: Pick<TranslationStore, "get"> | undefined,
  prefix: string,
): SavedHandler[] | undefined {
  return readSealed(store, `${prefix}-${HANDLERS}`, (bytes) => {
    const from = new ByteReader(bytes);
    return decodeNames(from).map((name) => ({ name, touched: from.unsigned(), body: decodeBody(from) }));
  });
}

/** What translations depend on besides the guest's code. */
interface EngineTraits {
  readonly model: CpuModel;
  readonly countInstructions: boolean;
  readonly strictFloat: boolean;
}

/** What keys begin with: translations fit an engine that keeps its tables in the same place and was made with the same options. */
export function keyPrefix(
  { readTlb, jumpEntries }: Layout,
  { model, countInstructions, strictFloat }: EngineTraits,
): string {
  const traits = [countInstructions && "counted", strictFloat && "strict", !hostNaNsAreX86() && "nan"];
  return [model, readTlb, jumpEntries, ...traits.filter(Boolean)].join("-");
}
