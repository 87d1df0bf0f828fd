/** Integer addition, subtraction, logic, comparison and the exchanging forms. */
import { I32 } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import * as flags from "../flags.ts";
import type { Lowering } from "./lowering.ts";

/** One arithmetic operation on values cut to their size; leaves the uncut result. */
interface Binary {
  readonly kind: number;
  readonly opcode: number;
  /** ADC and SBB: the carry takes part. */
  readonly carry?: true;
  /** CMP and TEST: the result is dropped. */
  readonly discard?: true;
}

const BINARY: Readonly<Record<string, Binary>> = {
  add: { kind: flags.KIND_ADD, opcode: W.i64_add },
  adc: { kind: flags.KIND_ADC, opcode: W.i64_add, carry: true },
  sub: { kind: flags.KIND_SUB, opcode: W.i64_sub },
  sbb: { kind: flags.KIND_SBB, opcode: W.i64_sub, carry: true },
  cmp: { kind: flags.KIND_SUB, opcode: W.i64_sub, discard: true },
  and: { kind: flags.KIND_LOGIC, opcode: W.i64_and },
  or: { kind: flags.KIND_LOGIC, opcode: W.i64_or },
  xor: { kind: flags.KIND_LOGIC, opcode: W.i64_xor },
  test: { kind: flags.KIND_LOGIC, opcode: W.i64_and, discard: true },
};

function binary({ kind, opcode, carry, discard }: Binary): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const [a, b, r] = [g.t64(), g.t64(), g.t64()];
    const combine = (size: number): void => {
      e.set(a);
      g.read(source, size);
      e.set(b).get(a).get(b).op(opcode);
      if (carry) {
        g.pushFlag(flags.CF);
        e.extend().op(opcode);
      }
      if (opcode === W.i64_add || opcode === W.i64_sub) g.mask(size);
      e.tee(r);
    };
    const size = g.sizeOf(target);
    if (discard) {
      g.read(target);
      combine(size);
      e.drop();
    } else if (isZeroing(g, target, source, opcode)) {
      e.i64(0).tee(r);
      g.write(target);
    } else g.modify(target, combine);
    if (kind === flags.KIND_LOGIC) g.setFlags(kind, size, undefined, undefined, r);
    else g.setFlags(kind, size, a, b, r);
  };
}

/** `xor r, r` does not depend on the register. */
function isZeroing(_g: Context, target: Operand, source: Operand, opcode: number): boolean {
  return opcode === W.i64_xor && target.kind === "register" && target === source;
}

function increment(kind: number, opcode: number): Lowering {
  return (g) => {
    const { e } = g;
    const target = g.instruction.operands[0]!;
    const [b, r] = [g.t64(), g.t64()];
    const carryLives = (g.liveFlags & flags.CF) !== 0;
    g.modify(target, (size) => {
      e.i64(1).op(opcode);
      g.mask(size);
      e.tee(r);
    });
    if (carryLives) {
      g.pushFlag(flags.CF);
      e.extend().set(b);
    }
    g.setFlags(kind, g.sizeOf(target), undefined, carryLives ? b : undefined, r);
  };
}

function negate(g: Context): void {
  const { e } = g;
  const [a, b, r] = [g.t64(), g.t64(), g.t64()];
  g.modify(g.instruction.operands[0]!, (size) => {
    e.set(b).i64(0).tee(a).get(b).op(W.i64_sub);
    g.mask(size);
    e.tee(r);
  });
  g.setFlags(flags.KIND_SUB, g.sizeOf(g.instruction.operands[0]!), a, b, r);
}

function complement(g: Context): void {
  g.modify(g.instruction.operands[0]!, (size) => {
    g.e.i64(-1).op(W.i64_xor);
    g.mask(size);
  });
}

function exchangeAdd(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const [a, b, r] = [g.t64(), g.t64(), g.t64()];
  g.read(source);
  e.set(b);
  g.modify(target, (size) => {
    e.tee(a).get(b).op(W.i64_add);
    g.mask(size);
    e.tee(r);
  });
  if (source !== target) {
    e.get(a);
    g.write(source);
  }
  g.setFlags(flags.KIND_ADD, g.sizeOf(target), a, b, r);
}

/** Memory is written in any case, with its old value when the comparison fails. */
function compareExchange(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as [Operand, Operand];
  const size = g.sizeOf(target);
  const accumulator = { kind: "register", class: "gpr", index: 0, size, high: false } as const;
  const [a, b, s, r] = [g.t64(), g.t64(), g.t64(), g.t64()];
  const equal = g.t32();
  g.read(accumulator);
  e.set(a);
  g.read(source);
  e.set(s);
  if (target.kind === "register") {
    // A register keeps its upper half when the comparison fails.
    g.read(target);
    e.tee(b).get(a).op(W.i64_eq).tee(equal);
    e.if();
    e.get(s);
    g.write(target);
    e.end();
  } else {
    g.modify(target, () => {
      e.set(b).get(s).get(b).get(a).get(b).op(W.i64_eq).tee(equal).select();
    });
  }
  // RAX keeps its upper half when the comparison succeeds.
  e.get(equal).op(W.i32_eqz);
  e.if();
  e.get(b);
  g.write(accumulator);
  e.end();
  e.get(a).get(b).op(W.i64_sub);
  g.mask(size);
  e.set(r);
  g.setFlags(flags.KIND_SUB, size, a, b, r);
}

/** CMPXCHG8B and CMPXCHG16B: RDX:RAX with memory, RCX:RBX the new value; ZF alone changes. */
function compareExchangePair(half: 4 | 8): Lowering {
  return (g) => {
    const { e } = g;
    const operand = g.instruction.operands[0]!;
    if (operand.kind !== "memory") throw new Error("cmpxchg16b takes memory");
    const address = g.t64();
    const [host, equal] = [g.t32(), g.t32()];
    const [low, high] = [g.t64(), g.t64()];
    const register = (index: number) => ({ kind: "register", class: "gpr", index, size: half, high: false }) as const;
    const load = half === 8 ? Memory.i64_load : Memory.i64_load32_u;
    const store = half === 8 ? Memory.i64_store : Memory.i64_store32;
    g.pushAddress(operand);
    e.set(address);
    g.pushHost(address, half * 2, true, half === 8);
    e.tee(host).memory(load).set(low).get(host).memory(load, half).set(high);
    e.get(low);
    g.pushRegister(register(0));
    e.op(W.i64_eq).get(high);
    g.pushRegister(register(2));
    e.op(W.i64_eq, W.i32_and).tee(equal);
    e.if();
    e.get(host);
    g.pushRegister(register(3));
    e.memory(store).get(host);
    g.pushRegister(register(1));
    e.memory(store, half);
    e.else();
    e.get(low);
    g.popRegister(register(0));
    e.get(high);
    g.popRegister(register(2));
    e.end();
    g.commit(host, half * 2);
    g.pushFlags();
    e.i32(~flags.ZF).op(W.i32_and).get(equal).i32(6).op(W.i32_shl, W.i32_or);
    g.popFlags();
  };
}

function exchange(g: Context): void {
  const { e } = g;
  let [target, source] = g.instruction.operands as [Operand, Operand];
  if (source.kind === "memory") [target, source] = [source, target];
  const [old, other] = [g.t64(), g.t64()];
  g.read(source);
  e.set(other);
  g.modify(target, () => e.set(old).get(other));
  e.get(old);
  g.write(source);
}

/** Sets CF alone, from an i32 of 0 or 1 in a local; OF may change with it. */
export function setCarry(g: Context, carry: number, overflow?: number): void {
  const { e } = g;
  const changed = flags.CF | (overflow === undefined ? 0 : flags.OF);
  if ((g.liveFlags & changed) === 0) return;
  g.pushFlags();
  e.i32(~changed).op(W.i32_and).get(carry).op(W.i32_or);
  if (overflow !== undefined) e.get(overflow).i32(11).op(W.i32_shl, W.i32_or);
  g.popFlags();
}

function carryFlag(change: (g: Context, carry: number) => void): Lowering {
  return (g) => {
    const carry = g.temp(I32);
    change(g, carry);
    setCarry(g, carry);
  };
}

export const ARITHMETIC: readonly (readonly [string, Lowering])[] = [
  ...Object.entries(BINARY).map(([name, row]) => [name, binary(row)] as const),
  ["inc", increment(flags.KIND_INC, W.i64_add)],
  ["dec", increment(flags.KIND_DEC, W.i64_sub)],
  ["neg", negate],
  ["not", complement],
  ["xadd", exchangeAdd],
  ["cmpxchg", compareExchange],
  ["cmpxchg8b", compareExchangePair(4)],
  ["cmpxchg16b", compareExchangePair(8)],
  ["xchg", exchange],
  ["clc", carryFlag((g, carry) => g.e.i32(0).set(carry))],
  ["stc", carryFlag((g, carry) => g.e.i32(1).set(carry))],
  [
    "cmc",
    carryFlag((g, carry) => {
      g.pushFlag(flags.CF);
      g.e.op(W.i32_eqz).set(carry);
    }),
  ],
];
