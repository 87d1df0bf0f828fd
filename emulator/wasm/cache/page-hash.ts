/**
 * A hash of a page's bytes, as a WebAssembly function: a start asks for that of some hundred pages, before V8 has
 * compiled any loop in JavaScript.
 */
import { PAGE_SIZE } from "../../physical-memory.ts";
import { I32, I64, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";

/** Odd numbers without a pattern: bits of the golden ratio and of the square root of 2. */
const FACTORS = [-0x61c8864680b583ebn, 0x6a09e667f3bcc909n] as const;

/** Takes the address of a page in RAM, returns 64 bits: words are mixed in by multiplying and rotating. */
export function writePageHash(e: Assembler): void {
  const address = 0;
  const end = e.local(I32);
  const hash = e.local(I64);
  e.get(address).i32(PAGE_SIZE).op(W.i32_add).set(end);
  const again = e.loop();
  e.get(hash).get(address).memory(Memory.i64_load).op(W.i64_xor).i64(FACTORS[0]).op(W.i64_mul);
  e.i64(29).op(W.i64_rotl).i64(FACTORS[1]).op(W.i64_add).set(hash);
  e.get(address).i32(8).op(W.i32_add).tee(address).get(end).op(W.i32_lt_u).brIf(again);
  e.end();
  for (const factor of FACTORS) {
    e.get(hash).get(hash).i64(32).op(W.i64_shr_u, W.i64_xor).i64(factor).op(W.i64_mul).set(hash);
  }
  e.get(hash).get(hash).i64(32).op(W.i64_shr_u, W.i64_xor);
}
