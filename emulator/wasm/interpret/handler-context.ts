/**
 * The context of the interpreter: one function per form of instruction, which takes the address of a record
 * (records.ts) with everything that differs between two instructions of the form: registers, immediate, displacement.
 * Registers and flags are loaded from the register file and stored back by every function.
 */
import { I32, type Assembler, type Label } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import {
  Context,
  STATUS_BUDGET,
  STATUS_CHAIN,
  STATUS_DISPATCH,
  STATUS_FAULT,
  type Flow,
  type RuntimeFunction,
} from "../context.ts";
import { isAlias } from "../register-context.ts";
import type { ImmediateOperand, MemoryOperand } from "../decode.ts";
import * as flags from "../flags.ts";
import type { Producer } from "../flags.ts";
import { AT_BUDGET, AT_CC_A, AT_CC_B, AT_CC_OP, AT_CC_R, AT_RIP, type Layout } from "../layout.ts";
import {
  FIRST_SLOT,
  IMMEDIATE_SLOT,
  RECORD_ADDRESS,
  RECORD_DISPLACEMENT,
  RECORD_IMMEDIATE,
  RECORD_NEXT,
  RECORD_SCALE,
  RECORD_SLOTS,
} from "./records.ts";

const RECORD = 0;

/** What a handler returns to go on with the next record; else 1 + a status. */
export const HANDLED = 0;

export class HandlerContext extends Context {
  /** Nobody knows it: flags lie in memory. */
  override producer: Producer | undefined = undefined;
  /** Registers the lowering names itself, whatever the operands: general ones, and XMM above bit 15. */
  touched = 0;

  private readonly exitLabel: Label;
  private readonly faultLabel: Label;

  constructor(e: Assembler, layout: Layout, runtime: RuntimeFunction, strictFloat: boolean) {
    super(e, layout, runtime, strictFloat);
    this.loadRegisters();
    this.exitLabel = e.block();
    this.faultLabel = e.block();
    this.flow = new HandlerFlow(this);
  }

  private loadRegisters(): void {
    this.e.later((e) => this.into(e, () => this.writeRegisterLoads()));
  }

  /** Stores what was changed and returns the status; faults come here, too. */
  finish(): void {
    const { e } = this;
    this.exit();
    e.end();
    e.i32(1 + STATUS_FAULT).set(this.status);
    e.end();
    this.writeRegisterStores();
    e.get(this.status);
  }

  // ---- registers ----

  override gpr(index: number): number {
    if (index < 16) this.touched |= 1 << index;
    return super.gpr(index);
  }

  override xmm(index: number): number {
    if (index < 16) this.touched |= 0x10000 << index;
    return super.xmm(index);
  }

  protected override pushRegisterBase(index: number): void {
    if (index < FIRST_SLOT) this.e.i32(0);
    else if (index === IMMEDIATE_SLOT) this.e.get(RECORD);
    else this.e.get(RECORD).memory(Memory.i32_load16_u, RECORD_SLOTS + (index - FIRST_SLOT) * 2);
  }

  protected override gprOffset(index: number): number {
    if (index === IMMEDIATE_SLOT) return RECORD_IMMEDIATE;
    return index < FIRST_SLOT ? super.gprOffset(index) : 0;
  }

  protected override xmmOffset(index: number): number {
    return index < FIRST_SLOT ? super.xmmOffset(index) : 0;
  }

  // ---- what the record says ----

  private pushField(offset: number): void {
    this.e.get(RECORD).memory(Memory.i64_load, offset);
  }

  override pushHere(): void {
    this.pushField(RECORD_ADDRESS);
  }

  override pushNext(): void {
    this.pushField(RECORD_NEXT);
  }

  /** The target of a direct branch, which takes the immediate's place. */
  pushTarget(): void {
    this.pushField(RECORD_IMMEDIATE);
  }

  /**
   * Bases that are absent name a register that is always zero. The displacement is the record's and what a lowering has
   * added to the operand's, which is 0; a base that is an alias is the whole address.
   */
  override pushOffset({ base, index, displacement, addressSize }: MemoryOperand): void {
    const { e } = this;
    if (base && isAlias(base)) e.i64(displacement);
    else {
      this.pushField(RECORD_DISPLACEMENT);
      if (displacement !== 0n) e.i64(displacement).op(W.i64_add);
    }
    if (base) e.get(this.gpr(base.index)).op(W.i64_add);
    if (index) {
      e.get(this.gpr(index.index)).get(RECORD).memory(Memory.i64_load32_u, RECORD_SCALE).op(W.i64_shl, W.i64_add);
    }
    if (addressSize === 4) this.mask(4);
  }

  /** Immediates that lowerings look at are part of the form; here are those they only push. */
  protected override pushImmediate(_operand: ImmediateOperand, size: number): void {
    this.pushField(RECORD_IMMEDIATE);
    this.mask(size);
  }

  // ---- flags ----

  override setFlags(kind: number, size: number, a: number | undefined, b: number | undefined, r: number): void {
    const { e } = this;
    if (a !== undefined) e.storeLocalAt(Memory.i64_store, AT_CC_A, a);
    if (b !== undefined) e.storeLocalAt(Memory.i64_store, AT_CC_B, b);
    e.storeLocalAt(Memory.i64_store, AT_CC_R, r);
    e.i32(0).i32(flags.operationNumber({ kind, size })).memory(Memory.i32_store, AT_CC_OP);
  }

  override popFlags(): void {
    const { e } = this;
    const all = this.t32();
    e.set(all).i32(0).get(all).extend().memory(Memory.i64_store, AT_CC_R);
    e.i32(0).i32(0).memory(Memory.i32_store, AT_CC_OP);
  }

  override pushFlags(): void {
    this.pushStoredProducer().call(this.runtime("flags"));
  }

  override pushFlag(flag: number): void {
    const condition = [flags.OF, flags.CF, flags.ZF, 0, flags.SF, flags.PF].indexOf(flag) * 2;
    if (condition >= 0) {
      this.pushCondition(condition);
      this.e.op(W.i32_eqz, W.i32_eqz);
      return;
    }
    this.pushFlags();
    flags.pushBit(this.e, flag);
  }

  override pushCondition(condition: number): void {
    this.pushStoredCondition(condition);
  }

  override flushFlags(): void {}

  // ---- control ----

  override spend(): void {
    const left = this.t32();
    this.e.i32(0).loadAt(Memory.i32_load, AT_BUDGET).i32(1).op(W.i32_sub).tee(left);
    this.e.memory(Memory.i32_store, AT_BUDGET).get(left);
  }

  override leave(status: number): void {
    this.e.i32(1 + status).set(this.status);
    this.exit();
  }

  /** Leaves; the status is set. */
  exit(): void {
    this.e.br(this.exitLabel);
  }

  override fault(): void {
    this.e.br(this.faultLabel);
  }

  override faultIf(): void {
    this.e.brIf(this.faultLabel);
  }
}

/** Every way out of a handler but the one to the next record leads to the dispatcher. */
class HandlerFlow implements Flow {
  private readonly context: HandlerContext;

  constructor(context: HandlerContext) {
    this.context = context;
  }

  goto(): void {
    const { context } = this;
    context.e.i32(0);
    context.pushTarget();
    context.e.memory(Memory.i64_store, AT_RIP);
    this.leaveCounted(STATUS_CHAIN);
  }

  count(): void {
    const { context } = this;
    const { e } = context;
    context.spend();
    e.op(W.i32_eqz);
    e.if();
    context.storeRipNext();
    context.leave(STATUS_BUDGET);
    e.end();
  }

  gotoLocal(target: number): void {
    this.context.e.get(RECORD).get(target).call(this.context.runtime("noteTarget"));
    this.leaveFor(target, STATUS_CHAIN);
  }

  call(): void {
    this.goto();
  }

  callLocal(target: number): void {
    this.gotoLocal(target);
  }

  return(target: number): void {
    this.leaveFor(target, STATUS_DISPATCH);
  }

  private leaveFor(target: number, status: number): void {
    this.context.e.storeLocalAt(Memory.i64_store, AT_RIP, target);
    this.leaveCounted(status);
  }

  private leaveCounted(status: number): void {
    const { context } = this;
    const { e } = context;
    context.spend();
    e.if(I32);
    e.i32(1 + status);
    e.else();
    e.i32(1 + STATUS_BUDGET);
    e.end();
    e.set(context.status);
    context.exit();
  }
}
