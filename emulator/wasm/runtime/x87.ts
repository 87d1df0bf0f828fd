/** The x87 unit (Intel SDM volume 1, chapter 8): register stack, control and status, one instruction a call. */
import { VECTOR_MF } from "../../engine.ts";
import type { PhysicalMemory } from "../../physical-memory.ts";
import { CF, PF, ZF } from "../flags.ts";
import {
  AT_SCRATCH,
  AT_STOP_ERROR,
  AT_STOP_VECTOR,
  AT_X87,
  AT_X87_CONTROL,
  AT_X87_STATUS,
  AT_X87_TOP,
  AT_X87_USED,
} from "../layout.ts";
import * as f from "./float80.ts";
import type { Float80, Rounding } from "./float80.ts";
import { resetX87 } from "./fpu-state.ts";

/** Memory operand formats; the rest of the operand word is two register numbers. */
export const FORMATS = ["none", "f32", "f64", "f80", "i16", "i32", "i64"] as const;
export type Format = (typeof FORMATS)[number];

export const X87_OPERATIONS = (
  "fld fild fst fstp fist fistp fisttp fadd faddp fiadd fmul fmulp fimul fsub fsubp fisub fsubr fsubrp fisubr " +
  "fdiv fdivp fidiv fdivr fdivrp fidivr fcom fcomp fcompp fucom fucomp fucompp ficom ficomp fcomi fcomip fucomi fucomip " +
  "ftst fxam fchs fabs fld1 fldl2t fldl2e fldpi fldlg2 fldln2 fldz fsqrt frndint fscale fprem fprem1 fxtract " +
  "f2xm1 fyl2x fyl2xp1 fptan fpatan fsin fcos fsincos fxch ffree ffreep fincstp fdecstp fnop wait " +
  "fninit finit fnclex fclex fldcw fnstcw fstcw fnstsw fstsw emms " +
  "fcmovb fcmove fcmovbe fcmovu fcmovnb fcmovne fcmovnbe fcmovnu"
).split(" ");

/** Do not look at pending exceptions. */
const NO_WAIT = new Set("fninit fnclex fnstcw fnstsw".split(" "));
const C0 = 0x100;
const C1 = 0x200;
const C2 = 0x400;
const C3 = 0x4000;
const STACK_FAULT = 0x40;
const SUMMARY = 0x8080;

const CONSTANTS: Readonly<Record<string, Float80>> = {
  fld1: { sign: 0, exponent: 16383, mantissa: 0x8000000000000000n },
  fldl2t: { sign: 0, exponent: 16384, mantissa: 0xd49a784bcd1b8afen },
  fldl2e: { sign: 0, exponent: 16383, mantissa: 0xb8aa3b295c17f0bcn },
  fldpi: { sign: 0, exponent: 16384, mantissa: 0xc90fdaa22168c235n },
  fldlg2: { sign: 0, exponent: 16381, mantissa: 0x9a209a84fbcff799n },
  fldln2: { sign: 0, exponent: 16382, mantissa: 0xb17217f7d1cf79acn },
  fldz: f.zero(0),
};

/** Through doubles: not the last bits of the processor's. */
const TRANSCENDENTAL: Readonly<Record<string, (x: number) => number>> = {
  f2xm1: (x) => Math.expm1(x * Math.LN2),
  fsin: Math.sin,
  fcos: Math.cos,
};

export class X87Unit {
  private readonly memory: PhysicalMemory;
  private readonly u32: Uint32Array;
  private readonly view: DataView;

  constructor(memory: PhysicalMemory) {
    this.memory = memory;
    this.u32 = memory.u32;
    this.view = memory.view;
  }

  /** @param operand format | first register << 4 | second << 8 @param host of the memory operand. 1: #MF */
  readonly run = (operation: number, operand: number, host: number): number => {
    const name = X87_OPERATIONS[operation]!;
    if ((this.status & 0x80) !== 0 && !NO_WAIT.has(name)) {
      this.u32[AT_STOP_VECTOR / 4] = VECTOR_MF;
      this.u32[AT_STOP_ERROR / 4] = 0;
      return 1;
    }
    this.execute(name, FORMATS[operand & 15]!, (operand >> 4) & 7, (operand >> 8) & 7, host);
    return 0;
  };

  private get status(): number {
    return this.u32[AT_X87_STATUS / 4]!;
  }
  private set status(value: number) {
    this.u32[AT_X87_STATUS / 4] = value;
  }
  private get control(): number {
    return this.u32[AT_X87_CONTROL / 4]!;
  }

  private execute(name: string, format: Format, first: number, second: number, host: number): void {
    const constant = CONSTANTS[name];
    if (constant) {
      this.push(constant);
      return;
    }
    const arithmetic = /^fi?(add|mul|subr?|divr?)(p?)$/.exec(name);
    if (arithmetic) {
      this.arithmetic(arithmetic[1]!, format, first, second, host);
      if (arithmetic[2] && !this.trapped) this.pop();
      return;
    }
    const comparison = /^f(u?)(i?)com(i?)(p*)$/.exec(name);
    if (comparison) {
      const other = format === "none" ? this.get(name.endsWith("pp") ? 1 : second) : this.load(format, host);
      this.compareWith(other, comparison[1] !== "", comparison[3] !== "");
      for (let i = 0; i < comparison[4]!.length; i++) this.pop();
      return;
    }
    if (/^fcmov/.test(name)) {
      this.set(0, this.get(second));
      return;
    }
    this.other(name, format, first, host);
  }

  private other(name: string, format: Format, first: number, host: number): void {
    const rounding = this.rounding();
    switch (name) {
      case "fld":
      case "fild":
        this.push(format === "none" ? this.get(first) : this.load(format, host));
        return;
      case "fst":
      case "fstp":
        if (format === "none") this.set(first, this.get(0));
        else this.store(format, host);
        if (name === "fstp") this.pop();
        return;
      case "fist":
      case "fistp":
      case "fisttp":
        this.storeInteger(format, host, name === "fisttp" ? { ...rounding, mode: 3 } : rounding);
        if (name !== "fist") this.pop();
        return;
      case "fchs":
        this.set(0, { ...this.get(0), sign: (1 - this.get(0).sign) as 0 | 1 });
        return;
      case "fabs":
        this.set(0, { ...this.get(0), sign: 0 });
        return;
      case "fxch": {
        const [a, b] = [this.get(0), this.get(first)];
        this.set(0, b);
        this.set(first, a);
        return;
      }
      case "ftst":
        this.compareWith(f.zero(0), false, false);
        return;
      case "fxam":
        this.examine();
        return;
      case "fsqrt":
        this.squareRoot();
        return;
      case "frndint": {
        const x = this.get(0);
        if (f.isNaN80(x) || f.isInfinite(x) || f.isZero(x) || x.exponent >= f.BIAS + 63) return;
        const value = f.toInteger(x, rounding);
        this.raise(rounding.flags);
        this.set(0, { ...f.fromInteger(value), sign: x.sign });
        return;
      }
      case "ffree":
      case "ffreep":
        this.u32[AT_X87_USED / 4]! &= ~(1 << this.physical(first));
        if (name === "ffreep") this.pop();
        return;
      case "fincstp":
        this.top = this.top + 1;
        return;
      case "fdecstp":
        this.top = this.top - 1;
        return;
      case "fninit":
      case "finit":
        resetX87(this.memory);
        return;
      case "fnclex":
      case "fclex":
        this.status &= 0x7f00;
        return;
      case "fldcw":
        this.u32[AT_X87_CONTROL / 4] = this.view.getUint16(host, true) | 0x40;
        this.raise(0);
        return;
      case "fnstcw":
      case "fstcw":
        this.view.setUint16(host, this.control, true);
        return;
      case "fnstsw":
      case "fstsw":
        this.view.setUint16(host || AT_SCRATCH, this.status | (this.top << 11), true);
        return;
      case "emms":
        this.u32[AT_X87_USED / 4] = 0;
        return;
      case "fnop":
      case "wait":
        return;
      default:
        this.elementary(name);
    }
  }

  // ---- the stack ----

  private get top(): number {
    return this.u32[AT_X87_TOP / 4]!;
  }
  private set top(value: number) {
    this.u32[AT_X87_TOP / 4] = value & 7;
  }

  private physical(i: number): number {
    return (this.top + i) & 7;
  }

  private get(i: number): Float80 {
    const register = this.physical(i);
    if ((this.u32[AT_X87_USED / 4]! & (1 << register)) === 0) {
      this.status &= ~C1;
      this.raise(f.INVALID | STACK_FAULT);
      return f.INDEFINITE;
    }
    return this.read80(AT_X87 + register * 16);
  }

  private set(i: number, value: Float80): void {
    if (this.trapped) return;
    const register = this.physical(i);
    this.write80(AT_X87 + register * 16, value);
    this.u32[AT_X87_USED / 4]! |= 1 << register;
  }

  private push(value: Float80): void {
    if ((this.u32[AT_X87_USED / 4]! & (1 << this.physical(7))) !== 0) {
      this.status |= C1;
      this.raise(f.INVALID | STACK_FAULT);
      if (this.trapped) return;
      value = f.INDEFINITE;
    } else this.status &= ~C1;
    this.top = this.top - 1;
    this.set(0, value);
  }

  private pop(): void {
    this.u32[AT_X87_USED / 4]! &= ~(1 << this.top);
    this.top = this.top + 1;
  }

  private read80(at: number): Float80 {
    const head = this.view.getUint16(at + 8, true);
    return { sign: (head >> 15) as 0 | 1, exponent: head & 0x7fff, mantissa: this.view.getBigUint64(at, true) };
  }

  private write80(at: number, { sign, exponent, mantissa }: Float80): void {
    this.view.setBigUint64(at, mantissa, true);
    this.view.setUint16(at + 8, (sign << 15) | exponent, true);
  }

  // ---- exceptions and rounding ----

  private rounding(): Rounding {
    return { mode: (this.control >> 10) & 3, flags: 0, roundedUp: false };
  }

  private get precision(): number {
    return [24, 64, 53, 64][(this.control >> 8) & 3]!;
  }

  /** An unmasked exception is pending. */
  private get trapped(): boolean {
    return (this.status & 0x80) !== 0;
  }

  private raise(flags: number): void {
    let status = this.status | flags;
    status = (status & ~this.control & 0x3f) !== 0 ? status | SUMMARY : status & ~SUMMARY;
    this.status = status;
  }

  private load(format: Format, host: number): Float80 {
    const { view } = this;
    switch (format) {
      case "f32":
        return this.quieted(f.fromBits(BigInt(view.getUint32(host, true)), 8));
      case "f64":
        return this.quieted(f.fromBits(view.getBigUint64(host, true), 11));
      case "i16":
        return f.fromInteger(BigInt(view.getInt16(host, true)));
      case "i32":
        return f.fromInteger(BigInt(view.getInt32(host, true)));
      case "i64":
        return f.fromInteger(view.getBigInt64(host, true));
      default:
        return this.read80(host);
    }
  }

  private quieted(x: Float80): Float80 {
    if (!f.isSignaling(x)) return x;
    this.raise(f.INVALID);
    return f.quiet(x);
  }

  private store(format: Format, host: number): void {
    const x = this.get(0);
    const rounding = this.rounding();
    if (format === "f80") this.write80(host, x);
    else if (format === "f32") this.view.setUint32(host, Number(f.toBits(x, 8, rounding)), true);
    else this.view.setBigUint64(host, f.toBits(x, 11, rounding), true);
    this.raise(rounding.flags);
  }

  private storeInteger(format: Format, host: number, rounding: Rounding): void {
    const bits = { i16: 16, i32: 32, i64: 64 }[format as "i16" | "i32" | "i64"];
    const x = this.get(0);
    let value = f.isNaN80(x) || f.isInfinite(x) || x.exponent > f.BIAS + 64 ? 1n << 65n : f.toInteger(x, rounding);
    if (BigInt.asIntN(bits, value) !== value) {
      value = -(1n << BigInt(bits - 1));
      rounding.flags = f.INVALID;
    }
    this.raise(rounding.flags);
    if (bits === 16) this.view.setInt16(host, Number(value), true);
    else if (bits === 32) this.view.setInt32(host, Number(value), true);
    else this.view.setBigInt64(host, value, true);
  }

  // ---- arithmetic ----

  private arithmetic(operation: string, format: Format, first: number, second: number, host: number): void {
    const target = format === "none" ? first : 0;
    let a = this.get(target);
    let b = format === "none" ? this.get(second) : this.load(format, host);
    if (operation.endsWith("r")) [a, b] = [b, a];
    const rounding = this.rounding();
    const result =
      this.special(operation.replace(/r$/, ""), a, b) ?? this.finite(operation.replace(/r$/, ""), a, b, rounding);
    this.status = (this.status & ~C1) | (rounding.roundedUp ? C1 : 0);
    this.raise(rounding.flags);
    // Invalid operation and division by zero, unmasked, leave the operands alone.
    if ((this.status & ~this.control & (f.INVALID | f.ZERO_DIVIDE)) === 0) {
      const pending = this.status & SUMMARY;
      this.status &= ~SUMMARY;
      this.set(target, result);
      this.status |= pending;
    }
  }

  private finite(operation: string, a: Float80, b: Float80, rounding: Rounding): Float80 {
    const [x, y] = [f.exact(a), f.exact(b)];
    switch (operation) {
      case "add":
        return f.pack(f.add(x, y, rounding), this.precision, rounding);
      case "sub":
        return f.pack(f.add(x, { ...y, sign: (1 - y.sign) as 0 | 1 }, rounding), this.precision, rounding);
      case "mul":
        return f.pack(f.multiply(x, y), this.precision, rounding);
      default:
        return f.pack(f.divide(x, y), this.precision, rounding);
    }
  }

  /** Results that involve NaN, infinity or a division by zero. */
  private special(operation: string, a: Float80, b: Float80): Float80 | undefined {
    const invalid = (): Float80 => {
      this.raise(f.INVALID);
      return f.INDEFINITE;
    };
    if (f.isNaN80(a) || f.isNaN80(b)) {
      if (f.isSignaling(a) || f.isSignaling(b)) this.raise(f.INVALID);
      if (!f.isNaN80(b)) return f.quiet(a);
      if (!f.isNaN80(a)) return f.quiet(b);
      return f.quiet(a.mantissa >= b.mantissa ? a : b);
    }
    const sign = (a.sign ^ b.sign) as 0 | 1;
    const [ia, ib] = [f.isInfinite(a), f.isInfinite(b)];
    switch (operation) {
      case "add":
      case "sub": {
        const signOfB = operation === "add" ? b.sign : ((1 - b.sign) as 0 | 1);
        if (ia && ib && a.sign !== signOfB) return invalid();
        return ia ? a : ib ? f.infinity(signOfB) : undefined;
      }
      case "mul":
        if ((ia && f.isZero(b)) || (ib && f.isZero(a))) return invalid();
        return ia || ib ? f.infinity(sign) : undefined;
      default:
        if ((ia && ib) || (f.isZero(a) && f.isZero(b))) return invalid();
        if (ia) return f.infinity(sign);
        if (ib) return f.zero(sign);
        if (!f.isZero(b)) return undefined;
        this.raise(f.ZERO_DIVIDE);
        return f.infinity(sign);
    }
  }

  private squareRoot(): void {
    const x = this.get(0);
    if (f.isNaN80(x)) this.set(0, f.quiet(x));
    else if (f.isZero(x)) return;
    else if (x.sign === 1) {
      this.raise(f.INVALID);
      this.set(0, f.INDEFINITE);
    } else if (!f.isInfinite(x)) {
      const rounding = this.rounding();
      const root = f.pack(f.squareRoot(f.exact(x)), this.precision, rounding);
      this.set(0, root);
      this.raise(rounding.flags);
    }
  }

  // ---- comparison ----

  /** To C3, C2, C0, or (FCOMI) to status flags for the caller at AT_SCRATCH. */
  private compareWith(other: Float80, quietly: boolean, toFlags: boolean): void {
    const a = this.get(0);
    const order = f.compare(a, other);
    if (order === 2 && (!quietly || f.isSignaling(a) || f.isSignaling(other))) this.raise(f.INVALID);
    if (toFlags) {
      this.u32[AT_SCRATCH / 4] = order === 2 ? ZF | PF | CF : order === 0 ? ZF : order < 0 ? CF : 0;
    } else {
      const codes = order === 2 ? C3 | C2 | C0 : order === 0 ? C3 : order < 0 ? C0 : 0;
      this.status = (this.status & ~(C3 | C2 | C1 | C0)) | codes;
    }
  }

  private examine(): void {
    const register = this.physical(0);
    const x = this.read80(AT_X87 + register * 16);
    let codes = C2;
    if ((this.u32[AT_X87_USED / 4]! & (1 << register)) === 0) codes = C3 | C0;
    else if (f.isNaN80(x)) codes = C0;
    else if (f.isInfinite(x)) codes = C2 | C0;
    else if (f.isZero(x)) codes = C3;
    else if (x.exponent === 0) codes = C3 | C2;
    this.status = (this.status & ~(C3 | C2 | C1 | C0)) | codes | (x.sign ? C1 : 0);
  }

  // ---- the rest ----

  private elementary(name: string): void {
    const x = f.toNumber(this.get(0));
    const simple = TRANSCENDENTAL[name];
    if (simple) {
      this.status &= ~C2;
      this.set(0, f.fromNumber(simple(x)));
      return;
    }
    const y = (): number => f.toNumber(this.get(1));
    const replaceTwo = (value: number): void => {
      this.pop();
      this.set(0, f.fromNumber(value));
    };
    switch (name) {
      case "fyl2x":
        replaceTwo(y() * Math.log2(x));
        return;
      case "fyl2xp1":
        replaceTwo((y() * Math.log1p(x)) / Math.LN2);
        return;
      case "fpatan":
        replaceTwo(Math.atan2(y(), x));
        return;
      case "fptan":
        this.status &= ~C2;
        this.set(0, f.fromNumber(Math.tan(x)));
        this.push(CONSTANTS.fld1!);
        return;
      case "fsincos":
        this.status &= ~C2;
        this.set(0, f.fromNumber(Math.sin(x)));
        this.push(f.fromNumber(Math.cos(x)));
        return;
      case "fscale":
        this.scale();
        return;
      case "fxtract": {
        const value = this.get(0);
        this.set(0, f.fromInteger(BigInt(value.exponent - f.BIAS)));
        this.push({ ...value, exponent: f.BIAS });
        return;
      }
      default:
        this.remainder(name === "fprem1");
    }
  }

  private scale(): void {
    const [x, by] = [this.get(0), this.get(1)];
    if (f.isNaN80(x) || f.isInfinite(x) || f.isZero(x) || f.isNaN80(by)) return;
    const power = Math.max(-70000, Math.min(70000, Math.trunc(f.toNumber(by))));
    const rounding = this.rounding();
    const value = f.exact(x);
    this.set(0, f.pack({ ...value, power: value.power + power }, 64, rounding));
    this.raise(rounding.flags);
  }

  /** The whole remainder at once: C2 says complete; C0, C3, C1 are the low bits of the quotient. */
  private remainder(nearest: boolean): void {
    const [a, b] = [this.get(0), this.get(1)];
    const special = f.isZero(b) || f.isInfinite(a) || f.isNaN80(a) || f.isNaN80(b);
    if (special) {
      if (!f.isNaN80(a) && !f.isNaN80(b)) this.raise(f.INVALID);
      this.set(0, f.isNaN80(a) ? f.quiet(a) : f.isNaN80(b) ? f.quiet(b) : f.INDEFINITE);
      return;
    }
    this.status &= ~(C0 | C1 | C2 | C3);
    if (f.isInfinite(b)) return;
    const [x, y] = [f.exact(a), f.exact(b)];
    const power = Math.min(x.power, y.power);
    const [m, n] = [x.mantissa << BigInt(x.power - power), y.mantissa << BigInt(y.power - power)];
    let quotient = m / n;
    let rest = m % n;
    if (nearest && (rest * 2n > n || (rest * 2n === n && (quotient & 1n) === 1n))) {
      quotient++;
      rest -= n;
    }
    const sign = (rest < 0n ? 1 - a.sign : a.sign) as 0 | 1;
    this.set(0, f.pack({ sign, mantissa: rest < 0n ? -rest : rest, power }, 64, this.rounding()));
    const low = Number(quotient & 7n);
    this.status |= (low & 4 ? C0 : 0) | (low & 2 ? C3 : 0) | (low & 1 ? C1 : 0);
  }
}
