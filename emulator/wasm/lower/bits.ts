/** Bit tests, bit scans, POPCNT, CRC32. */
import { LOAD_I64, STORE_I64 } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand, Operand } from "../decode.ts";
import * as flags from "../flags.ts";
import { AT_FS_BASE, AT_GS_BASE } from "../layout.ts";
import { setCarry } from "./arithmetic.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

const CHANGE: Readonly<Record<string, (g: Context, mask: number) => void>> = {
  bt: () => {},
  bts: ({ e }, mask) => void e.get(mask).op(W.i64_or),
  btr: ({ e }, mask) => void e.get(mask).i64(-1).op(W.i64_xor, W.i64_and),
  btc: ({ e }, mask) => void e.get(mask).op(W.i64_xor),
};

/** With a register as offset, a memory operand is a bit string that reaches in both directions (SDM volume 2, BT). */
function bitTest(name: keyof typeof CHANGE): Lowering {
  return (g) => {
    const { e } = g;
    const [target, offset] = g.instruction.operands as [Operand, Operand];
    const size = g.sizeOf(target);
    const [bit, mask, old] = [g.t64(), g.t64(), g.t64()];
    const carry = g.t32();
    g.read(offset, size);
    e.i64(size * 8 - 1)
      .op(W.i64_and)
      .set(bit);
    e.i64(1).get(bit).op(W.i64_shl).set(mask);
    const take = (): void => void e.tee(old).get(bit).op(W.i64_shr_u).wrap().i32(1).op(W.i32_and).set(carry);
    const change = (): void => {
      take();
      e.get(old);
      CHANGE[name]!(g, mask);
    };
    if (target.kind === "memory" && offset.kind === "register") {
      const address = farAddress(g, target, offset, size);
      if (name === "bt") {
        g.loadAt(address, size);
        take();
      } else changeAt(g, address, size, change);
    } else if (name === "bt") {
      g.read(target);
      take();
    } else g.modify(target, change);
    setCarry(g, carry);
  };
}

/** The linear address of the word that a signed bit offset reaches, in a local. */
function farAddress(g: Context, target: MemoryOperand, offset: Operand, size: number): number {
  const { e } = g;
  const address = g.t64();
  g.pushOffset(target);
  g.read(offset, size);
  g.signExtend(size);
  e.i64(Math.log2(size * 8))
    .op(W.i64_shr_s)
    .i64(Math.log2(size))
    .op(W.i64_shl, W.i64_add);
  if (target.addressSize === 4) g.mask(4);
  if (target.segment) {
    e.loadAt(Memory.i64_load, target.segment === "fs" ? AT_FS_BASE : AT_GS_BASE).op(W.i64_add);
  }
  e.set(address);
  return address;
}

/** Lets `change` turn the value on the stack into the new one at the linear address in a local. */
function changeAt(g: Context, address: number, size: number, change: () => void): void {
  const { e } = g;
  const host = g.t32();
  const value = g.t64();
  g.pushHost(address, size, true);
  e.tee(host).memory(LOAD_I64[size]!);
  change();
  e.set(value).get(host).get(value).memory(STORE_I64[size]!);
  g.commit(host, size);
}

/** Bit scans leave the destination alone when the source is 0. */
function scan(forward: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const value = g.t64();
    g.read(source);
    e.set(value);
    if (forward) e.get(value).op(W.i64_ctz);
    else e.i64(63).get(value).op(W.i64_clz, W.i64_sub);
    g.read(target);
    e.get(value).op(W.i64_eqz, W.i32_eqz).select();
    g.write(target);
    g.setFlags(flags.KIND_LOGIC, g.sizeOf(target), undefined, undefined, value);
  };
}

function populationCount(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const value = g.t64();
  g.read(source);
  e.tee(value).op(W.i64_popcnt);
  g.write(target);
  e.get(value).op(W.i64_eqz).i32(6).op(W.i32_shl);
  g.popFlags();
}

function crc32(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const value = g.t64();
  g.read(source);
  e.set(value);
  g.read(target);
  e.wrap().get(value).i32(g.sizeOf(source)).call(g.runtime("crc32")).extend();
  g.write(target);
}

export const BITS: LoweringRows = [
  ["bt", bitTest("bt")],
  ["bts", bitTest("bts")],
  ["btr", bitTest("btr")],
  ["btc", bitTest("btc")],
  ["bsf", scan(true)],
  ["bsr", scan(false)],
  // Without BMI1 and ABM the prefix is ignored.
  ["tzcnt", scan(true)],
  ["lzcnt", scan(false)],
  ["popcnt", populationCount],
  ["crc32", crc32],
];
