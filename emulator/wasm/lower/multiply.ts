/** MUL, IMUL, DIV and IDIV. */
import { Memory, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import * as flags from "../flags.ts";
import { AT_SCRATCH } from "../layout.ts";
import { RAX, RDX } from "../../registers.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";

/**
 * Pushes the high half of the unsigned 64 x 64-bit product, from four 32-bit products. V8 computes it only where somebody
 * uses it.
 */
export function pushHighProduct(g: Context, a: number, b: number): void {
  const { e } = g;
  const [a0, a1, b0, b1, middle] = [g.t64(), g.t64(), g.t64(), g.t64(), g.t64()];
  const split = (from: number, low: number, high: number): void => {
    e.get(from).i64(0xffffffff).op(W.i64_and).set(low);
    e.get(from).i64(32).op(W.i64_shr_u).set(high);
  };
  split(a, a0, a1);
  split(b, b0, b1);
  e.get(a1).get(b0).op(W.i64_mul);
  e.get(a0).get(b0).op(W.i64_mul).i64(32).op(W.i64_shr_u, W.i64_add).set(middle);
  e.get(a1).get(b1).op(W.i64_mul).get(middle).i64(32).op(W.i64_shr_u, W.i64_add);
  e.get(a0).get(b1).op(W.i64_mul).get(middle).i64(0xffffffff).op(W.i64_and, W.i64_add);
  e.i64(32).op(W.i64_shr_u, W.i64_add);
}

/** Sets `low` and `high` (cut to size) from the product of two locals. */
function product(g: Context, a: number, b: number, size: number, signed: boolean, low: number, high: number): void {
  const { e } = g;
  if (size === 8) {
    e.get(a).get(b).op(W.i64_mul).set(low);
    pushHighProduct(g, a, b);
    if (signed) {
      for (const [x, y] of [
        [a, b],
        [b, a],
      ] as const) {
        e.get(x).i64(63).op(W.i64_shr_s).get(y).op(W.i64_and, W.i64_sub);
      }
    }
    e.set(high);
    return;
  }
  const extended = (local: number): void => {
    e.get(local);
    if (signed) g.signExtend(size);
  };
  extended(a);
  extended(b);
  e.op(W.i64_mul).tee(high);
  g.mask(size);
  e.set(low)
    .get(high)
    .i64(size * 8)
    .op(W.i64_shr_u);
  g.mask(size);
  e.set(high);
}

/** CF = OF: the high half is more than the sign (or zero) of the low one. The others follow the low half. */
function productFlags(g: Context, low: number, high: number, size: number, signed: boolean): void {
  if (g.liveFlags === 0) return;
  const { e } = g;
  const wide = g.t64();
  e.get(high);
  if (signed) {
    g.signExtend(size);
    e.get(low);
    g.signExtend(size);
    e.i64(63).op(W.i64_shr_s);
  } else e.i64(0);
  e.op(W.i64_ne).extend().set(wide);
  g.setFlags(flags.KIND_RESULT, size, wide, wide, low);
}

function multiplyAccumulator(signed: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const source = g.instruction.operands[0]!;
    const size = g.sizeOf(source);
    const [a, b, low, high] = [g.t64(), g.t64(), g.t64(), g.t64()];
    g.read(source);
    e.set(b);
    g.pushRegister(implied(RAX, size));
    e.set(a);
    product(g, a, b, size, signed, low, high);
    if (size === 1) {
      e.get(high).i64(8).op(W.i64_shl).get(low).op(W.i64_or);
      g.popRegister(implied(RAX, 2));
    } else {
      e.get(low);
      g.popRegister(implied(RAX, size));
      e.get(high);
      g.popRegister(implied(RDX, size));
    }
    productFlags(g, low, high, size, signed);
  };
}

function multiplySigned(g: Context): void {
  const { e } = g;
  const { operands } = g.instruction;
  if (operands.length === 1) {
    multiplyAccumulator(true)(g);
    return;
  }
  const target = operands[0]!;
  const [first, second] = (operands.length === 2 ? operands : operands.slice(1)) as [Operand, Operand];
  const size = g.sizeOf(target);
  const [a, b, low, high] = [g.t64(), g.t64(), g.t64(), g.t64()];
  g.read(first, size);
  e.set(a);
  g.read(second, size);
  e.set(b);
  if (size === 8 && g.liveFlags === 0) e.get(a).get(b).op(W.i64_mul).set(low);
  else product(g, a, b, size, true, low, high);
  e.get(low);
  g.write(target);
  productFlags(g, low, high, size, true);
}

/** Undefined flags stay as they are. */
function divide(signed: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const source = g.instruction.operands[0]!;
    const size = g.sizeOf(source);
    const [d, n, q, r] = [g.t64(), g.t64(), g.t64(), g.t64()];
    g.read(source);
    if (signed) g.signExtend(size);
    e.tee(d).op(W.i64_eqz);
    e.if();
    g.raise(0, 0);
    e.end();
    if (size === 8) {
      divideWide(g, signed, d, q, r);
      return;
    }
    pushDividend(g, size);
    if (signed && size < 4) e.op(size === 1 ? W.i64_extend16_s : W.i64_extend32_s);
    e.set(n);
    if (signed) {
      // The one quotient that WebAssembly traps on.
      e.get(d).i64(-1).op(W.i64_eq).get(n).i64(-0x8000000000000000n).op(W.i64_eq, W.i32_and);
      e.if();
      g.raise(0, 0);
      e.end();
    }
    e.get(n)
      .get(d)
      .op(signed ? W.i64_div_s : W.i64_div_u)
      .tee(q);
    if (signed) g.signExtend(size);
    else g.mask(size);
    e.get(q).op(W.i64_ne);
    e.if();
    g.raise(0, 0);
    e.end();
    e.get(n)
      .get(d)
      .op(signed ? W.i64_rem_s : W.i64_rem_u);
    g.mask(size);
    e.set(r).get(q);
    g.mask(size);
    if (size === 1) {
      e.get(r).i64(8).op(W.i64_shl, W.i64_or);
      g.popRegister(implied(RAX, 2));
    } else {
      g.popRegister(implied(RAX, size));
      e.get(r);
      g.popRegister(implied(RDX, size));
    }
  };
}

function pushDividend(g: Context, size: number): void {
  if (size === 1) {
    g.pushRegister(implied(RAX, 2));
    return;
  }
  g.pushRegister(implied(RDX, size));
  g.e.i64(size * 8).op(W.i64_shl);
  g.pushRegister(implied(RAX, size));
  g.e.op(W.i64_or);
}

/** 128 by 64 bits; the usual case, a dividend of 64 bits, needs no helper. */
function divideWide(g: Context, signed: boolean, d: number, q: number, r: number): void {
  const { e } = g;
  const [rax, rdx] = [g.gprOut(RAX), g.gprOut(RDX)];
  e.get(rdx);
  if (signed) {
    e.get(rax).i64(63).op(W.i64_shr_s, W.i64_eq);
    e.get(d).i64(-1).op(W.i64_ne, W.i32_and);
  } else e.op(W.i64_eqz);
  e.if();
  e.get(rax)
    .get(d)
    .op(signed ? W.i64_div_s : W.i64_div_u)
    .set(q);
  e.get(rax)
    .get(d)
    .op(signed ? W.i64_rem_s : W.i64_rem_u)
    .set(r);
  e.get(q).set(rax).get(r).set(rdx);
  e.else();
  g.spill(RAX, RDX);
  e.storeLocalAt(Memory.i64_store, AT_SCRATCH, d);
  e.i32(8)
    .i32(signed ? 1 : 0)
    .call(g.runtime("divide"));
  e.if();
  g.raise(0, 0);
  e.end();
  g.reload(RAX, RDX);
  e.end();
}

export const MULTIPLICATION: LoweringRows = [
  ["mul", multiplyAccumulator(false)],
  ["imul", multiplySigned],
  ["div", divide(false)],
  ["idiv", divide(true)],
];
