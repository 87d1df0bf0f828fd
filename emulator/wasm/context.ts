/**
 * What a lowering works with: registers, operands, memory and flags of the guest, as WebAssembly code.
 *
 * Integers on the WebAssembly stack are i64, zero-extended from their operand size, unless a method says otherwise.
 * A lowering does everything that may fault before it changes a register or the flags: state at a fault is then the
 * one before the instruction by construction.
 */
import { F64, I32, I64, LOAD_I64, STORE_I64, V128, VOID, type Assembler, type ValueType } from "./emit/assembler.ts";
import { Memory, W } from "./emit/opcodes.ts";
import type { ImmediateOperand, Instruction, MemoryOperand, Operand } from "./decode.ts";
import * as flags from "./flags.ts";
import type { Producer } from "./flags.ts";
import { AT_BOUNCE, AT_CC_A, AT_CC_B, AT_CC_OP, AT_CC_R, AT_FS_BASE, AT_GS_BASE, AT_RIP } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { RegisterContext } from "./register-context.ts";

/** What a region function returns: 0 to be dispatched again at RIP, else 1 + the kind of stop, or one of these. */
export const STATUS_DISPATCH = 0;
export const STATUS_FAULT = 2;
export const STATUS_BUDGET = 4;
/** No translation at RIP is known to the dispatcher. */
export const STATUS_MISS = 6;
/** RFLAGS may have got TF. */
export const STATUS_RECHECK = 8;
/** The interpreted block at RIP has run often enough to be compiled. */
export const STATUS_HOT = 9;
/** Guest calls are nested too deep, or code has changed: all of them return to the dispatcher, which goes on. */
export const STATUS_UNWIND = 10;
/** Of the interpreter's handlers alone: STATUS_DISPATCH, and it need not be looked whether a guest call has returned. */
export const STATUS_CHAIN = 11;
/** The bytes that the instruction at RIP accesses, or those of its group, do not lie side by side in RAM: it is interpreted. */
export const STATUS_APART = 12;

export type RuntimeFunction = (name: string) => number;

/** Who decides where control goes behind an instruction. Every way counts a basic block. */
export interface Flow {
  /** Goes to an address known at translation time. */
  goto(target: number): void;
  /** Goes on with the code that follows, which is at an address. */
  count(next: number): void;
  /** Goes to the address in a local. */
  gotoLocal(target: number): void;
  /** Behind a pushed return address: goes to a known address. */
  call(target: number): void;
  /** Behind a pushed return address: goes to the address in a local. */
  callLocal(target: number): void;
  /** Goes to the address in a local, which was popped. */
  return(target: number): void;
}

/** A memory access at the linear address in a local. */
export interface Access {
  readonly address: number;
  readonly size: number;
  readonly write: boolean;
  /** 16 bytes that have to be aligned: else #GP. */
  readonly aligned: boolean;
  /** Pops the host address, to which an offset comes, and loads or stores; none: the host address is wanted. */
  readonly use?: (offset: number) => void;
  /** What `use` leaves. */
  readonly result?: ValueType | typeof VOID;
}

export abstract class Context extends RegisterContext {
  readonly layout: Layout;
  /** Index of an imported function of the base module or the runtime. */
  readonly runtime: RuntimeFunction;
  flow!: Flow;
  instruction!: Instruction;
  /** Floating point goes by the helper that minds MXCSR (runtime/strict-float.ts). */
  readonly strictFloat: boolean;
  /** Status flags that somebody may read behind this instruction. */
  liveFlags = flags.STATUS;
  /** Whose flags these are, where that is known. */
  abstract producer: Producer | undefined;

  /** The operand whose address was computed last within the instruction; none: the stack's. */
  protected operand: MemoryOperand | undefined;

  readonly status: number;
  private readonly temporaries = new Map<ValueType, { locals: number[]; used: number }>();

  constructor(e: Assembler, layout: Layout, runtime: RuntimeFunction, strictFloat: boolean) {
    super(e);
    this.strictFloat = strictFloat;
    this.layout = layout;
    this.runtime = runtime;
    this.status = e.local(I32);
  }

  /** Makes ready for the next instruction; temporaries of the last one may be used again. */
  begin(instruction: Instruction): void {
    this.instruction = instruction;
    this.operand = undefined;
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

  /** The address behind the instruction. */
  get next(): number {
    return this.instruction.address + this.instruction.length;
  }

  /** Pushes the address of the instruction. */
  abstract pushHere(): void;

  /** Pushes the address behind the instruction. */
  abstract pushNext(): void;

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

  // ---- memory ----

  /** Pushes the linear address of a memory operand. */
  pushAddress(operand: MemoryOperand): void {
    this.operand = operand;
    this.pushOffset(operand);
    if (operand.segment) {
      this.e.loadAt(Memory.i64_load, operand.segment === "fs" ? AT_FS_BASE : AT_GS_BASE).op(W.i64_add);
    }
  }

  /** Pushes the address within its segment: what LEA computes. */
  abstract pushOffset(operand: MemoryOperand): void;

  /**
   * Pushes the host address of `size` bytes at the linear address in a local, or leaves through the fault exit.
   * Bytes that cross a page may come as a copy, which `commit` writes back.
   */
  pushHost(address: number, size: number, write: boolean, aligned = false): void {
    this.probe({ address, size, write, aligned });
  }

  /**
   * Lets `store` pop the host address of `size` bytes, to which an offset comes, and write them; writes back what crosses a
   * page.
   */
  storeThrough(address: number, size: number, store: (offset: number) => void, aligned = false): void {
    this.probe({ address, size, write: true, aligned, use: store, result: VOID });
  }

  /** Lets `load` pop the host address of `size` bytes, to which an offset comes, and push a value. */
  loadThrough(address: number, size: number, result: ValueType, load: (offset: number) => void, aligned = false): void {
    this.probe({ address, size, write: false, aligned, use: load, result });
  }

  /** An access by the TLB. */
  protected probe(access: Access): void {
    const { e } = this;
    const { address } = access;
    const tlb = access.write ? this.layout.writeTlb : this.layout.readTlb;
    const entry = this.t32();
    const distance = this.t64();
    pushTlbEntry(e, address, entry);
    e.get(address).get(entry).memory(Memory.i64_load, tlb).op(W.i64_sub).tee(distance);
    this.hitOrMiss(access, {
      bound: () => e.i64(access.aligned ? (4096 - access.size) >> 4 : 4096 - access.size),
      hit: () => {
        e.get(distance)
          .wrap()
          .get(entry)
          .memory(Memory.i32_load, tlb + 8)
          .op(W.i32_add);
      },
      miss: () => this.callSlowAccess(access.write),
    });
  }

  /** Calls what finds the bytes for (address, rip, size) that the TLB does not know. */
  protected callSlowAccess(write: boolean): void {
    this.e.call(this.runtime(write ? "write" : "read"));
  }

  /**
   * Pops the distance from the start of the bytes that are at hand, and pushes the host address or uses it.
   * `bound` pushes how far the access may be, of aligned ones a sixteenth; `hit` pushes the host address within those
   * bytes, `miss` pops (address, rip, size) and pushes its complement, or 0 for a fault.
   */
  protected hitOrMiss(
    access: Access,
    { bound, hit, miss }: { bound: () => void; hit: () => void; miss: () => void },
  ): void {
    const { e } = this;
    // Aligned bytes do not cross: one comparison for alignment and bound, the low four bits above the others.
    if (access.aligned) e.i64(4).op(W.i64_rotr);
    bound();
    e.op(W.i64_gt_u).unlikely();
    e.if(access.result ?? I32);
    this.accessSlowly(access, miss);
    e.else();
    hit();
    access.use?.(0);
    e.end();
  }

  /** Makes an access to bytes that are not at hand, or leaves through the fault exit. */
  protected accessSlowly({ address, size, write, aligned, use }: Access, miss: () => void): void {
    const { e } = this;
    if (aligned) {
      e.get(address).wrap().i32(15).op(W.i32_and);
      e.if();
      this.raise(13, 0);
      e.end();
    }
    const host = this.pushSlowAccess(address, size, miss);
    use?.(0);
    if (write && use) this.commit(host, size);
  }

  /** Pushes the host address whose complement `call` leaves for (address, rip, size); returns a local with it. */
  private pushSlowAccess(address: number, size: number, call: () => void): number {
    const { e } = this;
    const host = this.t32();
    e.get(address);
    this.pushHere();
    e.i32(size);
    call();
    e.tee(host).op(W.i32_eqz).unlikely();
    this.faultIf();
    // V8 sees that the result of an operation has no upper half; of a call's it does not.
    e.get(host).i32(-1).op(W.i32_xor).tee(host);
    return host;
  }

  /** Writes back a page-crossing store made at a host address got from `pushHost(…, true)`. */
  commit(host: number, size: number): void {
    const { e } = this;
    e.get(host).i32(AT_BOUNCE).op(W.i32_eq).unlikely();
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
    this.loadThrough(address, size, I64, (offset) => this.e.memory(LOAD_I64[size]!, offset));
  }

  /** Stores a local at the linear address in a local. */
  storeAt(address: number, size: number, value: number): void {
    const { e } = this;
    this.storeThrough(address, size, (offset) => e.get(value).memory(STORE_I64[size]!, offset));
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
      case "immediate":
        this.pushImmediate(operand, size);
        return;
      case "branch":
        throw new Error(`${this.instruction.mnemonic}: a branch target is no value`);
    }
  }

  /** Pushes an immediate operand, cut to a size. */
  protected abstract pushImmediate(operand: ImmediateOperand, size: number): void;

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

  /** Names the producer of the flags, whose operands and result lie in the given locals. */
  abstract setFlags(kind: number, size: number, a: number | undefined, b: number | undefined, r: number): void;

  /**
   * Stores the flags: before and behind a helper's use of them, where they will be set on one of two ways only, and at the
   * end of that way.
   */
  abstract flushFlags(): void;

  /** Pops all status flags as an i32. */
  abstract popFlags(): void;

  /** Pushes all status flags as an i32. */
  abstract pushFlags(): void;

  /** Pushes one status flag as an i32 of 0 or 1. */
  abstract pushFlag(flag: number): void;

  /** Pushes a condition as zero or not zero. */
  abstract pushCondition(condition: number): void;

  /** Pushes what the flags in memory follow from: operation, a, b and result. */
  protected pushStoredProducer(): Assembler {
    return this.e
      .loadAt(Memory.i32_load, AT_CC_OP)
      .loadAt(Memory.i64_load, AT_CC_A)
      .loadAt(Memory.i64_load, AT_CC_B)
      .loadAt(Memory.i64_load, AT_CC_R);
  }

  /** Pushes a condition on the flags in memory as zero or not zero. */
  protected pushStoredCondition(condition: number): void {
    this.pushStoredProducer().call(this.runtime(flags.conditionFunction(condition)));
    if ((condition & 1) !== 0) this.e.op(W.i32_eqz);
  }

  // ---- control ----

  /** Leaves with a status; RIP is already stored. */
  abstract leave(status: number): void;

  /** Takes a unit from the budget and pushes what is left. */
  abstract spend(): void;

  /** Ends the instruction with a fault: state as before it. */
  raise(vector: number, errorCode: number): void {
    const { e } = this;
    this.pushHere();
    e.i32(vector).i32(errorCode).call(this.runtime("raise"));
    this.fault();
  }

  /** Leaves through the fault exit: RIP and stop are set. */
  abstract fault(): void;

  /** Pops an i32; not zero leaves through the fault exit (RIP and stop are set by the helper). */
  abstract faultIf(): void;
}

/** Pushes nothing; sets `entry` to the offset of the TLB entry for the address in a local. Mirrors `tlbOffset`. */
export function pushTlbEntry(e: Assembler, address: number, entry: number): void {
  e.get(address).i64(8).op(W.i64_shr_u).wrap().tee(entry);
  e.get(entry).i32(10).op(W.i32_shr_u, W.i32_xor).i32(0x3ff0).op(W.i32_and).set(entry);
}
