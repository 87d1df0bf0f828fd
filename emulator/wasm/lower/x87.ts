/** x87 instructions: operands are found here, the work is done by runtime/x87.ts. */
import { Memory } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand, RegisterOperand } from "../decode.ts";
import { AT_SCRATCH } from "../layout.ts";
import { RAX } from "../../registers.ts";
import { FORMATS, X87_OPERATIONS, type Format } from "../runtime/x87.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";

/** Conditions of FCMOVcc in the processor's encoding. */
const MOVE_CONDITIONS: Readonly<Record<string, number>> = {
  fcmovb: 2,
  fcmovnb: 3,
  fcmove: 4,
  fcmovne: 5,
  fcmovbe: 6,
  fcmovnbe: 7,
  fcmovu: 10,
  fcmovnu: 11,
};

function formatOf(name: string, size: number): Format {
  if (/^(fld|fn?st)(cw|sw)$/.test(name)) return "i16";
  if (/^fi/.test(name)) return ({ 2: "i16", 4: "i32", 8: "i64" } as const)[size as 2 | 4 | 8];
  return ({ 4: "f32", 8: "f64", 10: "f80" } as const)[size as 4 | 8 | 10];
}

function x87(name: string): Lowering {
  const operation = X87_OPERATIONS.indexOf(name);
  const writes = /^(fi?st|fisttp|fn?st)/.test(name);
  return (g) => {
    const { e } = g;
    const { operands } = g.instruction;
    const memory = operands.find((operand) => operand.kind === "memory");
    const host = g.t32();
    let operand = registers(operands, name) << 4;
    if (memory?.kind === "memory") {
      const address = g.t64();
      operand |= FORMATS.indexOf(formatOf(name, memory.size));
      g.pushAddress(memory);
      e.set(address);
      g.pushHost(address, memory.size, writes);
      e.set(host);
    } else e.i32(0).set(host);
    const condition = MOVE_CONDITIONS[name];
    if (condition !== undefined) {
      g.pushCondition(condition);
      e.if();
    }
    g.storeRipHere();
    e.i32(operation).i32(operand).get(host).call(g.runtime("x87"));
    g.faultIf();
    if (condition !== undefined) e.end();
    if (writes && memory?.kind === "memory") g.commit(host, memory.size);
    takeResults(g, name, memory !== undefined);
  };
}

/** First and last stack register named; one alone is both. */
function registers(operands: readonly Operand[], name: string): number {
  const stack = operands.filter(
    (operand): operand is RegisterOperand => operand.kind === "register" && operand.class === "st",
  );
  if (stack.length === 0) return 0;
  const first = /^(fxch|ffreep?|fld|fstp?)$/.test(name) ? stack.at(-1)! : stack[0]!;
  return first.index | (stack.at(-1)!.index << 4);
}

function takeResults(g: Context, name: string, toMemory: boolean): void {
  const { e } = g;
  if (/^fu?comip?$/.test(name)) {
    e.loadAt(Memory.i32_load, AT_SCRATCH);
    g.popFlags();
  } else if (/^fn?stsw$/.test(name) && !toMemory) {
    e.loadAt(Memory.i64_load16_u, AT_SCRATCH);
    g.popRegister(implied(RAX, 2));
  }
}

export const X87: LoweringRows = X87_OPERATIONS.map((name) => [name, x87(name)] as const);
