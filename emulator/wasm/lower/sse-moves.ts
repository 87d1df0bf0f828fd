/** SSE moves, shuffles, inserts and extracts. */
import { Memory, V, W, simd } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";
import {
  enterMmx,
  immediateOf,
  isMmx,
  isVector,
  popVector,
  pushVector,
  pushVectorHost,
  raisePendingMmx,
} from "./sse.ts";
import { RDI } from "../../registers.ts";

type Pair = [Operand, Operand];

function moveWhole(aligned: boolean): Lowering {
  return (g) => {
    const [target, source] = g.instruction.operands as Pair;
    pushVector(g, source, 16, aligned);
    popVector(g, target, 16, aligned);
  };
}

/** MOVSS and MOVSD: a load clears the rest of the register, a move between registers does not. */
export function moveScalar(size: 4 | 8): Lowering {
  const [extract, replace] =
    size === 4 ? [V.i32x4_extract_lane, V.i32x4_replace_lane] : [V.i64x2_extract_lane, V.i64x2_replace_lane];
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    if (target.kind === "register" && source.kind === "register") {
      pushVector(g, target);
      pushVector(g, source);
      e.lane(extract, 0).lane(replace, 0);
      popVector(g, target);
    } else {
      pushVector(g, source, size);
      popVector(g, target, size);
    }
  };
}

/** MOVD and MOVQ between general registers, memory and vector registers. */
function moveWord(size: 4 | 8): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    raisePendingMmx(g);
    if (target.kind === "memory") {
      pushVector(g, source, size);
      popVector(g, target, size);
      enterMmx(g);
      return;
    }
    const value = g.t64();
    if (source.kind === "register" && source.class === "gpr") g.pushRegister(source);
    else {
      pushVector(g, source, size);
      e.lane(V.i64x2_extract_lane, 0);
    }
    e.set(value);
    enterMmx(g);
    if (target.kind === "register" && target.class === "gpr") {
      e.get(value);
      g.mask(size);
      g.popRegister(target);
    } else {
      // The upper half becomes zero, also between registers.
      e.v128(new Uint8Array(16)).get(value).lane(V.i64x2_replace_lane, 0);
      popVector(g, target, 8);
    }
  };
}

/** Moves 64 bits between one half of a register and memory, or halves of registers (MOVHLPS, MOVLHPS). */
function moveHalf(half: 0 | 1, sourceHalf: 0 | 1): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    if (target.kind === "memory") {
      const host = pushVectorHost(g, target, 8, true, false);
      pushVector(g, source);
      e.lane(V.i64x2_extract_lane, half).memory(Memory.i64_store);
      g.commit(host, 8);
      return;
    }
    pushVector(g, target);
    if (source.kind === "memory") g.load(source, 8);
    else {
      pushVector(g, source);
      e.lane(V.i64x2_extract_lane, sourceHalf);
    }
    e.lane(V.i64x2_replace_lane, half);
    popVector(g, target);
  };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Lanes of bytes for a shuffle of wider elements: numbers below 16 / size are the target's, the others the source's. */
function byteLanes(elements: readonly number[], size: number): number[] {
  return elements.flatMap((element) => range(size).map((byte) => element * size + byte));
}

/** Elements of (target, source), by a function of the immediate. */
export function shuffleOf(
  size: number,
  elements: (control: number) => readonly number[],
  fromSource = false,
  sourceSize = 16,
): Lowering {
  return (g) => {
    const [target, source] = g.instruction.operands as Pair;
    const lanes = byteLanes(elements(immediateOf(g)), size);
    raisePendingMmx(g);
    // PUNPCKLxx of an MMX register reads 4 bytes of memory.
    const width = isMmx(target) ? (source.kind === "memory" ? source.size : 8) : sourceSize;
    pushVector(g, fromSource ? source : target, fromSource ? width : 16);
    if (fromSource) {
      const value = g.tv();
      g.e.tee(value).get(value);
    } else pushVector(g, source, width);
    g.e.shuffle(lanes);
    enterMmx(g);
    popVector(g, target);
  };
}

const two = (control: number, i: number): number => (control >> (i * 2)) & 3;
const PSHUFD = (c: number): number[] => range(4).map((i) => two(c, i));

/** The first `count` elements of target and source, interleaved; `from` 1 starts in the upper half. */
function interleave(size: number, high: boolean): Lowering {
  const perVector = 16 / size;
  const first = high ? perVector / 2 : 0;
  const lanes = range(perVector).map((i) => first + (i >> 1) + (i & 1) * perVector);
  const mmxFirst = high ? perVector / 4 : 0;
  const mmxLanes = range(perVector).map((i) => ((mmxFirst + (i >> 1)) % perVector) + (i & 1) * perVector);
  return (g) => shuffleOf(size, () => (isMmx(g.instruction.operands[0]) ? mmxLanes : lanes))(g);
}

/** MOVMSKPS, MOVMSKPD, PMOVMSKB. */
function signMask(opcode: number): Lowering {
  return (g) => {
    const [target, source] = g.instruction.operands as Pair;
    raisePendingMmx(g);
    pushVector(g, source);
    enterMmx(g);
    g.e.op(opcode).extend();
    if (isMmx(source)) g.e.i64(255).op(W.i64_and);
    g.popRegister({ ...(target as typeof target & { kind: "register" }), size: 4 });
  };
}

/** PEXTRB/W/D/Q and EXTRACTPS. */
function extract(size: number, opcode: number): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const count = (isMmx(source) ? 8 : 16) / size;
    const value = g.t64();
    raisePendingMmx(g);
    pushVector(g, source);
    enterMmx(g);
    e.lane(opcode, immediateOf(g) % count);
    if (size < 8) e.extend();
    e.set(value).get(value);
    if (target.kind === "register") g.popRegister({ ...target, size: size === 8 ? 8 : 4 });
    else g.write(target, size);
  };
}

/** PINSRB/W/D/Q. */
function insert(size: number, opcode: number): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const value = g.t64();
    raisePendingMmx(g);
    if (source.kind === "memory") g.load(source, size);
    else g.read({ ...source, size } as Operand, size);
    e.set(value);
    enterMmx(g);
    pushVector(g, target);
    e.get(value);
    if (size < 8) e.wrap();
    e.lane(opcode, immediateOf(g) % ((isMmx(target) ? 8 : 16) / size));
    popVector(g, target);
  };
}

function insertFloat(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  const control = immediateOf(g);
  pushVector(g, target);
  if (source.kind === "memory") {
    g.load(source, 4);
    e.wrap();
  } else {
    pushVector(g, source);
    e.lane(V.i32x4_extract_lane, control >> 6);
  }
  e.lane(V.i32x4_replace_lane, (control >> 4) & 3);
  range(4).forEach((i) => {
    if ((control & (1 << i)) !== 0) e.i32(0).lane(V.i32x4_replace_lane, i);
  });
  popVector(g, target);
}

/** MASKMOVDQU and MASKMOVQ: bytes whose mask has the top bit set go to [RDI]. */
function maskedStore(g: Context): void {
  const { e } = g;
  const operands = g.instruction.operands.filter(isVector);
  const size = isMmx(operands[0]) ? 8 : 16;
  const host = g.t32();
  const mask = g.tv();
  const address = g.t64();
  raisePendingMmx(g);
  const memory = g.instruction.operands.find((operand) => operand.kind === "memory");
  if (memory) g.pushAddress(memory);
  else g.pushRegister(implied(RDI, 8));
  e.set(address);
  g.pushHost(address, size, true);
  e.set(host);
  pushVector(g, operands[1]!);
  e.i32(7).op(simd("i8x16_shr_s")).set(mask);
  e.get(host);
  pushVector(g, operands[0]!);
  e.get(host)
    .memory(size === 16 ? V.load : V.load64_zero)
    .get(mask)
    .op(V.bitselect);
  if (size === 16) e.memory(V.store);
  else e.lane(V.i64x2_extract_lane, 0).memory(Memory.i64_store);
  g.commit(host, size);
  enterMmx(g);
}

function duplicateLow(g: Context): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  pushVector(g, source, 8);
  e.lane(V.i64x2_extract_lane, 0).op(V.i64x2_splat);
  popVector(g, target);
}

const names = (list: string, lowering: Lowering): LoweringRows =>
  list.split(" ").map((name) => [name, lowering] as const);

export const SSE_MOVES: LoweringRows = [
  ...names("movaps movapd movdqa movntdq movntps movntpd movntdqa", moveWhole(true)),
  ...names("movups movupd movdqu lddqu", moveWhole(false)),
  ["movss", moveScalar(4)],
  ["movd", moveWord(4)],
  ...names("movq movntq movdq2q movq2dq", moveWord(8)),
  ...names("movlps movlpd", moveHalf(0, 0)),
  ...names("movhps movhpd", moveHalf(1, 0)),
  ["movhlps", moveHalf(0, 1)],
  ["movlhps", moveHalf(1, 0)],
  ["movddup", duplicateLow],
  ["movshdup", shuffleOf(4, () => [1, 1, 3, 3], true)],
  ["movsldup", shuffleOf(4, () => [0, 0, 2, 2], true)],
  ["movmskps", signMask(simd("i32x4_bitmask"))],
  ["movmskpd", signMask(simd("i64x2_bitmask"))],
  ["pmovmskb", signMask(simd("i8x16_bitmask"))],
  ...names("maskmovdqu maskmovq", maskedStore),
  ["pshufd", shuffleOf(4, PSHUFD, true)],
  ["pshuflw", shuffleOf(2, (c) => [...PSHUFD(c), 4, 5, 6, 7], true)],
  ["pshufhw", shuffleOf(2, (c) => [0, 1, 2, 3, ...PSHUFD(c).map((i) => i + 4)], true)],
  ["pshufw", shuffleOf(2, (c) => [...PSHUFD(c), 4, 5, 6, 7], true)],
  ["shufps", shuffleOf(4, (c) => [two(c, 0), two(c, 1), two(c, 2) + 4, two(c, 3) + 4])],
  ["shufpd", shuffleOf(8, (c) => [c & 1, ((c >> 1) & 1) + 2])],
  ...names("unpcklps punpckldq", interleave(4, false)),
  ...names("unpckhps punpckhdq", interleave(4, true)),
  ...names("unpcklpd punpcklqdq", interleave(8, false)),
  ...names("unpckhpd punpckhqdq", interleave(8, true)),
  ["punpcklbw", interleave(1, false)],
  ["punpckhbw", interleave(1, true)],
  ["punpcklwd", interleave(2, false)],
  ["punpckhwd", interleave(2, true)],
  ["pextrb", extract(1, V.i8x16_extract_lane_u)],
  ["pextrw", extract(2, V.i16x8_extract_lane_u)],
  ...names("pextrd extractps", extract(4, V.i32x4_extract_lane)),
  ["pextrq", extract(8, V.i64x2_extract_lane)],
  ["pinsrb", insert(1, V.i8x16_replace_lane)],
  ["pinsrw", insert(2, V.i16x8_replace_lane)],
  ["pinsrd", insert(4, V.i32x4_replace_lane)],
  ["pinsrq", insert(8, V.i64x2_replace_lane)],
  ["insertps", insertFloat],
];
