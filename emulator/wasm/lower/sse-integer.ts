/** Packed integer arithmetic, MMX to SSE4.2. */
import { simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { CF, ZF } from "../flags.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { enterMmx, immediateOf, isMmx, popVector, pushVector, raisePendingMmx } from "./sse.ts";

type Pair = [Operand, Operand];

/** x86 mnemonic, WebAssembly operation on (target, source). */
const DIRECT = `
  paddb i8x16_add  paddw i16x8_add  paddd i32x4_add  paddq i64x2_add
  psubb i8x16_sub  psubw i16x8_sub  psubd i32x4_sub  psubq i64x2_sub
  paddsb i8x16_add_sat_s  paddsw i16x8_add_sat_s  paddusb i8x16_add_sat_u  paddusw i16x8_add_sat_u
  psubsb i8x16_sub_sat_s  psubsw i16x8_sub_sat_s  psubusb i8x16_sub_sat_u  psubusw i16x8_sub_sat_u
  pmullw i16x8_mul  pmulld i32x4_mul  pmaddwd i32x4_dot_i16x8_s
  pand and  por or  pxor xor  andps and  andpd and  orps or  orpd or  xorps xor  xorpd xor
  pcmpeqb i8x16_eq  pcmpeqw i16x8_eq  pcmpeqd i32x4_eq  pcmpeqq i64x2_eq
  pcmpgtb i8x16_gt_s  pcmpgtw i16x8_gt_s  pcmpgtd i32x4_gt_s  pcmpgtq i64x2_gt_s
  pminsb i8x16_min_s  pminsw i16x8_min_s  pminsd i32x4_min_s  pminub i8x16_min_u  pminuw i16x8_min_u  pminud i32x4_min_u
  pmaxsb i8x16_max_s  pmaxsw i16x8_max_s  pmaxsd i32x4_max_s  pmaxub i8x16_max_u  pmaxuw i16x8_max_u  pmaxud i32x4_max_u
  pavgb i8x16_avgr_u  pavgw i16x8_avgr_u
`;

/** Pushes what the operands become; the result goes to the first. `change` gets them in locals. */
export function vectors(change: (g: Context, a: number, b: number) => void): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const [a, b] = [g.tv(), g.tv()];
    raisePendingMmx(g);
    pushVector(g, target);
    e.set(a);
    pushVector(g, source, isMmx(target) ? 8 : 16);
    e.set(b);
    enterMmx(g);
    change(g, a, b);
    popVector(g, target);
  };
}

const direct = (opcode: number): Lowering => vectors(({ e }, a, b) => void e.get(a).get(b).op(opcode));
const unary = (opcode: number): Lowering => vectors(({ e }, _a, b) => void e.get(b).op(opcode));

/** PABS and PSIGN negate by arithmetic. */
function sign(prefix: string, bits: number): Lowering {
  return vectors(({ e }, a, b) => {
    // (a xor s) - s negates where the source is negative; then 0 where it is 0.
    e.get(a)
      .get(b)
      .i32(bits - 1)
      .op(simd(`${prefix}_shr_s`), V.xor);
    e.get(b)
      .i32(bits - 1)
      .op(simd(`${prefix}_shr_s`), simd(`${prefix}_sub`));
    e.get(b)
      .v128(new Uint8Array(16))
      .op(simd(`${prefix}_eq`), V.not, V.and);
  });
}

/** Shifts by an immediate or by the low 64 bits of a vector; a count of the width or more clears (or fills). */
function shift(prefix: string, bits: number, direction: "shl" | "shr_s" | "shr_u"): Lowering {
  return (g) => {
    const { e } = g;
    const [target, by] = g.instruction.operands as Pair;
    const opcode = simd(`${prefix}_${direction}`);
    raisePendingMmx(g);
    const limit = direction === "shr_s" ? bits - 1 : bits;
    if (by.kind === "immediate") {
      const count = Math.min(immediateOf(g), limit);
      enterMmx(g);
      pushVector(g, target);
      if (count === bits) e.drop().v128(new Uint8Array(16));
      else e.i32(count).op(opcode);
      popVector(g, target);
      return;
    }
    const [count, fits] = [g.t64(), g.t32()];
    const value = g.tv();
    pushVector(g, by, isMmx(target) ? 8 : 16);
    e.lane(V.i64x2_extract_lane, 0).tee(count).i64(bits).op(W.i64_lt_u).set(fits);
    enterMmx(g);
    pushVector(g, target);
    e.set(value);
    if (direction === "shr_s") {
      e.get(value)
        .get(count)
        .wrap()
        .i32(bits - 1)
        .get(fits)
        .select()
        .op(opcode);
    } else {
      e.get(value).get(count).wrap().op(opcode).v128(new Uint8Array(16)).get(fits).select();
    }
    popVector(g, target);
  };
}

/** PSLLDQ and PSRLDQ. */
function shiftBytes(left: boolean): Lowering {
  return (g) => {
    const [target] = g.instruction.operands as Pair;
    const count = Math.min(immediateOf(g), 16);
    const lanes = Array.from({ length: 16 }, (_, i) => (left ? 16 + i - count : i + count));
    if (left) {
      g.e.v128(new Uint8Array(16));
      pushVector(g, target);
    } else {
      pushVector(g, target);
      g.e.v128(new Uint8Array(16));
    }
    g.e.shuffle(lanes);
    popVector(g, target);
  };
}

/** (target : source) shifted right by bytes. */
function alignRight(g: Context): void {
  const [target] = g.instruction.operands as Pair;
  const count = immediateOf(g);
  vectors(({ e }, a, b) => {
    const half = isMmx(target) ? 8 : 16;
    const zero = 32;
    const lane = (i: number): number => (i < half ? 16 + i : i < 2 * half ? i - half : zero);
    const lanes = Array.from({ length: 16 }, (_, i) => lane(i + count));
    e.get(a)
      .get(b)
      .shuffle(lanes.map((l) => (l === zero ? 0 : l)));
    if (lanes.includes(zero)) e.v128(lanes.map((l) => (l === zero ? 0 : 255))).op(V.and);
  })(g);
}

/** PACKxx: saturates the elements of target, then source, to half their width. */
function pack(opcode: number): Lowering {
  return vectors((g, a, b) => {
    if (isMmx(g.instruction.operands[0])) {
      g.e.get(a).get(b).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]).tee(a).get(a).op(opcode);
    } else g.e.get(a).get(b).op(opcode);
  });
}

const ODD_WORDS = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];

/** The upper halves of 16-bit products. */
function multiplyHigh(sign: "s" | "u"): Lowering {
  return vectors(({ e }, a, b) => {
    e.get(a)
      .get(b)
      .op(simd(`i32x4_extmul_low_i16x8_${sign}`));
    e.get(a)
      .get(b)
      .op(simd(`i32x4_extmul_high_i16x8_${sign}`))
      .shuffle(ODD_WORDS);
  });
}

const EVEN_DWORDS = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

/** PMULUDQ and PMULDQ: elements 0 and 2 to 64 bits. */
function multiplyEven(sign: "s" | "u"): Lowering {
  return vectors(({ e }, a, b) => {
    e.get(a)
      .get(a)
      .shuffle(EVEN_DWORDS)
      .get(b)
      .get(b)
      .shuffle(EVEN_DWORDS)
      .op(simd(`i64x2_extmul_low_i32x4_${sign}`));
  });
}

/** Sums of absolute differences of 8 bytes each. */
const sumOfDifferences = vectors((g, a, b) => {
  const { e } = g;
  const sums = g.tv();
  e.get(a).get(b).op(simd("i8x16_sub_sat_u")).get(b).get(a).op(simd("i8x16_sub_sat_u"), V.or);
  e.op(simd("i16x8_extadd_pairwise_i8x16_u"), simd("i32x4_extadd_pairwise_i16x8_u")).set(sums);
  e.get(sums).i32(32).op(simd("i64x2_shr_u")).get(sums).op(simd("i64x2_add"));
  e.i64(0xffffffff).op(V.i64x2_splat, V.and);
});

const EVEN: Readonly<Record<number, number[]>> = {
  2: [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29],
  4: [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27],
};

/** PHADD and PHSUB: neighbours of target, then of source. */
export function horizontal(size: 2 | 4, opcode: number): Lowering {
  return vectors((g, a, b) => {
    const { e } = g;
    const even = EVEN[size]!;
    if (isMmx(g.instruction.operands[0])) {
      e.get(a).get(b).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]).tee(a).set(b);
    }
    e.get(a).get(b).shuffle(even);
    e.get(a)
      .get(b)
      .shuffle(even.map((lane) => lane + size));
    e.op(opcode);
  });
}

/** PSHUFB: the top bit of an index clears, the four low ones (MMX: three) select. */
const shuffleBytes = vectors((g, a, b) => {
  const low = isMmx(g.instruction.operands[0]) ? 0x87 : 0x8f;
  g.e.get(a).get(b).i32(low).op(V.i8x16_splat, V.and, V.i8x16_swizzle);
});

/** PMADDUBSW: unsigned bytes of the target times signed ones of the source, neighbours added with saturation. */
const multiplyAddBytes = vectors((g, a, b) => {
  const { e } = g;
  const product = (half: "low" | "high"): void => {
    e.get(a)
      .op(simd(`i16x8_extend_${half}_i8x16_u`))
      .get(b)
      .op(simd(`i16x8_extend_${half}_i8x16_s`));
    e.op(simd("i32x4_dot_i16x8_s"));
  };
  product("low");
  product("high");
  e.op(simd("i16x8_narrow_i32x4_s"));
});

const multiplyRounded = vectors(({ e }, a, b) => {
  // q15mulr saturates the one product x86 lets wrap.
  e.get(a).get(b).op(simd("i16x8_q15mulr_sat_s"));
  e.get(a).i32(-32768).op(V.i16x8_splat, V.i16x8_eq).get(b).i32(-32768).op(V.i16x8_splat, V.i16x8_eq, V.and, V.xor);
});

function convert(from: number, opcodes: readonly number[]): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    if (source.kind === "memory" && from === 2) {
      e.v128(new Uint8Array(16));
      g.load(source, 2);
      e.wrap().lane(V.i16x8_replace_lane, 0);
    } else pushVector(g, source, from);
    e.op(...opcodes);
    popVector(g, target);
  };
}

function conversions(sign: "s" | "u", prefix: string): LoweringRows {
  const bw = simd(`i16x8_extend_low_i8x16_${sign}`);
  const wd = simd(`i32x4_extend_low_i16x8_${sign}`);
  const dq = simd(`i64x2_extend_low_i32x4_${sign}`);
  return [
    [`${prefix}bw`, convert(8, [bw])],
    [`${prefix}bd`, convert(4, [bw, wd])],
    [`${prefix}bq`, convert(2, [bw, wd, dq])],
    [`${prefix}wd`, convert(8, [wd])],
    [`${prefix}wq`, convert(4, [wd, dq])],
    [`${prefix}dq`, convert(8, [dq])],
  ];
}

/** PTEST: ZF when target and source share no bit, CF when the source has none outside the target. */
function test(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const [a, b] = [g.tv(), g.tv()];
  pushVector(g, target);
  e.set(a);
  pushVector(g, source);
  e.set(b);
  e.get(a).get(b).op(V.and, V.any_true, W.i32_eqz).i32(Math.log2(ZF)).op(W.i32_shl);
  e.get(b).get(a).op(V.andnot, V.any_true, W.i32_eqz).i32(Math.log2(CF)).op(W.i32_shl, W.i32_or);
  g.popFlags();
}

/** Blends by a constant: bit i of the immediate takes element i from the source. */
function blend(size: number): Lowering {
  return (g) => {
    const bits = immediateOf(g);
    const lanes = Array.from({ length: 16 }, (_, i) => i + ((bits >> Math.floor(i / size)) & 1) * 16);
    vectors(({ e }, a, b) => void e.get(a).get(b).shuffle(lanes))(g);
  };
}

/** Blends by the sign bits of XMM0. */
function blendVariable(prefix: string, bits: number): Lowering {
  return vectors((g, a, b) => {
    g.e
      .get(b)
      .get(a)
      .get(g.xmm(0))
      .i32(bits - 1)
      .op(simd(`${prefix}_shr_s`), V.bitselect);
  });
}

/** The smallest word and its place. */
function minimumPosition(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const v = g.tv();
  const best = g.t32();
  const candidate = g.t32();
  pushVector(g, source);
  e.set(v);
  for (let i = 0; i < 8; i++) {
    e.get(v).lane(V.i16x8_extract_lane_u, i).i32(3).op(W.i32_shl).i32(i).op(W.i32_or);
    if (i === 0) e.set(best);
    else e.tee(candidate).get(best).get(candidate).get(best).op(W.i32_lt_u).select().set(best);
  }
  e.v128(new Uint8Array(16)).get(best).i32(3).op(W.i32_shr_u).get(best).i32(7).op(W.i32_and).i32(16);
  e.op(W.i32_shl, W.i32_or).lane(V.i32x4_replace_lane, 0);
  popVector(g, target);
}

/** Eight sums of absolute differences of one group of four source bytes with sliding groups of the target. */
function multipleSums(g: Context): void {
  const bits = immediateOf(g);
  const [start, group] = [(bits & 4) !== 0 ? 4 : 0, (bits & 3) * 4];
  vectors((context, a, b) => {
    const { e } = context;
    const sum = context.tv();
    e.v128(new Uint8Array(16)).set(sum);
    for (let k = 0; k < 4; k++) {
      const x = context.tv();
      const y = context.tv();
      e.get(a)
        .get(a)
        .shuffle(Array.from({ length: 16 }, (_, i) => (start + k + i) % 16));
      e.op(simd("i16x8_extend_low_i8x16_u")).set(x);
      e.get(b)
        .lane(V.i8x16_extract_lane_u, group + k)
        .op(V.i16x8_splat)
        .set(y);
      e.get(sum).get(x).get(y).op(simd("i16x8_sub"), simd("i16x8_abs"), simd("i16x8_add")).set(sum);
    }
    e.get(sum);
  })(g);
}

export const SSE_INTEGER: LoweringRows = [
  ...[...DIRECT.matchAll(/(\S+)\s+(\S+)/g)].map((row) => [row[1]!, direct(simd(row[2]!))] as const),
  ...["pandn", "andnps", "andnpd"].map(
    (name) => [name, vectors(({ e }, a, b) => void e.get(b).get(a).op(V.andnot))] as const,
  ),
  ["psllw", shift("i16x8", 16, "shl")],
  ["pslld", shift("i32x4", 32, "shl")],
  ["psllq", shift("i64x2", 64, "shl")],
  ["psrlw", shift("i16x8", 16, "shr_u")],
  ["psrld", shift("i32x4", 32, "shr_u")],
  ["psrlq", shift("i64x2", 64, "shr_u")],
  ["psraw", shift("i16x8", 16, "shr_s")],
  ["psrad", shift("i32x4", 32, "shr_s")],
  ["pslldq", shiftBytes(true)],
  ["psrldq", shiftBytes(false)],
  ["palignr", alignRight],
  ["packsswb", pack(simd("i8x16_narrow_i16x8_s"))],
  ["packuswb", pack(simd("i8x16_narrow_i16x8_u"))],
  ["packssdw", pack(simd("i16x8_narrow_i32x4_s"))],
  ["packusdw", pack(simd("i16x8_narrow_i32x4_u"))],
  ["pmulhw", multiplyHigh("s")],
  ["pmulhuw", multiplyHigh("u")],
  ["pmuludq", multiplyEven("u")],
  ["pmuldq", multiplyEven("s")],
  ["psadbw", sumOfDifferences],
  ["pabsb", unary(simd("i8x16_abs"))],
  ["pabsw", unary(simd("i16x8_abs"))],
  ["pabsd", unary(simd("i32x4_abs"))],
  ["psignb", sign("i8x16", 8)],
  ["psignw", sign("i16x8", 16)],
  ["psignd", sign("i32x4", 32)],
  ["phaddw", horizontal(2, simd("i16x8_add"))],
  ["phaddd", horizontal(4, simd("i32x4_add"))],
  ["phaddsw", horizontal(2, simd("i16x8_add_sat_s"))],
  ["phsubw", horizontal(2, simd("i16x8_sub"))],
  ["phsubd", horizontal(4, simd("i32x4_sub"))],
  ["phsubsw", horizontal(2, simd("i16x8_sub_sat_s"))],
  ["pshufb", shuffleBytes],
  ["pmaddubsw", multiplyAddBytes],
  ["pmulhrsw", multiplyRounded],
  ...conversions("s", "pmovsx"),
  ...conversions("u", "pmovzx"),
  ["ptest", test],
  ["pblendw", blend(2)],
  ["blendps", blend(4)],
  ["blendpd", blend(8)],
  ["pblendvb", blendVariable("i8x16", 8)],
  ["blendvps", blendVariable("i32x4", 32)],
  ["blendvpd", blendVariable("i64x2", 64)],
  ["phminposuw", minimumPosition],
  ["mpsadbw", multipleSums],
];
