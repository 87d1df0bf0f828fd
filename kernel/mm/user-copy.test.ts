/** The one door to user memory: which ranges it lets through, and how much of them. */
import { describe, expect, it } from "vitest";
import { E2BIG, EFAULT, ENAMETOOLONG, ENOMEM } from "../../abi/errno.ts";
import { PROT_NONE, PROT_READ } from "../../abi/mman.ts";
import { freeFrames, mapPages, newMemory } from "../../tests/support/memory.ts";
import type { AddressSpace } from "./address-space.ts";
import { forkAddressSpace } from "./fork.ts";
import { PAGE_SIZE, TASK_SIZE } from "./layout.ts";
import {
  clearUser,
  copyFromUser,
  copyToUser,
  forEachPiece,
  readBytes,
  readCString,
  readI32,
  readI64,
  readU32,
  readU64,
  readU8,
  writeU32,
  writeU64,
} from "./user-copy.ts";

/** Two read-write pages, one read-only, one forbidden, one missing, and the last page of user space. */
const RW = 0x10000000;
const RO = RW + 2 * PAGE_SIZE;
const FORBIDDEN = RW + 3 * PAGE_SIZE;
const MISSING = RW + 4 * PAGE_SIZE;
const LAST = TASK_SIZE - PAGE_SIZE;

function landscape(): AddressSpace {
  const { space } = newMemory();
  mapPages(space, RW, 2);
  mapPages(space, RO, 1, { prot: PROT_READ });
  mapPages(space, FORBIDDEN, 1, { prot: PROT_NONE });
  mapPages(space, LAST, 1);
  return space;
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const bytesOf = (value: string): Uint8Array => Uint8Array.from(value, (character) => character.charCodeAt(0));

/** Address, length, can it be read, can it be written. */
const ranges: readonly (readonly [string, number, number, boolean, boolean])[] = [
  ["inside a page", RW + 10, 20, true, true],
  ["over a page border", RW + PAGE_SIZE - 3, 6, true, true],
  ["two whole pages", RW, 2 * PAGE_SIZE, true, true],
  ["read-only", RO, 100, true, false],
  ["from writable into read-only", RO - 4, 8, true, false],
  ["PROT_NONE", FORBIDDEN, 1, false, false],
  ["from read-only into PROT_NONE", FORBIDDEN - 1, 2, false, false],
  ["unmapped", MISSING, 1, false, false],
  ["NULL", 0, 1, false, false],
  ["the last byte of user space", TASK_SIZE - 1, 1, true, true],
  ["over the end of user space", TASK_SIZE - 1, 2, false, false],
  ["behind user space", TASK_SIZE, 1, false, false],
  ["the first non-canonical address", 0x800000000000, 1, false, false],
  ["the kernel", 0xffffffff81000000, 8, false, false],
  ["the last address of all", 2 ** 64, 1, false, false],
  ["below zero", -8, 16, false, false],
];

describe("a range", () => {
  it.each(ranges)("%s", (_, address, length, readable, writable) => {
    const space = landscape();
    const attempt = (use: () => unknown): boolean => {
      try {
        use();
        return true;
      } catch (error) {
        expect(error).toBe(EFAULT);
        return false;
      }
    };
    const bytes = new Uint8Array(length).fill(1);
    expect(attempt(() => readBytes(space, address, length))).toBe(readable);
    expect(attempt(() => copyFromUser(space, address, bytes))).toBe(readable);
    expect(attempt(() => copyToUser(space, address, bytes))).toBe(writable);
    expect(attempt(() => clearUser(space, address, length))).toBe(writable);
  });

  it("of no bytes is good anywhere in user space, and beyond it is not", () => {
    const space = landscape();
    expect(readBytes(space, 0, 0)).toHaveLength(0);
    expect(readBytes(space, MISSING, 0)).toHaveLength(0);
    expect(() => readBytes(space, 2 ** 63, 0)).toThrow(EFAULT);
  });

  it("that is absurdly long is an error and not an allocation", () => {
    const space = landscape();
    expect(() => readBytes(space, RW, TASK_SIZE - RW)).toThrow(ENOMEM);
    expect(() => copyFromUser(space, 2 ** 47, new Uint8Array(1))).toThrow(EFAULT);
    expect(() => readBytes(space, RW, 2 ** 63)).toThrow(EFAULT);
  });
});

describe("words", () => {
  it("are little-endian and may lie over a page border", () => {
    const space = landscape();
    for (const offset of [0, 1, PAGE_SIZE - 7, PAGE_SIZE - 4, PAGE_SIZE - 1]) {
      writeU64(space, RW + offset, 0x1122334455667);
      expect(readU64(space, RW + offset)).toBe(0x1122334455667);
      expect(readU32(space, RW + offset)).toBe(0x34455667);
      expect(readU8(space, RW + offset)).toBe(0x67);
      writeU32(space, RW + offset, -2);
      expect(readI32(space, RW + offset)).toBe(-2);
      writeU64(space, RW + offset, -3);
      expect(readI64(space, RW + offset)).toBe(-3);
    }
  });

  it("are written wholly or not at all", () => {
    const space = landscape();
    for (const [write, width] of [
      [writeU32, 4],
      [writeU64, 8],
    ] as const) {
      for (let inside = 1; inside < width; inside++) {
        expect(() => write(space, RO - inside, -1)).toThrow(EFAULT);
        expect(readU8(space, RO - inside)).toBe(0);
      }
    }
  });
});

describe("copying", () => {
  it("to the user writes the part before the bad page, as Linux does", () => {
    const space = landscape();
    expect(() => copyToUser(space, RO - 3, bytesOf("abcdef"))).toThrow(EFAULT);
    expect(text(readBytes(space, RO - 3, 3))).toBe("abc");
    expect(readU8(space, RO)).toBe(0);
  });

  it("to the user breaks copy-on-write", () => {
    const space = landscape();
    copyToUser(space, RW, bytesOf("parent"));
    const child = forkAddressSpace(space);
    copyToUser(child, RW, bytesOf("child!"));
    clearUser(child, RW + PAGE_SIZE, 4);
    expect(text(readBytes(space, RW, 6))).toBe("parent");
    expect(text(readBytes(child, RW, 6))).toBe("child!");
  });

  it("without a frame left is EFAULT", () => {
    const memory = newMemory();
    mapPages(memory.space, RW, 1);
    while (memory.frames.memory.allocate() !== 0);
    expect(() => copyToUser(memory.space, RW, bytesOf("x"))).toThrow(EFAULT);
    expect(freeFrames(memory)).toBe(0);
  });
});

describe("pieces", () => {
  const pieces = (space: AddressSpace, address: number, length: number, write: boolean): number[] => {
    const sizes: number[] = [];
    forEachPiece(space, address, length, write, (piece) => sizes.push(piece.length) && piece.length);
    return sizes;
  };

  it("end before a bad page instead of failing", () => {
    const space = landscape();
    const total = (address: number, length: number, write: boolean): number =>
      pieces(space, address, length, write).reduce((sum, size) => sum + size, 0);
    expect(total(RO - 10, 100, true)).toBe(10);
    expect(total(RO - 10, 100, false)).toBe(100);
    expect(total(FORBIDDEN - 10, 2 * PAGE_SIZE, false)).toBe(10);
    expect(() => total(FORBIDDEN, 1, false)).toThrow(EFAULT);
  });

  it("join pages that lie together in RAM", () => {
    const space = landscape();
    copyToUser(space, RW, new Uint8Array(2 * PAGE_SIZE));
    expect(pieces(space, RW + 1, 2 * PAGE_SIZE - 1, true)).toEqual([2 * PAGE_SIZE - 1]);
  });

  it("stop when the callback has used less than it was given", () => {
    const space = landscape();
    let calls = 0;
    const used = forEachPiece(space, RW, 2 * PAGE_SIZE, true, () => (calls++, 5));
    expect([used, calls]).toEqual([5, 1]);
  });
});

describe("strings", () => {
  it("end at their NUL, on any page", () => {
    const space = landscape();
    copyToUser(space, RW + PAGE_SIZE - 3, bytesOf("abcdef\0gh"));
    expect(text(readCString(space, RW + PAGE_SIZE - 3, 100))).toBe("abcdef");
    expect(text(readCString(space, RW + PAGE_SIZE + 3, 100))).toBe("");
  });

  it("may end with the last byte before a bad page, but not go on", () => {
    const space = landscape();
    copyToUser(space, RW + PAGE_SIZE, bytesOf("x".repeat(PAGE_SIZE)));
    copyToUser(space, TASK_SIZE - 2, bytesOf("y\0"));
    expect(text(readCString(space, TASK_SIZE - 2, 100))).toBe("y");
    copyToUser(space, TASK_SIZE - 2, bytesOf("yy"));
    expect(() => readCString(space, TASK_SIZE - 2, 100)).toThrow(EFAULT);
    expect(readCString(space, RO - 4, 100)).toHaveLength(4);
    space.unmap(RO, PAGE_SIZE);
    expect(() => readCString(space, RO - 4, 100)).toThrow(EFAULT);
  });

  it("that are too long give the error that the caller chooses, and their limit counts the NUL", () => {
    const space = landscape();
    copyToUser(space, RW, bytesOf("12345\0"));
    expect(readCString(space, RW, 6)).toHaveLength(5);
    expect(() => readCString(space, RW, 5)).toThrow(ENAMETOOLONG);
    expect(() => readCString(space, RW, 5, E2BIG)).toThrow(E2BIG);
  });
});
