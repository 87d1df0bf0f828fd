/** What the wasm engine's caches hold, counted. They are its own affair: nobody but the soak looks at them. */
import type { InspectableEngine } from "../../emulator/wasm/wasm-engine.ts";

interface Translations {
  readonly frames: ReadonlyMap<
    number,
    { readonly entries: ReadonlyMap<number, unknown>; readonly translations: ReadonlySet<unknown> }
  >;
}

/** The private part of Translator that is counted. */
interface Insides {
  readonly regions: ReadonlySet<unknown>;
  readonly cache: Translations;
  readonly table: { readonly table: WebAssembly.Table };
  readonly innerBlocks: ReadonlySet<number>;
  readonly usedEntries: readonly number[];
}

export interface EngineCensus {
  /** Compiled regions that can be used, and all that were ever made. */
  readonly regions: number;
  readonly regionsMade: number;
  /** Translations of both kinds that the cache knows. */
  readonly translations: number;
  readonly codeFrames: number;
  readonly table: number;
  readonly innerBlocks: number;
  readonly jumpEntries: number;
  readonly refused: number;
}

export function engineCensus({ translator }: InspectableEngine): EngineCensus {
  const { regions, cache, table, innerBlocks, usedEntries } = translator as unknown as Insides;
  let translations = 0;
  for (const frame of cache.frames.values()) translations += frame.translations.size;
  return {
    regions: regions.size,
    regionsMade: translator.statistics.regions,
    translations,
    codeFrames: cache.frames.size,
    table: table.table.length,
    innerBlocks: innerBlocks.size,
    jumpEntries: usedEntries.length,
    refused: translator.statistics.refused,
  };
}
