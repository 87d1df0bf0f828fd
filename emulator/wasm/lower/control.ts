/** Branches, calls, returns and the instructions that stop the program. */
import { Memory, W } from "../emit/opcodes.ts";
import { STATUS_RECHECK, type Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { STOP_SYSCALL, STOP_TRAP } from "../../engine.ts";
import { AT_SCRATCH } from "../layout.ts";
import { RCX, RSP } from "../../registers.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";
import { push } from "./moves.ts";

const CONDITIONS = "o no b ae e ne be a s ns p np l ge le g".split(" ");

function jump(g: Context): void {
  const target = g.instruction.operands[0]!;
  if (target.kind === "branch") {
    g.flow.goto(target.target);
    return;
  }
  const to = g.t64();
  g.read(target, 8);
  g.e.set(to);
  g.flow.gotoLocal(to);
}

/** The condition is on the stack; what falls through is another block as well. */
function branchIf(g: Context): void {
  const { e } = g;
  const target = g.instruction.operands[0]!;
  if (target.kind !== "branch") throw new Error("a conditional branch has a target");
  e.if();
  g.flow.goto(target.target);
  e.end();
  g.flow.count(g.next);
}

function conditionalJump(g: Context): void {
  g.pushCondition(g.instruction.condition);
  branchIf(g);
}

function jumpIfCounterZero(g: Context): void {
  g.pushRegister(implied(RCX, /ecxz/.test(g.instruction.mnemonic) ? 4 : 8));
  g.e.op(W.i64_eqz);
  branchIf(g);
}

/** LOOP, LOOPE (condition 4: ZF), LOOPNE (condition 5). */
function loop(condition: number | undefined): Lowering {
  return (g) => {
    const { e } = g;
    const size = /_ECX$/.test(g.instruction.form) ? 4 : 8;
    const counter = implied(RCX, size);
    const left = g.t32();
    g.pushRegister(counter);
    e.i64(1).op(W.i64_sub);
    g.mask(size);
    g.popRegister(counter);
    g.pushRegister(counter);
    e.op(W.i64_eqz, W.i32_eqz).set(left);
    if (condition === undefined) e.get(left);
    else {
      g.pushCondition(condition);
      e.op(W.i32_eqz, W.i32_eqz).get(left).op(W.i32_and);
    }
    branchIf(g);
  };
}

function call(g: Context): void {
  const { e } = g;
  const target = g.instruction.operands[0] as Operand;
  const to = g.t64();
  if (target.kind !== "branch") {
    g.read(target, 8);
    e.set(to);
  }
  const back = g.t64();
  g.pushNext();
  e.set(back);
  push(g, back, 8);
  g.flow.call(target.kind === "branch" ? target.target : undefined, to);
}

function ret(g: Context): void {
  const { e } = g;
  const extra = g.instruction.operands[0];
  const to = g.t64();
  g.loadAt(g.gpr(RSP), 8);
  e.set(to);
  const bytes = 8 + (extra?.kind === "immediate" ? Number(BigInt.asUintN(16, extra.value)) : 0);
  e.get(g.gpr(RSP)).i64(bytes).op(W.i64_add).set(g.gprOut(RSP));
  g.flow.return(to);
}

function systemCall(g: Context): void {
  g.storeRipNext();
  g.leave(1 + STOP_SYSCALL);
}

function trap(vector: number | undefined): Lowering {
  return (g) => {
    const operand = g.instruction.operands[0];
    const number = vector ?? (operand?.kind === "immediate" ? Number(operand.value & 255n) : 0);
    g.storeRipNext();
    g.e.i32(number).call(g.runtime("trap"));
    g.leave(1 + STOP_TRAP);
  };
}

const fault =
  (vector: number): Lowering =>
  (g) =>
    g.raise(vector, 0);

/** IRET and far RET: state changes in the helper, which refuses everything but the user's own segments. */
function farReturn(kind: number): Lowering {
  return (g) => {
    const { e } = g;
    g.spill(RSP);
    g.storeRipHere();
    e.i32(0);
    g.pushFlags();
    e.extend().memory(Memory.i64_store, AT_SCRATCH);
    e.i32(kind).call(g.runtime("iret"));
    g.reload(RSP);
    g.faultIf();
    e.loadAt(Memory.i32_load, AT_SCRATCH);
    g.popFlags();
    g.leave(STATUS_RECHECK);
  };
}

const PRIVILEGED =
  "hlt cli sti rdmsr wrmsr rdtsc rdpmc invlpg invd wbinvd lgdt lidt lldt ltr lmsw clts swapgs sysretq sysret sysexit " +
  "sysexitq in out insb insw insd outsb outsw outsd monitor mwait";

export const CONTROL: LoweringRows = [
  ["jmp", jump],
  ...CONDITIONS.map((name) => [`j${name}`, conditionalJump] as const),
  ["jrcxz", jumpIfCounterZero],
  ["jecxz", jumpIfCounterZero],
  ["loop", loop(undefined)],
  ["loope", loop(4)],
  ["loopne", loop(5)],
  ["call", call],
  ["ret", ret],
  ["retf", farReturn(0)],
  ["iretq", farReturn(8)],
  ["iretd", farReturn(4)],
  ["syscall", systemCall],
  ["int3", trap(3)],
  ["int", trap(undefined)],
  ["int1", trap(1)],
  ["ud2", fault(6)],
  ["sysenter", fault(6)],
  ...PRIVILEGED.split(" ").map((name) => [name, fault(13)] as const),
];
