/** When floating point has to mind MXCSR, and what a task's image keeps of that. */
import { beforeEach, expect, test } from "vitest";
import { PhysicalMemory } from "../../physical-memory.ts";
import { AT_MXCSR_READ, AT_STRICT_FLOAT, loadMxcsr, loadTaskState, resetState, storeTaskState } from "./fpu-state.ts";

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
