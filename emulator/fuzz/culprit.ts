/** Finds the instruction that makes a difference, and the fewest others that it needs. */
import { loadDecoder } from "../wasm/decode.ts";
import { assembleBatch } from "./batch.ts";
import type { Difference } from "./compare.ts";
import { flagsOf } from "./flag-use.ts";
import type { Batch, HardwareResult } from "./protocol.ts";
import { STATE_SIZE } from "./protocol.ts";
import type { Item, Sequence } from "./sequence.ts";
import { DATA_PAGES } from "./windows.ts";
import { PAGE_SIZE } from "../physical-memory.ts";

const INT3 = 0xcc;
const NOP = 0x90;

export interface Verdict {
  readonly differences: readonly Difference[];
  readonly hardware: HardwareResult | undefined;
}

/** Runs a batch of one case everywhere. */
export type Judge = (batch: Batch) => Verdict;

export interface Culprit {
  /** The sequence cut behind the instruction. */
  readonly sequence: Sequence;
  readonly item: Item;
  readonly differences: readonly Difference[];
  /** The host's registers in front of the instruction; undefined if that could not be had. */
  readonly before: Uint8Array | undefined;
  /** The host's exception behind or at it. */
  readonly vector: number;
  readonly data: Uint8Array;
}

/** The batch of one case out of a batch, perhaps with other code. */
export function singleCase(batch: Batch, number: number, sequence = batch.sequences[number]!): Batch {
  const data = batch.contents.subarray(0, DATA_PAGES.length * PAGE_SIZE);
  return assembleBatch(data, [sequence], batch.states.slice(number * STATE_SIZE, (number + 1) * STATE_SIZE));
}

/** The shortest beginning of a sequence that differs, found by halving; undefined when a second run shows no difference. */
export function findCulprit(batch: Batch, number: number, judge: Judge): Culprit | undefined {
  const whole = batch.sequences[number]!;
  const verdictOf = (sequence: Sequence): Verdict => judge(singleCase(batch, number, sequence));
  let verdict = verdictOf(whole);
  if (verdict.differences.length === 0) return undefined;
  let [good, bad] = [0, whole.items.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const attempt = verdictOf(cut(whole, middle));
    if (attempt.differences.length > 0) [bad, verdict] = [middle, attempt];
    else good = middle;
  }
  const sequence = bad === whole.items.length ? whole : cut(whole, bad);
  const before = verdictOf(cut(sequence, bad - 1)).hardware?.state;
  const data = batch.contents.subarray(0, DATA_PAGES.length * PAGE_SIZE);
  const item = sequence.items[bad - 1] ?? whole.items[0]!;
  const vector = verdict.hardware?.vector ?? -1;
  return { sequence, item, differences: verdict.differences, before, vector, data };
}

/** The same culprit with nops for all instructions that it does not need to make a difference that matters. */
export function minimize(
  culprit: Culprit,
  batch: Batch,
  number: number,
  judge: Judge,
  matters: (culprit: Culprit) => boolean,
): Culprit {
  let least = culprit;
  const last = culprit.sequence.items.indexOf(culprit.item);
  for (let i = 0; i < last; i++) {
    const sequence = withoutItem(least.sequence, i);
    if (!sequence) continue;
    const { differences, hardware } = judge(singleCase(batch, number, sequence));
    const before = judge(singleCase(batch, number, cut(sequence, last))).hardware?.state;
    const candidate = { ...least, sequence, differences, before, vector: hardware?.vector ?? -1 };
    if (differences.length > 0 && matters(candidate)) least = candidate;
  }
  return least;
}

/** The first items of a sequence and an int3. */
function cut(sequence: Sequence, count: number): Sequence {
  const end = sequence.items[count]?.offset ?? sequence.bytes.length;
  if (end >= sequence.bytes.length) return sequence;
  const bytes = sequence.bytes.slice(0, end + 1);
  bytes[end] = INT3;
  const undefinedAfter = sequence.items[count]?.undefinedBefore ?? sequence.undefinedAfter;
  return { ...sequence, bytes, items: sequence.items.slice(0, count), undefinedAfter };
}

/** The sequence with nops for an item; undefined when one behind it would then read undefined flags. */
function withoutItem(sequence: Sequence, index: number): Sequence | undefined {
  const { offset, length } = sequence.items[index]!;
  if (offset + length > sequence.bytes.length) return undefined;
  const bytes = sequence.bytes.slice();
  bytes.fill(NOP, offset, offset + length);
  return retraceFlags({ ...sequence, bytes });
}

/** Works out undefined flags anew, as if there were no branches. */
function retraceFlags(sequence: Sequence): Sequence | undefined {
  const x = loadDecoder();
  let undefinedFlags = 0;
  const items: Item[] = [];
  for (const item of sequence.items) {
    const bytes = sequence.bytes.subarray(item.offset, item.offset + item.length);
    items.push({ ...item, undefinedBefore: undefinedFlags });
    if (bytes[0] === NOP) continue;
    const decoder = new x.Decoder(64, bytes, x.DecoderOptions.None);
    const instruction = decoder.decode();
    const flags = flagsOf(instruction, x.Mnemonic[instruction.mnemonic]!.toLowerCase());
    instruction.free();
    decoder.free();
    if ((flags.reads & undefinedFlags) !== 0) return undefined;
    undefinedFlags = (undefinedFlags & ~flags.writes) | flags.leavesUndefined;
  }
  return { ...sequence, items, undefinedAfter: undefinedFlags };
}
