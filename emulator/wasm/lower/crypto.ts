/** AES-NI, PCLMULQDQ and the SHA extensions (Intel SDM volume 1, sections 5.11 and 5.18). */
import { simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { vectors } from "./sse-integer.ts";

const control = (g: Context): number => {
  const operand = g.instruction.operands.at(-1);
  return operand?.kind === "immediate" ? Number(operand.value & 255n) : 0;
};

// ---- AES and PCLMULQDQ ----

const aes = (name: string): Lowering => vectors((g, state, key) => void g.e.get(state).get(key).call(g.runtime(name)));

const inverseMix = vectors((g, _target, key) => void g.e.get(key).call(g.runtime("aesInverseMix")));

/** Words 1 and 3 substituted, and the same turned by a byte with the round constant. */
const keyAssist = vectors((g, _target, source) => {
  const words = g.tv();
  const constant = new Uint8Array(16);
  constant[4] = constant[12] = control(g);
  g.e.get(source).call(g.runtime("aesSubstitute")).tee(words).get(words);
  g.e.shuffle([4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12]).v128(constant).op(V.xor);
});

const carryless = vectors((g, a, b) => {
  const bits = control(g);
  g.e.get(a).lane(V.i64x2_extract_lane, bits & 1);
  g.e.get(b).lane(V.i64x2_extract_lane, (bits >> 4) & 1);
  g.e.call(g.runtime("carrylessMultiply"));
});

// ---- SHA ----

/** Locals with the four words of a vector, lowest first. */
function wordsOf(g: Context, vector: number): [number, number, number, number] {
  return [0, 1, 2, 3].map((lane) => {
    const word = g.t32();
    g.e.get(vector).lane(V.i32x4_extract_lane, lane).set(word);
    return word;
  }) as [number, number, number, number];
}

/** Pushes a vector of four locals, lowest first. */
function pushWords({ e }: Context, words: readonly number[]): void {
  e.get(words[0]!).op(V.i32x4_splat);
  for (let lane = 1; lane < 4; lane++) e.get(words[lane]!).lane(V.i32x4_replace_lane, lane);
}

/** Pushes x turned right by each number and, with `shift`, x shifted, all combined (FIPS 180-4, section 4.1.2). */
function sigma({ e }: Context, x: number, turns: readonly number[], shift?: number): void {
  turns.forEach((by, i) => {
    e.get(x).i32(by).op(W.i32_rotr);
    if (i > 0) e.op(W.i32_xor);
  });
  if (shift !== undefined) e.get(x).i32(shift).op(W.i32_shr_u, W.i32_xor);
}

const choose = ({ e }: Context, x: number, y: number, z: number): void =>
  void e.get(y).get(z).op(W.i32_xor).get(x).op(W.i32_and).get(z).op(W.i32_xor);
const majority = ({ e }: Context, x: number, y: number, z: number): void =>
  void e.get(x).get(y).op(W.i32_and).get(x).get(y).op(W.i32_or).get(z).op(W.i32_and, W.i32_or);
const parity = ({ e }: Context, x: number, y: number, z: number): void =>
  void e.get(x).get(y).op(W.i32_xor).get(z).op(W.i32_xor);

/** Two rounds of SHA-256 with the sums of message words and constants in XMM0. */
const sha256Rounds = vectors((g, target, source) => {
  const { e } = g;
  let [h, gg, d, c] = wordsOf(g, target);
  let [f, ee, b, a] = wordsOf(g, source);
  for (let round = 0; round < 2; round++) {
    const [first, newA, newE] = [g.t32(), g.t32(), g.t32()];
    e.get(g.xmm(0)).lane(V.i32x4_extract_lane, round).get(h).op(W.i32_add);
    choose(g, ee, f, gg);
    e.op(W.i32_add);
    sigma(g, ee, [6, 11, 25]);
    e.op(W.i32_add).tee(first).get(d).op(W.i32_add).set(newE);
    e.get(first);
    majority(g, a, b, c);
    e.op(W.i32_add);
    sigma(g, a, [2, 13, 22]);
    e.op(W.i32_add).set(newA);
    [h, gg, f, ee] = [gg, f, ee, newE];
    [d, c, b, a] = [c, b, a, newA];
  }
  pushWords(g, [f, ee, b, a]);
});

/** The words of target and source one place further on. */
const NEXT_WORDS = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

const sha256Message1 = vectors((g, a, b) => {
  const { e } = g;
  const next = g.tv();
  const turned = (by: number): void => {
    e.get(next).i32(by).op(simd("i32x4_shr_u"));
    e.get(next)
      .i32(32 - by)
      .op(simd("i32x4_shl"), V.or);
  };
  e.get(a).get(b).shuffle(NEXT_WORDS).set(next);
  turned(7);
  turned(18);
  e.op(V.xor).get(next).i32(3).op(simd("i32x4_shr_u"), V.xor);
  e.get(a).op(simd("i32x4_add"));
});

const sha256Message2 = vectors((g, a, b) => {
  const { e } = g;
  const sums = wordsOf(g, a);
  const [, , w14, w15] = wordsOf(g, b);
  const before = [w14, w15, sums[0], sums[1]];
  before.forEach((word, i) => {
    e.get(sums[i]!);
    sigma(g, word, [17, 19], 10);
    e.op(W.i32_add).set(sums[i]!);
  });
  pushWords(g, sums);
});

/** Functions and constants of the four groups of 20 rounds (FIPS 180-4, sections 4.1.1 and 4.2.1). */
const SHA1_GROUPS = [
  { mix: choose, constant: 0x5a827999 },
  { mix: parity, constant: 0x6ed9eba1 },
  { mix: majority, constant: 0x8f1bbcdc },
  { mix: parity, constant: 0xca62c1d6 },
] as const;

/** Four rounds; the first message word comes with E added. */
const sha1Rounds = vectors((g, target, source) => {
  const { e } = g;
  const { mix, constant } = SHA1_GROUPS[control(g) & 3]!;
  let [d, c, b, a] = wordsOf(g, target);
  let sum: number | undefined;
  const messages = wordsOf(g, source).reverse();
  for (const message of messages) {
    const [newA, turnedB] = [g.t32(), g.t32()];
    mix(g, b, c, d);
    e.get(a).i32(5).op(W.i32_rotl, W.i32_add).get(message).i32(constant).op(W.i32_add, W.i32_add);
    if (sum !== undefined) e.get(sum).op(W.i32_add);
    e.set(newA);
    e.get(b).i32(30).op(W.i32_rotl).set(turnedB);
    [sum, d, c, b, a] = [d, c, turnedB, a, newA];
  }
  pushWords(g, [d, c, b, a]);
});

const sha1NextE = vectors(({ e }, a, b) => {
  e.get(b).get(b).lane(V.i32x4_extract_lane, 3).get(a).lane(V.i32x4_extract_lane, 3).i32(30);
  e.op(W.i32_rotl, W.i32_add).lane(V.i32x4_replace_lane, 3);
});

const sha1Message1 = vectors(({ e }, a, b) => {
  e.get(a).get(b).get(a).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]).op(V.xor);
});

const sha1Message2 = vectors((g, a, b) => {
  const { e } = g;
  const sums = wordsOf(g, a);
  const [w15, w14, w13] = wordsOf(g, b);
  [w13, w14, w15, sums[3]].forEach((word, i) => {
    const sum = sums[3 - i]!;
    e.get(sum).get(word).op(W.i32_xor).i32(1).op(W.i32_rotl).set(sum);
  });
  pushWords(g, sums);
});

export const CRYPTO: LoweringRows = [
  ["aesenc", aes("aesEncrypt")],
  ["aesenclast", aes("aesEncryptLast")],
  ["aesdec", aes("aesDecrypt")],
  ["aesdeclast", aes("aesDecryptLast")],
  ["aesimc", inverseMix],
  ["aeskeygenassist", keyAssist],
  ["pclmulqdq", carryless],
  ["sha256rnds2", sha256Rounds],
  ["sha256msg1", sha256Message1],
  ["sha256msg2", sha256Message2],
  ["sha1rnds4", sha1Rounds],
  ["sha1nexte", sha1NextE],
  ["sha1msg1", sha1Message1],
  ["sha1msg2", sha1Message2],
];
