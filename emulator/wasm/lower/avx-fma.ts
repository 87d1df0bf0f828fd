/** FMA3: 132, 213 and 231 name the operands that are factor, factor and addend (Intel SDM volume 2, VFMADD132PD). */
import { V } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand, RegisterOperand } from "../decode.ts";
import { clearUpper, halvesOf, raiseUnmasked, readHalves, writeHalves } from "./avx.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { pushVector } from "./sse.ts";

/** Which lanes of product and addend change sign. */
type Lanes = "none" | "all" | "even" | "odd";

const KINDS: Readonly<Record<string, { readonly product: Lanes; readonly addend: Lanes }>> = {
  fmadd: { product: "none", addend: "none" },
  fmsub: { product: "none", addend: "all" },
  fnmadd: { product: "all", addend: "none" },
  fnmsub: { product: "all", addend: "all" },
  fmaddsub: { product: "none", addend: "even" },
  fmsubadd: { product: "none", addend: "odd" },
};

const ORDERS = ["132", "213", "231"] as const;

function signs(lanes: Lanes, size: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16 / size; i++) {
    const on = lanes === "all" || (lanes === "even" && i % 2 === 0) || (lanes === "odd" && i % 2 === 1);
    if (on) bytes[i * size + size - 1] = 0x80;
  }
  return bytes;
}

/** Pushes the fused product and sum of vectors in locals. */
function pushFused(g: Context, kind: string, size: 4 | 8, [x, y, z]: readonly number[]): void {
  const { product, addend } = KINDS[kind]!;
  g.e.get(x!).get(y!).get(z!).v128(signs(product, size)).v128(signs(addend, size));
  g.e.call(g.runtime(size === 4 ? "fmaSingles" : "fmaDoubles"));
}

/** Operands by the digits of the order. */
const ordered = <T>(order: string, operands: readonly T[]): T[] =>
  [...order].map((digit) => operands[Number(digit) - 1]!);

function packed(kind: string, order: string, size: 4 | 8): Lowering {
  return (g) => {
    const count = halvesOf(g);
    const operands = [...g.instruction.operands].reverse().map((operand) => readHalves(g, operand, count));
    const factors = ordered(order, operands.reverse());
    const results = Array.from({ length: count }, (_, i) => {
      const result = g.tv();
      pushFused(
        g,
        kind,
        size,
        factors.map((halves) => halves[i]!),
      );
      g.e.set(result);
      return result;
    });
    raiseUnmasked(g);
    writeHalves(g, g.instruction.operands[0]!, results);
  };
}

/** Lane 0; the other lanes are those of the destination. */
function scalar(kind: string, order: string, size: 4 | 8): Lowering {
  const lane = Uint8Array.from({ length: 16 }, (_, i) => (i < size ? 255 : 0));
  const [extract, replace] =
    size === 4 ? [V.i32x4_extract_lane, V.i32x4_replace_lane] : [V.i64x2_extract_lane, V.i64x2_replace_lane];
  return (g) => {
    const { e } = g;
    const operands = g.instruction.operands as [RegisterOperand, Operand, Operand];
    const lowest = [...operands].reverse().map((operand) => {
      const value = g.tv();
      pushVector(g, operand, size);
      if (operand.kind === "register") e.v128(lane).op(V.and);
      e.set(value);
      return value;
    });
    const result = g.tv();
    pushFused(g, kind, size, ordered(order, lowest.reverse()));
    e.set(result);
    raiseUnmasked(g);
    const target = g.xmmOut(operands[0].index);
    e.get(target).get(result).lane(extract, 0).lane(replace, 0).set(target);
    clearUpper(g, operands[0].index);
  };
}

export const AVX_FMA: LoweringRows = Object.entries(KINDS).flatMap(([kind, { addend }]) =>
  ORDERS.flatMap((order) => [
    [`v${kind}${order}ps`, packed(kind, order, 4)] as const,
    [`v${kind}${order}pd`, packed(kind, order, 8)] as const,
    ...(addend === "none" || addend === "all"
      ? ([
          [`v${kind}${order}ss`, scalar(kind, order, 4)],
          [`v${kind}${order}sd`, scalar(kind, order, 8)],
        ] as const)
      : []),
  ]),
);
