/**
 * Masked moves and gathers: lanes that are masked off touch no memory (Intel SDM volume 2, VMASKMOV, VPGATHERDD).
 *
 * A masked move within one page is a whole access and a blend: either every lane faults or none. Across pages lanes go
 * one by one. A gather completes lane by lane, and a fault leaves the lanes done and a mask of those to do.
 */
import { Memory, simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand, Operand, RegisterOperand } from "../decode.ts";
import { halvesOf, isYmm, readHalves, writeHalves, ZERO, type Halves } from "./avx.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

type ElementSize = 4 | 8;

const LANES = {
  4: { name: "i32x4", extract: V.i32x4_extract_lane, replace: V.i32x4_replace_lane, store: Memory.i64_store32 },
  8: { name: "i64x2", extract: V.i64x2_extract_lane, replace: V.i64x2_replace_lane, store: Memory.i64_store },
} as const;

/** Sets locals to all ones where the sign of the element is set. */
function spreadSigns(g: Context, masks: Halves, size: ElementSize): Halves {
  return masks.map((mask) => {
    const spread = g.tv();
    g.e
      .get(mask)
      .i32(size * 8 - 1)
      .op(simd(`${LANES[size].name}_shr_s`))
      .set(spread);
    return spread;
  });
}

/** Pushes whether some lane is on. */
function pushAny({ e }: Context, spread: Halves): void {
  spread.forEach((mask, i) => {
    e.get(mask).op(V.any_true);
    if (i > 0) e.op(W.i32_or);
  });
}

/** Pushes whether `bytes` from the address in a local lie within one page. */
function pushWithinPage({ e }: Context, address: number, bytes: number): void {
  e.get(address)
    .wrap()
    .i32(4095)
    .op(W.i32_and)
    .i32(4096 - bytes)
    .op(W.i32_le_u);
}

/** Runs code for each lane that is on; its address is in a local. */
function eachLane(g: Context, size: ElementSize, spread: Halves, address: number, visit: Visit): void {
  const { e } = g;
  const { extract } = LANES[size];
  const perHalf = 16 / size;
  const at = g.t64();
  spread.forEach((mask, half) => {
    for (let i = 0; i < perHalf; i++) {
      e.get(mask).lane(extract, i);
      if (size === 8) e.wrap();
      e.if();
      e.get(address)
        .i64((half * perHalf + i) * size)
        .op(W.i64_add)
        .set(at);
      visit(at, half, i);
      e.end();
    }
  });
}

type Visit = (address: number, half: number, lane: number) => void;

function maskedLoad(g: Context, size: ElementSize): void {
  const { e } = g;
  const [target, mask, source] = g.instruction.operands as [Operand, Operand, MemoryOperand];
  const { replace } = LANES[size];
  const spread = spreadSigns(g, readHalves(g, mask, halvesOf(g)), size);
  const results = spread.map(() => g.tv());
  const address = g.t64();
  const host = g.t32();
  for (const result of results) e.v128(ZERO).set(result);
  g.pushAddress(source);
  e.set(address);
  pushAny(g, spread);
  e.if();
  pushWithinPage(g, address, spread.length * 16);
  e.if();
  g.pushHost(address, spread.length * 16, false);
  e.set(host);
  results.forEach((result, i) => {
    e.get(host)
      .memory(V.load, i * 16)
      .get(spread[i]!)
      .op(V.and)
      .set(result);
  });
  e.else();
  eachLane(g, size, spread, address, (at, half, lane) => {
    const value = g.t64();
    g.loadAt(at, size);
    e.set(value).get(results[half]!).get(value);
    if (size === 4) e.wrap();
    e.lane(replace, lane).set(results[half]!);
  });
  e.end();
  e.end();
  writeHalves(g, target, results);
}

function maskedStore(g: Context, size: ElementSize): void {
  const { e } = g;
  const [target, mask, source] = g.instruction.operands as [MemoryOperand, Operand, Operand];
  const count = halvesOf(g);
  const { extract, store } = LANES[size];
  const spread = spreadSigns(g, readHalves(g, mask, count), size);
  const values = readHalves(g, source, count);
  const address = g.t64();
  const host = g.t32();
  g.pushAddress(target);
  e.set(address);
  pushAny(g, spread);
  e.if();
  pushWithinPage(g, address, count * 16);
  e.if();
  g.pushHost(address, count * 16, true);
  e.set(host);
  values.forEach((value, i) => {
    e.get(host).get(value);
    e.get(host)
      .memory(V.load, i * 16)
      .get(spread[i]!)
      .op(V.bitselect)
      .memory(V.store, i * 16);
  });
  e.else();
  // All lanes are tried before the first is stored.
  eachLane(g, size, spread, address, (at) => {
    g.pushHost(at, size, true);
    e.drop();
  });
  eachLane(g, size, spread, address, (at, half, lane) => {
    g.pushHost(at, size, true);
    e.tee(host).get(values[half]!).lane(extract, lane);
    if (size === 4) e.extend();
    e.memory(store);
    g.commit(host, size);
  });
  e.end();
  e.end();
}

function maskedMove(size: ElementSize): Lowering {
  return (g) => (g.instruction.operands[0]!.kind === "memory" ? maskedStore : maskedLoad)(g, size);
}

// ---- gathers ----

/** Pushes the address of one element: the index in a vector's lane takes the place of an index register. */
function pushElementAddress(g: Context, operand: MemoryOperand, indexes: Halves, size: ElementSize, i: number): void {
  const { e } = g;
  const perHalf = 16 / size;
  const index = g.t64();
  e.get(indexes[Math.floor(i / perHalf)]!).lane(LANES[size].extract, i % perHalf);
  if (size === 4) e.op(W.i64_extend_i32_s);
  e.set(index);
  g.pushAddress({ ...operand, index: g.aliasRegister(index) });
}

/** The local of half of a register for writing. */
const halfOut = (g: Context, { index }: RegisterOperand, half: number): number =>
  half === 0 ? g.xmmOut(index) : g.ymmHighOut(index);

/** @param indexSize of the elements of the index vector; as many as there are of both kinds are loaded */
function gather(size: ElementSize, indexSize: ElementSize): Lowering {
  return (g) => {
    const { e } = g;
    const [target, memory, mask] = g.instruction.operands as [RegisterOperand, MemoryOperand, RegisterOperand];
    const index = memory.index!;
    const { extract, replace } = LANES[size];
    const perHalf = 16 / size;
    const elements = Math.min((isYmm(target) ? 32 : 16) / size, (isYmm(index) ? 32 : 16) / indexSize);
    const indexes = readHalves(g, index, isYmm(index) ? 2 : 1);
    const value = g.t64();
    const address = g.t64();
    for (let i = 0; i < elements; i++) {
      const half = Math.floor(i / perHalf);
      const lane = i % perHalf;
      const [destination, todo] = [halfOut(g, target, half), halfOut(g, mask, half)];
      e.get(todo).lane(extract, lane);
      if (size === 4) e.i32(0).op(W.i32_lt_s);
      else e.i64(0).op(W.i64_lt_s);
      e.if();
      pushElementAddress(g, memory, indexes, indexSize, i);
      e.set(address);
      g.loadAt(address, size);
      e.set(value).get(destination).get(value);
      if (size === 4) e.wrap();
      e.lane(replace, lane).set(destination);
      e.get(todo);
      if (size === 4) e.i32(0);
      else e.i64(0);
      e.lane(replace, lane).set(todo);
      e.end();
    }
    finish(g, target, mask, elements * size);
  };
}

/** The mask becomes zero; of the destination what no element reached, from `bytes` on. */
function finish(g: Context, target: RegisterOperand, mask: RegisterOperand, bytes: number): void {
  const { e } = g;
  e.v128(ZERO).set(g.xmmOut(mask.index));
  e.v128(ZERO).set(g.ymmHighOut(mask.index));
  if (bytes <= 16) e.v128(ZERO).set(g.ymmHighOut(target.index));
  if (bytes === 8) {
    const low = g.xmmOut(target.index);
    e.get(low).i64(0).lane(V.i64x2_replace_lane, 1).set(low);
  }
}

export const AVX_MEMORY: LoweringRows = [
  ["vmaskmovps", maskedMove(4)],
  ["vmaskmovpd", maskedMove(8)],
  ["vpmaskmovd", maskedMove(4)],
  ["vpmaskmovq", maskedMove(8)],
  ["vgatherdps", gather(4, 4)],
  ["vgatherqps", gather(4, 8)],
  ["vgatherdpd", gather(8, 4)],
  ["vgatherqpd", gather(8, 8)],
  ["vpgatherdd", gather(4, 4)],
  ["vpgatherqd", gather(4, 8)],
  ["vpgatherdq", gather(8, 4)],
  ["vpgatherqq", gather(8, 8)],
];
