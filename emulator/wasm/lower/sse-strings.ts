/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (Intel SDM volume 2, section 4.1). */
import { CF, OF, SF, ZF } from "../flags.ts";
import { V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { RAX, RCX, RDX } from "../../registers.ts";
import { elementCount, onElements, type ElementSize } from "../runtime/string-aggregations.ts";
import { readHalves, ZERO } from "./avx.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";
import { immediateOf } from "./sse.ts";

/** What the immediate says. */
interface Control {
  readonly size: ElementSize;
  readonly signed: boolean;
  readonly aggregation: "equalAny" | "ranges" | "equalEach" | "equalOrdered";
  readonly polarity: "positive" | "negative" | "masked negative";
  /** The index of the last element instead of the first; a mask of elements instead of bits. */
  readonly other: boolean;
}

function controlOf(bits: number): Control {
  return {
    size: (bits & 1) !== 0 ? 2 : 1,
    signed: (bits & 2) !== 0,
    aggregation: (["equalAny", "ranges", "equalEach", "equalOrdered"] as const)[(bits >> 2) & 3]!,
    polarity: (bits & 0x10) === 0 ? "positive" : (bits & 0x20) === 0 ? "negative" : "masked negative",
    other: (bits & 0x40) !== 0,
  };
}

/** A string: locals with its vector, how many elements it has, and the mask of these. */
interface Text {
  readonly vector: number;
  readonly length: number;
  readonly valid: number;
}

/** @param lengthIn the register that holds the length; none: an element that is zero ends the string */
function textOf(g: Context, operand: Operand, size: ElementSize, lengthIn: number | undefined): Text {
  const { e } = g;
  const vector = readHalves(g, operand, 1)[0]!;
  const [length, valid] = [g.t32(), g.t32()];
  const count = elementCount(size);
  if (lengthIn === undefined) {
    e.get(vector).v128(ZERO).op(onElements(size, "eq"), onElements(size, "bitmask"));
    e.i32(1 << count).op(W.i32_or, W.i32_ctz);
  } else pushMagnitude(g, lengthIn, count);
  e.set(length);
  e.i32(1).get(length).op(W.i32_shl).i32(1).op(W.i32_sub).set(valid);
  return { vector, length, valid };
}

/** Pushes the magnitude of a signed register as an i32, at most `most`. */
function pushMagnitude(g: Context, register: number, most: number): void {
  const { e } = g;
  const [value, sign] = [g.t64(), g.t64()];
  const bytes = g.instruction.mnemonic.endsWith("64") ? 8 : 4;
  g.pushRegister(implied(register, bytes));
  g.signExtend(bytes);
  e.tee(value).i64(63).op(W.i64_shr_s).tee(sign).get(value).op(W.i64_xor).get(sign).op(W.i64_sub).tee(value);
  e.wrap().i32(most).get(value).i64(most).op(W.i64_lt_u).select();
}

/** Pushes the mask of the elements that satisfy the aggregation. */
function pushAggregate(g: Context, { size, signed, aggregation }: Control, a: Text, b: Text): void {
  const { e } = g;
  if (aggregation === "equalEach") {
    // Behind the end of both strings elements count as equal.
    e.get(a.vector).get(b.vector).op(onElements(size, "eq"), onElements(size, "bitmask"));
    e.get(a.valid).get(b.valid).op(W.i32_and, W.i32_and);
    e.get(a.valid).get(b.valid).op(W.i32_or).i32(allElements(size)).op(W.i32_xor, W.i32_or);
    return;
  }
  for (const { vector } of [a, b]) {
    e.get(vector);
    // With the sign bit turned over signed numbers are in the order of unsigned ones.
    if (signed && aggregation === "ranges") e.v128(signBits(size)).op(V.xor);
  }
  e.get(a.length).get(b.valid);
  e.i32(size - 1).call(g.runtime(aggregation));
}

const allElements = (size: ElementSize): number => (1 << elementCount(size)) - 1;
const signBits = (size: ElementSize): number[] =>
  Array.from({ length: 16 }, (_, i) => (i % size === size - 1 ? 0x80 : 0));

/** Sets ECX to the first or last bit that is set in the mask in a local; none: the number of elements. */
function setIndex(g: Context, { size, other }: Control, mask: number): void {
  const { e } = g;
  const count = elementCount(size);
  if (other) e.i32(31).get(mask).op(W.i32_clz, W.i32_sub).i32(count).get(mask).select();
  else
    e.get(mask)
      .i32(1 << count)
      .op(W.i32_or, W.i32_ctz);
  e.extend().set(g.gprOut(RCX));
}

/** Sets XMM0 to the mask in a local, as bits or as elements of zeros and ones. */
function setMask(g: Context, { size, other }: Control, mask: number): void {
  const { e } = g;
  if (!other) e.v128(ZERO).get(mask).lane(V.i16x8_replace_lane, 0);
  else {
    const bits = g.tv();
    e.get(mask).op(V.i16x8_splat);
    if (size === 1) e.v128(Array.from({ length: 16 }, (_, i) => i >> 3)).op(V.i8x16_swizzle);
    e.v128(Array.from({ length: 16 }, (_, i) => (i % size === 0 ? 1 << ((i / size) % 8) : 0)));
    e.tee(bits).op(V.and).get(bits).op(onElements(size, "eq"));
  }
  e.set(g.xmmOut(0));
}

function setFlags(g: Context, count: number, mask: number, a: Text, b: Text): void {
  const { e } = g;
  const isShort = ({ length }: Text): void => void e.get(length).i32(count).op(W.i32_lt_u);
  const flags: readonly (readonly [number, () => void])[] = [
    [CF, () => e.get(mask).i32(0).op(W.i32_ne)],
    [ZF, () => isShort(b)],
    [SF, () => isShort(a)],
    [OF, () => e.get(mask).i32(1).op(W.i32_and)],
  ];
  flags.forEach(([flag, push], i) => {
    push();
    e.i32(Math.log2(flag)).op(W.i32_shl);
    if (i > 0) e.op(W.i32_or);
  });
  g.popFlags();
}

function compareStrings(explicit: boolean, set: (g: Context, control: Control, mask: number) => void): Lowering {
  return (g) => {
    const { e } = g;
    const bits = controlOf(immediateOf(g));
    const { size, polarity } = bits;
    const [first, second] = g.instruction.operands as [Operand, Operand];
    const a = textOf(g, first, size, explicit ? RAX : undefined);
    const b = textOf(g, second, size, explicit ? RDX : undefined);
    const mask = g.t32();
    pushAggregate(g, bits, a, b);
    if (polarity === "negative") e.i32(allElements(size)).op(W.i32_xor);
    else if (polarity === "masked negative") e.get(b.valid).op(W.i32_xor);
    e.set(mask);
    set(g, bits, mask);
    setFlags(g, elementCount(size), mask, a, b);
  };
}

export const SSE_STRINGS: LoweringRows = [
  ["pcmpistri", compareStrings(false, setIndex)],
  ["pcmpistrm", compareStrings(false, setMask)],
  ["pcmpestri", compareStrings(true, setIndex)],
  ["pcmpestrm", compareStrings(true, setMask)],
  ["pcmpestri64", compareStrings(true, setIndex)],
  ["pcmpestrm64", compareStrings(true, setMask)],
];
