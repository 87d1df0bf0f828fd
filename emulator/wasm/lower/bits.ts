/** Bit tests, bit scans, POPCNT, CRC32. */
import { W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import * as flags from "../flags.ts";
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
    let operand = target;
    if (target.kind === "memory" && offset.kind === "register") operand = farOperand(g, target, offset, size);
    const take = (): void => void e.tee(old).get(bit).op(W.i64_shr_u).wrap().i32(1).op(W.i32_and).set(carry);
    if (name === "bt") {
      g.read(operand);
      take();
    } else {
      g.modify(operand, () => {
        take();
        e.get(old);
        CHANGE[name]!(g, mask);
      });
    }
    setCarry(g, carry);
  };
}

/** A memory operand with the signed bit offset's words added, as base register of its own. */
function farOperand(g: Context, target: Operand & { kind: "memory" }, offset: Operand, size: number): Operand {
  const { e } = g;
  const address = g.t64();
  g.pushOffset(target);
  g.read(offset, size);
  g.signExtend(size);
  e.i64(Math.log2(size * 8))
    .op(W.i64_shr_s)
    .i64(Math.log2(size))
    .op(W.i64_shl, W.i64_add)
    .set(address);
  return { ...target, base: g.aliasRegister(address), index: undefined, displacement: 0n };
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
