/** Shifts and rotates (Intel SDM volume 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD). */
import { W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import * as flags from "../flags.ts";
import { setCarry } from "./arithmetic.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

/** The count: a constant where it is one, masked to 5 or 6 bits, else a local. */
interface Count {
  readonly constant: number | undefined;
  readonly local: number;
}

function countOf(g: Context, operand: Operand | undefined, size: number): Count {
  const mask = size === 8 ? 63 : 31;
  const local = g.t64();
  if (!operand || operand.kind === "immediate") {
    const constant = operand ? Number(operand.value & BigInt(mask)) : 1;
    g.e.i64(constant).set(local);
    return { constant, local };
  }
  g.read(operand, 1);
  g.e.i64(mask).op(W.i64_and).set(local);
  return { constant: undefined, local };
}

/** Runs `change` where the count is not 0; afterwards nobody knows who made the flags, unless the count is constant. */
function whenCounted(g: Context, count: Count, change: () => void): void {
  if (count.constant === 0 || g.liveFlags === 0) return;
  if (count.constant !== undefined) {
    change();
    return;
  }
  g.flushFlags();
  g.e.get(count.local).op(W.i64_eqz, W.i32_eqz);
  g.e.if();
  change();
  g.flushFlags();
  g.e.end();
}

function bitAt(g: Context, value: number, bit: number): void {
  g.e.get(value).i64(bit).op(W.i64_shr_u).i64(1).op(W.i64_and);
}

function shift(name: "shl" | "shr" | "sar"): Lowering {
  return (g) => {
    const { e } = g;
    const [target, by] = g.instruction.operands;
    const size = g.sizeOf(target!);
    const bits = size * 8;
    const count = countOf(g, by, size);
    const [a, r, carry, overflow, before] = [g.t64(), g.t64(), g.t64(), g.t64(), g.t64()];
    g.modify(target!, () => {
      if (name === "sar") g.signExtend(size);
      e.tee(a).get(count.local).op({ shl: W.i64_shl, shr: W.i64_shr_u, sar: W.i64_shr_s }[name]);
      g.mask(size);
      e.tee(r);
    });
    whenCounted(g, count, () => {
      e.get(a).get(count.local).i64(1).op(W.i64_sub);
      e.op({ shl: W.i64_shl, shr: W.i64_shr_u, sar: W.i64_shr_s }[name]).set(before);
      if (name === "shl") {
        bitAt(g, before, bits - 1);
        e.tee(carry);
        bitAt(g, r, bits - 1);
        e.op(W.i64_xor).set(overflow);
      } else {
        bitAt(g, before, 0);
        e.set(carry);
        if (name === "shr") bitAt(g, before, bits - 1);
        else e.i64(0);
        e.set(overflow);
      }
      g.setFlags(flags.KIND_RESULT, size, overflow, carry, r);
    });
  };
}

/** CF from a local, and OF for rotations by one: to the left the result's sign against CF, else its two upper bits. */
function setRotationFlags(g: Context, left: boolean, bits: number, result: number, carry: number): void {
  const { e } = g;
  const overflow = g.t32();
  bitAt(g, result, bits - 1);
  e.wrap();
  if (left) e.get(carry);
  else {
    bitAt(g, result, bits - 2);
    e.wrap();
  }
  e.op(W.i32_xor).set(overflow);
  setCarry(g, carry, overflow);
}

function rotate(left: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, by] = g.instruction.operands;
    const size = g.sizeOf(target!);
    const bits = size * 8;
    const count = countOf(g, by, size);
    const [a, r, turns] = [g.t64(), g.t64(), g.t64()];
    const carry = g.t32();
    g.modify(target!, () => {
      if (size === 8) e.get(count.local).op(left ? W.i64_rotl : W.i64_rotr);
      else if (size === 4)
        e.wrap()
          .get(count.local)
          .wrap()
          .op(left ? W.i32_rotl : W.i32_rotr)
          .extend();
      else {
        e.set(a)
          .get(count.local)
          .i64(bits - 1)
          .op(W.i64_and)
          .set(turns);
        e.get(a)
          .get(turns)
          .op(left ? W.i64_shl : W.i64_shr_u);
        e.get(a)
          .i64(bits)
          .get(turns)
          .op(W.i64_sub, left ? W.i64_shr_u : W.i64_shl, W.i64_or);
        g.mask(size);
      }
      e.tee(r);
    });
    whenCounted(g, count, () => {
      bitAt(g, r, left ? 0 : bits - 1);
      e.wrap().set(carry);
      setRotationFlags(g, left, bits, r, carry);
    });
  };
}

/** The operand and CF together, as one number of bits + 1. */
function rotateThroughCarry(left: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, by] = g.instruction.operands;
    const size = g.sizeOf(target!);
    const bits = size * 8;
    const count = countOf(g, by, size);
    const [a, r, old, turns] = [g.t64(), g.t64(), g.t64(), g.t64()];
    const carry = g.t32();
    const whole = g.t64();
    g.pushFlag(flags.CF);
    e.extend().set(old);
    g.modify(target!, () => {
      e.set(a).get(count.local);
      if (size < 4) e.i64(bits + 1).op(W.i64_rem_u);
      e.set(turns);
      if (size === 8) rotateWide();
      else {
        e.get(old).i64(bits).op(W.i64_shl).get(a).op(W.i64_or).set(whole);
        e.get(whole)
          .get(turns)
          .op(left ? W.i64_shl : W.i64_shr_u);
        e.get(whole)
          .i64(bits + 1)
          .get(turns)
          .op(W.i64_sub, left ? W.i64_shr_u : W.i64_shl, W.i64_or)
          .set(whole);
        bitAt(g, whole, bits);
        e.wrap().set(carry).get(whole);
        g.mask(size);
      }
      e.tee(r);
    });
    whenCounted(g, count, () => setRotationFlags(g, left, bits, r, carry));

    /** For 1 to 63 turns; pushes the result, which for none is the operand. */
    function rotateWide(): void {
      const away = left ? W.i64_shl : W.i64_shr_u;
      const back = left ? W.i64_shr_u : W.i64_shl;
      e.get(a).get(turns).op(away);
      e.get(a).i64(1).op(back).i64(64).get(turns).op(W.i64_sub, back, W.i64_or);
      if (left) e.get(old).get(turns).i64(1).op(W.i64_sub, W.i64_shl, W.i64_or);
      else e.get(old).i64(64).get(turns).op(W.i64_sub, W.i64_shl, W.i64_or);
      e.get(a).get(turns).op(W.i64_eqz, W.i32_eqz).select();
      e.get(a);
      if (left) e.i64(64).get(turns).op(W.i64_sub);
      else e.get(turns).i64(1).op(W.i64_sub);
      e.op(W.i64_shr_u).i64(1).op(W.i64_and).wrap().set(carry);
    }
  };
}

function doubleShift(left: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source, by] = g.instruction.operands as [Operand, Operand, Operand];
    const size = g.sizeOf(target);
    const bits = size * 8;
    const count = countOf(g, by, size);
    const [a, b, r, carry, overflow] = [g.t64(), g.t64(), g.t64(), g.t64(), g.t64()];
    g.read(source);
    e.set(b);
    g.modify(target, () => {
      e.tee(a)
        .get(count.local)
        .op(left ? W.i64_shl : W.i64_shr_u);
      e.get(b);
      if (size === 8) {
        e.i64(1)
          .op(left ? W.i64_shr_u : W.i64_shl)
          .i64(63);
      } else e.i64(bits);
      e.get(count.local).op(W.i64_sub, left ? W.i64_shr_u : W.i64_shl, W.i64_or);
      e.get(a).get(count.local).op(W.i64_eqz, W.i32_eqz).select();
      g.mask(size);
      e.tee(r);
    });
    whenCounted(g, count, () => {
      e.get(a);
      if (left) e.i64(bits).get(count.local).op(W.i64_sub);
      else e.get(count.local).i64(1).op(W.i64_sub);
      e.op(W.i64_shr_u).i64(1).op(W.i64_and).set(carry);
      e.get(a)
        .get(r)
        .op(W.i64_xor)
        .i64(bits - 1)
        .op(W.i64_shr_u)
        .i64(1)
        .op(W.i64_and)
        .set(overflow);
      g.setFlags(flags.KIND_RESULT, size, overflow, carry, r);
    });
  };
}

export const SHIFTS: LoweringRows = [
  ["shl", shift("shl")],
  ["sal", shift("shl")],
  ["shr", shift("shr")],
  ["sar", shift("sar")],
  ["rol", rotate(true)],
  ["ror", rotate(false)],
  ["rcl", rotateThroughCarry(true)],
  ["rcr", rotateThroughCarry(false)],
  ["shld", doubleShift(true)],
  ["shrd", doubleShift(false)],
];
