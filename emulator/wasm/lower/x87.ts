/** x87 instructions: operands are found here, the work is done by runtime/x87.ts. */
import { I32 } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand, Operand, RegisterOperand } from "../decode.ts";
import { AT_SCRATCH, AT_X87_STATUS } from "../layout.ts";
import { RAX } from "../../registers.ts";
import { VECTOR_MF } from "../../engine.ts";
import { AT_X87_FDP } from "../runtime/fpu-state.ts";
import { isControl, X87_OPERATIONS } from "../runtime/x87-operations.ts";
import { FORMATS, type Format } from "../runtime/x87-memory.ts";
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

/** Do not look at pending exceptions. */
const NO_WAIT = new Set("fninit fnclex fnstcw fnstsw fnstenv fnsave".split(" "));

function formatOf(name: string, size: number): Format {
  if (/^(fld|fn?st)(cw|sw)$/.test(name)) return "i16";
  if (/^(fldenv|fn?stenv)$/.test(name)) return size === 14 ? "env14" : "env28";
  if (/^(frstor|fn?save)$/.test(name)) return size === 94 ? "state94" : "state108";
  if (/^fb/.test(name)) return "bcd";
  if (/^fi/.test(name)) return ({ 2: "i16", 4: "i32", 8: "i64" } as const)[size as 2 | 4 | 8];
  return ({ 4: "f32", 8: "f64", 10: "f80" } as const)[size as 4 | 8 | 10];
}

/** #MF when an exception of an earlier instruction is pending (Intel SDM volume 1, section 8.7). */
export function raisePending(g: Context): void {
  const { e } = g;
  e.loadAt(Memory.i32_load, AT_X87_STATUS).i32(0x80).op(W.i32_and).unlikely();
  e.if();
  g.raise(VECTOR_MF, 0);
  e.end();
}

function x87(name: string): Lowering {
  const operation = X87_OPERATIONS.indexOf(name);
  const writes = /^(fi?st|fisttp|fbstp|fn?st|fn?save)/.test(name);
  const waits = !NO_WAIT.has(name);
  return (g) => {
    const { e } = g;
    const { operands } = g.instruction;
    const memory = operands.find((operand) => operand.kind === "memory");
    const host = g.temp(I32);
    let operand = registers(operands, name) << 4;
    if (waits) raisePending(g);
    const condition = MOVE_CONDITIONS[name];
    if (memory?.kind === "memory") {
      const address = g.t64();
      operand |= FORMATS.indexOf(formatOf(name, memory.size));
      g.pushAddress(memory);
      e.set(address);
      g.pushHost(address, memory.size, writes);
      e.set(host);
      if (!isControl(name)) noteOperand(g, memory, address);
    } else {
      if (condition === undefined) e.i32(0);
      else g.pushCondition(condition);
      e.set(host);
    }
    g.storeRipHere();
    e.i32(operation).i32(operand).get(host).call(g.runtime("x87"));
    if (writes && memory?.kind === "memory") g.commit(host, memory.size);
    if (/^fu?comip?$/.test(name)) {
      e.loadAt(Memory.i32_load, AT_SCRATCH);
      g.popFlags();
    } else if (/^fn?stsw$/.test(name) && !memory) {
      e.loadAt(Memory.i64_load16_u, AT_SCRATCH);
      g.popRegister(implied(RAX, 2));
    }
  };
}

/** FDP: the operand's address within its segment. */
function noteOperand(g: Context, memory: MemoryOperand, linear: number): void {
  const { e } = g;
  let offset = linear;
  if (memory.segment) {
    offset = g.t64();
    g.pushOffset(memory);
    e.set(offset);
  }
  e.storeLocalAt(Memory.i64_store, AT_X87_FDP, offset);
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

export const X87: LoweringRows = X87_OPERATIONS.map((name) => [name, x87(name)] as const);
