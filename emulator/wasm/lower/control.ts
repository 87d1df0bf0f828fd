/** Branches, calls, returns and the instructions that stop the program. */
import { Memory, W } from "../emit/opcodes.ts";
import { STATUS_RECHECK, type Context } from "../context.ts";
import { TOO_LONG, type MemoryOperand, type Operand } from "../decode.ts";
import { STOP_SYSCALL, STOP_TRAP, VECTOR_GP, VECTOR_UD } from "../../engine.ts";
import { AT_SCRATCH } from "../layout.ts";
import { RCX, RSP } from "../../registers.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";
import { push } from "./moves.ts";
import { readFarPointer, SELECTOR } from "./segments.ts";

const USER_CS = SELECTOR[1]!;
const CONDITIONS = "o no b ae e ne be a s ns p np l ge le g".split(" ");

/** #GP at the jump when it goes to an address that is not canonical (Intel SDM volume 2, JMP, CALL, RET). */
function checkTarget(g: Context, target: number): void {
  const { e } = g;
  // The upper 17 bits are all 0, or (in the kernel's half) all 1.
  e.get(target).i64(47).op(W.i64_shr_u, W.i64_eqz, W.i32_eqz).unlikely();
  e.if();
  e.get(target).i64(47).op(W.i64_shr_s).i64(-1).op(W.i64_ne);
  e.if();
  g.raise(VECTOR_GP, 0);
  e.end();
  e.end();
}

/** The target in a register or in memory, as a checked local. */
function readTarget(g: Context, target: Operand): number {
  const to = g.t64();
  g.read(target, 8);
  g.e.set(to);
  checkTarget(g, to);
  return to;
}

/** The offset of a far pointer to the user's own code segment; any other selector is #GP(selector). */
function readFarTarget(g: Context, source: MemoryOperand): { to: number; size: number } {
  const { e } = g;
  const size = source.size - 2;
  const { offset, selector } = readFarPointer(g, source, size);
  e.get(selector)
    .i32(~3)
    .op(W.i32_and)
    .i32(USER_CS & ~3)
    .op(W.i32_ne);
  e.if();
  g.pushHere();
  e.i32(VECTOR_GP).get(selector).i32(~3).op(W.i32_and).call(g.runtime("raise"));
  g.fault();
  e.end();
  checkTarget(g, offset);
  return { to: offset, size };
}

/** A far pointer's offset and selector, where a near target has 8 bytes (2 with prefix 66h, which 64-bit mode ignores). */
const isFar = (target: Operand): target is MemoryOperand =>
  target.kind === "memory" && (target.size === 4 || target.size === 6 || target.size === 10);

function jump(g: Context): void {
  const target = g.instruction.operands[0]!;
  if (target.kind === "branch") g.flow.goto(target.target);
  else if (isFar(target)) g.flow.gotoLocal(readFarTarget(g, target).to);
  else g.flow.gotoLocal(readTarget(g, target));
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
  const back = g.t64();
  g.pushNext();
  e.set(back);
  if (isFar(target)) {
    farCall(g, target, back);
    return;
  }
  const to = target.kind === "branch" ? undefined : readTarget(g, target);
  push(g, back, 8);
  if (target.kind === "branch") g.flow.call(target.target);
  else g.flow.callLocal(to!);
}

/** Pushes CS and the return address in the operand's size, both before RSP changes. */
function farCall(g: Context, target: MemoryOperand, back: number): void {
  const { e } = g;
  const { to, size } = readFarTarget(g, target);
  const [address, selector] = [g.t64(), g.t64()];
  e.i64(USER_CS).set(selector);
  const stackSlot = (items: number): void =>
    void e
      .get(g.gpr(RSP))
      .i64(items * size)
      .op(W.i64_sub)
      .set(address);
  stackSlot(1);
  g.storeAt(address, size, selector);
  stackSlot(2);
  g.storeAt(address, size, back);
  e.get(address).set(g.gprOut(RSP));
  g.flow.gotoLocal(to);
}

function ret(g: Context): void {
  const { e } = g;
  const extra = g.instruction.operands[0];
  const to = g.t64();
  g.loadAt(g.gpr(RSP), 8);
  e.set(to);
  checkTarget(g, to);
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

/** IRET: state changes in the helper, which refuses everything but the user's own segments. */
function interruptReturn(width: number): Lowering {
  return (g) => {
    const { e } = g;
    g.spill(RSP);
    g.storeRipHere();
    e.i32(width).call(g.runtime("iret"));
    g.reload(RSP);
    g.faultIf();
    e.loadAt(Memory.i32_load, AT_SCRATCH);
    g.popFlags();
    g.leave(STATUS_RECHECK);
  };
}

/** Far RET: items of 4 bytes unless a prefix says otherwise. */
function farReturn(g: Context): void {
  const { form, operands } = g.instruction;
  const width = /^Retfq/.test(form) ? 8 : /^Retfw/.test(form) ? 2 : 4;
  const [extra] = operands;
  g.spill(RSP);
  g.storeRipHere();
  g.e.i32(width).i32(extra?.kind === "immediate" ? Number(BigInt.asUintN(16, extra.value)) : 0);
  g.e.call(g.runtime("retf"));
  g.reload(RSP);
  g.faultIf();
  g.leave(STATUS_RECHECK);
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
  ["retf", farReturn],
  ["iretq", interruptReturn(8)],
  ["iretd", interruptReturn(4)],
  ["iret", interruptReturn(2)],
  ["syscall", systemCall],
  ["int3", trap(3)],
  ["int", trap(undefined)],
  ["int1", trap(1)],
  ...["ud0", "ud1", "ud2"].map((name) => [name, fault(VECTOR_UD)] as const),
  ["sysenter", fault(VECTOR_UD)],
  [TOO_LONG, fault(VECTOR_GP)],
  ...PRIVILEGED.split(" ").map((name) => [name, fault(VECTOR_GP)] as const),
];
