/**
 * The guest's registers as locals of a WebAssembly function: which local holds what, how partial writes go, and the code
 * that moves registers between locals and the register file.
 */
import { I64, V128, type Assembler, type ValueType } from "./emit/assembler.ts";
import { Memory, V, W } from "./emit/opcodes.ts";
import type { RegisterOperand } from "./decode.ts";
import { AT_XMM, AT_YMM_HIGH } from "./layout.ts";

/** From an XMM register in the register file to the upper half of the YMM register. */
const YMM_HIGH_DISTANCE = AT_YMM_HIGH - AT_XMM;

/** Vectors in a mask of registers. */
const FIRST_VECTOR = 16;
const ALL_REGISTERS = -1;

/** Registers that the form of an instruction leaves open (interpret/records.ts) are in every mask. */
const isIn = (registers: number, number: number): boolean =>
  registers === ALL_REGISTERS || ((registers >>> number) & 1) !== 0;

/** Register numbers from here on name locals (`aliasRegister`). */
const FIRST_ALIAS = 256;

/** Whether a register operand comes from `aliasRegister`. */
export const isAlias = ({ index }: RegisterOperand): boolean => index >= FIRST_ALIAS;

export abstract class RegisterContext {
  /** Where code goes. */
  e: Assembler;
  protected readonly gprs: (number | undefined)[] = [];
  protected readonly xmms: (number | undefined)[] = [];
  private readonly ymmHighs: (number | undefined)[] = [];
  protected readonly dirty = new Set<number>();
  protected readonly dirtyXmm = new Set<number>();
  private readonly dirtyYmmHigh = new Set<number>();
  private readonly vectorAliases: number[] = [];
  private vectorAliasCount = 0;
  private readonly gprAliases: number[] = [];
  private aliases = 0;

  constructor(e: Assembler) {
    this.e = e;
  }

  /** A local for a register, or for a half of one. */
  protected registerLocal(type: ValueType, _number: number): number {
    return this.e.local(type);
  }

  /** The local of a general register, for reading. */
  gpr(index: number): number {
    if (index >= FIRST_ALIAS) return this.gprAliases[index - FIRST_ALIAS]!;
    return (this.gprs[index] ??= this.registerLocal(I64, index));
  }

  /** The local of a general register, for writing. */
  gprOut(index: number): number {
    this.dirty.add(index);
    return this.gpr(index);
  }

  xmm(index: number): number {
    if (index >= 16 && index < 32) return this.vectorAliases[index - 16]!;
    return (this.xmms[index] ??= this.registerLocal(V128, FIRST_VECTOR + index));
  }

  xmmOut(index: number): number {
    if (index < 16 || index >= 32) this.dirtyXmm.add(index);
    return this.xmm(index);
  }

  /** The local of the upper 128 bits of a YMM register, for reading. */
  ymmHigh(index: number): number {
    return (this.ymmHighs[index] ??= this.registerLocal(V128, FIRST_VECTOR + index));
  }

  ymmHighOut(index: number): number {
    this.dirtyYmmHigh.add(index);
    return this.ymmHigh(index);
  }

  /** A v128 local under the name of a vector register: lowerings for XMM operands then work on it. */
  aliasVector(local: number): RegisterOperand {
    const index = 16 + (this.vectorAliasCount++ % 16);
    this.vectorAliases[index - 16] = local;
    return { kind: "register", class: "xmm", index, size: 16, high: false };
  }

  /** A local under the name of a register, to stand in a memory operand. */
  aliasRegister(local: number): RegisterOperand {
    const number = this.aliases++ % 4;
    this.gprAliases[number] = local;
    return { kind: "register", class: "gpr", index: FIRST_ALIAS + number, size: 8, high: false };
  }

  /** Leaves the address of a register in memory as base (on the stack) and offset (returned). */
  protected pushRegisterBase(_index: number): void {
    this.e.i32(0);
  }

  protected gprOffset(index: number): number {
    return index * 8;
  }

  protected xmmOffset(index: number): number {
    return AT_XMM + index * 16;
  }

  /** Runs `write` with its code going to another assembler. */
  protected into(e: Assembler, write: () => void): void {
    const own = this.e;
    this.e = e;
    write();
    this.e = own;
  }

  /** Code that loads the registers used of a mask: 0 to 15 general ones, 16 to 31 vectors, whole. */
  protected writeRegisterLoads(registers = ALL_REGISTERS): void {
    const { e } = this;
    this.gprs.forEach((local, i) => {
      if (local === undefined || !isIn(registers, i)) return;
      this.pushRegisterBase(i);
      e.memory(Memory.i64_load, this.gprOffset(i)).set(local);
    });
    this.xmms.forEach((local, i) => {
      if (local === undefined || !isIn(registers, FIRST_VECTOR + i)) return;
      this.pushRegisterBase(i);
      e.memory(V.load, this.xmmOffset(i)).set(local);
    });
    this.ymmHighs.forEach((local, i) => {
      if (local === undefined || !isIn(registers, FIRST_VECTOR + i)) return;
      this.pushRegisterBase(i);
      e.memory(V.load, this.xmmOffset(i) + YMM_HIGH_DISTANCE).set(local);
    });
  }

  /** Code that stores the registers of a mask that are ever changed. */
  protected writeRegisterStores(registers = ALL_REGISTERS): void {
    const { e } = this;
    for (const i of this.dirty) {
      if (!isIn(registers, i)) continue;
      this.pushRegisterBase(i);
      e.get(this.gpr(i)).memory(Memory.i64_store, this.gprOffset(i));
    }
    for (const i of this.dirtyXmm) {
      if (!isIn(registers, FIRST_VECTOR + i)) continue;
      this.pushRegisterBase(i);
      e.get(this.xmm(i)).memory(V.store, this.xmmOffset(i));
    }
    for (const i of this.dirtyYmmHigh) {
      if (!isIn(registers, FIRST_VECTOR + i)) continue;
      this.pushRegisterBase(i);
      e.get(this.ymmHigh(i)).memory(V.store, this.xmmOffset(i) + YMM_HIGH_DISTANCE);
    }
  }

  /** Stores registers for a helper that reads them from the register file. */
  spill(...indexes: number[]): void {
    for (const i of indexes) this.e.storeLocalAt(Memory.i64_store, i * 8, this.gpr(i));
  }

  /** Takes registers that a helper has written to the register file. */
  reload(...indexes: number[]): void {
    for (const i of indexes) this.e.loadAt(Memory.i64_load, i * 8).set(this.gprOut(i));
  }

  pushRegister(register: RegisterOperand): void {
    const { e } = this;
    e.get(this.gpr(register.index));
    if (register.high) e.i64(8).op(W.i64_shr_u).i64(255).op(W.i64_and);
    else this.mask(register.size);
  }

  /** Pops a value zero-extended from the register's size. 32-bit writes clear the upper half (SDM volume 1, 3.4.1.1). */
  popRegister(register: RegisterOperand): void {
    const { e } = this;
    const local = this.gprOut(register.index);
    if (register.high) e.i64(8).op(W.i64_shl).get(local).i64(-0xff01).op(W.i64_and, W.i64_or);
    else if (register.size < 4)
      e.get(local)
        .i64(register.size === 1 ? -0x100 : -0x10000)
        .op(W.i64_and, W.i64_or);
    e.set(local);
  }

  /** Cuts the i64 on the stack to a size. */
  mask(size: number): void {
    const { e } = this;
    if (size < 8) e.i64(2 ** (size * 8) - 1).op(W.i64_and);
  }

  /** Sign-extends the i64 on the stack from a size. */
  signExtend(size: number): void {
    if (size < 8) this.e.op({ 1: W.i64_extend8_s, 2: W.i64_extend16_s, 4: W.i64_extend32_s }[size]!);
  }
}
