/** What the SSE lowerings share: vector operands (XMM registers, MMX registers as the low half, memory). */
import { V128 } from "../emit/assembler.ts";
import { Memory, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { raisePending } from "./x87.ts";
import { AT_MXCSR, AT_X87, AT_X87_TOP, AT_X87_USED } from "../layout.ts";

export const isVector = (operand: Operand | undefined): boolean =>
  operand?.kind === "register" && (operand.class === "xmm" || operand.class === "mm");

export const isMmx = (operand: Operand | undefined): boolean => operand?.kind === "register" && operand.class === "mm";

/** Whether the instruction works on MMX registers. */
export const usesMmx = (g: Context): boolean => g.instruction.operands.some(isMmx);

/**
 * Pushes a vector operand as v128; shorter ones are zero-extended. A 16-byte memory operand has to be aligned unless
 * the caller says otherwise (Intel SDM volume 1, section 13.3).
 */
export function pushVector(g: Context, operand: Operand, size = 16, aligned = true): void {
  const { e } = g;
  if (operand.kind === "register") {
    if (operand.class === "xmm") e.get(g.xmm(operand.index));
    else e.loadAt(V.load64_zero, AT_X87 + operand.index * 16);
    return;
  }
  if (operand.kind !== "memory") throw new Error(`${g.instruction.mnemonic}: not a vector operand`);
  const address = g.t64();
  g.pushAddress(operand);
  e.set(address);
  const load = { 16: V.load, 8: V.load64_zero, 4: V.load32_zero }[size]!;
  g.loadThrough(address, size, V128, (offset) => e.memory(load, offset), aligned && size === 16);
}

/** Pushes the host address of a memory operand; for writing it is returned in a local as well. */
export function pushVectorHost(g: Context, operand: Operand, size: number, write: boolean, aligned: boolean): number {
  if (operand.kind !== "memory") throw new Error(`${g.instruction.mnemonic}: not a memory operand`);
  const address = g.t64();
  const host = g.t32();
  g.pushAddress(operand);
  g.e.set(address);
  g.pushHost(address, size, write, aligned && size === 16);
  g.e.tee(host);
  return host;
}

/** Pops a v128 into a vector register, or the low `size` bytes of it into memory. */
export function popVector(g: Context, operand: Operand, size = 16, aligned = true): void {
  const { e } = g;
  if (operand.kind === "register" && operand.class === "xmm") {
    e.set(g.xmmOut(operand.index));
    return;
  }
  const value = g.tv();
  e.set(value);
  if (operand.kind === "register" && operand.class === "mm") {
    storeMmx(g, operand.index, value);
    return;
  }
  if (operand.kind !== "memory") throw new Error(`${g.instruction.mnemonic}: not a memory operand`);
  const address = g.t64();
  g.pushAddress(operand);
  e.set(address);
  const store = (offset: number): void => {
    e.get(value);
    if (size === 16) e.memory(V.store, offset);
    else if (size === 8) e.lane(V.i64x2_extract_lane, 0).memory(Memory.i64_store, offset);
    else e.lane(V.i32x4_extract_lane, 0).memory(Memory.i32_store, offset);
  };
  g.storeThrough(address, size, store, aligned && size === 16);
}

/** An MMX register is the mantissa of a physical x87 register, whose exponent becomes all ones. */
function storeMmx({ e }: Context, index: number, value: number): void {
  e.i32(0)
    .get(value)
    .lane(V.i64x2_extract_lane, 0)
    .memory(Memory.i64_store, AT_X87 + index * 16);
  e.i32(0)
    .i32(0xffff)
    .memory(Memory.i32_store16, AT_X87 + index * 16 + 8);
}

/** What an MMX instruction does first: #MF when an exception of the x87 is pending (Intel SDM volume 1, section 9.6.1). */
export function raisePendingMmx(g: Context): void {
  if (usesMmx(g)) raisePending(g);
}

/**
 * Every MMX instruction makes TOP 0 and all registers used (Intel SDM volume 1, section 9.6.2). Comes behind whatever
 * may fault.
 */
export function enterMmx(g: Context): void {
  if (!usesMmx(g)) return;
  g.e.i32(0).i32(0).memory(Memory.i32_store, AT_X87_TOP);
  g.e.i32(0).i32(255).memory(Memory.i32_store, AT_X87_USED);
}

/** The last operand where it is an immediate, as a byte; else 0. */
export function immediateOf(g: Context): number {
  const operand = g.instruction.operands.at(-1);
  return operand?.kind === "immediate" ? Number(operand.value & 255n) : 0;
}

/** Runs one of four pieces of code by the rounding mode in MXCSR: nearest, down, up, toward zero. */
export function byRounding(g: Context, type: number, emit: (mode: number) => void): void {
  const { e } = g;
  const mode = g.t32();
  e.loadAt(Memory.i32_load, AT_MXCSR).i32(13).op(W.i32_shr_u).i32(3).op(W.i32_and).tee(mode).op(W.i32_eqz);
  e.if(type);
  emit(0);
  e.else();
  e.get(mode).i32(1).op(W.i32_eq);
  e.if(type);
  emit(1);
  e.else();
  e.get(mode).i32(2).op(W.i32_eq);
  e.if(type);
  emit(2);
  e.else();
  emit(3);
  e.end();
  e.end();
  e.end();
}
