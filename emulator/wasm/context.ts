/**
 * What a lowering works with: registers, operands, memory and flags of the guest, as WebAssembly code.
 *
 * Integers on the WebAssembly stack are i64, zero-extended from their operand size, unless a method says otherwise.
 * A lowering does everything that may fault before it changes a register or the flags: state at a fault is then the
 * one before the instruction by construction.
 */
import {
  F64,
  I32,
  I64,
  LOAD_I64,
  STORE_I64,
  V128,
  type Assembler,
  type Label,
  type ValueType,
} from "./emit/assembler.ts";
import { Memory, V, W } from "./emit/opcodes.ts";
import type { Instruction, MemoryOperand, Operand, RegisterOperand } from "./decode.ts";
import * as flags from "./flags.ts";
import type { Producer } from "./flags.ts";
import {
  AT_BOUNCE,
  AT_BUDGET,
  AT_CC_A,
  AT_CC_B,
  AT_CC_OP,
  AT_CC_R,
  AT_FS_BASE,
  AT_GS_BASE,
  AT_RIP,
  AT_XMM,
  AT_YMM_HIGH,
} from "./layout.ts";
import type { Layout } from "./layout.ts";

/** What a region function returns: 0 to be dispatched again at RIP, else 1 + the kind of stop, or one of these. */
export const STATUS_DISPATCH = 0;
export const STATUS_FAULT = 2;
export const STATUS_BUDGET = 4;
/** No translation at RIP is known to the dispatcher. */
export const STATUS_MISS = 6;
/** The instruction at RIP wants to write to a frame that holds translated code. */
export const STATUS_CODE_WRITE = 7;
/** RFLAGS may have got TF. */
export const STATUS_RECHECK = 8;

export type RuntimeFunction = (name: string) => number;

/** Who decides where control goes behind an instruction: the region. */
export interface Flow {
  /** Counts a basic block and goes to an address. */
  goto(target: number): void;
  /** Counts a basic block and goes on with the code that follows, which is at an address. */
  count(next: number): void;
  readonly exit: Label;
  readonly fault: Label;
}

export class Context {
  readonly e: Assembler;
  readonly layout: Layout;
  /** Index of an imported function of the base module or the runtime. */
  readonly runtime: RuntimeFunction;
  flow!: Flow;
  instruction!: Instruction;
  /** Whose flags lie in the flag variables, where that is known. */
  producer: Producer | undefined;
  /** Floating point goes by the helper that minds MXCSR (runtime/strict-float.ts). */
  readonly strictFloat: boolean = false;
  /** Status flags that somebody may read behind this instruction. */
  liveFlags = flags.STATUS;

  readonly status: number;
  readonly budget: number;
  readonly cc: { readonly op: number; readonly a: number; readonly b: number; readonly r: number };
  private readonly gprs: (number | undefined)[] = [];
  private readonly xmms: (number | undefined)[] = [];
  private readonly ymmHighs: (number | undefined)[] = [];
  private readonly vectorAliases: number[] = [];
  private vectorAliasCount = 0;
  private readonly gprAliases: number[] = [];
  private aliases = 0;
  private readonly dirty = new Set<number>();
  private readonly dirtyXmm = new Set<number>();
  private readonly dirtyYmmHigh = new Set<number>();
  private readonly temporaries = new Map<ValueType, { locals: number[]; used: number }>();

  constructor(e: Assembler, layout: Layout, runtime: RuntimeFunction) {
    this.e = e;
    this.layout = layout;
    this.runtime = runtime;
    this.status = e.local(I32);
    this.budget = e.local(I32);
    this.cc = { op: e.local(I32), a: e.local(I64), b: e.local(I64), r: e.local(I64) };
  }

  /** Makes ready for the next instruction; temporaries of the last one may be used again. */
  begin(instruction: Instruction): void {
    this.instruction = instruction;
    for (const pool of this.temporaries.values()) pool.used = 0;
  }

  temp(type: ValueType): number {
    let pool = this.temporaries.get(type);
    if (!pool) this.temporaries.set(type, (pool = { locals: [], used: 0 }));
    const index = pool.used++;
    return (pool.locals[index] ??= this.e.local(type));
  }

  t64(): number {
    return this.temp(I64);
  }

  t32(): number {
    return this.temp(I32);
  }

  tv(): number {
    return this.temp(V128);
  }

  tf(): number {
    return this.temp(F64);
  }

  get next(): number {
    return this.instruction.address + this.instruction.length;
  }

  /** Pushes the address of the instruction. */
  pushHere(): void {
    this.e.i64(this.instruction.address);
  }

  /** Pushes the address behind the instruction. */
  pushNext(): void {
    this.e.i64(this.next);
  }

  /** Stores RIP: this instruction's address. */
  storeRipHere(): void {
    this.e.i32(0);
    this.pushHere();
    this.e.memory(Memory.i64_store, AT_RIP);
  }

  /** Stores RIP: the address behind the instruction. */
  storeRipNext(): void {
    this.e.i32(0);
    this.pushNext();
    this.e.memory(Memory.i64_store, AT_RIP);
  }

  // ---- registers ----

  /** The local of a general register, for reading. */
  gpr(index: number): number {
    if (index >= 16) return this.gprAliases[index]!;
    return (this.gprs[index] ??= this.e.local(I64));
  }

  /** The local of a general register, for writing. */
  gprOut(index: number): number {
    this.dirty.add(index);
    return this.gpr(index);
  }

  xmm(index: number): number {
    if (index >= 16 && index < 32) return this.vectorAliases[index - 16]!;
    return (this.xmms[index] ??= this.e.local(V128));
  }

  xmmOut(index: number): number {
    if (index < 16 || index >= 32) this.dirtyXmm.add(index);
    return this.xmm(index);
  }

  /** The local of the upper 128 bits of a YMM register, for reading. */
  ymmHigh(index: number): number {
    return (this.ymmHighs[index] ??= this.e.local(V128));
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
    const index = 16 + (this.aliases++ % 4);
    this.gprAliases[index] = local;
    return { kind: "register", class: "gpr", index, size: 8, high: false };
  }

  /** Code that loads the registers used, for the start of the function. */
  writePrologue(e: Assembler): void {
    this.gprs.forEach((local, i) => {
      if (local !== undefined) e.loadAt(Memory.i64_load, i * 8).set(local);
    });
    this.xmms.forEach((local, i) => {
      if (local !== undefined) e.loadAt(V.load, AT_XMM + i * 16).set(local);
    });
    this.ymmHighs.forEach((local, i) => {
      if (local !== undefined) e.loadAt(V.load, AT_YMM_HIGH + i * 16).set(local);
    });
    e.loadAt(Memory.i32_load, AT_CC_OP).set(this.cc.op);
    e.loadAt(Memory.i64_load, AT_CC_A).set(this.cc.a);
    e.loadAt(Memory.i64_load, AT_CC_B).set(this.cc.b);
    e.loadAt(Memory.i64_load, AT_CC_R).set(this.cc.r);
    e.loadAt(Memory.i32_load, AT_BUDGET).set(this.budget);
  }

  /** Code that stores what was changed and returns the status. */
  writeEpilogue(): void {
    const { e } = this;
    for (const i of this.dirty) e.storeLocalAt(Memory.i64_store, i * 8, this.gpr(i));
    for (const i of this.dirtyXmm) e.storeLocalAt(V.store, AT_XMM + i * 16, this.xmm(i));
    for (const i of this.dirtyYmmHigh) e.storeLocalAt(V.store, AT_YMM_HIGH + i * 16, this.ymmHigh(i));
    e.storeLocalAt(Memory.i32_store, AT_CC_OP, this.cc.op);
    e.storeLocalAt(Memory.i64_store, AT_CC_A, this.cc.a);
    e.storeLocalAt(Memory.i64_store, AT_CC_B, this.cc.b);
    e.storeLocalAt(Memory.i64_store, AT_CC_R, this.cc.r);
    e.storeLocalAt(Memory.i32_store, AT_BUDGET, this.budget);
    e.get(this.status);
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
    if (size === 4) e.wrap().extend();
    else if (size < 4) e.i64(size === 1 ? 0xff : 0xffff).op(W.i64_and);
  }

  /** Sign-extends the i64 on the stack from a size. */
  signExtend(size: number): void {
    if (size < 8) this.e.op({ 1: W.i64_extend8_s, 2: W.i64_extend16_s, 4: W.i64_extend32_s }[size]!);
  }

  // ---- memory ----

  /** Pushes the linear address of a memory operand. */
  pushAddress(operand: MemoryOperand): void {
    this.pushOffset(operand);
    if (operand.segment) {
      this.e.loadAt(Memory.i64_load, operand.segment === "fs" ? AT_FS_BASE : AT_GS_BASE).op(W.i64_add);
    }
  }

  /** Pushes the address within its segment: what LEA computes. */
  pushOffset({ base, index, scale, displacement, addressSize }: MemoryOperand): void {
    const { e } = this;
    let terms = 0;
    const add = (): void => {
      if (terms++ > 0) e.op(W.i64_add);
    };
    if (base) {
      e.get(this.gpr(base.index));
      add();
    }
    if (index) {
      e.get(this.gpr(index.index));
      if (scale > 1) e.i64(Math.log2(scale)).op(W.i64_shl);
      add();
    }
    if (displacement !== 0n || terms === 0) {
      const signed = BigInt.asIntN(64, displacement);
      e.i64(signed >= -0x80000000n && signed < 0x80000000000000n ? Number(signed) : signed);
      add();
    }
    if (addressSize === 4) this.mask(4);
  }

  /**
   * Pushes the host address of `size` bytes at the linear address in a local, or leaves through the fault exit.
   * Bytes that cross a page come as a copy, which `commit` writes back.
   */
  pushHost(address: number, size: number, write: boolean, aligned = false): void {
    const { e } = this;
    if (aligned) {
      e.get(address).wrap().i32(15).op(W.i32_and);
      e.if();
      this.raise(13, 0);
      e.end();
    }
    const tlb = write ? this.layout.writeTlb : this.layout.readTlb;
    const entry = this.t32();
    const distance = this.t64();
    const host = this.t32();
    pushTlbEntry(e, address, entry);
    e.get(address).get(entry).memory(Memory.i64_load, tlb).op(W.i64_sub).tee(distance);
    e.i64(4096 - size).op(W.i64_le_u);
    e.if(I32);
    e.get(distance)
      .wrap()
      .get(entry)
      .memory(Memory.i32_load, tlb + 8)
      .op(W.i32_add);
    e.else();
    e.get(address);
    this.pushHere();
    e.i32(size).call(this.runtime(write ? "write" : "read"));
    e.tee(host).i32(-1).op(W.i32_eq).brIf(this.flow.fault);
    e.get(host);
    e.end();
  }

  /** Writes back a page-crossing store made at a host address got from `pushHost(…, true)`. */
  commit(host: number, size: number): void {
    const { e } = this;
    e.get(host).i32(AT_BOUNCE).op(W.i32_eq);
    e.if();
    e.i32(size).call(this.runtime("commit"));
    e.end();
  }

  /** Pushes the value of a memory operand. */
  load(operand: MemoryOperand, size = operand.size): void {
    const address = this.t64();
    this.pushAddress(operand);
    this.e.set(address);
    this.loadAt(address, size);
  }

  /** Pushes the value at the linear address in a local. */
  loadAt(address: number, size: number): void {
    this.pushHost(address, size, false);
    this.e.memory(LOAD_I64[size]!);
  }

  /** Stores a local at the linear address in a local. */
  storeAt(address: number, size: number, value: number): void {
    const { e } = this;
    const host = this.t32();
    this.pushHost(address, size, true);
    e.tee(host).get(value).memory(STORE_I64[size]!);
    this.commit(host, size);
  }

  // ---- operands ----

  sizeOf(operand: Operand): number {
    if (operand.kind === "register" || operand.kind === "memory") return operand.size;
    throw new Error(`${this.instruction.mnemonic}: an immediate has no size of its own`);
  }

  /** Pushes the value of an integer operand, cut to `size`. */
  read(operand: Operand, size = this.sizeOf(operand)): void {
    switch (operand.kind) {
      case "register":
        this.pushRegister(operand);
        if (operand.size > size) this.mask(size);
        return;
      case "memory":
        this.load(operand, size);
        return;
      case "immediate": {
        const value = BigInt.asUintN(size * 8, operand.value);
        this.e.i64(value < 0x20000000000000n ? Number(value) : value);
        return;
      }
      case "branch":
        this.e.i64(operand.target);
    }
  }

  /** Pops a value of the operand's size into it. */
  write(operand: Operand, size = this.sizeOf(operand)): void {
    if (operand.kind === "register") {
      this.popRegister(operand);
      return;
    }
    if (operand.kind !== "memory") throw new Error(`${this.instruction.mnemonic}: the destination is a constant`);
    const value = this.t64();
    const address = this.t64();
    this.e.set(value);
    this.pushAddress(operand);
    this.e.set(address);
    this.storeAt(address, size, value);
  }

  /** Reads the destination, lets `change` turn the value on the stack into the new one, and writes that. */
  modify(operand: Operand, change: (size: number) => void): void {
    const { e } = this;
    if (operand.kind === "register") {
      this.pushRegister(operand);
      change(operand.size);
      this.popRegister(operand);
      return;
    }
    if (operand.kind !== "memory") throw new Error(`${this.instruction.mnemonic}: the destination is a constant`);
    const { size } = operand;
    const address = this.t64();
    const host = this.t32();
    const value = this.t64();
    this.pushAddress(operand);
    e.set(address);
    this.pushHost(address, size, true);
    e.tee(host).memory(LOAD_I64[size]!);
    change(size);
    e.set(value).get(host).get(value).memory(STORE_I64[size]!);
    this.commit(host, size);
  }

  // ---- flags ----

  /** Pops nothing: names the producer whose operands and result lie in the given locals. */
  setFlags(kind: number, size: number, a: number | undefined, b: number | undefined, r: number): void {
    if (this.liveFlags === 0) return;
    const { e, cc } = this;
    if (a !== undefined) e.get(a).set(cc.a);
    if (b !== undefined) e.get(b).set(cc.b);
    e.get(r).set(cc.r);
    this.producer = { kind, size };
    e.i32(flags.operationNumber(this.producer)).set(cc.op);
  }

  /** Pops all status flags as an i32. */
  popFlags(): void {
    const { e, cc } = this;
    e.extend().set(cc.r).i32(0).set(cc.op);
    this.producer = { kind: flags.KIND_FLAGS, size: 1 };
  }

  /** Pushes all status flags as an i32. */
  pushFlags(): void {
    const { e, cc } = this;
    if (this.producer?.kind === flags.KIND_FLAGS) e.get(cc.r).wrap();
    else e.get(cc.op).get(cc.a).get(cc.b).get(cc.r).call(this.runtime("flags"));
  }

  /** Pushes one status flag as an i32 of 0 or 1. */
  pushFlag(flag: number): void {
    if (this.producer) flags.pushFlag(this.e, this.producer, flag, this.cc);
    else {
      this.pushFlags();
      this.e
        .i32(31 - Math.clz32(flag))
        .op(W.i32_shr_u)
        .i32(1)
        .op(W.i32_and);
    }
  }

  /** Pushes a condition as zero or not zero. */
  pushCondition(condition: number): void {
    const { e } = this;
    if (this.producer && this.producer.kind !== flags.KIND_FLAGS) {
      flags.pushCondition(e, condition, this.producer, this.cc);
      return;
    }
    const all = this.t32();
    if (!this.producer) {
      this.pushFlags();
      this.popFlags();
    }
    e.get(this.cc.r).wrap().set(all);
    flags.pushConditionOfFlags(e, condition, all);
  }

  /** Stores the flags for a helper that reads them. */
  spillFlags(): void {
    const { e, cc } = this;
    e.storeLocalAt(Memory.i32_store, AT_CC_OP, cc.op);
    e.storeLocalAt(Memory.i64_store, AT_CC_A, cc.a);
    e.storeLocalAt(Memory.i64_store, AT_CC_B, cc.b);
    e.storeLocalAt(Memory.i64_store, AT_CC_R, cc.r);
  }

  /** Takes flags that a helper has written. */
  reloadFlags(): void {
    const { e, cc } = this;
    e.loadAt(Memory.i32_load, AT_CC_OP).set(cc.op);
    e.loadAt(Memory.i64_load, AT_CC_A).set(cc.a);
    e.loadAt(Memory.i64_load, AT_CC_B).set(cc.b);
    e.loadAt(Memory.i64_load, AT_CC_R).set(cc.r);
    this.producer = undefined;
  }

  // ---- control ----

  /** Leaves the region with a status; RIP is already stored. */
  leave(status: number): void {
    this.e.i32(status).set(this.status).br(this.flow.exit);
  }

  /** Stores RIP from a constant. */
  storeRip(address: number): void {
    this.e.i32(0).i64(address).memory(Memory.i64_store, AT_RIP);
  }

  /** Ends the instruction with a fault: state as before it. */
  raise(vector: number, errorCode: number): void {
    const { e } = this;
    this.pushHere();
    e.i32(vector).i32(errorCode).call(this.runtime("raise"));
    e.br(this.flow.fault);
  }

  /** Pops an i32; not zero leaves through the fault exit (RIP and stop are set by the helper). */
  faultIf(): void {
    this.e.brIf(this.flow.fault);
  }
}

/** Pushes nothing; sets `entry` to the offset of the TLB entry for the address in a local. Mirrors `tlbOffset`. */
export function pushTlbEntry(e: Assembler, address: number, entry: number): void {
  e.get(address).i64(8).op(W.i64_shr_u).wrap().tee(entry);
  e.get(entry).i32(10).op(W.i32_shr_u, W.i32_xor).i32(0x3ff0).op(W.i32_and).set(entry);
}
