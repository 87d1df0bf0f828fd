/** What a touch of a page becomes. */
import { describe, expect, it } from "vitest";
import { PROT_EXEC, PROT_NONE, PROT_READ } from "../../abi/mman.ts";
import { freeFrames, mapPages, newMemory, READ_WRITE, TestFile } from "../../tests/support/memory.ts";
import { PAGE_SIZE, STACK_GUARD_GAP, TASK_SIZE } from "./layout.ts";
import {
  ACCESS_EXECUTE,
  ACCESS_READ,
  ACCESS_WRITE,
  FAULT_BEYOND_FILE,
  FAULT_FORBIDDEN,
  FAULT_OUT_OF_MEMORY,
  FAULT_RESOLVED,
  FAULT_UNMAPPED,
  handleFault,
  type Access,
} from "./page-fault.ts";
import { PTE_NO_EXECUTE, PTE_WRITE } from "./page-table.ts";
import { copyToUser, readU8 } from "./user-copy.ts";

const BASE = 0x10000000;
const STACK = 0x20000000;

/** Read-write, read-only, execute-only and forbidden pages, a file of 5000 bytes over three pages, and a stack. */
function landscape() {
  const memory = newMemory();
  const { space, frames } = memory;
  const file = new TestFile(frames, new Uint8Array(5000).fill(7));
  mapPages(space, BASE, 1);
  mapPages(space, BASE + 0x1000, 1, { prot: PROT_READ });
  mapPages(space, BASE + 0x2000, 1, { prot: PROT_EXEC });
  mapPages(space, BASE + 0x3000, 1, { prot: PROT_NONE });
  mapPages(space, BASE + 0x4000, 3, { prot: PROT_READ, store: file.store, file });
  mapPages(space, BASE + 0x8000, 3, { prot: READ_WRITE, store: file.store, file });
  mapPages(space, STACK, 2, { growsDown: true });
  return { ...memory, file };
}

const kinds: readonly (readonly [string, number, Access, number])[] = [
  ["writing a writable page", BASE, ACCESS_WRITE, FAULT_RESOLVED],
  ["reading a writable page", BASE + 4095, ACCESS_READ, FAULT_RESOLVED],
  ["executing a page of data", BASE, ACCESS_EXECUTE, FAULT_FORBIDDEN],
  ["reading a read-only page", BASE + 0x1000, ACCESS_READ, FAULT_RESOLVED],
  ["writing a read-only page", BASE + 0x1000, ACCESS_WRITE, FAULT_FORBIDDEN],
  ["executing code", BASE + 0x2000, ACCESS_EXECUTE, FAULT_RESOLVED],
  ["reading code, which x86 cannot forbid", BASE + 0x2000, ACCESS_READ, FAULT_RESOLVED],
  ["reading a forbidden page", BASE + 0x3000, ACCESS_READ, FAULT_FORBIDDEN],
  ["writing a forbidden page", BASE + 0x3000, ACCESS_WRITE, FAULT_FORBIDDEN],
  ["reading a file", BASE + 0x4000, ACCESS_READ, FAULT_RESOLVED],
  ["reading the file's last page behind its end", BASE + 0x5fff, ACCESS_READ, FAULT_RESOLVED],
  ["reading a page behind the file's end", BASE + 0x6000, ACCESS_READ, FAULT_BEYOND_FILE],
  ["writing a private page behind the file's end", BASE + 0xa000, ACCESS_WRITE, FAULT_BEYOND_FILE],
  ["reading between areas", BASE + 0x7000, ACCESS_READ, FAULT_UNMAPPED],
  ["reading address 0", 0, ACCESS_READ, FAULT_UNMAPPED],
  ["reading the first address beyond user space", TASK_SIZE, ACCESS_READ, FAULT_UNMAPPED],
  ["reading a non-canonical address", 0x800000000000, ACCESS_READ, FAULT_UNMAPPED],
  ["reading a kernel address", 0xffffffff81000000, ACCESS_WRITE, FAULT_UNMAPPED],
  ["writing just below the stack", STACK - 1, ACCESS_WRITE, FAULT_RESOLVED],
  ["writing far below the stack, within its limit", STACK - (4 << 20), ACCESS_WRITE, FAULT_RESOLVED],
  ["writing below the stack's limit", STACK - (8 << 20), ACCESS_WRITE, FAULT_UNMAPPED],
];

describe("a fault", () => {
  it.each(kinds)("by %s", (_, address, access, outcome) => {
    const { space } = landscape();
    expect(handleFault(space, address, access)).toBe(outcome);
    // Resolved means that the access can be made now.
    if (outcome === FAULT_RESOLVED) expect(handleFault(space, address, access)).toBe(FAULT_RESOLVED);
  });

  it("without a frame left is told apart, and leaves what was there", () => {
    const memory = newMemory();
    const { space, frames } = memory;
    mapPages(space, BASE, 2000, { noReserve: true });
    let touched = 0;
    while (handleFault(space, BASE + touched * PAGE_SIZE, ACCESS_WRITE) === FAULT_RESOLVED) touched++;
    expect(handleFault(space, BASE + touched * PAGE_SIZE, ACCESS_WRITE)).toBe(FAULT_OUT_OF_MEMORY);
    expect(touched).toBeGreaterThan(1000);
    expect(freeFrames({ frames })).toBe(0);
    expect(readU8(space, BASE)).toBe(0);
    space.unmap(BASE, 2000 * PAGE_SIZE);
    expect(space.residentPages).toBe(0);
  });
});

describe("the stack", () => {
  it("keeps its distance from the area below", () => {
    const { space } = newMemory();
    mapPages(space, STACK, 1, { growsDown: true });
    const neighbour = STACK - STACK_GUARD_GAP - 4 * PAGE_SIZE;
    mapPages(space, neighbour, 1);
    expect(handleFault(space, STACK - 3 * PAGE_SIZE, ACCESS_WRITE)).toBe(FAULT_RESOLVED);
    expect(handleFault(space, STACK - 4 * PAGE_SIZE, ACCESS_WRITE)).toBe(FAULT_UNMAPPED);
  });

  it("obeys a lower limit", () => {
    const { space } = newMemory();
    mapPages(space, STACK, 1, { growsDown: true });
    space.limits.stack = 3 * PAGE_SIZE;
    expect(handleFault(space, STACK - 2 * PAGE_SIZE, ACCESS_WRITE)).toBe(FAULT_RESOLVED);
    expect(handleFault(space, STACK - 3 * PAGE_SIZE, ACCESS_WRITE)).toBe(FAULT_UNMAPPED);
  });
});

describe("frames", () => {
  it("of zeros are shared by read-only memory", () => {
    const memory = newMemory();
    mapPages(memory.space, BASE, 64, { prot: PROT_READ });
    handleFault(memory.space, BASE, ACCESS_READ);
    const before = freeFrames(memory);
    for (let page = 0; page < 64; page++) handleFault(memory.space, BASE + page * PAGE_SIZE, ACCESS_READ);
    expect(freeFrames(memory)).toBe(before);
  });

  it("of a file are shared until one side writes, and the file never sees it", () => {
    const { space, file, frames } = landscape();
    copyToUser(space, BASE + 0x8000, Uint8Array.of(99));
    expect([readU8(space, BASE + 0x4000), readU8(space, BASE + 0x8000)]).toEqual([7, 99]);
    expect(frames.bytes(file.store.page(0))[0]).toBe(7);
  });

  it("of a file that are in memory are mapped with their neighbour, read-only", () => {
    const { space, file } = landscape();
    file.store.page(1);
    handleFault(space, BASE + 0x8000, ACCESS_READ);
    const words = space.frames.memory.u32;
    const entry = space.table.find(BASE + 0x9000);
    expect(words[entry]! >>> 12).toBe(file.store.page(1));
    expect(words[entry]! & PTE_WRITE).toBe(0);
    expect(words[entry + 1]).toBe(PTE_NO_EXECUTE);
  });

  it("with code in them tell the engine when the kernel writes there, and when they are used again", () => {
    const { space, engine, frames } = newMemory();
    mapPages(space, BASE, 1, { prot: READ_WRITE | PROT_EXEC });
    handleFault(space, BASE, ACCESS_EXECUTE);
    const pfn = frames.memory.u32[space.table.find(BASE)]! >>> 12;
    copyToUser(space, BASE, Uint8Array.of(0x90));
    expect(engine.invalidated).toEqual([pfn]);
    space.unmap(BASE, PAGE_SIZE);
    expect(frames.allocate()).toBe(pfn);
    expect(engine.invalidated).toEqual([pfn, pfn]);
  });
});
