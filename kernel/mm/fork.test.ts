/** The child's copy of an address space. */
import { describe, expect, it } from "vitest";
import { ENOMEM } from "../../abi/errno.ts";
import { PROT_READ } from "../../abi/mman.ts";
import { freeFrames, mapPages, newMemory, TestFile } from "../../tests/support/memory.ts";
import { AddressSpace } from "./address-space.ts";
import { forkAddressSpace } from "./fork.ts";
import { PAGE_SIZE } from "./layout.ts";
import { PageStore } from "./page-store.ts";
import { copyToUser, readU8 } from "./user-copy.ts";

const BASE = 0x10000000;
const bytes = (value: number): Uint8Array => Uint8Array.of(value);

describe("fork", () => {
  it("shares frames until one side writes, in either direction", () => {
    const memory = newMemory();
    const parent = memory.space;
    mapPages(parent, BASE, 3);
    for (let page = 0; page < 3; page++) copyToUser(parent, BASE + page * PAGE_SIZE, bytes(page + 1));
    const child = forkAddressSpace(parent);
    const before = freeFrames(memory);
    copyToUser(child, BASE, bytes(11));
    copyToUser(parent, BASE + PAGE_SIZE, bytes(22));
    expect(before - freeFrames(memory)).toBe(2);
    const seen = (space: typeof parent): number[] => [0, 1, 2].map((page) => readU8(space, BASE + page * PAGE_SIZE));
    expect(seen(parent)).toEqual([1, 22, 3]);
    expect(seen(child)).toEqual([11, 2, 3]);
    child.dispose();
    // The last owner writes in place.
    const free = freeFrames(memory);
    copyToUser(parent, BASE + 2 * PAGE_SIZE, bytes(33));
    expect(freeFrames(memory)).toBe(free);
  });

  it("keeps shared memory shared", () => {
    const { space: parent, frames } = newMemory();
    const store = new PageStore(frames);
    store.size = PAGE_SIZE;
    mapPages(parent, BASE, 1, { shared: true, store });
    copyToUser(parent, BASE, bytes(1));
    const child = forkAddressSpace(parent);
    copyToUser(child, BASE, bytes(2));
    expect(readU8(parent, BASE)).toBe(2);
  });

  it("leaves out MADV_DONTFORK and empties MADV_WIPEONFORK", () => {
    const { space: parent } = newMemory();
    mapPages(parent, BASE, 1);
    mapPages(parent, BASE + 0x10000, 1);
    copyToUser(parent, BASE + 0x10000, bytes(5));
    parent.vmas.find(BASE)!.dontFork = true;
    parent.vmas.find(BASE + 0x10000)!.wipeOnFork = true;
    const child = forkAddressSpace(parent);
    expect(child.vmas.areas.map(({ start }) => start)).toEqual([BASE + 0x10000]);
    expect(readU8(child, BASE + 0x10000)).toBe(0);
  });

  it("of a family of spaces gives every frame back, whoever goes first", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const memory = newMemory();
      const file = new TestFile(memory.frames, new Uint8Array(4 * PAGE_SIZE).fill(1));
      memory.space.dispose();
      const before = freeFrames(memory);
      const first = newSpaceWithFile(memory, file);
      const second = forkAddressSpace(first);
      copyToUser(second, BASE, bytes(2));
      const third = forkAddressSpace(second);
      copyToUser(third, BASE, bytes(3));
      const spaces = [first, second, third];
      for (const index of order) spaces[index]!.dispose();
      file.store.dispose();
      expect(freeFrames(memory)).toBe(before);
      expect(file.references).toBe(0);
      expect(file.store.mappers.size).toBe(0);
    }
  });

  it("without memory for its tables gives ENOMEM and everything back, wherever it fails", () => {
    const memory = newMemory();
    const parent = memory.space;
    // Areas that need many tables, and a file.
    const file = new TestFile(memory.frames, new Uint8Array(PAGE_SIZE));
    for (let index = 0; index < 12; index++) {
      mapPages(parent, BASE + index * 0x200000, 1);
      copyToUser(parent, BASE + index * 0x200000, bytes(index));
    }
    mapPages(parent, BASE + 0x100000, 1, { prot: PROT_READ, store: file.store, file });
    const total = freeFrames(memory);
    let failures = 0;
    for (let room = 0; ; room++) {
      const hog: number[] = [];
      while (freeFrames(memory) > room) hog.push(memory.frames.allocate());
      let child = null;
      try {
        child = forkAddressSpace(parent);
      } catch (error) {
        expect(error).toBe(ENOMEM);
        failures++;
      }
      child?.dispose();
      expect(freeFrames(memory)).toBe(room);
      for (const pfn of hog) memory.frames.release(pfn);
      if (child) break;
    }
    expect(failures).toBeGreaterThan(12);
    expect(freeFrames(memory)).toBe(total);
    expect(file.references).toBe(1);
    expect(readU8(parent, BASE + 11 * 0x200000)).toBe(11);
  });
});

function newSpaceWithFile({ frames, engine }: ReturnType<typeof newMemory>, file: TestFile) {
  const space = new AddressSpace(frames, engine);
  mapPages(space, BASE, 4, { store: file.store, file });
  copyToUser(space, BASE + PAGE_SIZE, bytes(1));
  readU8(space, BASE + 3 * PAGE_SIZE);
  return space;
}
