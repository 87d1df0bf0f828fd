/** When floating point has to mind MXCSR, and what a task's image keeps of that. */
import { beforeEach, expect, test } from "vitest";
import { PhysicalMemory } from "../../physical-memory.ts";
import {
  AT_MXCSR_READ,
  AT_STRICT_FLOAT,
  loadMxcsr,
  loadTaskState,
  resetState,
  restoreState,
  storeState,
  storeTaskState,
} from "./fpu-state.ts";

const DEFAULT = 0x1f80;
const memory = new PhysicalMemory(1 << 16);
const strict = (): number => memory.u32[AT_STRICT_FLOAT / 4]!;
const readMxcsr = (): void => void (memory.u32[AT_MXCSR_READ / 4] = 1);

beforeEach(() => resetState(memory));

test("loading the default without having looked at MXCSR changes nothing", () => {
  expect([loadMxcsr(memory, DEFAULT), strict()]).toEqual([false, 0]);
});

test("control bits other than the default's are strict as long as they are there", () => {
  expect([loadMxcsr(memory, 0x3f80), strict()]).toEqual([true, 1]);
  expect([loadMxcsr(memory, 0x5f80), strict()]).toEqual([false, 1]);
});

test("clearing the flags behind a look at them is strict from then on", () => {
  readMxcsr();
  expect([loadMxcsr(memory, DEFAULT), strict()]).toEqual([true, 1]);
  expect([loadMxcsr(memory, DEFAULT), strict()]).toEqual([false, 1]);
});

test("an image restored by the program leaves what it looks at, another task's does not", () => {
  const image = new Uint8Array(512);
  storeState(memory, image);
  readMxcsr();
  expect([restoreState(memory, image), strict(), memory.u32[AT_MXCSR_READ / 4]]).toEqual([false, 0, 1]);
  loadMxcsr(memory, DEFAULT);
  expect([restoreState(memory, image), strict()]).toEqual([false, 1]);
  loadTaskState(memory, image);
  expect([strict(), memory.u32[AT_MXCSR_READ / 4]]).toEqual([0, 0]);
});

test("an image with another rounding is strict", () => {
  const image = new Uint8Array(512);
  storeState(memory, image);
  image[25] = 0x3f;
  expect([restoreState(memory, image), strict()]).toEqual([true, 1]);
});

test("an image's opcode has 11 bits", () => {
  const image = new Uint8Array(512);
  image.set([0xbd, 0xd3], 6);
  loadTaskState(memory, image);
  storeState(memory, image);
  expect([...image.subarray(6, 8)]).toEqual([0xbd, 0x03]);
});

test("a task that looks at flags is remembered by its image, another one is not disturbed", () => {
  const [watching, other] = [new Uint8Array(512), new Uint8Array(512)];
  storeTaskState(memory, other);
  readMxcsr();
  loadMxcsr(memory, DEFAULT);
  storeTaskState(memory, watching);
  loadTaskState(memory, other);
  expect(strict()).toBe(0);
  loadTaskState(memory, watching);
  expect(strict()).toBe(1);
});
