/** Registers, control and status of the x87 (Intel SDM volume 1, sections 8.1 and 8.5). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_X87, AT_X87_CONTROL, AT_X87_STATUS, AT_X87_TOP, AT_X87_USED } from "../layout.ts";
import { DENORMAL, INVALID, OVERFLOW, rounding, UNDERFLOW, ZERO_DIVIDE, type Rounding } from "./exact.ts";
import { INDEFINITE, type Float80 } from "./float80.ts";

export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
const STACK_FAULT = 0x40;
const EXCEPTIONS = 0x3f;
/** ES and B. */
const SUMMARY = 0x8080;

/** Exceptions that, unmasked, leave registers and memory alone. */
const BEFORE = INVALID | ZERO_DIVIDE | DENORMAL;
/** The same for results that go to memory. */
export const BEFORE_STORE = BEFORE | OVERFLOW | UNDERFLOW;

export class X87State {
  readonly view: DataView;
  private readonly u32: Uint32Array;

  constructor(memory: PhysicalMemory) {
    this.u32 = memory.u32;
    this.view = memory.view;
  }

  get status(): number {
    return this.u32[AT_X87_STATUS / 4]!;
  }
  set status(value: number) {
    this.u32[AT_X87_STATUS / 4] = value;
  }

  get control(): number {
    return this.u32[AT_X87_CONTROL / 4]!;
  }
  /** Bit 6 is always set, the reserved ones never. */
  set control(value: number) {
    this.u32[AT_X87_CONTROL / 4] = (value & 0x1f7f) | 0x40;
    this.raise(0);
  }

  get top(): number {
    return this.u32[AT_X87_TOP / 4]!;
  }
  set top(value: number) {
    this.u32[AT_X87_TOP / 4] = value & 7;
  }

  /** A bit for each physical register in use. */
  get used(): number {
    return this.u32[AT_X87_USED / 4]!;
  }
  set used(value: number) {
    this.u32[AT_X87_USED / 4] = value;
  }

  get precision(): number {
    return [24, 64, 53, 64][(this.control >> 8) & 3]!;
  }

  get unmasked(): number {
    return ~this.control & EXCEPTIONS;
  }

  // ---- the stack ----

  address(i: number): number {
    return AT_X87 + ((this.top + i) & 7) * 16;
  }

  isEmpty(i: number): boolean {
    return (this.used & (1 << ((this.top + i) & 7))) === 0;
  }

  read(i: number): Float80 {
    return this.read80(this.address(i));
  }

  write(i: number, value: Float80): void {
    this.write80(this.address(i), value);
    this.used |= 1 << ((this.top + i) & 7);
  }

  free(i: number): void {
    this.used &= ~(1 << ((this.top + i) & 7));
  }

  pop(): void {
    this.free(0);
    this.top++;
  }

  /** Pushes, or raises a stack overflow, whose masked result is the indefinite. Says whether anything was pushed. */
  push(value: Float80): boolean {
    const overflows = !this.isEmpty(7);
    if (overflows) {
      this.status |= C1;
      this.raise(INVALID | STACK_FAULT);
      if ((this.unmasked & INVALID) !== 0) return false;
    }
    this.top--;
    this.write(0, overflows ? INDEFINITE : value);
    return true;
  }

  /** Raises a stack underflow when one of the registers is empty: "fine", or "masked" or not. */
  underflow(...registers: number[]): "fine" | "masked" | "unmasked" {
    this.status &= ~C1;
    if (!registers.some((i) => this.isEmpty(i))) return "fine";
    this.raise(INVALID | STACK_FAULT);
    return (this.unmasked & INVALID) === 0 ? "masked" : "unmasked";
  }

  // ---- memory ----

  read80(at: number): Float80 {
    const head = this.view.getUint16(at + 8, true);
    return { sign: (head >> 15) as 0 | 1, exponent: head & 0x7fff, mantissa: this.view.getBigUint64(at, true) };
  }

  write80(at: number, { sign, exponent, mantissa }: Float80): void {
    this.view.setBigUint64(at, mantissa, true);
    this.view.setUint16(at + 8, (sign << 15) | exponent, true);
  }

  // ---- exceptions ----

  /** How the control word wants results rounded. */
  rounding(mode = (this.control >> 10) & 3): Rounding {
    return rounding(mode, this.unmasked);
  }

  /** Sets exception flags and what follows from them. */
  raise(flags: number): void {
    const status = this.status | flags;
    this.status = (status & this.unmasked) !== 0 ? status | SUMMARY : status & ~SUMMARY;
  }

  /** Takes over the flags and direction of an operation; says whether its result is to be stored. */
  finish(how: Rounding, before = BEFORE): boolean {
    this.status = how.roundedUp ? this.status | C1 : this.status & ~C1;
    this.raise(how.flags);
    return (how.flags & this.unmasked & before) === 0;
  }

  setCodes(codes: number): void {
    this.status = (this.status & ~(C0 | C1 | C2 | C3)) | codes;
  }
}
