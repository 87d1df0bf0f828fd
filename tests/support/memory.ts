/** Address spaces without a machine around them. */
import { PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { AddressSpace, type MappingRequest } from "../../kernel/mm/address-space.ts";
import { Frames } from "../../kernel/mm/frames.ts";
import { PAGE_SIZE } from "../../kernel/mm/layout.ts";
import { PageStore, type PageLoader } from "../../kernel/mm/page-store.ts";
import type { MappedFile } from "../../kernel/mm/vma.ts";
import { IdleEngine } from "./idle-engine.ts";

export const READ_WRITE = PROT_READ | PROT_WRITE;

export interface Memory {
  engine: IdleEngine;
  frames: Frames;
  space: AddressSpace;
}

export function newMemory(megabytes = 4): Memory {
  const engine = new IdleEngine(megabytes);
  const frames = new Frames(engine);
  return { engine, frames, space: new AddressSpace(frames, engine) };
}

export const freeFrames = ({ frames }: { frames: Frames }): number => frames.memory.freeFrames;

/** Maps so many private anonymous pages at an address. */
export function mapPages(space: AddressSpace, address: number, pages: number, request: Partial<MappingRequest> = {}) {
  return space.mapFixed(address, { length: pages * PAGE_SIZE, prot: READ_WRITE, ...request });
}

/** A file of bytes for mappings, with the references that areas hold on it counted. */
export class TestFile implements MappedFile {
  readonly store: PageStore;
  readonly path = "/test-file";
  readonly device = 1;
  readonly inode = 2;
  references = 0;
  /** How often the last reference went away. */
  releases = 0;

  constructor(frames: Frames, bytes: Uint8Array) {
    const loader: PageLoader = {
      load(index, store) {
        const pfn = frames.allocateZeroed();
        frames.bytes(pfn).set(bytes.subarray(index * PAGE_SIZE, (index + 1) * PAGE_SIZE));
        store.place(index, pfn);
      },
    };
    this.store = new PageStore(frames, loader);
    this.store.size = bytes.length;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references === 0) this.releases++;
  }
}
