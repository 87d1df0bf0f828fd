/** The sorted list of areas against a model that knows every page by itself. */
import { describe, expect, it } from "vitest";
import { Random } from "../../tests/support/random.ts";
import { PAGE_SIZE } from "./layout.ts";
import type { PageStore } from "./page-store.ts";
import { VmaList, type MappedFile, type Vma } from "./vma.ts";

const PAGES = 48;
const store = {} as PageStore;

class CountedFile implements MappedFile {
  readonly store = store;
  readonly path = "/file";
  readonly device = 0;
  readonly inode = 0;
  references = 0;
  retain(): void {
    this.references++;
  }
  release(): void {
    this.references--;
  }
}

function area(startPage: number, endPage: number, changes: Partial<Vma> = {}): Vma {
  return {
    start: startPage * PAGE_SIZE,
    end: endPage * PAGE_SIZE,
    prot: 3,
    maxProt: 7,
    shared: false,
    growsDown: false,
    dontFork: false,
    wipeOnFork: false,
    noReserve: false,
    locked: false,
    store: null,
    storePage: 0,
    file: null,
    name: "",
    ...changes,
  };
}

const shape = (list: VmaList): string =>
  list.areas.map(({ start, end, prot }) => `${start / PAGE_SIZE}-${end / PAGE_SIZE}:${prot}`).join(" ");

describe("areas", () => {
  it("are joined when one continues the other", () => {
    const list = new VmaList();
    list.insert(area(0, 2));
    list.insert(area(4, 6));
    expect(shape(list)).toBe("0-2:3 4-6:3");
    list.insert(area(2, 4));
    expect(shape(list)).toBe("0-6:3");
  });

  const differences: readonly (readonly [string, Partial<Vma>])[] = [
    ["protection", { prot: 1 }],
    ["greatest protection", { maxProt: 1 }],
    ["sharing", { shared: true }],
    ["direction of growth", { growsDown: true }],
    ["MADV_DONTFORK", { dontFork: true }],
    ["MADV_WIPEONFORK", { wipeOnFork: true }],
    ["MAP_NORESERVE", { noReserve: true }],
    ["locking", { locked: true }],
    ["backing", { store }],
    ["name", { name: "[heap]" }],
  ];
  it.each(differences)("are not joined over a difference in %s", (_, difference) => {
    const list = new VmaList();
    list.insert(area(0, 1));
    list.insert(area(1, 2, difference));
    expect(list.areas).toHaveLength(2);
  });

  it("of a file are joined only where the file goes on", () => {
    const list = new VmaList();
    const file = new CountedFile();
    list.insert(area(0, 2, { store, file, storePage: 5 }));
    list.insert(area(2, 3, { store, file, storePage: 8 }));
    expect(list.areas).toHaveLength(2);
    list.removeRange(2 * PAGE_SIZE, 3 * PAGE_SIZE);
    list.insert(area(2, 3, { store, file, storePage: 7 }));
    expect(list.areas).toHaveLength(1);
    expect(file.references).toBe(1);
  });

  it("are split where a range begins and ends, and know their place in the file afterwards", () => {
    const list = new VmaList();
    const file = new CountedFile();
    list.insert(area(0, 10, { store, file, storePage: 100 }));
    const [middle] = list.isolate(3 * PAGE_SIZE, 7 * PAGE_SIZE);
    expect(middle).toMatchObject({ start: 3 * PAGE_SIZE, end: 7 * PAGE_SIZE, storePage: 103 });
    expect(list.areas.map(({ storePage }) => storePage)).toEqual([100, 103, 107]);
    expect(file.references).toBe(3);
  });

  it("are found by any address inside and by none outside", () => {
    const list = new VmaList();
    list.insert(area(2, 4));
    const found = [0, 2 * PAGE_SIZE - 1, 2 * PAGE_SIZE, 4 * PAGE_SIZE - 1, 4 * PAGE_SIZE].map((at) => !!list.find(at));
    expect(found).toEqual([false, false, true, true, false]);
  });
});

/** What a page of the model is: its area's properties, and which page of the file it shows. */
interface Page {
  prot: number;
  filePage: number | null;
}

/** Borders that a joined list must have: wherever a page does not continue the one before. */
function expectedShape(pages: readonly (Page | null)[]): string {
  const parts: string[] = [];
  for (let at = 0; at < pages.length;) {
    const first = pages[at];
    if (!first) {
      at++;
      continue;
    }
    let end = at + 1;
    while (end < pages.length && continues(pages[end - 1]!, pages[end]!)) end++;
    parts.push(`${at}-${end}:${first.prot}${first.filePage === null ? "" : `@${first.filePage}`}`);
    at = end;
  }
  return parts.join(" ");
}

function continues(left: Page | null, right: Page | null): boolean {
  if (!left || !right || left.prot !== right.prot) return false;
  return left.filePage === null ? right.filePage === null : right.filePage === left.filePage + 1;
}

const fullShape = (list: VmaList): string =>
  list.areas
    .map(({ start, end, prot, file, storePage }) => {
      return `${start / PAGE_SIZE}-${end / PAGE_SIZE}:${prot}${file ? `@${storePage}` : ""}`;
    })
    .join(" ");

describe("random changes", () => {
  it.each([1, 2, 3, 4])("give what a page-by-page model gives, with one reference per area (seed %i)", (seed) => {
    const random = new Random(seed);
    const list = new VmaList();
    const file = new CountedFile();
    const pages = new Array<Page | null>(PAGES).fill(null);
    for (let step = 0; step < 3000; step++) {
      const from = random.below(PAGES);
      const to = random.between(from + 1, Math.min(PAGES, from + 12));
      const [start, end] = [from * PAGE_SIZE, to * PAGE_SIZE];
      const prot = random.between(0, 2);
      switch (random.below(3)) {
        case 0: {
          const free = pages.slice(from, to).every((page) => page === null);
          expect(list.overlaps(start, end)).toBe(!free);
          if (!free) break;
          const filePage = random.chance(2) ? null : random.chance(2) ? from : random.below(100);
          const backing = filePage === null ? {} : { store, file, storePage: filePage };
          list.insert(area(from, to, { prot, ...backing }));
          for (let at = from; at < to; at++) {
            pages[at] = { prot, filePage: filePage === null ? null : filePage + at - from };
          }
          break;
        }
        case 1:
          for (const each of list.isolate(start, end)) each.prot = prot;
          list.join(start, end);
          for (let at = from; at < to; at++) if (pages[at]) pages[at]!.prot = prot;
          break;
        case 2:
          list.isolate(start, end);
          list.removeRange(start, end);
          pages.fill(null, from, to);
          break;
      }
      expect(fullShape(list)).toBe(expectedShape(pages));
      expect(file.references).toBe(list.areas.filter((each) => each.file).length);
      const probe = random.below(PAGES);
      expect(list.find(probe * PAGE_SIZE + random.below(PAGE_SIZE)) !== undefined).toBe(pages[probe] !== null);
    }
  });
});
