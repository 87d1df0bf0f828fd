/** VEX operations with no SSE counterpart: 32 comparison predicates, shifts by element, tests of signs. */
import { Memory, simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { CF, ZF } from "../flags.ts";
import { AT_MXCSR } from "../layout.ts";
import {
  control,
  halvesOf,
  lowerAs,
  perHalf,
  readHalves,
  threeOperands,
  writeHalves,
  ZERO,
  type LoweringTable,
} from "./avx.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { pushVector } from "./sse.ts";

// ---- comparison ----

/** Predicates 8 to 15, true when one of the relations holds, or (`not`) when none does. */
const PREDICATES: readonly { readonly any: readonly string[]; readonly not: boolean }[] = [
  { any: ["lt", "gt"], not: true },
  { any: ["ge"], not: true },
  { any: ["gt"], not: true },
  { any: [], not: false },
  { any: ["lt", "gt"], not: false },
  { any: ["ge"], not: false },
  { any: ["gt"], not: false },
  { any: [], not: true },
];

/** SSE predicates with the same exceptions: LT signals for quiet NaNs, UNORD does not. */
const SIGNALING = 1;
const QUIET = 3;

/** Whether a predicate signals for quiet NaNs; those from 16 on do the opposite of those 16 below. */
const signals = (predicate: number): boolean => [1, 2].includes(predicate & 3) !== predicate >= 16;

/**
 * VCMPxx (Intel SDM volume 2, table 3-1): predicates 0 to 7 are those of SSE; from 8 on the SSE comparison is only done
 * for its exceptions, in strict mode.
 */
function compare(legacy: LoweringTable, mnemonic: string): Lowering {
  const old = threeOperands(legacy, mnemonic);
  const lanes = mnemonic.endsWith("d") ? "f64x2" : "f32x4";
  const isScalar = mnemonic.charAt(3) === "s";
  return (g) => {
    const predicate = control(g) & 31;
    if (predicate < 8) {
      old(g);
      return;
    }
    const { e } = g;
    const [target, first, second] = g.instruction.operands as [Operand, Operand, Operand];
    const count = halvesOf(g);
    const sources = isScalar ? [scalarSource(g, second, lanes)] : readHalves(g, second, count);
    const firsts = readHalves(g, first, count);
    const results = firsts.map((a, i) => {
      const result = g.tv();
      const [x, y] = [a, sources[i]!].map((source) =>
        g.strictFloat ? withoutDenormals(g, lanes, source) : source,
      ) as [number, number];
      if (g.strictFloat) raiseExceptions(g, legacy, mnemonic, signals(predicate), a, sources[i]!);
      pushRelation(g, lanes, predicate, x, y);
      e.set(result);
      if (isScalar) mergeLowest(g, lanes, a, result);
      return result;
    });
    writeHalves(g, target, results);
  };
}

function raiseExceptions(
  g: Context,
  legacy: LoweringTable,
  mnemonic: string,
  signaling: boolean,
  a: number,
  b: number,
): void {
  const scratch = g.tv();
  g.e.get(a).set(scratch);
  const predicate = { kind: "immediate", value: BigInt(signaling ? SIGNALING : QUIET) } as const;
  lowerAs(g, legacy, mnemonic, [g.aliasVector(scratch), g.aliasVector(b), predicate]);
}

const MXCSR_DAZ = 6;

/** A local with zeros in place of denormals, if MXCSR says so. */
function withoutDenormals(g: Context, lanes: string, source: number): number {
  const { e } = g;
  const result = g.tv();
  e.v128(ZERO)
    .get(source)
    .get(source)
    .op(simd(`${lanes}_abs`));
  if (lanes === "f64x2") e.f64(2 ** -1022).op(V.f64x2_splat);
  else e.f32(2 ** -126).op(V.f32x4_splat);
  e.op(simd(`${lanes}_lt`));
  e.i32(0).loadAt(Memory.i32_load, AT_MXCSR).i32(MXCSR_DAZ).op(W.i32_shr_u).i32(1).op(W.i32_and, W.i32_sub);
  e.op(V.i32x4_splat, V.and, V.bitselect).set(result);
  return result;
}

function scalarSource(g: Context, operand: Operand, lanes: string): number {
  if (operand.kind === "register") return g.xmm(operand.index);
  const value = g.tv();
  pushVector(g, operand, lanes === "f64x2" ? 8 : 4);
  g.e.set(value);
  return value;
}

/** The relations of 8 to 15; 16 to 23 have those of 0 to 7. */
function pushRelation(g: Context, lanes: string, predicate: number, a: number, b: number): void {
  const { e } = g;
  const op = (name: string): number => simd(`${lanes}_${name}`);
  if ((predicate & 8) === 0) {
    const low = predicate & 3;
    if (low === 3) e.get(a).get(a).op(op("ne")).get(b).get(b).op(op("ne"), V.or);
    else
      e.get(a)
        .get(b)
        .op(op(["eq", "lt", "le"][low]!));
    if ((predicate & 4) !== 0) e.op(V.not);
    return;
  }
  const { any, not } = PREDICATES[predicate & 7]!;
  if (any.length === 0) e.v128(ZERO);
  any.forEach((relation, i) => {
    e.get(a).get(b).op(op(relation));
    if (i > 0) e.op(V.or);
  });
  if (not) e.op(V.not);
}

/** Sets `result` to `rest` with the lowest element of `result`. */
function mergeLowest({ e }: Context, lanes: string, rest: number, result: number): void {
  const [extract, replace] =
    lanes === "f64x2" ? [V.i64x2_extract_lane, V.i64x2_replace_lane] : [V.i32x4_extract_lane, V.i32x4_replace_lane];
  e.get(rest).get(result).lane(extract, 0).lane(replace, 0).set(result);
}

// ---- shifts by element ----

/** VPSLLV, VPSRLV, VPSRAV: counts of the width or more clear, or fill with the sign. */
function shiftElements(bits: 32 | 64, direction: "shl" | "shr_u" | "shr_s"): Lowering {
  const prefix = bits === 32 ? "i32" : "i64";
  const [extract, replace] =
    bits === 32 ? [V.i32x4_extract_lane, V.i32x4_replace_lane] : [V.i64x2_extract_lane, V.i64x2_replace_lane];
  const op = (name: string): number => (W as Record<string, number>)[`${prefix}_${name}`]!;
  const constant = (g: Context, value: number): void => void (bits === 32 ? g.e.i32(value) : g.e.i64(value));
  return perHalf((g, _half, a, b) => {
    const { e } = g;
    const count = bits === 32 ? g.t32() : g.t64();
    e.v128(ZERO);
    for (let i = 0; i < 128 / bits; i++) {
      const limited = direction === "shr_s";
      e.get(b).lane(extract, i).set(count);
      e.get(a).lane(extract, i);
      if (limited) {
        e.get(count);
        constant(g, bits - 1);
        e.get(count);
        constant(g, bits);
        e.op(op("lt_u")).select();
      } else e.get(count);
      e.op(op(direction));
      if (!limited) {
        constant(g, 0);
        e.get(count);
        constant(g, bits);
        e.op(op("lt_u")).select();
      }
      e.lane(replace, i);
    }
  });
}

// ---- tests ----

/** VPTEST, VTESTPS, VTESTPD: ZF when first and second share no bit, CF when the second has none outside the first. */
function test(lanes: "i32x4" | "i64x2" | undefined): Lowering {
  return (g) => {
    const { e } = g;
    const [first, second] = g.instruction.operands as [Operand, Operand];
    const count = halvesOf(g);
    const bs = readHalves(g, second, count);
    const as = readHalves(g, first, count);
    const any = (): void => {
      if (lanes) e.op(simd(`${lanes}_bitmask`), W.i32_eqz, W.i32_eqz);
      else e.op(V.any_true);
    };
    const flag = (bit: number, push: (a: number, b: number) => void): void => {
      as.forEach((a, i) => {
        push(a, bs[i]!);
        any();
        if (i > 0) e.op(W.i32_or);
      });
      e.op(W.i32_eqz).i32(Math.log2(bit)).op(W.i32_shl);
    };
    flag(ZF, (a, b) => e.get(a).get(b).op(V.and));
    flag(CF, (a, b) => e.get(b).get(a).op(V.andnot));
    e.op(W.i32_or);
    g.popFlags();
  };
}

export function avxOperations(legacy: LoweringTable): LoweringRows {
  return [
    ...["cmpps", "cmppd", "cmpss", "cmpsd"].map((name) => [`v${name}`, compare(legacy, name)] as const),
    ["vpsllvd", shiftElements(32, "shl")],
    ["vpsllvq", shiftElements(64, "shl")],
    ["vpsrlvd", shiftElements(32, "shr_u")],
    ["vpsrlvq", shiftElements(64, "shr_u")],
    ["vpsravd", shiftElements(32, "shr_s")],
    ["vptest", test(undefined)],
    ["vtestps", test("i32x4")],
    ["vtestpd", test("i64x2")],
  ];
}
