/**
 * Translations by the frame their code lies in: blocks of the interpreter and compiled regions alike. A translation
 * whose frame was written to is not thrown away: when it is asked for again and its bytes are the same, it is valid
 * again. That makes data beside code and reused page-cache frames cheap.
 */
import { PAGE_SIZE } from "../physical-memory.ts";

/** Code that was translated: bytes at a virtual address, within one page. */
export interface Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The frame they lay in. */
  readonly pfn: number;
}

export interface Translation {
  /** Index in the base module's table. */
  readonly slot: number;
  /** What its function is called with, by virtual address. */
  readonly entries: ReadonlyMap<number, number>;
  readonly pieces: readonly Piece[];
  /** Frames of the pages the pieces lie in, by virtual address. */
  readonly pages: ReadonlyMap<number, number>;
  readonly compiled: boolean;
  valid: boolean;
}

interface Frame {
  readonly entries: Map<number, Translation>;
  readonly translations: Set<Translation>;
}

export const pageOf = (address: number): number => address - (address % PAGE_SIZE);

export class CodeCache {
  private readonly frames = new Map<number, Frame>();
  private readonly u8: Uint8Array;

  constructor(u8: Uint8Array) {
    this.u8 = u8;
  }

  /** The translation with an entry at a virtual address in a frame, if its bytes still are what was translated. */
  find(address: number, pfn: number): Translation | undefined {
    const translation = this.frames.get(pfn)?.entries.get(address);
    if (!translation) return undefined;
    if (!translation.valid && !this.isUnchanged(translation)) {
      this.remove(translation);
      return undefined;
    }
    return translation;
  }

  /** Newer translations take the entries they share with older ones. */
  add(translation: Translation): void {
    for (const pfn of translation.pages.values()) this.frame(pfn).translations.add(translation);
    for (const address of translation.entries.keys()) {
      this.frame(translation.pages.get(pageOf(address))!).entries.set(address, translation);
    }
  }

  remove(translation: Translation): void {
    for (const pfn of translation.pages.values()) this.frames.get(pfn)?.translations.delete(translation);
    for (const address of translation.entries.keys()) {
      const frame = this.frames.get(translation.pages.get(pageOf(address))!);
      if (frame?.entries.get(address) === translation) frame.entries.delete(address);
    }
    if (translation.compiled) this.onRemove(translation);
  }

  /** Marks what was translated from a frame as doubtful. True when there was anything. */
  invalidate(pfn: number): boolean {
    const frame = this.frames.get(pfn);
    if (!frame) return false;
    for (const translation of frame.translations) translation.valid = false;
    return frame.translations.size > 0;
  }

  /** Forgets all blocks of the interpreter. */
  forgetBlocks(): void {
    for (const [pfn, { translations }] of this.frames) {
      for (const translation of translations) if (!translation.compiled) this.remove(translation);
      if (translations.size === 0) this.frames.delete(pfn);
    }
  }

  /** Called with every compiled region that goes. */
  onRemove: (region: Translation) => void = () => {};

  /** Whether a translation's code is in memory as it was. */
  isUnchanged({ pieces }: Translation): boolean {
    return pieces.every(({ address, bytes, pfn }) => {
      const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
      for (let i = 0; i < bytes.length; i++) if (this.u8[host + i] !== bytes[i]) return false;
      return true;
    });
  }

  private frame(pfn: number): Frame {
    let frame = this.frames.get(pfn);
    if (!frame) this.frames.set(pfn, (frame = { entries: new Map(), translations: new Set() }));
    return frame;
  }
}

/** The pages of some pieces, with their frames. */
export function pagesOf(pieces: readonly Piece[]): Map<number, number> {
  const pages = new Map<number, number>();
  for (const { address, pfn } of pieces) pages.set(pageOf(address), pfn);
  return pages;
}
