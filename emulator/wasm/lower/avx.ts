/**
 * What the VEX lowerings share. A YMM register is two v128: `g.xmm(index)` and `g.ymmHigh(index)`. A 128-bit VEX form
 * clears the upper half of its destination (Intel SDM volume 1, section 14.1.2), and memory operands need no alignment
 * (table 14-22) but for the explicitly aligned moves.
 *
 * Most VEX instructions are a legacy SSE instruction with a destination of its own, done once or twice. `threeOperands`
 * and `twoOperands` make them from the SSE lowering, which they let work on copies under the name of a register.
 */
import { Memory, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { ImmediateOperand, MemoryOperand, Operand, RegisterOperand } from "../decode.ts";
import { AT_VECTOR_TRAP } from "../layout.ts";
import { VECTOR_GP, VECTOR_XM } from "../../engine.ts";
import type { Lowering } from "./lowering.ts";
import { pushVectorHost } from "./sse.ts";

export type LoweringTable = ReadonlyMap<string, Lowering>;

/** Locals of the halves of a vector, low one first: one for 128 bits, two for 256. */
export type Halves = readonly number[];

export const ZERO = new Uint8Array(16);

export const isYmm = (operand: Operand | undefined): boolean => operand?.kind === "register" && operand.class === "ymm";

/** 2 when some operand is a YMM register, else 1. */
export const halvesOf = (g: Context): 1 | 2 => (g.instruction.operands.some(isYmm) ? 2 : 1);

/** The immediate of an instruction with one, as an unsigned byte. */
export function control(g: Context): number {
  const operand = g.instruction.operands.at(-1);
  return operand?.kind === "immediate" ? Number(operand.value & 255n) : 0;
}

/** Locals with `count` halves of a register or of memory that needs no alignment. They are not to be written. */
export function readHalves(g: Context, operand: Operand, count: 1 | 2): Halves {
  if (operand.kind === "register") {
    return count === 1 ? [g.xmm(operand.index)] : [g.xmm(operand.index), g.ymmHigh(operand.index)];
  }
  return loadHalves(g, operand, count);
}

function loadHalves(g: Context, operand: Operand, count: 1 | 2): Halves {
  const { e } = g;
  const host = pushVectorHost(g, operand, count * 16, false, false);
  return Array.from({ length: count }, (_, i) => {
    const half = g.tv();
    if (i > 0) e.get(host);
    e.memory(V.load, i * 16).set(half);
    return half;
  });
}

/** Sets a register to the halves in locals; what is missing is zero. */
export function writeHalves(g: Context, target: Operand, halves: Halves): void {
  const { e } = g;
  if (target.kind !== "register") throw new Error(`${g.instruction.mnemonic}: the destination is not a register`);
  e.get(halves[0]!).set(g.xmmOut(target.index));
  if (halves.length === 2) e.get(halves[1]!);
  else e.v128(ZERO);
  e.set(g.ymmHighOut(target.index));
}

/** Clears the upper half of a register. */
export function clearUpper(g: Context, index: number): void {
  g.e.v128(ZERO).set(g.ymmHighOut(index));
}

/** A result made half by half from the halves of the operands behind the destination. */
export function perHalf(change: (g: Context, half: 0 | 1, ...sources: number[]) => void): Lowering {
  return (g) => {
    const [target, ...rest] = g.instruction.operands;
    const count = halvesOf(g);
    const sources = rest.filter(({ kind }) => kind !== "immediate").map((operand) => readHalves(g, operand, count));
    const results = Array.from({ length: count }, (_, i) => {
      const result = g.tv();
      change(g, i as 0 | 1, ...sources.map((halves) => halves[i]!));
      g.e.set(result);
      return result;
    });
    writeHalves(g, target!, results);
  };
}

/** Raises #GP(0) when the address in a local is no multiple of `size`. */
export function requireAlignment(g: Context, address: number, size: number): void {
  const { e } = g;
  e.get(address)
    .wrap()
    .i32(size - 1)
    .op(W.i32_and);
  e.if();
  g.raise(VECTOR_GP, 0);
  e.end();
}

/** Leaves with #XM when a vector helper met an exception that MXCSR does not mask. */
export function raiseUnmasked(g: Context): void {
  const { e } = g;
  e.loadAt(Memory.i32_load, AT_VECTOR_TRAP);
  e.if();
  e.i32(0).i32(0).memory(Memory.i32_store, AT_VECTOR_TRAP);
  g.raise(VECTOR_XM, 0);
  e.end();
}

// ---- from SSE lowerings ----

/** Lowers as if the instruction had this mnemonic and these operands. */
export function lowerAs(g: Context, legacy: LoweringTable, mnemonic: string, operands: readonly Operand[]): void {
  const lowering = legacy.get(mnemonic);
  if (!lowering) throw new Error(`no lowering of ${mnemonic} to make ${g.instruction.mnemonic} from`);
  const { instruction } = g;
  g.instruction = { ...instruction, mnemonic, operands };
  lowering(g);
  g.instruction = instruction;
}

/** How many bits of the immediate the lower half uses, where the upper half has bits of its own. */
const OWN_BITS: Readonly<Record<string, number>> = { shufpd: 2, blendps: 4, blendpd: 2, mpsadbw: 3 };

/** The operand as each half sees it, ready for an SSE lowering. */
function sourceOperands(g: Context, operand: Operand, count: 1 | 2, mnemonic: string): readonly Operand[] {
  switch (operand.kind) {
    case "immediate":
      return [operand, shifted(operand, OWN_BITS[mnemonic] ?? 0)];
    case "register":
      if (operand.class === "ymm") return [asXmm(operand), g.aliasVector(g.ymmHigh(operand.index))];
      return [operand, operand];
    case "memory": {
      if (operand.size < 16) return [operand];
      const halves = loadHalves(g, operand, operand.size === 32 ? 2 : 1);
      const operands = halves.map((half) => g.aliasVector(half));
      return operands.length < count ? [operands[0]!, operands[0]!] : operands;
    }
    default:
      return [operand];
  }
}

const shifted = (operand: ImmediateOperand, by: number): ImmediateOperand => ({
  kind: "immediate",
  value: (operand.value & 255n) >> BigInt(by),
});

const asXmm = (operand: RegisterOperand): RegisterOperand => ({ ...operand, class: "xmm", size: 16 });

/** `vop target, first, …` from `op first, …`: the SSE lowering works on a copy of the first source. */
export function threeOperands(legacy: LoweringTable, mnemonic: string): Lowering {
  return (g) => {
    const { e } = g;
    const [target, first, ...rest] = g.instruction.operands as [Operand, RegisterOperand, ...Operand[]];
    const count = halvesOf(g);
    const sources = rest.map((operand) => sourceOperands(g, operand, count, mnemonic));
    const firsts = readHalves(g, first, count);
    const results = firsts.map((half, i) => {
      const result = g.tv();
      e.get(half).set(result);
      lowerAs(g, legacy, mnemonic, [g.aliasVector(result), ...sources.map((operands) => operands[i]!)]);
      return result;
    });
    writeHalves(g, target, results);
  };
}

/** `vop target, source` from `op target, source`. */
export function twoOperands(legacy: LoweringTable, mnemonic: string): Lowering {
  return (g) => {
    const [target, ...rest] = g.instruction.operands as [Operand, ...Operand[]];
    const count = halvesOf(g);
    const sources = rest.map((operand) => sourceOperands(g, operand, count, mnemonic));
    const results = Array.from({ length: count }, (_, i) => {
      const result = g.tv();
      lowerAs(g, legacy, mnemonic, [g.aliasVector(result), ...sources.map((operands) => operands[i]!)]);
      return result;
    });
    writeHalves(g, target, results);
  };
}

/** As `twoOperands`, for elements that grow: each half of a YMM destination takes half of the source. */
export function widening(legacy: LoweringTable, mnemonic: string): Lowering {
  const narrow = twoOperands(legacy, mnemonic);
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    if (!isYmm(target)) {
      narrow(g);
      return;
    }
    const value = wideningSource(g, source);
    const bytes = wideningBytes(g);
    const results = [0, 1].map((half) => {
      const [part, result] = [g.tv(), g.tv()];
      e.get(value).get(value);
      e.shuffle(Array.from({ length: 16 }, (_, i) => (i + half * bytes) % 16)).set(part);
      lowerAs(g, legacy, mnemonic, [g.aliasVector(result), g.aliasVector(part)]);
      return result;
    });
    writeHalves(g, target, results);
  };
}

/** Source bytes of each half, from the form's name: …_xmmm64 has 64 bits for both. */
const wideningBytes = (g: Context): number => Number(/m(\d+)$/.exec(g.instruction.form)![1]) / 16;

function wideningSource(g: Context, source: Operand): number {
  if (source.kind === "register") return g.xmm(source.index);
  const value = g.tv();
  const { size } = source as MemoryOperand;
  pushVectorHost(g, source, size, false, false);
  g.e.memory({ 16: V.load, 8: V.load64_zero, 4: V.load32_zero }[size]!).set(value);
  return value;
}

/**
 * `vop` with the operands of `op`, at most 128 bits wide: memory need not be aligned, and a destination register loses
 * its upper half (`comparing` instructions have none).
 */
export function sameOperands(legacy: LoweringTable, mnemonic: string, comparing = false): Lowering {
  return (g) => {
    const [first, ...rest] = g.instruction.operands as [Operand, ...Operand[]];
    const sources = rest.map((operand) => sourceOperands(g, operand, 1, mnemonic)[0]!);
    lowerAs(g, legacy, mnemonic, [first, ...sources]);
    if (!comparing && first.kind === "register" && first.class === "xmm") clearUpper(g, first.index);
  };
}
