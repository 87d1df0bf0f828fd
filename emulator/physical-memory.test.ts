import { describe, expect, test } from "vitest";
import { PAGE_SIZE, PhysicalMemory, RUN_FRAMES } from "./physical-memory.ts";

describe("physical memory", () => {
  test.each([0, -65536, 4096, 65537, 1.5, Number.NaN, 2 ** 32])("refuses a size of %d", (size) => {
    expect(() => new PhysicalMemory(size)).toThrow(RangeError);
  });

  test("hands out every frame but frame 0 exactly once, then 0", () => {
    const memory = new PhysicalMemory(65536);
    const frames = Array.from({ length: 15 }, () => memory.allocate());
    expect([...frames].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    expect([memory.freeFrames, memory.allocate(), memory.allocateZeroed()]).toEqual([0, 0, 0]);
  });

  test("frees a frame with its last reference", () => {
    const memory = new PhysicalMemory(65536);
    const pfn = memory.allocate();
    memory.retain(pfn);
    memory.release(pfn);
    expect([memory.referenceCount(pfn), memory.freeFrames]).toEqual([1, 14]);
    memory.release(pfn);
    expect([memory.referenceCount(pfn), memory.freeFrames]).toEqual([0, 15]);
    expect(() => memory.release(pfn)).toThrow(/released more often/);
    expect(memory.allocate()).toBe(pfn);
  });

  test("allocateZeroed clears frames that were used before", () => {
    const memory = new PhysicalMemory(65536);
    const used = memory.allocate();
    memory.u8.fill(0xaa, used * PAGE_SIZE, (used + 1) * PAGE_SIZE);
    memory.release(used);
    const pfn = memory.allocateZeroed();
    expect(pfn).toBe(used);
    expect(memory.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE).every((byte) => byte === 0)).toBe(true);
    const fresh = memory.allocateZeroed();
    expect(memory.u8.subarray(fresh * PAGE_SIZE, (fresh + 1) * PAGE_SIZE).every((byte) => byte === 0)).toBe(true);
  });

  test("hands out places of a run, and its other frames when there is nothing else", () => {
    const memory = new PhysicalMemory(4 * RUN_FRAMES * PAGE_SIZE);
    const first = memory.allocateInRun(0, 5);
    const run = first - 5;
    expect(run % RUN_FRAMES).toBe(0);
    expect(memory.allocateInRun(run, 6)).toBe(first + 1);
    expect(memory.allocateInRun(run, 5)).toBe(0);
    memory.release(first);
    expect(memory.allocateInRun(run, 5)).toBe(first);
    const others = Array.from({ length: memory.freeFrames }, () => memory.allocate());
    expect(new Set([...others, first, first + 1]).size).toBe(4 * RUN_FRAMES - 1);
    expect([memory.freeFrames, memory.allocate(), memory.allocateInRun(0, 0)]).toEqual([0, 0, 0]);
  });

  test("a run that is emptied again and again is offered once", () => {
    const memory = new PhysicalMemory(4 * RUN_FRAMES * PAGE_SIZE);
    const run = memory.allocateInRun(0, 0);
    for (let round = 0; round < 3; round++) {
      memory.release(run);
      expect(memory.allocateInRun(run, 0)).toBe(run);
    }
    memory.release(run);
    expect([memory.allocateInRun(0, 0), memory.allocateInRun(0, 0)]).toEqual([run, run + RUN_FRAMES]);
  });

  test("copyFrame copies one frame and no more", () => {
    const memory = new PhysicalMemory(65536);
    memory.u8.fill(7, PAGE_SIZE, 2 * PAGE_SIZE);
    memory.copyFrame(1, 3);
    expect(memory.u8[3 * PAGE_SIZE - 1]).toBe(0);
    expect(memory.u8.subarray(3 * PAGE_SIZE, 4 * PAGE_SIZE).every((byte) => byte === 7)).toBe(true);
    expect(memory.u8[4 * PAGE_SIZE]).toBe(0);
  });

  test("all views show the same bytes in little-endian order", () => {
    const memory = new PhysicalMemory(65536);
    memory.u32[PAGE_SIZE / 4] = 0x80000001;
    expect(memory.i32[PAGE_SIZE / 4]).toBe(-0x7fffffff);
    expect(memory.u16[PAGE_SIZE / 2 + 1]).toBe(0x8000);
    expect(memory.view.getUint8(PAGE_SIZE)).toBe(1);
  });
});
