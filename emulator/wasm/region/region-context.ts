/** The context of the region translator: registers and flags in locals, addresses as constants. */
import { I32, I64, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { Context, type RuntimeFunction } from "../context.ts";
import type { ImmediateOperand, MemoryOperand } from "../decode.ts";
import * as flags from "../flags.ts";
import type { Producer } from "../flags.ts";
import { AT_BUDGET, AT_CC_A, AT_CC_B, AT_CC_OP, AT_CC_R, AT_RIP, type Layout } from "../layout.ts";

export class RegionContext extends Context {
  override producer: Producer | undefined = undefined;
  private readonly budget: number;
  private readonly cc: { readonly op: number; readonly a: number; readonly b: number; readonly r: number };

  constructor(e: Assembler, layout: Layout, runtime: RuntimeFunction) {
    super(e, layout, runtime);
    this.budget = e.local(I32);
    this.cc = { op: e.local(I32), a: e.local(I64), b: e.local(I64), r: e.local(I64) };
  }

  // ---- state in memory ----

  /** Loads everything the region uses. For the start of the function and behind calls: written when all is known. */
  loadState(): void {
    this.e.later((e) => {
      this.into(e, () => this.writeRegisterLoads());
      e.loadAt(Memory.i32_load, AT_CC_OP).set(this.cc.op);
      e.loadAt(Memory.i64_load, AT_CC_A).set(this.cc.a);
      e.loadAt(Memory.i64_load, AT_CC_B).set(this.cc.b);
      e.loadAt(Memory.i64_load, AT_CC_R).set(this.cc.r);
      e.loadAt(Memory.i32_load, AT_BUDGET).set(this.budget);
    });
  }

  /** Stores everything the region changes. */
  storeState(): void {
    this.e.later((e) => {
      this.into(e, () => this.writeRegisterStores());
      e.storeLocalAt(Memory.i32_store, AT_CC_OP, this.cc.op);
      e.storeLocalAt(Memory.i64_store, AT_CC_A, this.cc.a);
      e.storeLocalAt(Memory.i64_store, AT_CC_B, this.cc.b);
      e.storeLocalAt(Memory.i64_store, AT_CC_R, this.cc.r);
      e.storeLocalAt(Memory.i32_store, AT_BUDGET, this.budget);
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
    e.i32(flags.operationNumber(this.producer)).set(cc.op);
  }

  override popFlags(): void {
    const { e, cc } = this;
    e.extend().set(cc.r).i32(0).set(cc.op);
    this.producer = { kind: flags.KIND_FLAGS, size: 1 };
  }

  override pushFlags(): void {
    const { e, cc } = this;
    if (this.producer?.kind === flags.KIND_FLAGS) e.get(cc.r).wrap();
    else e.get(cc.op).get(cc.a).get(cc.b).get(cc.r).call(this.runtime("flags"));
  }

  override pushFlag(flag: number): void {
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

  override pushCondition(condition: number): void {
    const { e, cc, producer } = this;
    if (!producer) {
      e.get(cc.op)
        .get(cc.a)
        .get(cc.b)
        .get(cc.r)
        .call(this.runtime(flags.conditionFunction(condition)));
      if ((condition & 1) !== 0) e.op(W.i32_eqz);
    } else if (producer.kind === flags.KIND_FLAGS) {
      const all = this.t32();
      e.get(cc.r).wrap().set(all);
      flags.pushConditionOfFlags(e, condition, all);
    } else flags.pushCondition(e, condition, producer, cc);
  }

  override spillFlags(): void {
    const { e, cc } = this;
    e.storeLocalAt(Memory.i32_store, AT_CC_OP, cc.op);
    e.storeLocalAt(Memory.i64_store, AT_CC_A, cc.a);
    e.storeLocalAt(Memory.i64_store, AT_CC_B, cc.b);
    e.storeLocalAt(Memory.i64_store, AT_CC_R, cc.r);
  }

  override reloadFlags(): void {
    const { e, cc } = this;
    e.loadAt(Memory.i32_load, AT_CC_OP).set(cc.op);
    e.loadAt(Memory.i64_load, AT_CC_A).set(cc.a);
    e.loadAt(Memory.i64_load, AT_CC_B).set(cc.b);
    e.loadAt(Memory.i64_load, AT_CC_R).set(cc.r);
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
