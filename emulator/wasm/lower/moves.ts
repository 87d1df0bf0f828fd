/** Moves, extensions, the stack, conditional moves and sets, flags as data. */
import { Memory, W } from "../emit/opcodes.ts";
import { STATUS_RECHECK, type Context } from "../context.ts";
import type { MemoryOperand, Operand } from "../decode.ts";
import { STATUS } from "../flags.ts";
import { AT_FS_BASE, AT_GS_BASE, AT_RFLAGS } from "../layout.ts";
import { RAX, RBP, RBX, RDX, RSP } from "../../registers.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";
import { loadSegment, SELECTOR } from "./segments.ts";

const CONDITIONS = "o no b ae e ne be a s ns p np l ge le g".split(" ");

function move(g: Context): void {
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const special = [target, source].find((operand) => operand.kind === "register" && operand.class !== "gpr");
  if (!special) {
    g.read(source, g.sizeOf(target));
    g.write(target);
  } else if (special.kind === "register" && special.class === "segment") {
    if (special === source) {
      g.e.i64(SELECTOR[special.index]!);
      g.write(target);
    } else loadSegment(g, special.index, source);
  } else g.raise(13, 0);
}

function signExtendingMove(g: Context): void {
  const [target, source] = g.instruction.operands as [Operand, Operand];
  g.read(source);
  g.signExtend(g.sizeOf(source));
  g.mask(g.sizeOf(target));
  g.write(target);
}

function zeroExtendingMove(g: Context): void {
  const [target, source] = g.instruction.operands as [Operand, Operand];
  g.read(source);
  g.write(target);
}

function loadAddress(g: Context): void {
  const [target, source] = g.instruction.operands as [Operand, Operand];
  if (source.kind !== "memory") throw new Error("lea takes an address");
  g.pushOffset(source);
  g.mask(g.sizeOf(target));
  g.write(target);
}

/** Pushes a local; RSP changes last. */
export function push(g: Context, value: number, size: number): void {
  const { e } = g;
  const address = g.t64();
  e.get(g.gpr(RSP)).i64(size).op(W.i64_sub).set(address);
  g.storeAt(address, size, value);
  e.get(address).set(g.gprOut(RSP));
}

function pushOperand(g: Context): void {
  const operand = g.instruction.operands[0]!;
  const size =
    operand.kind === "immediate" ? (/w_imm|d16|_imm16/i.test(g.instruction.form) ? 2 : 8) : stackSize(g, operand);
  const value = g.t64();
  if (operand.kind === "register" && operand.class === "segment") g.e.i64(SELECTOR[operand.index]!);
  else g.read(operand, size);
  g.e.set(value);
  push(g, value, size);
}

function stackSize(g: Context, operand: Operand): number {
  if (operand.kind === "register" && operand.class === "segment") return /w_/i.test(g.instruction.form) ? 2 : 8;
  return operand.kind === "register" || operand.kind === "memory" ? operand.size : 8;
}

/** A memory destination based on RSP is computed with the RSP behind the pop (SDM volume 2, POP). */
function popOperand(g: Context): void {
  const { e } = g;
  const operand = g.instruction.operands[0]!;
  const size = stackSize(g, operand);
  const value = g.t64();
  e.get(g.gpr(RSP));
  const address = g.t64();
  e.set(address);
  g.loadAt(address, size);
  e.set(value);
  if (operand.kind === "memory") {
    const target = g.t64();
    g.pushAddress(operand);
    if (operand.base?.index === RSP) e.i64(size).op(W.i64_add);
    e.set(target);
    g.storeAt(target, size, value);
  }
  e.get(g.gpr(RSP)).i64(size).op(W.i64_add).set(g.gprOut(RSP));
  if (operand.kind === "register" && operand.class === "gpr") {
    e.get(value);
    g.popRegister(operand);
  }
}

function leave(g: Context): void {
  const { e } = g;
  const size = /w$/.test(g.instruction.form) ? 2 : 8;
  const value = g.t64();
  g.loadAt(g.gpr(RBP), size);
  e.set(value).get(g.gpr(RBP)).i64(size).op(W.i64_add).set(g.gprOut(RSP)).get(value);
  g.popRegister(implied(RBP, size));
}

/**
 * ENTER: pushes RBP, then for each nesting level above 1 a frame pointer of the enclosing frames, then the new one. All
 * of it is in memory before a register changes.
 */
function enter(g: Context): void {
  const { e } = g;
  const [bytes, nesting] = g.instruction.operands.map((operand) =>
    operand.kind === "immediate" ? Number(BigInt.asUintN(16, operand.value)) : 0,
  ) as [number, number];
  const level = nesting & 31;
  const size = /w_/.test(g.instruction.form) ? 2 : 8;
  const [top, from, frame, value] = [g.t64(), g.t64(), g.t64(), g.t64()];
  const pushLocal = (local: number): void => {
    e.get(top).i64(size).op(W.i64_sub).set(top);
    g.storeAt(top, size, local);
  };
  e.get(g.gpr(RSP)).set(top);
  pushLocal(g.gpr(RBP));
  e.get(top).set(frame);
  for (let i = 1; i < level; i++) {
    e.get(g.gpr(RBP))
      .i64(i * size)
      .op(W.i64_sub)
      .set(from);
    g.loadAt(from, size);
    e.set(value);
    pushLocal(value);
  }
  if (level > 0) pushLocal(frame);
  // The new top of the stack has to be writable, though nothing is written there.
  e.get(top).i64(bytes).op(W.i64_sub).set(top);
  g.pushHost(top, 1, true);
  e.drop();
  e.get(top).set(g.gprOut(RSP));
  e.get(frame);
  g.mask(size);
  g.popRegister(implied(RBP, size));
}

function conditionalMove(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const value = g.t64();
  g.read(source);
  e.set(value).get(value);
  g.read(target);
  g.pushCondition(g.instruction.condition);
  e.select();
  g.write(target);
}

function setByte(g: Context): void {
  const { e } = g;
  g.pushCondition(g.instruction.condition);
  e.op(W.i32_eqz, W.i32_eqz).extend();
  g.write(g.instruction.operands[0]!);
}

/** User code sees IF set and neither IOPL nor VM. */
function pushFlagsRegister(g: Context): void {
  const { e } = g;
  const value = g.t64();
  g.pushFlags();
  e.loadAt(Memory.i32_load, AT_RFLAGS).op(W.i32_or).extend().set(value);
  push(g, value, /w$/.test(g.instruction.form) ? 2 : 8);
}

/** TF, DF, NT, AC and ID are the user's; IF and IOPL are not (SDM volume 2, POPF). Leaves the region: TF may be on. */
function popFlagsRegister(g: Context): void {
  const { e } = g;
  const size = /w$/.test(g.instruction.form) ? 2 : 8;
  const value = g.t32();
  g.loadAt(g.gpr(RSP), size);
  e.wrap().set(value);
  e.get(g.gpr(RSP)).i64(size).op(W.i64_add).set(g.gprOut(RSP));
  const mask = size === 2 ? 0x4500 : 0x244500;
  e.i32(0).loadAt(Memory.i32_load, AT_RFLAGS).i32(~mask).op(W.i32_and);
  e.get(value).i32(mask).op(W.i32_and, W.i32_or).memory(Memory.i32_store, AT_RFLAGS);
  e.get(value).i32(STATUS).op(W.i32_and);
  g.popFlags();
  g.storeRipNext();
  g.leave(STATUS_RECHECK);
}

function directionFlag(value: number): Lowering {
  return ({ e }) => {
    e.i32(0).loadAt(Memory.i32_load, AT_RFLAGS).i32(~0x400).op(W.i32_and);
    if (value !== 0) e.i32(value).op(W.i32_or);
    e.memory(Memory.i32_store, AT_RFLAGS);
  };
}

function loadAh(g: Context): void {
  g.pushFlags();
  g.e.i32(0xd5).op(W.i32_and).i32(2).op(W.i32_or).extend();
  g.popRegister({ ...implied(RAX, 1), high: true });
}

function storeAh(g: Context): void {
  const { e } = g;
  g.pushFlags();
  e.i32(0x800).op(W.i32_and);
  g.pushRegister({ ...implied(RAX, 1), high: true });
  e.wrap().i32(0xd5).op(W.i32_and, W.i32_or);
  g.popFlags();
}

/** CBW, CWDE, CDQE. */
function extendAccumulator(from: number): Lowering {
  return (g) => {
    g.pushRegister(implied(RAX, from));
    g.signExtend(from);
    g.mask(from * 2);
    g.popRegister(implied(RAX, from * 2));
  };
}

/** CWD, CDQ, CQO. */
function signIntoDx(size: number): Lowering {
  return (g) => {
    g.pushRegister(implied(RAX, size));
    g.signExtend(size);
    g.e.i64(63).op(W.i64_shr_s);
    g.mask(size);
    g.popRegister(implied(RDX, size));
  };
}

function swapBytes(g: Context): void {
  const { e } = g;
  const target = g.instruction.operands[0]!;
  const size = g.sizeOf(target);
  const v = g.t64();
  g.read(target);
  e.set(v);
  if (size === 2) e.i64(0);
  else {
    for (let i = 0; i < size; i++) {
      e.get(v)
        .i64(i * 8)
        .op(W.i64_shr_u)
        .i64(255)
        .op(W.i64_and)
        .i64((size - 1 - i) * 8)
        .op(W.i64_shl);
      if (i > 0) e.op(W.i64_or);
    }
  }
  g.write(target);
}

function translateByte(g: Context): void {
  const { e } = g;
  const address = g.t64();
  const operand = g.instruction.operands[0]!;
  const segment = operand.kind === "memory" ? operand.segment : undefined;
  e.get(g.gpr(RBX));
  g.pushRegister(implied(RAX, 1));
  e.op(W.i64_add);
  if (g.instruction.addressSize === 4) g.mask(4);
  if (segment) e.loadAt(Memory.i64_load, segment === "fs" ? AT_FS_BASE : AT_GS_BASE).op(W.i64_add);
  e.set(address);
  g.loadAt(address, 1);
  g.popRegister(implied(RAX, 1));
}

const nothing: Lowering = () => {};

/** Faults as a read of the byte does. */
function flushLine(g: Context): void {
  g.load(g.instruction.operands[0] as MemoryOperand, 1);
  g.e.drop();
}

/** Without effect on this processor: hints, and instructions of extensions it has not got in the space of NOPs. */
const NOPS =
  "nop pause endbr64 endbr32 lfence sfence mfence prefetchnta prefetcht0 prefetcht1 prefetcht2 prefetchw prefetch " +
  "prefetchwt1 prefetchit0 prefetchit1 cldemote reservednop rdsspd rdsspq bndmk bndcl bndcu bndcn bndmov bndldx bndstx";

export const MOVES: LoweringRows = [
  ["mov", move],
  ["movnti", move],
  ["movzx", zeroExtendingMove],
  ["movsx", signExtendingMove],
  ["movsxd", signExtendingMove],
  ["lea", loadAddress],
  ["push", pushOperand],
  ["pop", popOperand],
  ["leave", leave],
  ["enter", enter],
  ["pushfq", pushFlagsRegister],
  ["pushf", pushFlagsRegister],
  ["popfq", popFlagsRegister],
  ["popf", popFlagsRegister],
  ["cld", directionFlag(0)],
  ["std", directionFlag(0x400)],
  ["lahf", loadAh],
  ["sahf", storeAh],
  ["cbw", extendAccumulator(1)],
  ["cwde", extendAccumulator(2)],
  ["cdqe", extendAccumulator(4)],
  ["cwd", signIntoDx(2)],
  ["cdq", signIntoDx(4)],
  ["cqo", signIntoDx(8)],
  ["bswap", swapBytes],
  ["xlatb", translateByte],
  ...CONDITIONS.map((name) => [`cmov${name}`, conditionalMove] as const),
  ...CONDITIONS.map((name) => [`set${name}`, setByte] as const),
  ["clflush", flushLine],
  ...NOPS.split(" ").map((name) => [name, nothing] as const),
];
