/** VEX moves, broadcasts, and permutations across the halves of a vector. */
import { simd, V } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand, Operand, RegisterOperand } from "../decode.ts";
import {
  control,
  halvesOf,
  isYmm,
  perHalf,
  readHalves,
  requireAlignment,
  sameOperands,
  threeOperands,
  writeHalves,
  ZERO,
  type Halves,
  type LoweringTable,
} from "./avx.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

type Pair = [Operand, Operand];
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Sets a local to the address of a memory operand; #GP(0) where it must be aligned and is not. */
function addressOf(g: Context, operand: MemoryOperand, aligned: boolean): number {
  const address = g.t64();
  g.pushAddress(operand);
  g.e.set(address);
  if (aligned) requireAlignment(g, address, operand.size);
  return address;
}

/** Stores halves to a memory operand. */
export function storeHalves(g: Context, operand: MemoryOperand, halves: Halves, aligned = false): void {
  const { e } = g;
  const host = g.t32();
  const size = halves.length * 16;
  const address = addressOf(g, operand, aligned);
  g.pushHost(address, size, true);
  e.set(host);
  halves.forEach((half, i) =>
    e
      .get(host)
      .get(half)
      .memory(V.store, i * 16),
  );
  g.commit(host, size);
}

function moveWhole(aligned: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const count = halvesOf(g);
    if (target.kind === "memory") {
      storeHalves(g, target, readHalves(g, source, count), aligned);
      return;
    }
    if (source.kind !== "memory" || !aligned) {
      writeHalves(g, target, readHalves(g, source, count));
      return;
    }
    const host = g.t32();
    g.pushHost(addressOf(g, source, true), count * 16, false);
    e.set(host);
    const halves = range(count).map((i) => {
      const half = g.tv();
      e.get(host)
        .memory(V.load, i * 16)
        .set(half);
      return half;
    });
    writeHalves(g, target, halves);
  };
}

/** VMOVSS, VMOVSD: between registers the rest comes from the first source; a load clears it. */
function moveScalar(legacy: LoweringTable, mnemonic: string): Lowering {
  const [merge, plain] = [threeOperands(legacy, mnemonic), sameOperands(legacy, mnemonic)];
  return (g) => (g.instruction.operands.length === 3 ? merge : plain)(g);
}

// ---- broadcasts ----

const ELEMENTS = {
  1: { extract: V.i8x16_extract_lane_u, splat: V.i8x16_splat },
  2: { extract: V.i16x8_extract_lane_u, splat: V.i16x8_splat },
  4: { extract: V.i32x4_extract_lane, splat: V.i32x4_splat },
  8: { extract: V.i64x2_extract_lane, splat: V.i64x2_splat },
} as const;

function broadcast(size: keyof typeof ELEMENTS): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const { extract, splat } = ELEMENTS[size];
    const value = g.tv();
    if (source.kind === "memory") {
      g.load(source, size);
      if (size < 8) e.wrap();
    } else e.get(g.xmm((source as RegisterOperand).index)).lane(extract, 0);
    e.op(splat).set(value);
    writeHalves(g, target, isYmm(target) ? [value, value] : [value]);
  };
}

function broadcastHalf(g: Context): void {
  const [target, source] = g.instruction.operands as Pair;
  const [value] = readHalves(g, source, 1) as [number];
  writeHalves(g, target, [value, value]);
}

// ---- halves ----

function insertHalf(g: Context): void {
  const [target, first, source] = g.instruction.operands as [Operand, Operand, Operand];
  const [value] = readHalves(g, source, 1) as [number];
  const [low, high] = readHalves(g, first, 2) as [number, number];
  const copy = g.tv();
  g.e.get(value).set(copy);
  const upper = (control(g) & 1) !== 0;
  const kept = g.tv();
  g.e.get(upper ? low : high).set(kept);
  writeHalves(g, target, upper ? [kept, copy] : [copy, kept]);
}

function extractHalf(g: Context): void {
  const [target, source] = g.instruction.operands as Pair;
  const half = readHalves(g, source, 2)[control(g) & 1]!;
  if (target.kind === "memory") storeHalves(g, target, [half]);
  else writeHalves(g, target, [half]);
}

/** VPERM2F128, VPERM2I128: each half of the result is one of four, or zero. */
function permuteHalves(g: Context): void {
  const { e } = g;
  const [target, first, second] = g.instruction.operands as [Operand, Operand, Operand];
  const b = readHalves(g, second, 2);
  const all = [...readHalves(g, first, 2), ...b];
  const results = [0, 4].map((shift) => {
    const bits = control(g) >> shift;
    const result = g.tv();
    if ((bits & 8) !== 0) e.v128(ZERO);
    else e.get(all[bits & 3]!);
    e.set(result);
    return result;
  });
  writeHalves(g, target, results);
}

// ---- permutations ----

const bytesOf = (elements: readonly number[], size: number): number[] =>
  elements.flatMap((element) => range(size).map((byte) => element * size + byte));

/** VPERMQ, VPERMPD: any of the four quadwords to each place. */
function permuteQuads(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const [low, high] = readHalves(g, source, 2) as [number, number];
  const results = [0, 4].map((shift) => {
    const bits = control(g) >> shift;
    const result = g.tv();
    e.get(low)
      .get(high)
      .shuffle(bytesOf([bits & 3, (bits >> 2) & 3], 8))
      .set(result);
    return result;
  });
  writeHalves(g, target, results);
}

/** VPERMD, VPERMPS: the low three bits of each index choose among eight doublewords. */
function permuteDoublewords(g: Context): void {
  const { e } = g;
  const [target, indexes, source] = g.instruction.operands as [Operand, Operand, Operand];
  const [low, high] = readHalves(g, source, 2) as [number, number];
  const results = readHalves(g, indexes, 2).map((index) => {
    const [bytes, result] = [g.tv(), g.tv()];
    e.get(index).i32(7).op(V.i32x4_splat, V.and);
    pushByteIndexes(g, 4);
    e.set(bytes);
    // A swizzle gives 0 for indexes of 16 and more.
    e.get(low).get(bytes).op(V.i8x16_swizzle);
    e.get(high).get(bytes).i32(16).op(V.i8x16_splat, simd("i8x16_sub"), V.i8x16_swizzle, V.or).set(result);
    return result;
  });
  writeHalves(g, target, results);
}

/** Turns numbers of elements in the lanes of the vector on the stack into the numbers of their bytes. */
function pushByteIndexes({ e }: Context, size: 4 | 8): void {
  if (size === 4) {
    e.i32(0x04040404).op(V.i32x4_splat, simd("i32x4_mul")).i32(0x03020100).op(V.i32x4_splat, simd("i32x4_add"));
  } else {
    e.i64(0x0808080808080808n).op(V.i64x2_splat, simd("i64x2_mul"));
    e.i64(0x0706050403020100n).op(V.i64x2_splat, simd("i64x2_add"));
  }
}

const permuteSinglesBy = perHalf((g, _half, value, index) => {
  g.e.get(value).get(index).i32(3).op(V.i32x4_splat, V.and);
  pushByteIndexes(g, 4);
  g.e.op(V.i8x16_swizzle);
});

/** Bit 1 of each index counts. */
const permuteDoublesBy = perHalf((g, _half, value, index) => {
  g.e.get(value).get(index).i32(1).op(simd("i64x2_shr_u")).i64(1).op(V.i64x2_splat, V.and);
  pushByteIndexes(g, 8);
  g.e.op(V.i8x16_swizzle);
});

const permuteSingles = perHalf((g, _half, value) => {
  const bits = control(g);
  g.e
    .get(value)
    .get(value)
    .shuffle(
      bytesOf(
        range(4).map((i) => (bits >> (i * 2)) & 3),
        4,
      ),
    );
});

const permuteDoubles = perHalf((g, half, value) => {
  const bits = control(g) >> (half * 2);
  g.e
    .get(value)
    .get(value)
    .shuffle(bytesOf([bits & 1, (bits >> 1) & 1], 8));
});

const byImmediate = (fixed: Lowering, variable: Lowering): Lowering => {
  return (g) => (g.instruction.operands[2]?.kind === "immediate" ? fixed : variable)(g);
};

const blendDoublewords = perHalf((g, half, a, b) => {
  const bits = control(g) >> (half * 4);
  g.e
    .get(a)
    .get(b)
    .shuffle(
      bytesOf(
        range(4).map((i) => i + ((bits >> i) & 1) * 4),
        4,
      ),
    );
});

/** VZEROUPPER, VZEROALL. */
function zero(all: boolean): Lowering {
  return (g) => {
    for (let i = 0; i < 16; i++) {
      g.e.v128(ZERO).set(g.ymmHighOut(i));
      if (all) g.e.v128(ZERO).set(g.xmmOut(i));
    }
  };
}

/** VBLENDVPS, VBLENDVPD, VPBLENDVB: elements by the sign bits of the fourth operand. */
function blendVariable(lanes: string, bits: number): Lowering {
  return perHalf(({ e }, _half, a, b, mask) => {
    e.get(b)
      .get(a)
      .get(mask)
      .i32(bits - 1)
      .op(simd(`${lanes}_shr_s`), V.bitselect);
  });
}

const names = (list: string, lowering: Lowering): LoweringRows =>
  list.split(" ").map((name) => [name, lowering] as const);

export function avxMoves(legacy: LoweringTable): LoweringRows {
  return [
    ...names("vmovaps vmovapd vmovdqa vmovntps vmovntpd vmovntdq vmovntdqa", moveWhole(true)),
    ...names("vmovups vmovupd vmovdqu vlddqu", moveWhole(false)),
    ["vmovss", moveScalar(legacy, "movss")],
    ["vmovsd", moveScalar(legacy, "movsd")],
    ["vpbroadcastb", broadcast(1)],
    ["vpbroadcastw", broadcast(2)],
    ...names("vpbroadcastd vbroadcastss", broadcast(4)),
    ...names("vpbroadcastq vbroadcastsd", broadcast(8)),
    ...names("vbroadcastf128 vbroadcasti128", broadcastHalf),
    ...names("vinsertf128 vinserti128", insertHalf),
    ...names("vextractf128 vextracti128", extractHalf),
    ...names("vperm2f128 vperm2i128", permuteHalves),
    ...names("vpermq vpermpd", permuteQuads),
    ...names("vpermd vpermps", permuteDoublewords),
    ["vpermilps", byImmediate(permuteSingles, permuteSinglesBy)],
    ["vpermilpd", byImmediate(permuteDoubles, permuteDoublesBy)],
    ["vpblendd", blendDoublewords],
    ["vblendvps", blendVariable("i32x4", 32)],
    ["vblendvpd", blendVariable("i64x2", 64)],
    ["vpblendvb", blendVariable("i8x16", 8)],
    ["vzeroupper", zero(false)],
    ["vzeroall", zero(true)],
  ];
}
