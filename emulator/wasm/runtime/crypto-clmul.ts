/** Multiplication without carries, 64 x 64 to 128 bits (Intel SDM volume 2, PCLMULQDQ), by ordinary multiplications. */
import { I64, type Assembler } from "../emit/assembler.ts";
import { V, W } from "../emit/opcodes.ts";

/** Every fourth bit: at most eight terms meet at a place, and their sum does not reach the next one. */
const EVERY_FOURTH = 0x1111111111111111n;

/** Sets a local to the product of two locals below 2^32. */
function multiplyHalves(e: Assembler, a: number, b: number): number {
  const parts = [a, b].map((whole) =>
    [0n, 1n, 2n, 3n].map((offset) => {
      const part = e.local(I64);
      e.get(whole)
        .i64(EVERY_FOURTH << offset)
        .op(W.i64_and)
        .set(part);
      return part;
    }),
  ) as [number[], number[]];
  const product = e.local(I64);
  for (let place = 0; place < 4; place++) {
    for (let i = 0; i < 4; i++) {
      e.get(parts[0][i]!)
        .get(parts[1][(place - i + 4) % 4]!)
        .op(W.i64_mul);
      if (i > 0) e.op(W.i64_xor);
    }
    e.i64(EVERY_FOURTH << BigInt(place)).op(W.i64_and);
    if (place > 0) e.get(product).op(W.i64_or);
    e.set(product);
  }
  return product;
}

/** (a, b: i64): the product as a v128, by three half-sized ones (A. Karatsuba and Y. Ofman, 1962). */
export function writeCarrylessMultiply(e: Assembler): void {
  const [a, b] = [0, 1].map((whole) => {
    const [low, high, both] = [e.local(I64), e.local(I64), e.local(I64)] as const;
    e.get(whole).i64(0xffffffff).op(W.i64_and).set(low);
    e.get(whole).i64(32).op(W.i64_shr_u).set(high);
    e.get(low).get(high).op(W.i64_xor).set(both);
    return { low, high, both };
  }) as [Record<"low" | "high" | "both", number>, Record<"low" | "high" | "both", number>];
  const low = multiplyHalves(e, a.low, b.low);
  const high = multiplyHalves(e, a.high, b.high);
  const middle = multiplyHalves(e, a.both, b.both);
  e.get(middle).get(low).get(high).op(W.i64_xor, W.i64_xor).set(middle);
  e.get(low).get(middle).i64(32).op(W.i64_shl, W.i64_xor, V.i64x2_splat);
  e.get(high).get(middle).i64(32).op(W.i64_shr_u, W.i64_xor).lane(V.i64x2_replace_lane, 1);
}
