/** The context of the region translator: registers and flags in locals, addresses as constants. */
import { I32, I64, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { Context, type Access, type RuntimeFunction } from "../context.ts";
import type { ImmediateOperand, MemoryOperand } from "../decode.ts";
import * as flags from "../flags.ts";
import type { Producer } from "../flags.ts";
import { AT_BUDGET, AT_CC_A, AT_CC_B, AT_CC_OP, AT_CC_R, AT_RIP, type Layout } from "../layout.ts";

import type { Sites } from "./sites.ts";

/** The operation of flags that lie in memory as they are. */
const IN_MEMORY = -1;

/**
 * Flags are in memory, or in locals: then it is known who made them (`producer`), and every way out of the region stores
 * them. A local says which, for the exits; it is set anew wherever that changes, so no loop carries it around.
 */
export class RegionContext extends Context {
  private readonly sites: Sites;
  private readonly budget: number;
  private readonly cc: { readonly op: number; readonly a: number; readonly b: number; readonly r: number };
  private current: Producer | undefined;

  constructor(e: Assembler, layout: Layout, runtime: RuntimeFunction, strictFloat: boolean, sites: Sites) {
    super(e, layout, runtime, strictFloat);
    this.sites = sites;
    this.budget = e.local(I32);
    this.cc = { op: e.local(I32), a: e.local(I64), b: e.local(I64), r: e.local(I64) };
  }

  override get producer(): Producer | undefined {
    return this.current;
  }

  override set producer(producer: Producer | undefined) {
    this.current = producer;
    this.e.i32(producer ? flags.operationNumber(producer) : IN_MEMORY).set(this.cc.op);
  }

  // ---- state in memory ----

  /** Loads everything the region uses. For the start of the function and behind calls: written when all is known. */
  loadState(): void {
    this.e.later((e) => {
      this.into(e, () => this.writeRegisterLoads());
      e.loadAt(Memory.i32_load, AT_BUDGET).set(this.budget);
    });
  }

  /** Stores everything the region changes but the flags. */
  storeState(): void {
    this.e.later((e) => {
      this.into(e, () => this.writeRegisterStores());
      e.storeLocalAt(Memory.i32_store, AT_BUDGET, this.budget);
    });
  }

  /** Stores the flags where they are in locals, for the end of the function. */
  storeFlagsOfExit(): void {
    const { e, cc } = this;
    e.get(cc.op).i32(0).op(W.i32_ge_s);
    e.if();
    e.storeLocalAt(Memory.i32_store, AT_CC_OP, cc.op);
    this.storeOperands();
    e.end();
  }

  /** Stores the flags, of which the context goes on to believe what it did: for a branch to where they are in memory. */
  storeFlags(): void {
    const { e, current } = this;
    if (!current) return;
    e.i32(0).i32(flags.operationNumber(current)).memory(Memory.i32_store, AT_CC_OP);
    this.storeOperands();
  }

  private storeOperands(): void {
    const { e, cc } = this;
    e.storeLocalAt(Memory.i64_store, AT_CC_A, cc.a);
    e.storeLocalAt(Memory.i64_store, AT_CC_B, cc.b);
    e.storeLocalAt(Memory.i64_store, AT_CC_R, cc.r);
  }

  // ---- memory ----

  /**
   * Accesses through one base register mostly go to one page: the last one lies at a constant address, which saves the
   * TLB's index. Registers that walk through linked structures use the TLB.
   */
  protected override probe(access: Access): void {
    const { write } = access;
    const place = this.sites.place(this.operand, write);
    if (place === undefined) {
      super.probe(access);
      return;
    }
    const { e } = this;
    const distance = this.t64();
    e.get(access.address).loadAt(Memory.i64_load, place).op(W.i64_sub).tee(distance);
    this.hitOrMiss(access, {
      hit: () => {
        e.get(distance)
          .wrap()
          .loadAt(Memory.i32_load, place + 8)
          .op(W.i32_add);
      },
      miss: () => e.i32(place).call(this.runtime(write ? "writeAt" : "readAt")),
    });
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
    const { e, cc, current } = this;
    if (current?.kind === flags.KIND_FLAGS) {
      e.get(cc.r).wrap();
      return;
    }
    if (current) e.i32(flags.operationNumber(current)).get(cc.a).get(cc.b).get(cc.r);
    else this.pushStoredProducer();
    e.call(this.runtime("flags"));
  }

  override pushFlag(flag: number): void {
    if (this.current) flags.pushFlag(this.e, this.current, flag, this.cc);
    else {
      this.pushFlags();
      flags.pushBit(this.e, flag);
    }
  }

  override pushCondition(condition: number): void {
    const { e, cc, current } = this;
    if (!current) this.pushStoredCondition(condition);
    else if (current.kind === flags.KIND_FLAGS) {
      const all = this.t32();
      e.get(cc.r).wrap().set(all);
      flags.pushConditionOfFlags(e, condition, all);
    } else flags.pushCondition(e, condition, current, cc);
  }

  override flushFlags(): void {
    if (!this.current) return;
    this.storeFlags();
    this.producer = undefined;
  }

  // ---- control ----

  override spend(): void {
    this.e.get(this.budget).i32(1).op(W.i32_sub).tee(this.budget);
  }

  override leave(status: number): void {
    this.e.i32(status).set(this.status).br(this.flow.exit);
  }

  /** Stores RIP from a constant. */
  storeRip(address: number): void {
    this.e.i32(0).i64(address).memory(Memory.i64_store, AT_RIP);
  }
}
