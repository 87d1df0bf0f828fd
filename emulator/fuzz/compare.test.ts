/** What counts as a difference. */
import { expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { assembleBatch } from "./batch.ts";
import { Comparison, type CompareOptions } from "./compare.ts";
import { Coverage } from "./coverage.ts";
import type { EngineResult } from "./engine-runner.ts";
import {
  STATE_FXSAVE,
  STATE_RFLAGS,
  STATE_RIP,
  STATE_SIZE,
  STATE_XMM,
  STATE_YMM,
  type HardwareResult,
} from "./protocol.ts";
import type { Sequence } from "./sequence.ts";
import { CODE, DATA, DATA_PAGES, WRITABLE_PAGES } from "./windows.ts";

const AF = 8;
/** Two instructions of three bytes; the first leaves AF undefined. */
const SEQUENCE: Sequence = {
  address: CODE,
  bytes: Uint8Array.of(0x48, 0x21, 0xc8, 0x48, 0x89, 0xc8, 0xcc),
  items: [
    { code: 1, offset: 0, length: 3, undefinedBefore: 0, straight: true },
    { code: 2, offset: 3, length: 3, undefinedBefore: AF, straight: true },
  ],
  undefinedAfter: AF,
  chosen: 1,
};

const batch = assembleBatch(new Uint8Array(DATA_PAGES.length * PAGE_SIZE), [SEQUENCE], new Uint8Array(STATE_SIZE));

/** A pair of equal results, at the int3. */
function results() {
  const state = new Uint8Array(STATE_SIZE);
  new DataView(state.buffer).setUint32(STATE_RIP, CODE + 7, true);
  const stop = { vector: 3, errorCode: 0, addressLow: 0, addressHigh: 0 };
  const hardware: HardwareResult = { ...stop, state, changes: new Uint32Array() };
  const memory = new Uint8Array(WRITABLE_PAGES * PAGE_SIZE);
  const engine: EngineResult = { ...stop, exception: "", state: state.slice(), memory };
  return { hardware, engine };
}

function differences({ hardware, engine }: ReturnType<typeof results>, options: Partial<CompareOptions> = {}) {
  return new Comparison(batch, { strict: false, ymm: false, ...options }).differences(0, hardware, engine);
}

test("equal results have no difference", () => {
  expect(differences(results())).toEqual([]);
});

test("a register, a vector register and a byte of memory are told apart by name", () => {
  const pair = results();
  pair.engine.state[8] = 1;
  pair.engine.state[STATE_XMM + 32] = 2;
  pair.engine.memory[PAGE_SIZE + 17] = 3;
  const found = differences(pair);
  expect(found.map(({ what }) => what)).toEqual(["rcx", "xmm2", "memory"]);
  expect(found[2]).toMatchObject({
    at: DATA + PAGE_SIZE + 16,
    hardware: "0000000000000000",
    engine: "0000000000000300",
  });
});

test("memory that both changed alike is no difference, and the next case starts anew", () => {
  const pair = results();
  const comparison = new Comparison(batch, { strict: false, ymm: false });
  const changed = { ...pair.hardware, changes: Uint32Array.of(24, 5, 0) };
  pair.engine.memory[24] = 5;
  expect(comparison.differences(0, changed, pair.engine)).toEqual([]);
  pair.engine.memory[24] = 0;
  expect(comparison.differences(0, pair.hardware, pair.engine)).toEqual([]);
});

test("flags left undefined by the instructions executed so far do not count", () => {
  const pair = results();
  pair.engine.state[STATE_RFLAGS] = 0x10;
  expect(differences(pair)).toEqual([]);
  pair.engine.state[STATE_RFLAGS] = 0x11;
  expect(differences(pair)).toEqual([{ what: "rflags", hardware: "0", engine: "1" }]);
  const first = results();
  for (const { state } of [first.hardware, first.engine]) new DataView(state.buffer).setUint32(STATE_RIP, CODE, true);
  const fault = { ...first.hardware, vector: 13 };
  Object.assign(first.engine, { vector: 13 });
  first.engine.state[STATE_RFLAGS] = 0x10;
  expect(differences({ hardware: fault, engine: first.engine }).map(({ what }) => what)).toEqual(["rflags"]);
});

test("MXCSR's flags count when strict, YMM's upper halves when asked for", () => {
  const pair = results();
  pair.engine.state[STATE_FXSAVE + 24] = 0x20;
  pair.engine.state[STATE_YMM + 16] = 1;
  expect(differences(pair)).toEqual([]);
  expect(differences(pair, { strict: true }).map(({ what }) => what)).toEqual(["mxcsr"]);
  expect(differences(pair, { ymm: true }).map(({ what }) => what)).toEqual(["ymm1h"]);
});

test("an exception of the engine is a difference of the stop", () => {
  const pair = results();
  pair.engine.exception = "TypeError: x";
  expect(differences(pair)[0]).toMatchObject({ what: "stop", engine: "TypeError: x" });
});

test("the page behind a program's last one counts as present, as Linux has it", () => {
  const pair = results();
  const fault = { vector: 14, errorCode: 5, addressLow: 0xfffffffe, addressHigh: 0x7fff };
  Object.assign(pair.engine, fault, { errorCode: 4 });
  expect(differences({ ...pair, hardware: { ...pair.hardware, ...fault } })).toEqual([]);
  const below = { ...fault, addressLow: 0xffffeffe };
  Object.assign(pair.engine, below, { errorCode: 4 });
  expect(differences({ ...pair, hardware: { ...pair.hardware, ...below } })[0]?.what).toBe("stop");
});

test("coverage counts what was executed, and what stopped the case", () => {
  const coverage = new Coverage();
  const { hardware } = results();
  coverage.add(SEQUENCE, hardware);
  const state = hardware.state.slice();
  new DataView(state.buffer).setUint32(STATE_RIP, CODE + 3, true);
  coverage.add(SEQUENCE, { ...hardware, vector: 14, state });
  expect(coverage.of(1)).toMatchObject({ executed: 2, faulted: 0, chosen: 2 });
  expect(coverage.of(2)).toMatchObject({ executed: 1, faulted: 1, chosen: 0 });
});
