/** The x87 unit (Intel SDM volume 1, chapter 8, and volume 2): what each instruction does, one a call. */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { CF, PF, ZF } from "../flags.ts";
import { AT_RIP, AT_SCRATCH } from "../layout.ts";
import { INEXACT, INVALID, OVERFLOW, UNDERFLOW, ZERO_DIVIDE, type Rounding } from "./exact.ts";
import * as f from "./float80.ts";
import type { Float80 } from "./float80.ts";
import { AT_X87_FIP, AT_X87_FOP } from "./fpu-state.ts";
import * as arithmetic from "./x87-arithmetic.ts";
import { controlInstruction } from "./x87-control.ts";
import { NAMED_OPERATIONS, type NamedOperation } from "./x87-operations.ts";
import { converted, FORMATS, load, storing, storingInteger, type Format } from "./x87-memory.ts";
import { BEFORE_STORE, C0, C1, C2, C3, X87State } from "./x87-state.ts";
import * as transcendental from "./x87-transcendental.ts";

/** Which operand an instruction names, and where it lies. */
interface Operands {
  readonly format: Format;
  readonly first: number;
  readonly second: number;
  readonly host: number;
}

export class X87Unit {
  private readonly memory: PhysicalMemory;
  private readonly state: X87State;
  private readonly opcode: () => number;

  /** @param opcode the 11 bits FOP keeps of the instruction at RIP */
  constructor(memory: PhysicalMemory, opcode: () => number = () => 0) {
    this.memory = memory;
    this.state = new X87State(memory);
    this.opcode = opcode;
  }

  /**
   * Executes; pending exceptions have been looked for.
   * @param operand format | first register << 4 | second << 8 @param host of the memory operand; condition of FCMOVcc
   */
  readonly run = (operation: number, operand: number, host: number): void => {
    const named = NAMED_OPERATIONS[operation]!;
    const operands = {
      format: FORMATS[operand & 15]!,
      first: (operand >> 4) & 7,
      second: (operand >> 8) & 7,
      host,
    };
    if (named.control) {
      controlInstruction(this.memory, this.state, named.name, operands.format, host);
      return;
    }
    const { view } = this.memory;
    view.setBigUint64(AT_X87_FIP, view.getBigUint64(AT_RIP, true), true);
    this.execute(named, operands);
    if ((this.state.status & 0x80) !== 0) view.setUint16(AT_X87_FOP, this.opcode(), true);
  };

  private execute({ name, constant, binary, comparison }: NamedOperation, operands: Operands): void {
    const { state } = this;
    if (binary) {
      if (this.binary(binary.operation, binary.reversed, operands) && binary.pops) state.pop();
      return;
    }
    if (constant) {
      const [exponent, mantissa, nearest, up] = constant;
      const mode = (state.control >> 10) & 3;
      state.status &= ~C1;
      state.push({ sign: 0, exponent, mantissa: mantissa + (mode === 0 ? nearest : mode === 2 ? up : 0n) });
      return;
    }
    if (comparison) {
      const { pops, quietly, toFlags } = comparison;
      if (this.comparison(operands, pops === 2, quietly, toFlags)) for (let i = 0; i < pops; i++) state.pop();
      return;
    }
    if (name.startsWith("fcmov")) {
      // C1 stays as it is but for a stack fault.
      const c1 = state.status & C1;
      const found = state.underflow(0, operands.second);
      if (found === "fine") state.status |= c1;
      if (found === "masked") state.write(0, f.INDEFINITE);
      else if (found === "fine" && operands.host !== 0) state.write(0, state.read(operands.second));
      return;
    }
    this.other(name, operands);
  }

  private other(name: string, { format, first, host }: Operands): void {
    const { state } = this;
    switch (name) {
      case "fld":
      case "fild":
      case "fbld":
        this.load(format, first, host);
        return;
      case "fst":
      case "fstp":
        if (this.store(format, first, host) && name === "fstp") state.pop();
        return;
      case "fist":
      case "fistp":
      case "fisttp":
      case "fbstp":
        if (this.storeInteger(format, host, name === "fisttp") && name !== "fist") state.pop();
        return;
      case "fchs":
        this.replace(f.negated);
        return;
      case "fabs":
        this.replace((x) => ({ ...x, sign: 0 }));
        return;
      case "fxch":
        this.exchange(first);
        return;
      case "ftst":
        this.compareWith({ value: f.zero(0), denormal: false }, state.underflow(0), false, false);
        return;
      case "fxam":
        this.examine();
        return;
      case "fsqrt":
        this.replace((x, how) => arithmetic.root(x, state.precision, how));
        return;
      case "frndint":
        this.replace(arithmetic.roundToInteger);
        return;
      case "f2xm1":
        this.replace(transcendental.powerMinusOne);
        return;
      case "fscale":
        this.ofTwo((x, y, how) => arithmetic.scale(x, y, how), false);
        return;
      case "fyl2x":
        this.ofTwo((x, y, how) => transcendental.logarithm(y, x, how), true);
        return;
      case "fyl2xp1":
        this.ofTwo((x, y, how) => transcendental.logarithmOfOnePlus(y, x, how), true);
        return;
      case "fpatan":
        this.ofTwo((x, y, how) => transcendental.arcTangent(y, x, how), true);
        return;
      case "fsin":
      case "fcos":
      case "fsincos":
      case "fptan":
        this.trigonometric(name);
        return;
      case "fxtract":
        this.extract();
        return;
      case "fprem":
      case "fprem1":
        this.remainder(name === "fprem1");
        return;
      case "ffree":
      case "ffreep":
        state.free(first);
        if (name === "ffreep") state.pop();
        return;
      case "fincstp":
      case "fdecstp":
        state.status &= ~C1;
        state.top += name === "fincstp" ? 1 : -1;
        return;
      case "fnop":
        return;
      default:
        throw new Error(`no x87 instruction ${name}`);
    }
  }

  // ---- loads and stores ----

  private load(format: Format, first: number, host: number): void {
    const { state } = this;
    const how = state.rounding();
    if (format === "none") {
      const found = state.underflow(first);
      if (found !== "unmasked") state.push(found === "masked" ? f.INDEFINITE : state.read(first));
      // An empty source counts for more than a full stack.
      if (found === "masked") state.status &= ~C1;
      return;
    }
    if (!state.isEmpty(7)) {
      state.push(f.INDEFINITE);
      return;
    }
    const value = converted(this.memory.view, host, format, how);
    state.finish(how);
    if (value) state.push(value);
  }

  private store(format: Format, first: number, host: number): boolean {
    const { state } = this;
    const found = state.underflow(0);
    if (found === "unmasked") return false;
    const value = found === "masked" ? f.INDEFINITE : state.read(0);
    if (format === "none") {
      state.write(first, value);
      return true;
    }
    const how = state.rounding();
    const write = storing(this.memory.view, host, format, value, how);
    // An unmasked overflow or underflow stores nothing, so nothing has been rounded.
    if ((how.flags & how.unmasked & (OVERFLOW | UNDERFLOW)) !== 0) {
      how.flags &= ~INEXACT;
      how.roundedUp = false;
    }
    if (!state.finish(how, BEFORE_STORE)) return false;
    write();
    return true;
  }

  private storeInteger(format: Format, host: number, truncates: boolean): boolean {
    const { state } = this;
    const found = state.underflow(0);
    if (found === "unmasked") return false;
    const how = state.rounding();
    const value = found === "masked" ? f.INDEFINITE : state.read(0);
    const write = storingInteger(this.memory.view, host, format, value, how, truncates);
    if (!state.finish(how)) return false;
    write();
    return true;
  }

  private exchange(with_: number): void {
    const { state } = this;
    const found = state.underflow(0, with_);
    if (found === "unmasked") return;
    const [a, b] = [0, with_].map((i) => (state.isEmpty(i) ? f.INDEFINITE : state.read(i)));
    state.write(0, b!);
    state.write(with_, a!);
  }

  // ---- arithmetic ----

  /** Replaces ST(0) by a function of it. */
  private replace(change: (x: Float80, how: Rounding) => Float80): void {
    const { state } = this;
    const found = state.underflow(0);
    if (found === "masked") state.write(0, f.INDEFINITE);
    if (found !== "fine") return;
    const how = state.rounding();
    const result = change(state.read(0), how);
    if (state.finish(how)) state.write(0, result);
  }

  /** A function of ST(0) and ST(1) into ST(0), or with `pops` into ST(1), which becomes ST(0). */
  private ofTwo(change: (x: Float80, y: Float80, how: Rounding) => Float80, pops: boolean): void {
    const { state } = this;
    const found = state.underflow(0, 1);
    if (found === "unmasked") return;
    const how = state.rounding();
    const result = found === "masked" ? f.INDEFINITE : change(state.read(0), state.read(1), how);
    if (found === "fine" && !state.finish(how)) return;
    if (pops) state.pop();
    state.write(0, result);
  }

  /** Says whether the result was stored. */
  private binary(
    operation: arithmetic.Operation,
    reversed: boolean,
    { format, first, second, host }: Operands,
  ): boolean {
    const { state } = this;
    const target = format === "none" ? first : 0;
    const found = format === "none" ? state.underflow(first, second) : state.underflow(0);
    if (found === "unmasked") return false;
    const how = state.rounding();
    let result = f.INDEFINITE;
    if (found === "fine") {
      const a = state.read(target);
      const { value: b, denormal } = this.operand(format, second, host);
      const [x, y] = reversed ? [b, a] : [a, b];
      result = arithmetic.calculate(operation, x, y, state.precision, how, denormal);
      if (!state.finish(how)) return false;
    }
    state.write(target, result);
    return true;
  }

  private operand(format: Format, register: number, host: number): { value: Float80; denormal: boolean } {
    if (format === "none") return { value: this.state.read(register), denormal: false };
    return load(this.memory.view, host, format);
  }

  private trigonometric(name: string): void {
    const { state } = this;
    const pushes = name === "fsincos" || name === "fptan";
    const found = state.underflow(0);
    if (found === "unmasked") return;
    if (found === "fine" && pushes && !state.isEmpty(7)) {
      // Masked, both results are the indefinite.
      state.status &= ~C2;
      if (state.push(f.INDEFINITE)) state.write(1, f.INDEFINITE);
      return;
    }
    const how = state.rounding();
    const values = found === "masked" ? undefined : transcendental.trigonometric(state.read(0), how);
    if (found === "fine" && !values) {
      state.setCodes((state.status & (C0 | C3)) | C2);
      return;
    }
    const result = !values
      ? f.INDEFINITE
      : name === "fcos"
        ? values.cosine
        : name === "fptan"
          ? values.tangent()
          : values.sine;
    const second = !values || f.isNaN80(result) ? result : name === "fptan" ? f.ONE : values.cosine;
    state.status &= ~C2;
    if (found === "fine" && !state.finish(how)) return;
    state.write(0, result);
    if (!pushes) return;
    state.push(second);
    if (found === "masked") state.status &= ~C1;
  }

  private extract(): void {
    const { state } = this;
    const found = state.underflow(0);
    if (found === "unmasked") return;
    if (found === "fine" && !state.isEmpty(7)) {
      if (state.push(f.INDEFINITE)) state.write(1, f.INDEFINITE);
      return;
    }
    const how = state.rounding();
    const [exponent, significand] =
      found === "masked" ? [f.INDEFINITE, f.INDEFINITE] : arithmetic.extract(state.read(0), how);
    if (found === "fine" && !state.finish(how)) return;
    state.write(0, exponent);
    state.push(significand);
    if (found === "masked") state.status &= ~C1;
  }

  /** C2 clear: complete. C0, C3, C1 are the low bits of the quotient. */
  private remainder(nearest: boolean): void {
    const { state } = this;
    const found = state.underflow(0, 1);
    if (found === "masked") {
      state.write(0, f.INDEFINITE);
      state.status &= ~C2;
    }
    if (found !== "fine") return;
    const how = state.rounding();
    const { value, quotient } = arithmetic.remainder(state.read(0), state.read(1), nearest, how);
    if (!state.finish(how)) return;
    state.write(0, value);
    state.status &= ~C2;
    if ((how.flags & (INVALID | ZERO_DIVIDE)) !== 0 || f.isNaN80(value)) return;
    state.setCodes((quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0));
  }

  // ---- comparison ----

  private comparison(
    { format, second, host }: Operands,
    popsTwo: boolean,
    quietly: boolean,
    toFlags: boolean,
  ): boolean {
    const { state } = this;
    const register = popsTwo ? 1 : second;
    const c1 = state.status & C1;
    const found = format === "none" ? state.underflow(0, register) : state.underflow(0);
    return this.compareWith(this.operand(format, register, host), found, quietly, toFlags, c1);
  }

  /** To C3, C2, C0, or (FCOMI) to status flags for the caller at AT_SCRATCH. False, nothing is popped: an unmasked exception. @param c1 what FCOMI leaves of C1 */
  private compareWith(
    { value, denormal }: { value: Float80; denormal: boolean },
    found: "fine" | "masked" | "unmasked",
    quietly: boolean,
    toFlags: boolean,
    c1 = 0,
  ): boolean {
    const { state } = this;
    const how = state.rounding();
    let order = 2;
    let completes = found !== "unmasked";
    if (found === "fine") {
      const a = state.read(0);
      order = f.compare(a, value);
      const both = [a, value];
      if (order === 2) {
        if (!quietly || both.some((x) => f.isSignaling(x) || f.isUnsupported(x))) how.flags |= INVALID;
      } else arithmetic.noteDenormal(denormal || both.some(f.isDenormal), how);
      completes = state.finish(how);
    }
    if (toFlags) {
      const flags = order === 2 ? ZF | PF | CF : order === 0 ? ZF : order < 0 ? CF : 0;
      this.memory.u32[AT_SCRATCH / 4] = flags;
      if (found === "fine") state.status |= c1;
    } else state.setCodes(order === 2 ? C3 | C2 | C0 : order === 0 ? C3 : order < 0 ? C0 : 0);
    return completes;
  }

  private examine(): void {
    const { state } = this;
    const x = state.read(0);
    let codes = C2;
    if (state.isEmpty(0)) codes = C3 | C0;
    else if (f.isUnsupported(x)) codes = 0;
    else if (f.isNaN80(x)) codes = C0;
    else if (f.isInfinite(x)) codes = C2 | C0;
    else if (f.isZero(x)) codes = C3;
    else if (f.isDenormal(x)) codes = C3 | C2;
    state.setCodes(codes | (x.sign ? C1 : 0));
  }
}
