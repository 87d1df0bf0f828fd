/** SSE comparisons: CMPxx to masks, COMISx and UCOMISx to flags. */
import { V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { CF, PF, ZF } from "../flags.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { immediateOf, popVector, pushVector } from "./sse.ts";
import { vectors } from "./sse-integer.ts";
import { bothFormats, lanesOp, pushScalar, scalarOp, type Format } from "./sse-scalar.ts";
import { floating } from "./sse-strict.ts";

type Pair = [Operand, Operand];

/** Comparison predicates 0 to 3; 4 to 7 are their inverses. */
const PREDICATES = ["eq", "lt", "le", "unordered"];

function pushCompared(g: Context, format: Format, a: number, b: number): void {
  const { e } = g;
  const predicate = immediateOf(g) & 7;
  const name = PREDICATES[predicate & 3]!;
  const ne = lanesOp(format, "ne");
  if (name === "unordered") e.get(a).get(a).op(ne).get(b).get(b).op(ne, V.or);
  else e.get(a).get(b).op(lanesOp(format, name));
  if ((predicate & 4) !== 0) e.op(V.not);
}

const comparePacked = (format: Format): Lowering => vectors((g, a, b) => pushCompared(g, format, a, b));

function compareScalar(format: Format): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const [a, b, result] = [g.tv(), g.tv(), g.tv()];
    pushVector(g, source, format.bytes);
    e.set(b);
    pushVector(g, target);
    e.set(a);
    pushCompared(g, format, a, b);
    e.set(result).get(a).get(result).lane(format.extract, 0).lane(format.replace, 0);
    popVector(g, target);
  };
}

/** COMIS and UCOMIS: unordered sets ZF, PF and CF; the others are cleared. */
function compareToFlags(format: Format): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const [a, b] = [g.temp(format.type), g.temp(format.type)];
    pushScalar(g, source, format);
    e.set(b);
    pushScalar(g, target, format);
    e.set(a);
    const shifted = (bit: number): void => void e.i32(Math.log2(bit)).op(W.i32_shl);
    // Not a >= b: below or unordered. Neither below nor above: equal or unordered.
    e.get(a).get(b).op(scalarOp(format, "ge"), W.i32_eqz);
    shifted(CF);
    e.get(a).get(b).op(scalarOp(format, "lt")).get(a).get(b).op(scalarOp(format, "gt"), W.i32_or, W.i32_eqz);
    shifted(ZF);
    e.op(W.i32_or);
    e.get(a).get(a).op(scalarOp(format, "ne")).get(b).get(b).op(scalarOp(format, "ne"), W.i32_or);
    shifted(PF);
    e.op(W.i32_or);
    g.popFlags();
  };
}

export const SSE_COMPARISONS: LoweringRows = bothFormats((format) => {
  const { letter } = format;
  return [
    [`cmpp${letter}`, floating(`cmpp${letter}`, comparePacked(format))],
    [`cmps${letter}`, floating(`cmps${letter}`, compareScalar(format))],
    [`comis${letter}`, floating(`comis${letter}`, compareToFlags(format))],
    [`ucomis${letter}`, floating(`ucomis${letter}`, compareToFlags(format))],
  ];
});
