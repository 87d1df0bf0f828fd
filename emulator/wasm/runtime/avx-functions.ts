/** Functions of the base module that work on vectors, in WebAssembly. */
import { I64, V128, type Assembler } from "../emit/assembler.ts";
import type { Signature } from "../emit/module-writer.ts";
import { writeCarrylessMultiply } from "./crypto-clmul.ts";
import { writeDecrypt, writeEncrypt, writeInverseMixColumns, writeSubstitute } from "./crypto-aes.ts";
import { writeFmaDoubles, writeFmaSingles } from "./fma-function.ts";

interface VectorFunction {
  readonly signature: Signature;
  /** @param fma index of the helper for what the function does not do itself */
  readonly write: (e: Assembler, fma: number) => void;
}

const vectors = (count: number): Signature => ({ parameters: Array<typeof V128>(count).fill(V128), results: [V128] });

export const VECTOR_FUNCTIONS = {
  /** (x, y, z, signs of the product, signs of the addend): x * y + z. */
  fmaSingles: { signature: vectors(5), write: writeFmaSingles },
  fmaDoubles: { signature: vectors(5), write: writeFmaDoubles },
  /** (state, round key). */
  aesEncrypt: { signature: vectors(2), write: (e) => writeEncrypt(e, false) },
  aesEncryptLast: { signature: vectors(2), write: (e) => writeEncrypt(e, true) },
  aesDecrypt: { signature: vectors(2), write: (e) => writeDecrypt(e, false) },
  aesDecryptLast: { signature: vectors(2), write: (e) => writeDecrypt(e, true) },
  aesInverseMix: { signature: vectors(1), write: writeInverseMixColumns },
  aesSubstitute: { signature: vectors(1), write: writeSubstitute },
  /** (a, b): the product without carries. */
  carrylessMultiply: { signature: { parameters: [I64, I64], results: [V128] }, write: writeCarrylessMultiply },
} satisfies Record<string, VectorFunction>;

export const VECTOR_SIGNATURES: Readonly<Record<string, Signature>> = Object.fromEntries(
  Object.entries(VECTOR_FUNCTIONS).map(([name, { signature }]) => [name, signature]),
);
