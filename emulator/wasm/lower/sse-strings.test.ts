/** The string comparisons with all immediates, against the host's processor: fixed seed, a few states each. */
import { afterAll, describe, expect, test } from "vitest";
import { RAX, RDX } from "../../registers.ts";
import { supportedForms } from "./models.ts";
import { encode, generator, randomState, type Below, type Encoded, type State } from "./testing/cases.ts";
import { differencesOf, type InstructionCase } from "./testing/compare-forms.ts";
import { EngineSide } from "./testing/engine-side.ts";
import { hasNativeJudge } from "./testing/native.ts";

const SEED = 42;
const STATES = 8;
const IMMEDIATES = 256;

const forms = supportedForms("x86-64-v3").filter((form) => /pcmp[ei]str/i.test(form));

/** Few elements to choose from, so that some are equal and some lie within ranges; signs differ. */
const ALPHABETS: readonly (readonly number[])[] = [
  [0x61],
  [0x61, 0x62],
  [0x41, 0x5a, 0x61, 0x7a, 0x4d, 0x6d],
  [0x01, 0x7f, 0x80, 0xff],
];

/** A string of bytes or words, which may end before the vector does. */
function randomText(vector: Uint8Array, below: Below): void {
  const alphabet = ALPHABETS[below(ALPHABETS.length)]!;
  vector.forEach((_, i) => (vector[i] = alphabet[below(alphabet.length)]!));
  const size = 1 + below(2);
  // Words that differ in one of their bytes only.
  if (size === 2 && below(2) === 0) for (let i = 0; i < vector.length; i += 2) vector[i + below(2)] = 0x61;
  const end = below(24) & -size;
  if (end < vector.length) vector.fill(0, end, end + size);
}

/** Any length, negative ones and those that are not 32 bits wide among them. */
function randomLength(below: Below): bigint {
  const little = BigInt(below(40) - 20);
  return BigInt.asUintN(64, [little, little, little << 32n, 1n << 63n, 1n << 31n, 0x100000000n | little][below(6)]!);
}

function textState(below: Below, encoded: Encoded): State {
  const state = randomState(below, encoded);
  const { gprs, ymm, memory } = state;
  for (const register of [RAX, RDX]) gprs[register] = randomLength(below);
  for (const bytes of [ymm, memory]) {
    for (let at = 0; at < bytes.length; at += 16) randomText(bytes.subarray(at, at + 16), below);
  }
  // One text in another, for those that look for it; all of it for those that compare.
  const [from, to] = [below(16), below(16)];
  ymm.copyWithin(to * 32 + 1, from * 32, from * 32 + 1 + below(15));
  return state;
}

/** The form with random operands, but a certain immediate, which is the last byte. */
function withImmediate(form: string, immediate: number, below: Below): InstructionCase {
  const { bytes, text, ...rest } = encode(form, below);
  const encoded = {
    ...rest,
    bytes: Uint8Array.from([...bytes.subarray(0, -1), immediate]),
    text: `${text} (immediate ${immediate})`,
  };
  return { encoded, states: Array.from({ length: STATES }, () => textState(below, encoded)) };
}

test("there are twelve forms", () => expect(forms).toHaveLength(12));

describe.skipIf(!hasNativeJudge())("string comparisons do what the host's processor does", () => {
  const side = new EngineSide();
  afterAll(() => side.dispose());

  test.each(forms)("%s with every immediate", { timeout: 120_000 }, (form) => {
    const below = generator(SEED);
    const cases = Array.from({ length: IMMEDIATES }, (_, immediate) => withImmediate(form, immediate, below));
    expect(differencesOf(side, cases, 0)).toEqual([]);
  });
});
