/** Tracing a difference to its instruction, with a judge that dislikes certain bytes. */
import { expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { assembleBatch } from "./batch.ts";
import { findCulprit, minimize, type Judge } from "./culprit.ts";
import { STATE_RIP, STATE_SIZE, type HardwareResult } from "./protocol.ts";
import type { Sequence } from "./sequence.ts";
import { CODE, DATA_PAGES } from "./windows.ts";

/** inc al; mov cl, 5; add al, 1; adc bl, 0; inc dl */
const CODE_BYTES = [
  [0xfe, 0xc0],
  [0xb1, 0x05],
  [0x04, 0x01],
  [0x80, 0xd3, 0x00],
  [0xfe, 0xc2],
];

function sequenceOf(parts: readonly (readonly number[])[]): Sequence {
  let offset = 0;
  const items = parts.map((part, i) => {
    const item = { code: i + 1, offset, length: part.length, undefinedBefore: 0, straight: true };
    offset += part.length;
    return item;
  });
  return { address: CODE, bytes: Uint8Array.from([...parts.flat(), 0xcc]), items, undefinedAfter: 0, chosen: 1 };
}

const batch = assembleBatch(
  new Uint8Array(DATA_PAGES.length * PAGE_SIZE),
  [sequenceOf(CODE_BYTES)],
  new Uint8Array(STATE_SIZE),
);

/** Differs when all the given instructions are there. */
function dislikes(...wanted: number[]): Judge {
  return ({ sequences }) => {
    const text = Buffer.from(sequences[0]!.bytes).toString("hex");
    const all = wanted.every((i) => text.includes(Buffer.from(CODE_BYTES[i]!).toString("hex")));
    return { differences: all ? [{ what: "rax", hardware: "0", engine: "1" }] : [], hardware: undefined };
  };
}

test("the culprit is the last instruction without which there is no difference", () => {
  for (let i = 0; i < CODE_BYTES.length; i++) {
    expect(findCulprit(batch, 0, dislikes(i))?.item.code).toBe(i + 1);
  }
});

test("instructions that are not needed become nops", () => {
  const culprit = findCulprit(batch, 0, dislikes(1, 3))!;
  const least = minimize(culprit, batch, 0, dislikes(1, 3), () => true);
  expect(Buffer.from(least.sequence.bytes).toString("hex")).toBe("9090b105909080d300cccccc");
  const untouched = minimize(culprit, batch, 0, dislikes(1, 3), () => false);
  expect(untouched.sequence.bytes).toEqual(culprit.sequence.bytes);
});

test("a difference that does not come again has no culprit", () => {
  expect(findCulprit(batch, 0, () => ({ differences: [], hardware: undefined }))).toBeUndefined();
});

test("in a later round of a loop the culprit is the instruction at which the host stopped, with its registers there", () => {
  const state = new Uint8Array(STATE_SIZE);
  new DataView(state.buffer).setUint32(STATE_RIP, CODE + 2, true);
  const stop = { errorCode: 0, addressLow: 0, addressHigh: 0, changes: new Uint32Array() };
  const fault: HardwareResult = { ...stop, vector: 14, state };
  const judge: Judge = (single) => ({ ...dislikes(4)(single), hardware: fault });
  const culprit = findCulprit(batch, 0, judge)!;
  expect([culprit.item.code, culprit.before === state, culprit.vector]).toEqual([2, true, 14]);
});

test("a branch beyond a cut lands on an int3, with the flags that are undefined where it leaves", () => {
  const AF = 8;
  const JUMPS = [
    [0x75, 0x04], // jne to the end
    [0xfe, 0xc0],
    [0xfe, 0xc2],
  ];
  const whole = sequenceOf(JUMPS);
  const items = whole.items.map((item, i) => ({ ...item, undefinedBefore: i === 0 ? AF : 0 }));
  const branching = assembleBatch(
    new Uint8Array(DATA_PAGES.length * PAGE_SIZE),
    [{ ...whole, items }],
    new Uint8Array(STATE_SIZE),
  );
  const seen: string[] = [];
  findCulprit(branching, 0, ({ sequences: [sequence] }) => {
    seen.push(`${Buffer.from(sequence!.bytes).toString("hex")} ${sequence!.undefinedAfter}`);
    return { differences: [{ what: "rax", hardware: "0", engine: "1" }], hardware: undefined };
  });
  expect(seen.slice(0, 2)).toEqual(["7504fec0fec2cc 0", "7504cccccccccc 8"]);
});
