/**
 * Translations by the frame their code lies in. A region whose frame was written to is not thrown away: when it is
 * asked for again and its bytes are the same, it is valid again. That makes data beside code and reused page-cache
 * frames cheap.
 */
import { PAGE_SIZE } from "../physical-memory.ts";

export interface Region {
  /** Index in the base module's table. */
  readonly slot: number;
  /** Block numbers by virtual address. */
  readonly entries: ReadonlyMap<number, number>;
  readonly pfn: number;
  /** Frame of the bytes behind the page border, 0 when there are none. */
  readonly secondPfn: number;
  /** Virtual address of the first page. */
  readonly page: number;
  /** The code: virtual address and bytes of each piece. */
  readonly pieces: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  valid: boolean;
}

interface Frame {
  readonly entries: Map<number, Region>;
  readonly regions: Set<Region>;
}

export class CodeCache {
  private readonly frames = new Map<number, Frame>();
  private readonly u8: Uint8Array;
  size = 0;

  constructor(u8: Uint8Array) {
    this.u8 = u8;
  }

  /** The region with an entry at a virtual address in a frame, if its bytes still are what was translated. */
  find(address: number, pfn: number): Region | undefined {
    const region = this.frames.get(pfn)?.entries.get(address);
    if (!region) return undefined;
    if (!region.valid && !this.unchanged(region)) {
      this.remove(region);
      return undefined;
    }
    return region;
  }

  add(region: Region): void {
    for (const pfn of [region.pfn, region.secondPfn]) {
      if (pfn === 0) continue;
      const frame = this.frame(pfn);
      frame.regions.add(region);
      if (pfn === region.pfn) {
        for (const address of region.entries.keys()) {
          // The newer region knows as much; the older one stays for its other entries.
          frame.entries.set(address, region);
        }
      }
    }
    this.size++;
  }

  /** Marks what was translated from a frame as doubtful. True when there was anything. */
  invalidate(pfn: number): boolean {
    const frame = this.frames.get(pfn);
    if (!frame) return false;
    for (const region of frame.regions) region.valid = false;
    return frame.regions.size > 0;
  }

  /** Called with the table slot of every region that goes. */
  onRemove: (slot: number) => void = () => {};

  private remove(region: Region): void {
    for (const pfn of [region.pfn, region.secondPfn]) {
      const frame = this.frames.get(pfn);
      if (!frame?.regions.delete(region)) continue;
      for (const address of region.entries.keys()) {
        if (frame.entries.get(address) === region) frame.entries.delete(address);
      }
    }
    this.size--;
    this.onRemove(region.slot);
  }

  private unchanged({ pieces, page, pfn, secondPfn }: Region): boolean {
    return pieces.every(({ address, bytes }) => {
      for (let i = 0; i < bytes.length; i++) {
        const offset = address + i - page;
        const host = offset < PAGE_SIZE ? pfn * PAGE_SIZE + offset : secondPfn * PAGE_SIZE + offset - PAGE_SIZE;
        if (this.u8[host] !== bytes[i]) return false;
      }
      return true;
    });
  }

  private frame(pfn: number): Frame {
    let frame = this.frames.get(pfn);
    if (!frame) this.frames.set(pfn, (frame = { entries: new Map(), regions: new Set() }));
    return frame;
  }
}
