/** BMI1, BMI2, LZCNT, MOVBE (Intel SDM volume 1, section 5.1.16). */
import { V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { CF, KIND_LOGIC, KIND_RESULT, ZF } from "../flags.ts";
import { pushHighProduct } from "./multiply.ts";
import { RDX } from "../../registers.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";

type Triple = [Operand, Operand, Operand];

/** A local with an operand's value. */
function valueOf(g: Context, operand: Operand, size?: number): number {
  const value = g.t64();
  g.read(operand, size);
  g.e.set(value);
  return value;
}

/** Stores the local `result`; SF and ZF follow it, OF = 0, CF is the local `carry` (0 or 1), if there is one. */
function finish(g: Context, target: Operand, result: number, carry?: number): void {
  g.e.get(result);
  g.write(target);
  const size = g.sizeOf(target);
  if (carry === undefined) {
    g.setFlags(KIND_LOGIC, size, undefined, undefined, result);
    return;
  }
  const zero = g.t64();
  g.e.i64(0).set(zero);
  g.setFlags(KIND_RESULT, size, zero, carry, result);
}

function andNot(g: Context): void {
  const { e } = g;
  const [target, first, second] = g.instruction.operands as Triple;
  const [b, result] = [valueOf(g, second), g.t64()];
  g.read(first);
  e.i64(-1).op(W.i64_xor).get(b).op(W.i64_and).set(result);
  finish(g, target, result);
}

/** BLSR, BLSMSK, BLSI: the lowest bit that is set. CF says whether the source is 0, for BLSI whether it is not. */
function lowestBit(change: (g: Context, value: number) => void, carryWhenZero: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const [value, result, carry] = [valueOf(g, source), g.t64(), g.t64()];
    change(g, value);
    g.mask(g.sizeOf(target));
    e.set(result).get(value).op(W.i64_eqz);
    if (!carryWhenZero) e.op(W.i32_eqz);
    e.extend().set(carry);
    finish(g, target, result, carry);
  };
}

/** TZCNT, LZCNT: CF says that the source is 0, ZF that the result is. */
function countZeros(trailing: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const size = g.sizeOf(target);
    const [value, result] = [valueOf(g, source), g.t64()];
    e.get(value);
    if (trailing) {
      if (size < 8) e.i64(2 ** (size * 8)).op(W.i64_or);
      e.op(W.i64_ctz);
    } else {
      e.op(W.i64_clz);
      if (size < 8) e.i64(64 - size * 8).op(W.i64_sub);
    }
    e.tee(result);
    g.write(target);
    e.get(value).op(W.i64_eqz).i32(Math.log2(CF)).op(W.i32_shl);
    e.get(result).op(W.i64_eqz).i32(Math.log2(ZF)).op(W.i32_shl, W.i32_or);
    g.popFlags();
  };
}

/** Bits 7 to 0 of the second source are the start, 15 to 8 the length. */
function extractField(g: Context): void {
  const { e } = g;
  const [target, source, field] = g.instruction.operands as Triple;
  const [value, bounds] = [valueOf(g, source), valueOf(g, field)];
  const [start, length, result] = [g.t64(), g.t64(), g.t64()];
  e.get(bounds).i64(255).op(W.i64_and).set(start);
  e.get(bounds).i64(8).op(W.i64_shr_u).i64(255).op(W.i64_and).set(length);
  // Shifts count modulo 64: what goes beyond gives 0 or everything.
  e.get(value).get(start).op(W.i64_shr_u).i64(0).get(start).i64(64).op(W.i64_lt_u).select();
  e.i64(-1).i64(-1).get(length).op(W.i64_shl).i64(-1).op(W.i64_xor).get(length).i64(63).op(W.i64_gt_u).select();
  e.op(W.i64_and).set(result);
  finish(g, target, result);
}

/** Clears the bits from a number on; CF says that the number is beyond the operand. */
function zeroHighBits(g: Context): void {
  const { e } = g;
  const [target, source, index] = g.instruction.operands as Triple;
  const bits = g.sizeOf(target) * 8;
  const [value, number] = [valueOf(g, source), valueOf(g, index)];
  const [result, carry] = [g.t64(), g.t64()];
  e.get(number).i64(255).op(W.i64_and).tee(number);
  e.i64(bits - 1)
    .op(W.i64_gt_u)
    .extend()
    .set(carry);
  e.get(value).get(value).i64(-1).get(number).op(W.i64_shl).i64(-1).op(W.i64_xor, W.i64_and);
  e.get(carry).wrap().select().set(result);
  finish(g, target, result, carry);
}

/** RDX times the source, without flags; the high half last, as both destinations may be the same. */
function multiply(g: Context): void {
  const { e } = g;
  const [high, low, source] = g.instruction.operands as Triple;
  const size = g.sizeOf(high);
  const [a, b, product] = [g.t64(), valueOf(g, source), g.t64()];
  g.pushRegister(implied(RDX, size));
  e.set(a);
  if (size === 8) {
    e.get(a).get(b).op(W.i64_mul);
    g.write(low);
    pushHighProduct(g, a, b);
  } else {
    e.get(a).get(b).op(W.i64_mul).tee(product);
    g.mask(4);
    g.write(low);
    e.get(product).i64(32).op(W.i64_shr_u);
  }
  g.write(high);
}

/**
 * PDEP and PEXT: bits go between the low end of one operand and the places set in the mask. One round for each bit of
 * the mask.
 */
function scatter(deposit: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source, selector] = g.instruction.operands as Triple;
    const mask = valueOf(g, selector);
    const value = valueOf(g, source);
    const [bit, result, place] = [g.t64(), g.t64(), g.t64()];
    e.i64(0).set(result).i64(1).set(bit);
    const done = e.block();
    const again = e.loop();
    e.get(mask).op(W.i64_eqz).brIf(done);
    e.get(mask).i64(0).get(mask).op(W.i64_sub, W.i64_and).set(place);
    const [from, to] = deposit ? [bit, place] : [place, bit];
    e.get(to).i64(0).get(value).get(from).op(W.i64_and, W.i64_eqz, W.i32_eqz).select();
    e.get(result).op(W.i64_or).set(result);
    e.get(mask).get(place).op(W.i64_xor).set(mask);
    e.get(bit).i64(1).op(W.i64_shl).set(bit).br(again);
    e.end();
    e.end();
    e.get(result);
    g.write(target);
  };
}

function rotate(g: Context): void {
  const { e } = g;
  const [target, source, by] = g.instruction.operands as Triple;
  const size = g.sizeOf(target);
  const count = by.kind === "immediate" ? Number(by.value & BigInt(size * 8 - 1)) : 0;
  g.read(source);
  if (size === 8) e.i64(count).op(W.i64_rotr);
  else e.wrap().i32(count).op(W.i32_rotr).extend();
  g.write(target);
}

/** SHLX, SHRX, SARX: no flags. */
function shift(opcode: number, signed = false): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source, by] = g.instruction.operands as Triple;
    const size = g.sizeOf(target);
    const value = valueOf(g, source);
    e.get(value);
    if (signed) g.signExtend(size);
    g.read(by);
    e.i64(size * 8 - 1).op(W.i64_and, opcode);
    g.mask(size);
    g.write(target);
  };
}

/** Bytes in reverse order, to or from memory. */
function moveReversed(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const size = g.sizeOf(target);
  const ZERO_LANE = 16;
  const lanes = Array.from({ length: 16 }, (_, i) => (i < size ? size - 1 - i : ZERO_LANE));
  g.read(source, size);
  e.op(V.i64x2_splat).v128(new Uint8Array(16)).shuffle(lanes).lane(V.i64x2_extract_lane, 0);
  g.write(target, size);
}

/** In legacy encodings. */
export const BMI: LoweringRows = [
  ["tzcnt", countZeros(true)],
  ["lzcnt", countZeros(false)],
  ["movbe", moveReversed],
];

/** In VEX encodings. */
export const BMI_VEX: LoweringRows = [
  ["andn", andNot],
  ["blsr", lowestBit(({ e }, v) => void e.get(v).get(v).i64(1).op(W.i64_sub, W.i64_and), true)],
  ["blsmsk", lowestBit(({ e }, v) => void e.get(v).get(v).i64(1).op(W.i64_sub, W.i64_xor), true)],
  ["blsi", lowestBit(({ e }, v) => void e.get(v).i64(0).get(v).op(W.i64_sub, W.i64_and), false)],
  ["bextr", extractField],
  ["bzhi", zeroHighBits],
  ["mulx", multiply],
  ["pdep", scatter(true)],
  ["pext", scatter(false)],
  ["rorx", rotate],
  ["shlx", shift(W.i64_shl)],
  ["shrx", shift(W.i64_shr_u)],
  ["sarx", shift(W.i64_shr_s, true)],
];
