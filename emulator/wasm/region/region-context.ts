/** The context of the region translator: registers and flags in locals, addresses as constants. */
import { Assembler, I32, I64, type ValueType } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { Context, STATUS_APART, STATUS_FAULT, type Access, type RuntimeFunction } from "../context.ts";
import type { ImmediateOperand, Instruction, MemoryOperand } from "../decode.ts";
import * as flags from "../flags.ts";
import type { Producer } from "../flags.ts";
import { AT_BUDGET, AT_CC_A, AT_CC_B, AT_CC_OP, AT_CC_R, AT_RIP, type Layout } from "../layout.ts";
import { boundOffset, SITE_HOST, SITE_START } from "../windows.ts";
import { Exits, type Exit } from "./exits.ts";
import { GroupAccess } from "./group-access.ts";
import { RegisterFlow } from "./register-flow.ts";
import type { Sites } from "./sites.ts";

const GENERAL_REGISTERS = 0xffff;

/** Tells which registers the code reads and writes that it is made to emit. */
class WatchedAssembler extends Assembler {
  /** Masks of the registers whose locals they are, by local. */
  readonly registers: (number | undefined)[] = [];
  /** How deep code lies that is surely executed with the instruction. */
  ground = 0;
  private readonly registerFlow: RegisterFlow;
  /** Registers of which a local holds the whole. */
  private readonly whole: number;

  constructor(registerFlow: RegisterFlow, wideVectors: boolean) {
    super(1);
    this.registerFlow = registerFlow;
    this.whole = wideVectors ? GENERAL_REGISTERS : -1;
  }

  override get(local: number): this {
    const registers = this.registers[local];
    if (registers !== undefined) this.registerFlow.noteRead(registers);
    return super.get(local);
  }

  override set(local: number): this {
    this.noteWrite(local);
    return super.set(local);
  }

  override tee(local: number): this {
    this.noteWrite(local);
    return super.tee(local);
  }

  private noteWrite(local: number): void {
    const registers = this.registers[local];
    if (registers === undefined) return;
    this.registerFlow.noteWrite(registers, this.depth === this.ground && (registers & this.whole) !== 0);
  }
}

export interface RegionTraits {
  readonly strictFloat: boolean;
  /** Halves of wide vectors have locals of their own. */
  readonly wideVectors: boolean;
  /** Registers are kept in locals as long as possible. */
  readonly isSmall: boolean;
}

/**
 * Flags are in memory, or in locals: then it is known who made them (`producer`), and every way out of the region stores
 * them. Registers are loaded where they will be needed and stored where they are newer than memory (register-flow.ts).
 */
export class RegionContext extends Context {
  override producer: Producer | undefined = undefined;
  private readonly watched: WatchedAssembler;
  private readonly registerFlow: RegisterFlow;
  private readonly exits = new Exits();
  private readonly sites: Sites;
  private readonly isSmall: boolean;
  private readonly groups: GroupAccess;
  private readonly budget: number;
  private readonly cc: flags.FlagLocals;
  private entryNeeds = 0;

  constructor(
    blocks: number,
    layout: Layout,
    runtime: RuntimeFunction,
    { strictFloat, wideVectors, isSmall }: RegionTraits,
    sites: Sites,
  ) {
    const registerFlow = new RegisterFlow(blocks);
    const e = new WatchedAssembler(registerFlow, wideVectors);
    super(e, layout, runtime, strictFloat);
    this.watched = e;
    this.registerFlow = registerFlow;
    this.sites = sites;
    this.isSmall = isSmall;
    this.groups = new GroupAccess(e, layout, sites, runtime);
    this.budget = e.local(I32);
    this.cc = { a: e.local(I64), b: e.local(I64), r: e.local(I64) };
    e.later((start) => {
      this.loadState(start, this.entryNeeds);
      for (let i = 0; i < this.exits.depth; i++) start.block();
    });
  }

  // ---- where code stands ----

  beginBlock(number: number, instructions: readonly Instruction[]): void {
    this.registerFlow.begin(number);
    this.groups.beginBlock(instructions);
  }

  override begin(instruction: Instruction): void {
    super.begin(instruction);
    this.watched.ground = this.e.depth;
  }

  /** A branch to a block follows. */
  noteEdge(block: number): void {
    this.registerFlow.edge(block);
  }

  /** Writes the end of the function, which returns the status. */
  finish(): Assembler {
    this.entryNeeds = this.registerFlow.solve();
    this.exits.arrange();
    const e = this.watched;
    this.exits.write(e, {
      fault: () => e.i32(STATUS_FAULT).set(this.status),
      flags: (producer) => this.storeProducer(producer),
      registers: (registers) => this.writeRegisterStores(registers),
    });
    e.storeLocalAt(Memory.i32_store, AT_BUDGET, this.budget);
    return e.get(this.status);
  }

  // ---- state in memory ----

  protected override registerLocal(type: ValueType, number: number): number {
    const local = super.registerLocal(type, number);
    this.watched.registers[local] = 1 << number;
    return local;
  }

  private loadState(e: Assembler, registers: number): void {
    this.into(e, () => this.writeRegisterLoads(registers));
    e.loadAt(Memory.i32_load, AT_BUDGET).set(this.budget);
  }

  private storeState(e: Assembler, registers: number): void {
    this.into(e, () => this.writeRegisterStores(registers));
    e.storeLocalAt(Memory.i32_store, AT_BUDGET, this.budget);
  }

  /** Lets `call` push a status, with all state in memory, and returns with that if it is not 0. */
  callOut(call: () => void): void {
    const { e } = this;
    this.flushFlags();
    const point = this.registerFlow.call();
    e.later((before) => this.storeState(before, point.dirty));
    call();
    e.tee(this.status);
    e.if();
    e.get(this.status).return();
    e.end();
    e.later((behind) => this.loadState(behind, point.needed));
  }

  /** Stores the flags, of which the context goes on to believe what it did: for a branch to where they are in memory. */
  storeFlags(): void {
    if (this.producer) this.storeProducer(this.producer);
  }

  private storeProducer(producer: Producer): void {
    const { e, cc } = this;
    e.i32(0).i32(flags.operationNumber(producer)).memory(Memory.i32_store, AT_CC_OP);
    const { a, b } = flags.operandsOf(producer);
    if (a) e.storeLocalAt(Memory.i64_store, AT_CC_A, cc.a);
    if (b) e.storeLocalAt(Memory.i64_store, AT_CC_B, cc.b);
    e.storeLocalAt(Memory.i64_store, AT_CC_R, cc.r);
  }

  // ---- memory ----

  /**
   * Accesses through one base register mostly go to one window: the last one lies at a constant address, which saves the
   * TLB's index. Registers that walk through linked structures use the TLB. Accesses side by side share a test.
   */
  protected override probe(access: Access): void {
    const { e } = this;
    const { address, write } = access;
    this.settle();
    const member = this.groups.find(this.instruction, this.operand, access);
    const place = this.sites.place(this.operand, write);
    const bound = boundOffset(access.size, access.aligned);
    if (member) {
      this.registerFlow.noteRead(1 << member.base);
      const locals = { base: this.gpr(member.base), start: this.t64(), distance: this.t64(), entry: this.t32() };
      this.groups.write(member, access, locals, () => this.interpretHere());
      return;
    }
    if (place === undefined || bound === undefined) {
      super.probe(access);
      return;
    }
    const distance = this.t64();
    e.get(address)
      .loadAt(Memory.i64_load, place + SITE_START)
      .op(W.i64_sub)
      .tee(distance);
    this.hitOrMiss(access, {
      bound: () => e.loadAt(Memory.i64_load, place + bound),
      hit: () => {
        e.get(distance)
          .wrap()
          .loadAt(Memory.i32_load, place + SITE_HOST)
          .op(W.i32_add);
      },
      miss: () => e.i32(place).call(this.runtime(write ? "writeAt" : "readAt")),
    });
  }

  protected override callSlowAccess(write: boolean): void {
    this.e.call(this.runtime(write ? "writeWhole" : "readWhole"));
  }

  /** No copies are made here: bytes that cross a page are accessed by the interpreter. */
  override commit(): void {}

  protected override accessSlowly(access: Access, miss: () => void): void {
    this.apart(() => super.accessSlowly(access, miss));
  }

  /** Leaves for the interpreter, which begins with this instruction. */
  private interpretHere(): void {
    this.apart(() => {
      this.storeRipHere();
      this.leave(STATUS_APART);
    });
  }

  /** Code of a way hardly ever gone: the flags are stored on it, and stay in locals on the other one. */
  private apart(write: () => void): void {
    const { producer } = this;
    this.flushFlags();
    write();
    this.producer = producer;
  }

  /**
   * Stores the registers that are newer than the register file, where an access is about to be tested: the ways out of all
   * accesses then have nothing to store. V8 takes longest for what lives in locals at many ways out; in small regions, which
   * may be loops, stores cost more than that.
   */
  private settle(): void {
    const { e } = this;
    if (this.isSmall || e.depth !== this.watched.ground) return;
    const point = this.registerFlow.store();
    e.later((before) => this.into(before, () => this.writeRegisterStores(point.dirty)));
  }

  // ---- constants ----

  override pushHere(): void {
    this.e.i64(this.instruction.address);
  }

  override pushNext(): void {
    this.e.i64(this.next);
  }

  override pushOffset({ base, index, scale, displacement, addressSize }: MemoryOperand): void {
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

  protected override pushImmediate({ value }: ImmediateOperand, size: number): void {
    const cut = BigInt.asUintN(size * 8, value);
    this.e.i64(cut < 0x20000000000000n ? Number(cut) : cut);
  }

  // ---- flags ----

  override setFlags(kind: number, size: number, a: number | undefined, b: number | undefined, r: number): void {
    if (this.liveFlags === 0) return;
    const { e, cc } = this;
    if (a !== undefined) e.get(a).set(cc.a);
    if (b !== undefined) e.get(b).set(cc.b);
    e.get(r).set(cc.r);
    this.producer = { kind, size };
  }

  override popFlags(): void {
    this.e.extend().set(this.cc.r);
    this.producer = { kind: flags.KIND_FLAGS, size: 1 };
  }

  override pushFlags(): void {
    const { e, cc, producer } = this;
    if (producer?.kind === flags.KIND_FLAGS) {
      e.get(cc.r).wrap();
      return;
    }
    if (producer) e.i32(flags.operationNumber(producer)).get(cc.a).get(cc.b).get(cc.r);
    else this.pushStoredProducer();
    e.call(this.runtime("flags"));
  }

  override pushFlag(flag: number): void {
    if (this.producer) flags.pushFlag(this.e, this.producer, flag, this.cc);
    else {
      this.pushFlags();
      flags.pushBit(this.e, flag);
    }
  }

  override pushCondition(condition: number): void {
    const { e, cc, producer } = this;
    if (!producer) this.pushStoredCondition(condition);
    else if (producer.kind === flags.KIND_FLAGS) {
      const all = this.t32();
      e.get(cc.r).wrap().set(all);
      flags.pushConditionOfFlags(e, condition, all);
    } else flags.pushCondition(e, condition, producer, cc);
  }

  override flushFlags(): void {
    this.storeFlags();
    this.producer = undefined;
  }

  // ---- control ----

  override spend(): void {
    this.e.get(this.budget).i32(1).op(W.i32_sub).tee(this.budget);
  }

  override leave(status: number): void {
    this.e.i32(status).set(this.status);
    this.exit();
  }

  /** Leaves; the status is set. */
  exit(): void {
    this.branchOut({ faults: false, conditional: false });
  }

  override fault(): void {
    this.branchOut({ faults: true, conditional: false });
  }

  override faultIf(): void {
    this.branchOut({ faults: true, conditional: true });
  }

  private branchOut({ faults, conditional }: { faults: boolean; conditional: boolean }): void {
    const exit: Exit = { point: this.registerFlow.exit(), producer: this.producer, faults };
    this.exits.add(exit);
    this.e.brAround(conditional, () => this.exits.place(exit));
  }

  /** Stores RIP from a constant. */
  storeRip(address: number): void {
    this.e.i32(0).i64(address).memory(Memory.i64_store, AT_RIP);
  }
}
