/** Finds the instruction that makes a difference, and the fewest others that it needs. */
import { loadDecoder } from "../wasm/decode.ts";
import { assembleBatch } from "./batch.ts";
import { stopIndex, type Difference } from "./compare.ts";
import { flagsOf } from "./flag-use.ts";
import type { Batch, HardwareResult } from "./protocol.ts";
import { STATE_SIZE } from "./protocol.ts";
import { ALL_FLAGS, type Item, type Sequence } from "./sequence.ts";
import { DATA_PAGES } from "./windows.ts";
import { PAGE_SIZE } from "../physical-memory.ts";

const INT3 = 0xcc;
const NOP = 0x90;
/** Vector of an int3. */
const BP = 3;

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
  const data = batch.contents.subarray(0, DATA_PAGES.length * PAGE_SIZE);
  return { sequence, data, ...blame(sequence, bad - 1, verdict, verdictOf) };
}

/** Every instruction of a case, as if it had made the given differences. */
export function culpritsOf(
  batch: Batch,
  number: number,
  differences: readonly Difference[],
  judge: Judge,
): readonly Culprit[] {
  const sequence = batch.sequences[number]!;
  const data = batch.contents.subarray(0, DATA_PAGES.length * PAGE_SIZE);
  return sequence.items.map((item, i) => {
    const { hardware } = judge(singleCase(batch, number, cut(sequence, i)));
    return { sequence, item, differences, before: hardware?.state, vector: hardware?.vector ?? -1, data };
  });
}

/** The last instruction is to blame; in a later round of a loop the one at which the host stopped. */
function blame(
  sequence: Sequence,
  last: number,
  { differences, hardware }: Verdict,
  verdictOf: (sequence: Sequence) => Verdict,
): Omit<Culprit, "sequence" | "data"> {
  const vector = hardware?.vector ?? -1;
  const stop = hardware && vector !== BP ? stopIndex(sequence, hardware) : -1;
  if (stop >= 0 && stop < last) return { item: sequence.items[stop]!, differences, before: hardware!.state, vector };
  const before = verdictOf(cut(sequence, last)).hardware?.state;
  return { item: sequence.items[last] ?? sequence.items[0]!, differences, before, vector };
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
  const verdictOf = (sequence: Sequence): Verdict => judge(singleCase(batch, number, sequence));
  const last = culprit.sequence.items.length - 1;
  for (let i = 0; i < last; i++) {
    if (culprit.sequence.items[i] === culprit.item) continue;
    const sequence = withoutItem(least.sequence, i);
    if (!sequence) continue;
    const verdict = verdictOf(sequence);
    if (verdict.differences.length === 0) continue;
    const candidate = { ...least, sequence, ...blame(sequence, last, verdict, verdictOf) };
    if (candidate.item.offset === culprit.item.offset && matters(candidate)) least = candidate;
  }
  return least;
}

/** The first items of a sequence and int3s, on which branches beyond them land. */
function cut(sequence: Sequence, count: number): Sequence {
  const end = sequence.items[count]?.offset ?? sequence.bytes.length;
  if (end >= sequence.bytes.length) return sequence;
  const bytes = sequence.bytes.slice().fill(INT3, end);
  const items = sequence.items.slice(0, count);
  const leaving = items.filter((item) => (branchTarget(sequence, item) ?? 0) > end);
  const undefinedAfter = leaving.reduce(
    (all, item) => all | item.undefinedBefore,
    sequence.items[count]!.undefinedBefore,
  );
  return { ...sequence, bytes, items, undefinedAfter };
}

/** Offset in the sequence to which a branch leads; undefined for other instructions. */
function branchTarget({ bytes, address }: Sequence, { offset, length }: Item): number | undefined {
  const x = loadDecoder();
  const decoder = new x.Decoder(64, bytes.subarray(offset, offset + length), x.DecoderOptions.None);
  decoder.ip = BigInt(address + offset);
  const instruction = decoder.decode();
  const near = instruction.opCount > 0 && instruction.op0Kind === x.OpKind.NearBranch64;
  const target = near ? Number(instruction.nearBranchTarget) - address : undefined;
  instruction.free();
  decoder.free();
  return target;
}

/** The sequence with nops for an item; undefined when one behind it would then read undefined flags. */
function withoutItem(sequence: Sequence, index: number): Sequence | undefined {
  const { offset, length } = sequence.items[index]!;
  if (offset + length > sequence.bytes.length) return undefined;
  const bytes = sequence.bytes.slice();
  bytes.fill(NOP, offset, offset + length);
  return retraceFlags({ ...sequence, bytes });
}

/** Works out undefined flags anew, as if there were no branches; the head of a loop has what any round may leave. */
function retraceFlags(sequence: Sequence): Sequence | undefined {
  const x = loadDecoder();
  let undefinedFlags = 0;
  const items: Item[] = [];
  for (const item of sequence.items) {
    const bytes = sequence.bytes.subarray(item.offset, item.offset + item.length);
    if (item.undefinedBefore === ALL_FLAGS) undefinedFlags = ALL_FLAGS;
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
