/**
 * What the string comparisons of SSE4.2 make of the elements of two vectors (Intel SDM volume 2, section 4.1.3), in
 * WebAssembly. The fourth aggregation, equal each, is a single comparison (lower/sse-strings.ts).
 */
import { I32, V128, type Assembler } from "../emit/assembler.ts";
import type { Signature } from "../emit/module-writer.ts";
import { simd, V, W } from "../emit/opcodes.ts";

/** Parameters. */
const [A, B, LENGTH, VALID, WORDS] = [0, 1, 2, 3, 4];

export type ElementSize = 1 | 2;

export const elementCount = (size: ElementSize): number => 16 / size;
/** The opcode of an operation on elements of a size. */
export const onElements = (size: ElementSize, operation: string): number =>
  simd(`${size === 1 ? "i8x16" : "i16x8"}_${operation}`);

const AGGREGATION: Signature = { parameters: [V128, V128, I32, I32, I32], results: [I32] };

/** (a, b, elements of a that count, mask of those of b, whether they are words): mask of the elements of b that satisfy it. */
export const AGGREGATION_FUNCTIONS = {
  equalAny: (e) => bySize(e, writeEqualAny),
  /** Unsigned. */
  ranges: (e) => bySize(e, writeRanges),
  equalOrdered: (e) => bySize(e, writeEqualOrdered),
} satisfies Record<string, (e: Assembler) => void>;

export const AGGREGATION_SIGNATURES: Readonly<Record<string, Signature>> = Object.fromEntries(
  Object.keys(AGGREGATION_FUNCTIONS).map((name) => [name, AGGREGATION]),
);

function bySize(e: Assembler, write: (e: Assembler, size: ElementSize) => void): void {
  e.get(WORDS);
  e.if(I32);
  write(e, 2);
  e.else();
  write(e, 1);
  e.end();
}

/**
 * Runs code for the elements of a, from the first to the last that counts, so many at a time. What it is given pushes a
 * vector with the next element in every place.
 */
function eachElement(e: Assembler, size: ElementSize, atOnce: number, write: (pushNext: () => void) => void): void {
  const bytes = e.local(V128);
  e.v128(Array.from({ length: 16 }, (_, i) => i % size)).set(bytes);
  const done = e.block();
  const again = e.loop();
  e.get(LENGTH).i32(atOnce).op(W.i32_lt_s).brIf(done);
  write(() => {
    e.get(A).get(bytes).op(V.i8x16_swizzle);
    e.get(bytes).i32(size).op(V.i8x16_splat, simd("i8x16_add")).set(bytes);
  });
  e.get(LENGTH).i32(atOnce).op(W.i32_sub).set(LENGTH).br(again);
  e.end();
  e.end();
}

/** Element j of b is some element of a. */
function writeEqualAny(e: Assembler, size: ElementSize): void {
  const found = e.local(V128);
  eachElement(e, size, 1, (pushNext) => {
    pushNext();
    e.get(B).op(onElements(size, "eq")).get(found).op(V.or).set(found);
  });
  e.get(found).op(onElements(size, "bitmask")).get(VALID).op(W.i32_and);
}

/** Element j of b lies between two elements of a that are a pair. */
function writeRanges(e: Assembler, size: ElementSize): void {
  const found = e.local(V128);
  eachElement(e, size, 2, (pushNext) => {
    pushNext();
    e.get(B).op(onElements(size, "le_u")).get(B);
    pushNext();
    e.op(onElements(size, "le_u"), V.and).get(found).op(V.or).set(found);
  });
  e.get(found).op(onElements(size, "bitmask")).get(VALID).op(W.i32_and);
}

/** All of a lies in b from element j on, or as much of it as there is room for. */
function writeEqualOrdered(e: Assembler, size: ElementSize): void {
  const [found, place] = [e.local(I32), e.local(I32)];
  const beyond = -1 << elementCount(size);
  e.i32(~beyond).set(found);
  eachElement(e, size, 1, (pushNext) => {
    pushNext();
    e.get(B).op(onElements(size, "eq"), onElements(size, "bitmask")).get(VALID).op(W.i32_and);
    e.i32(beyond).op(W.i32_or).get(place).op(W.i32_shr_s).get(found).op(W.i32_and).tee(found).op(W.i32_eqz);
    e.if();
    e.i32(0).return();
    e.end();
    e.get(place).i32(1).op(W.i32_add).set(place);
  });
  e.get(found);
}
