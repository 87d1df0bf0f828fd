/**
 * String instructions. A helper moves at most one page at a time and keeps its progress in the register file, so that
 * faults find exact registers and a long repetition can be interrupted between two pieces.
 */
import { W } from "../emit/opcodes.ts";
import { STATUS_BUDGET, STATUS_RECHECK, type Context } from "../context.ts";
import { RAX, RCX, RDI, RSI } from "../../registers.ts";
import { STRING_OPERATIONS, type StringOperation } from "../runtime/strings.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

const AGAIN = 2;
/** With TF set a repetition stops behind each element, to go on at the same instruction. */
const STEPPED = 3;

function string(operation: StringOperation, size: number): Lowering {
  return (g) => {
    const { e, instruction } = g;
    const { rep, repne, operands } = instruction;
    const segment = operands.find((operand) => operand.kind === "memory" && operand.segment !== undefined);
    const status = g.t32();
    const prefix = repne ? 2 : rep ? 1 : 0;
    const compares = operation === "cmps" || operation === "scas";
    if (compares) g.flushFlags();
    g.spill(RAX, RCX, RSI, RDI);
    g.storeRipHere();
    const again = e.loop();
    e.i32(STRING_OPERATIONS.indexOf(operation)).i32(size).i32(prefix).i32(instruction.addressSize);
    e.i32(segment?.kind === "memory" ? (segment.segment === "fs" ? 1 : 2) : 0);
    e.call(g.runtime("string")).tee(status).i32(AGAIN).op(W.i32_eq);
    e.if();
    g.spend();
    e.brIf(again);
    take(g, operation);
    g.leave(STATUS_BUDGET);
    e.end();
    e.end();
    take(g, operation);
    e.get(status).i32(STEPPED).op(W.i32_eq);
    e.if();
    g.leave(STATUS_RECHECK);
    e.end();
    e.get(status);
    g.faultIf();
  };
}

/** Takes back what the helper may have changed. */
function take(g: Context, operation: StringOperation): void {
  g.reload(RCX);
  if (operation !== "stos" && operation !== "scas") g.reload(RSI);
  if (operation !== "lods") g.reload(RDI);
  else g.reload(RAX);
}

const SIZES = [
  ["b", 1],
  ["w", 2],
  ["d", 4],
  ["q", 8],
] as const;

export const STRINGS: LoweringRows = STRING_OPERATIONS.flatMap((operation) =>
  SIZES.map(([letter, size]) => [operation + letter, string(operation, size)] as const),
);
