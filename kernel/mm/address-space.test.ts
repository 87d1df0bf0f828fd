/** mmap, munmap, mprotect, mremap and brk on one address space; frames are counted before and after. */
import { describe, expect, it } from "vitest";
import type { Errno } from "../../abi/errno.ts";
import { EACCES, EEXIST, EFAULT, EINVAL, ENOMEM } from "../../abi/errno.ts";
import { PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { freeFrames, mapPages, newMemory, READ_WRITE, TestFile } from "../../tests/support/memory.ts";
import { Random } from "../../tests/support/random.ts";
import { AddressSpace } from "./address-space.ts";
import { forkAddressSpace } from "./fork.ts";
import { MMAP_BASE, PAGE_SIZE, TASK_SIZE } from "./layout.ts";
import { copyToUser, readU8 } from "./user-copy.ts";

const BASE = 0x10000000;
const at = (page: number): number => BASE + page * PAGE_SIZE;

const poke = (space: AddressSpace, address: number, value: number): void =>
  copyToUser(space, address, Uint8Array.of(value));

const shape = (space: AddressSpace): string =>
  space.vmas.areas.map(({ start, end, prot }) => `${(start - BASE) / 4096}+${(end - start) / 4096}:${prot}`).join(" ");

/** Runs `use` in a new space and expects every frame back once that is gone. */
function withoutLeaks(use: (space: AddressSpace, memory: ReturnType<typeof newMemory>) => void): void {
  const memory = newMemory();
  memory.space.dispose();
  const before = freeFrames(memory);
  const space = new AddressSpace(memory.frames, memory.engine);
  use(space, memory);
  space.dispose();
  expect(freeFrames(memory)).toBe(before);
  expect(space.residentPages).toBe(0);
}

describe("mapping", () => {
  it("takes no frame before a page is touched", () =>
    withoutLeaks((space, memory) => {
      const before = freeFrames(memory);
      mapPages(space, BASE, 100);
      expect(freeFrames(memory)).toBe(before);
      poke(space, at(3), 1);
      expect(space.residentPages).toBe(1);
    }));

  it("at a fixed place replaces what was there", () =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 4);
      poke(space, at(1), 7);
      mapPages(space, at(1), 2, { prot: PROT_READ });
      expect(shape(space)).toBe("0+1:3 1+2:1 3+1:3");
      expect(readU8(space, at(1))).toBe(0);
    }));

  it("goes downwards from the top when there is no wish, and to the wish when it is free", () =>
    withoutLeaks((space) => {
      const request = { length: 2 * PAGE_SIZE, prot: READ_WRITE };
      expect(space.map(0, request)).toBe(MMAP_BASE - 2 * PAGE_SIZE);
      expect(space.map(0, request)).toBe(MMAP_BASE - 4 * PAGE_SIZE);
      expect(space.map(BASE, request)).toBe(BASE);
      expect(space.map(BASE, request)).toBe(MMAP_BASE - 6 * PAGE_SIZE);
    }));

  it("reuses a hole that is large enough", () =>
    withoutLeaks((space) => {
      const [first, second] = [1, 2, 3].map(() => space.map(0, { length: PAGE_SIZE * 4, prot: PROT_READ }));
      space.unmap(second!, PAGE_SIZE * 4);
      expect(space.map(0, { length: PAGE_SIZE * 5, prot: PROT_READ })).toBeLessThan(second! - PAGE_SIZE * 5);
      expect(space.map(0, { length: PAGE_SIZE * 4, prot: PROT_READ })).toBe(second);
      expect(first).toBe(MMAP_BASE - 4 * PAGE_SIZE);
    }));

  it.each([1, 2, 3])("always takes the highest room there is (seed %i)", (seed) =>
    withoutLeaks((space) => {
      const random = new Random(seed);
      for (let step = 0; step < 2000; step++) {
        const { areas } = space.vmas;
        if (areas.length > 0 && random.chance(3)) {
          const area = random.pick(areas);
          const pages = (area.end - area.start) / PAGE_SIZE;
          const from = random.below(pages);
          space.unmap(area.start + from * PAGE_SIZE, random.between(1, pages - from) * PAGE_SIZE);
        } else {
          const length = random.between(1, 9) * PAGE_SIZE;
          const expected = highestRoom(space, length);
          expect(space.map(0, { length, prot: random.pick([PROT_READ, READ_WRITE]) })).toBe(expected);
        }
      }
    }),
  );

  it("below 4 GiB stays there", () =>
    withoutLeaks((space) => {
      expect(space.map(0, { length: PAGE_SIZE, prot: PROT_READ }, true)).toBeLessThan(0x80000000);
    }));
});

/** The address of the highest free range, by looking at every gap. */
function highestRoom(space: AddressSpace, length: number): number {
  let ceiling = MMAP_BASE;
  for (const { start, end } of [...space.vmas.areas].reverse()) {
    if (ceiling - end >= length) break;
    ceiling = start;
  }
  return ceiling - length;
}

const READ = { length: PAGE_SIZE, prot: PROT_READ };
const errors: readonly (readonly [string, (space: AddressSpace) => unknown, Errno])[] = [
  ["a fixed place inside a page", (space) => space.mapFixed(BASE + 1, READ), EINVAL],
  ["a fixed place that ends beyond user space", (space) => space.mapFixed(TASK_SIZE, READ), ENOMEM],
  ["a length beyond user space", (space) => space.map(0, { ...READ, length: TASK_SIZE + 1 }), ENOMEM],
  ["a length that fills user space", (space) => space.map(0, { ...READ, length: TASK_SIZE }), ENOMEM],
  ["no replacing where something is", (space) => space.mapNoReplace(at(0), READ), EEXIST],
  ["more writable memory than there is", (space) => space.map(0, { length: 8 << 20, prot: READ_WRITE }), ENOMEM],
  ["mprotect over a hole", (space) => space.protect(at(0), 3 * PAGE_SIZE, PROT_READ), ENOMEM],
  ["mprotect beyond what is allowed", (space) => space.protect(at(8), PAGE_SIZE, PROT_WRITE), EACCES],
  ["mremap of nothing", (space) => space.remap(at(2), PAGE_SIZE, PAGE_SIZE, true), EFAULT],
  ["mremap over the end of an area", (space) => space.remap(at(0), 3 * PAGE_SIZE, PAGE_SIZE, true), EFAULT],
  ["growing into a neighbour without moving", (space) => space.remap(at(0), 4096, 2 * 4096, false), ENOMEM],
];

describe("errors", () => {
  it.each(errors)("%s", (_, act, errno) =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 2);
      mapPages(space, at(4), 1);
      mapPages(space, at(8), 1, { prot: PROT_READ, maxProt: PROT_READ });
      const before = shape(space);
      expect(() => act(space)).toThrow(errno);
      expect(shape(space)).toBe(before);
    }),
  );

  it("an address-space limit gives ENOMEM", () =>
    withoutLeaks((space) => {
      space.limits.addressSpace = 4 * PAGE_SIZE;
      mapPages(space, BASE, 4);
      expect(() => space.map(0, READ)).toThrow(ENOMEM);
      expect(() => space.remap(BASE, 4 * PAGE_SIZE, 5 * PAGE_SIZE, true)).toThrow(ENOMEM);
    }));

  it("one area more than 65530 gives ENOMEM, made by mmap or cut by munmap and mprotect", () =>
    withoutLeaks((space) => {
      for (let index = 0; index < 65527; index++) space.mapFixed(at(index * 2), READ);
      space.mapFixed(at(200000), { length: 9 * PAGE_SIZE, prot: PROT_READ });
      // Cutting out of the middle makes two of one, protecting the middle makes three.
      expect(space.vmas.areas.length).toBe(65528);
      space.protect(at(200001), PAGE_SIZE, PROT_NONE);
      expect(space.vmas.areas.length).toBe(65530);
      expect(() => space.mapFixed(at(300000), READ)).toThrow(ENOMEM);
      expect(() => space.protect(at(200004), PAGE_SIZE, PROT_NONE)).toThrow(ENOMEM);
      expect(() => space.unmap(at(200004), PAGE_SIZE)).toThrow(ENOMEM);
      expect(space.vmas.areas.length).toBe(65530);
    }));
});

describe("unmapping", () => {
  it("cuts areas and gives frames and tables back", () => {
    const memory = newMemory();
    const { space } = memory;
    const before = freeFrames(memory);
    // Two whole tables and a bit on either side.
    const start = 0x10200000 - 2 * PAGE_SIZE;
    space.mapFixed(start, { length: 4 + (2 << 21), prot: READ_WRITE, noReserve: true });
    for (let offset = 0; offset < 2 << 21; offset += 64 * PAGE_SIZE) poke(space, start + offset, 1);
    space.unmap(0x10000000, 8 << 21);
    // Three levels stay for the next mapping near; the last-level tables are gone.
    expect(before - freeFrames(memory)).toBeLessThanOrEqual(2);
    expect(space.vmas.areas).toEqual([]);
  });

  it("of nothing is no error", () => withoutLeaks((space) => space.unmap(BASE, PAGE_SIZE)));

  it("lets the file go when its last area is gone", () =>
    withoutLeaks((space, { frames }) => {
      const file = new TestFile(frames, new Uint8Array(3 * PAGE_SIZE).fill(9));
      mapPages(space, BASE, 3, { store: file.store, file });
      space.unmap(at(1), PAGE_SIZE);
      expect(file.references).toBe(2);
      expect(file.store.mappers.size).toBe(1);
      space.unmap(BASE, 3 * PAGE_SIZE);
      expect(file.references).toBe(0);
      expect(file.store.mappers.size).toBe(0);
      file.store.dispose();
    }));
});

describe("protection", () => {
  it("is changed for pages that are there and for those that come later", () =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 2);
      poke(space, at(0), 5);
      space.protect(BASE, 2 * PAGE_SIZE, PROT_READ);
      expect(() => poke(space, at(0), 6)).toThrow(EFAULT);
      expect(() => poke(space, at(1), 6)).toThrow(EFAULT);
      space.protect(BASE, 2 * PAGE_SIZE, PROT_NONE);
      expect(() => readU8(space, at(0))).toThrow(EFAULT);
      space.protect(BASE, 2 * PAGE_SIZE, READ_WRITE);
      expect(readU8(space, at(0))).toBe(5);
      poke(space, at(0), 6);
      expect(readU8(space, at(0))).toBe(6);
    }));

  it("that is given back joins the areas again", () =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 5);
      space.protect(at(2), PAGE_SIZE, PROT_READ | PROT_EXEC);
      expect(shape(space)).toBe("0+2:3 2+1:5 3+2:3");
      space.protect(at(2), PAGE_SIZE, READ_WRITE);
      expect(shape(space)).toBe("0+5:3");
    }));
});

describe("mremap", () => {
  it("shrinks in place", () =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 4);
      expect(space.remap(BASE, 4 * PAGE_SIZE, PAGE_SIZE, false)).toBe(BASE);
      expect(shape(space)).toBe("0+1:3");
    }));

  it("grows in place where there is room, else moves with the contents", () =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 2);
      expect(space.remap(BASE, 2 * PAGE_SIZE, 3 * PAGE_SIZE, false)).toBe(BASE);
      poke(space, at(2), 42);
      mapPages(space, at(3), 1);
      space.protect(at(3), PAGE_SIZE, PROT_READ);
      const moved = space.remap(BASE, 3 * PAGE_SIZE, 4 * PAGE_SIZE, true);
      expect(moved).toBe(MMAP_BASE - 4 * PAGE_SIZE);
      expect(readU8(space, moved + 2 * PAGE_SIZE)).toBe(42);
      expect(readU8(space, moved + 3 * PAGE_SIZE)).toBe(0);
      expect(() => readU8(space, BASE)).toThrow(EFAULT);
    }));

  it("moves a part of an area onto another part of it", () =>
    withoutLeaks((space) => {
      mapPages(space, BASE, 8);
      for (let page = 0; page < 8; page++) poke(space, at(page), page + 1);
      space.remap(at(5), 2 * PAGE_SIZE, 2 * PAGE_SIZE, true, at(1));
      const seen = [0, 1, 2, 3, 4, 7].map((page) => readU8(space, at(page)));
      expect(seen).toEqual([1, 6, 7, 4, 5, 8]);
      expect(() => readU8(space, at(5))).toThrow(EFAULT);
    }));

  it("of a file's part shows the same part at the new place", () =>
    withoutLeaks((space, { frames }) => {
      const bytes = Uint8Array.from({ length: 6 * PAGE_SIZE }, (_, index) => Math.floor(index / PAGE_SIZE));
      const file = new TestFile(frames, bytes);
      mapPages(space, BASE, 6, { store: file.store, file, prot: PROT_READ });
      const moved = space.remap(at(3), 2 * PAGE_SIZE, 2 * PAGE_SIZE, true, at(20));
      expect([moved, readU8(space, at(20)), readU8(space, at(21))]).toEqual([at(20), 3, 4]);
      space.unmap(BASE, 64 * PAGE_SIZE);
      expect(file.references).toBe(0);
      expect(file.releases).toBe(1);
      file.store.dispose();
    }));

  it("without memory for its tables gives ENOMEM and moves nothing", () =>
    withoutLeaks((space, memory) => {
      space.mapFixed(BASE, { length: 6 << 20, prot: READ_WRITE, noReserve: true });
      for (const offset of [0, 2 << 20, 4 << 20]) poke(space, BASE + offset, 1 + (offset >> 21));
      const hog: number[] = [];
      while (freeFrames(memory) > 1) hog.push(memory.frames.allocate());
      expect(() => space.remap(BASE, 6 << 20, 6 << 20, true, 0x30000000)).toThrow(ENOMEM);
      expect([0, 2 << 20, 4 << 20].map((offset) => readU8(space, BASE + offset))).toEqual([1, 2, 3]);
      for (const pfn of hog) memory.frames.release(pfn);
    }));
});

describe("the break", () => {
  it("moves up and down, stops at what is in the way, and never fails", () =>
    withoutLeaks((space) => {
      space.brkStart = space.brkEnd = BASE;
      expect(space.setBreak(0)).toBe(BASE);
      expect(space.setBreak(BASE + 5000)).toBe(BASE + 5000);
      poke(space, at(1), 3);
      expect(shape(space)).toBe("0+2:3");
      expect(space.setBreak(BASE + 10)).toBe(BASE + 10);
      expect(() => readU8(space, at(1))).toThrow(EFAULT);
      mapPages(space, at(10), 1);
      expect(space.setBreak(at(10))).toBe(BASE + 10);
      expect(space.setBreak(at(9))).toBe(at(9));
      space.limits.data = 9 * PAGE_SIZE;
      expect(space.setBreak(at(9) + 1)).toBe(at(9));
      expect(space.setBreak(2 ** 63)).toBe(at(9));
    }));
});

/** Page number → what is there. */
interface ModelPage {
  prot: number;
  value: number;
}

const PAGES = 40;

/** Applies one random change to the space and to the model. */
function change(space: AddressSpace, model: (ModelPage | null)[], random: Random): void {
  const from = random.below(PAGES);
  const to = random.between(from + 1, Math.min(PAGES, from + 10));
  const length = (to - from) * PAGE_SIZE;
  const range = model.slice(from, to);
  switch (random.below(5)) {
    case 0: {
      const prot = random.pick([PROT_NONE, PROT_READ, READ_WRITE]);
      mapPages(space, at(from), to - from, { prot });
      for (let page = from; page < to; page++) model[page] = { prot, value: 0 };
      return;
    }
    case 1:
      space.unmap(at(from), length);
      model.fill(null, from, to);
      return;
    case 2: {
      const prot = random.pick([PROT_NONE, PROT_READ, READ_WRITE]);
      const whole = range.every((page) => page !== null);
      if (!whole) return expect(() => space.protect(at(from), length, prot)).toThrow(ENOMEM);
      space.protect(at(from), length, prot);
      for (const page of range) page!.prot = prot;
      return;
    }
    case 3: {
      const area = space.vmas.find(at(from));
      const target = random.below(PAGES - (to - from) + 1);
      if (!area || area.end < at(to) || (target < to && target + (to - from) > from)) return;
      expect(space.remap(at(from), length, length, true, at(target))).toBe(at(target));
      model.fill(null, from, to);
      range.forEach((page, index) => (model[target + index] = page));
      return;
    }
    default: {
      const value = random.between(1, 255);
      for (let page = from; page < to; page++) {
        const there = model[page];
        if (there?.prot === READ_WRITE) {
          poke(space, at(page), value);
          there.value = value;
        } else {
          expect(() => poke(space, at(page), value)).toThrow(EFAULT);
        }
      }
    }
  }
}

function check(space: AddressSpace, model: readonly (ModelPage | null)[]): void {
  for (let page = 0; page < PAGES; page++) {
    const there = model[page];
    if (there && there.prot !== PROT_NONE) expect(readU8(space, at(page))).toBe(there.value);
    else expect(() => readU8(space, at(page))).toThrow(EFAULT);
  }
}

describe("random changes", () => {
  it.each([1, 2, 3])("give what a page-by-page model gives, in parent and child, and leak nothing (seed %i)", (seed) =>
    withoutLeaks((space) => {
      const random = new Random(seed);
      const model = new Array<ModelPage | null>(PAGES).fill(null);
      for (let step = 0; step < 400; step++) {
        change(space, model, random);
        if (step % 20 === 0) check(space, model);
        if (step % 50 !== 0) continue;
        const child = forkAddressSpace(space);
        const childModel = model.map((page) => page && { ...page });
        for (let more = 0; more < 10; more++) {
          change(child, childModel, random);
          change(space, model, random);
        }
        check(child, childModel);
        check(space, model);
        child.dispose();
      }
    }),
  );
});
