/**
 * Fused multiply-add of a vector in WebAssembly, which has none, but for relaxed SIMD where the host's processor fuses.
 * Emulated:
 *
 * Doubles: the product as an unevaluated sum of two (T. J. Dekker, A floating-point technique for extending the available
 * precision, 1971), added with rounding to odd so that the last rounding is the only one (S. Boldo and G. Melquiond,
 * Emulation of FMA and correctly rounded sums, 2008). Singles: product and sum in double precision, the sum rounded to
 * odd. Lanes outside the range in which that is exact send the vector to the helper, and so does strict mode, which wants
 * other roundings or exception flags.
 */
import { V128, type Assembler, type Label } from "../emit/assembler.ts";
import { Memory, Relaxed, simd, V, W } from "../emit/opcodes.ts";
import { AT_STRICT_FLOAT } from "./fpu-state.ts";
import { AT_FMA_OPERANDS, AT_FMA_RESULT } from "./fma.ts";
import { hostFuses } from "./fused-host.ts";

/** Code that pushes a v128. */
type Expression = () => void;

const [X, Y, Z, PRODUCT_SIGN, ADDEND_SIGN] = [0, 1, 2, 3, 4] as const;

/** Expressions over vectors of doubles. */
class Doubles {
  private readonly e: Assembler;

  constructor(e: Assembler) {
    this.e = e;
  }

  local(index: number): Expression {
    return () => void this.e.get(index);
  }

  /** Computes now what is pushed later. */
  now(value: Expression): Expression {
    const local = this.e.local(V128);
    value();
    this.e.set(local);
    return this.local(local);
  }

  all(value: number): Expression {
    return () => void this.e.f64(value).op(V.f64x2_splat);
  }

  op(name: string, ...operands: Expression[]): Expression {
    return () => {
      for (const operand of operands) operand();
      this.e.op(simd(name));
    };
  }

  add = (a: Expression, b: Expression): Expression => this.op("f64x2_add", a, b);
  sub = (a: Expression, b: Expression): Expression => this.op("f64x2_sub", a, b);
  mul = (a: Expression, b: Expression): Expression => this.op("f64x2_mul", a, b);
  and = (a: Expression, b: Expression): Expression => this.op("and", a, b);
  or = (a: Expression, b: Expression): Expression => this.op("or", a, b);
  xor = (a: Expression, b: Expression): Expression => this.op("xor", a, b);

  /** Sum and its error. */
  twoSum(a: Expression, b: Expression): [Expression, Expression] {
    const { now, add, sub } = this.bound();
    const sum = now(add(a, b));
    const second = now(sub(sum, a));
    return [sum, now(add(sub(a, sub(sum, second)), sub(b, second)))];
  }

  /** Product and its error. */
  twoProduct(a: Expression, b: Expression): [Expression, Expression] {
    const { now, add, sub, mul } = this.bound();
    const product = now(mul(a, b));
    const [[ah, al], [bh, bl]] = [this.split(a), this.split(b)];
    return [product, now(add(add(add(sub(mul(ah, bh), product), mul(ah, bl)), mul(al, bh)), mul(al, bl)))];
  }

  /** A sum, given as its rounding to nearest and the error of that, rounded to odd. */
  toOdd(sum: Expression, error: Expression): Expression {
    const { now, and, or, xor } = this.bound();
    const inexact = this.op("f64x2_ne", error, this.all(0));
    const one: Expression = () => void this.e.i64(1).op(V.i64x2_splat);
    const even = this.op("i64x2_eq", and(sum, one), this.all(0));
    const apart: Expression = () => {
      xor(sum, error)();
      this.e.i32(63).op(simd("i64x2_shr_s"));
    };
    const step = and(or(apart, one), and(inexact, even));
    return now(this.op("i64x2_add", sum, step));
  }

  /** Lanes whose magnitude lies between two numbers, or is zero. */
  within(a: Expression, low: number, high: number): Expression {
    const magnitude = this.now(this.op("f64x2_abs", a));
    const inside = this.and(
      this.op("f64x2_ge", magnitude, this.all(low)),
      this.op("f64x2_le", magnitude, this.all(high)),
    );
    return this.or(inside, this.op("f64x2_eq", magnitude, this.all(0)));
  }

  private split(a: Expression): [Expression, Expression] {
    const { now, sub, mul } = this.bound();
    const large = now(mul(a, this.all(2 ** 27 + 1)));
    const high = now(sub(large, sub(large, a)));
    return [high, now(sub(a, high))];
  }

  private bound(): Pick<Doubles, "now" | "add" | "sub" | "mul" | "and" | "or" | "xor"> {
    const { add, sub, mul, and, or, xor } = this;
    return { now: (value) => this.now(value), add, sub, mul, and, or, xor };
  }
}

/** (x, y, z, signs of the product, signs of the addend): x * y + z of two doubles. */
export function writeFmaDoubles(e: Assembler, helper: number, fused = hostFuses()): void {
  if (fused) writeFused(e, helper, 8);
  else writeEmulatedDoubles(e, helper);
}

/** As `writeFmaDoubles`, of four singles. */
export function writeFmaSingles(e: Assembler, helper: number, fused = hostFuses()): void {
  if (fused) writeFused(e, helper, 4);
  else writeEmulatedSingles(e, helper);
}

/** By the host's own instruction; the helper knows which NaN a result has to be. */
function writeFused(e: Assembler, helper: number, size: 4 | 8): void {
  const result = e.local(V128);
  const slow = e.block();
  leaveIfStrict(e, slow);
  e.get(X).get(PRODUCT_SIGN).op(V.xor).get(Y).get(Z).get(ADDEND_SIGN).op(V.xor);
  e.op(size === 4 ? Relaxed.f32x4_madd : Relaxed.f64x2_madd).tee(result);
  leaveUnless(e, slow, () => e.get(result).op(size === 4 ? V.f32x4_eq : V.f64x2_eq));
  e.get(result).return();
  e.end();
  writeCallOfHelper(e, helper, size);
}

function writeEmulatedDoubles(e: Assembler, helper: number): void {
  const d = new Doubles(e);
  const [x, y] = [d.local(X), d.local(Y)];
  const slow = e.block();
  leaveIfStrict(e, slow);
  const a = d.now(d.xor(x, d.local(PRODUCT_SIGN)));
  const c = d.now(d.xor(d.local(Z), d.local(ADDEND_SIGN)));
  leaveUnless(
    e,
    slow,
    d.and(d.and(d.within(x, 2 ** -400, 2 ** 400), d.within(y, 2 ** -400, 2 ** 400)), d.within(c, 2 ** -800, 2 ** 800)),
  );
  const [uh, ul] = d.twoProduct(a, y);
  const [th, tl] = d.twoSum(c, ul);
  const [vh, vl] = d.twoSum(uh, th);
  const sum = d.now(d.add(vh, d.toOdd(...d.twoSum(tl, vl))));
  // An exact zero has the sign that the sum of product and addend has.
  const isZero = d.op("f64x2_eq", sum, d.all(0));
  d.op("bitselect", d.add(uh, c), sum, isZero)();
  e.return();
  e.end();
  writeCallOfHelper(e, helper, 8);
}

const SMALLEST_SINGLE = 2 ** -126;
const LARGEST_SINGLE = 2 ** 128 - 2 ** 104;

function writeEmulatedSingles(e: Assembler, helper: number): void {
  const d = new Doubles(e);
  const slow = e.block();
  leaveIfStrict(e, slow);
  const result = [0, 1].map((half) => {
    const widened = (local: number, signs?: number): Expression =>
      d.now(() => {
        e.get(local);
        if (signs !== undefined) e.get(signs).op(V.xor);
        if (half === 1) e.get(local).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
        e.op(simd("f64x2_promote_low_f32x4"));
      });
    const [a, b, c] = [widened(X, PRODUCT_SIGN), widened(Y), widened(Z, ADDEND_SIGN)];
    const ordinary = [a, b, c].map((operand) => d.within(operand, SMALLEST_SINGLE, LARGEST_SINGLE));
    leaveUnless(e, slow, ordinary.reduce(d.and));
    const product = d.now(d.mul(a, b));
    const odd = d.toOdd(...d.twoSum(product, c));
    // Rounded up to the smallest normal number, a result may still be tiny.
    leaveUnless(e, slow, d.within(odd, SMALLEST_SINGLE * (1 + 2 ** -23), LARGEST_SINGLE));
    return d.now(d.op("f32x4_demote_f64x2_zero", odd));
  }) as [Expression, Expression];
  result[0]();
  result[1]();
  e.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  e.return();
  e.end();
  writeCallOfHelper(e, helper, 4);
}

function leaveIfStrict(e: Assembler, slow: Label): void {
  e.loadAt(Memory.i32_load, AT_STRICT_FLOAT).brIf(slow);
}

function leaveUnless(e: Assembler, slow: Label, lanes: Expression): void {
  lanes();
  e.op(simd("i32x4_all_true"), W.i32_eqz).brIf(slow);
}

function writeCallOfHelper(e: Assembler, helper: number, size: number): void {
  [X, Y, Z, PRODUCT_SIGN, ADDEND_SIGN].forEach((local, i) => {
    e.storeLocalAt(V.store, AT_FMA_OPERANDS + i * 16, local);
  });
  e.i32(size).call(helper).loadAt(V.load, AT_FMA_RESULT);
}
