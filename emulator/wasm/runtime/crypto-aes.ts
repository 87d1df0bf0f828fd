/** The rounds of AES (FIPS 197) as WebAssembly on v128, without tables in memory. */
import { V128, type Assembler } from "../emit/assembler.ts";
import { simd, V } from "../emit/opcodes.ts";

const POLYNOMIAL = 0x1b;

const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? POLYNOMIAL : 0)) & 255;

/** Inverses in GF(2^8), 0 for 0: the powers of 3 go through all other elements, and a power and its inverse add up to 255. */
function inverses(): Uint8Array {
  const powers = new Uint8Array(256);
  for (let i = 0, x = 1; i < 255; i++, x ^= double(x)) powers[i] = x;
  powers[255] = 1;
  const result = new Uint8Array(256);
  for (let i = 0; i < 255; i++) result[powers[i]!] = powers[255 - i]!;
  return result;
}

/** The affine map that follows (FIPS 197, section 5.1.1). */
function affine(x: number): number {
  let result = 0x63;
  for (let turn = 0; turn < 5; turn++) result ^= ((x << turn) | (x >> (8 - turn))) & 255;
  return result;
}

/** SubBytes for all bytes, made when first asked for: most programs never need it. */
let tables: { readonly forward: Uint8Array; readonly inverse: Uint8Array } | undefined;

function substitutions(): NonNullable<typeof tables> {
  if (!tables) {
    const forward = inverses().map(affine);
    const inverse = new Uint8Array(256);
    forward.forEach((value, x) => (inverse[value] = x));
    tables = { forward, inverse };
  }
  return tables;
}

/** Replaces the vector on the stack by table entries, sixteen at a time: a swizzle gives 0 where it does not apply. */
function substituteBytes(e: Assembler, table: Uint8Array): void {
  const [index, result] = [e.local(V128), e.local(V128)];
  e.set(index).v128(new Uint8Array(16)).set(result);
  for (let from = 0; from < 256; from += 16) {
    e.get(result)
      .v128(table.subarray(from, from + 16))
      .get(index)
      .op(V.i8x16_swizzle, V.or)
      .set(result);
    e.get(index).i32(16).op(V.i8x16_splat, simd("i8x16_sub")).set(index);
  }
  e.get(result);
}

/** Byte r + 4c of the state is row r of column c. */
const rows = (from: (row: number, column: number) => number): number[] =>
  Array.from({ length: 16 }, (_, i) => from(i % 4, Math.floor(i / 4)));

const SHIFT_ROWS = rows((row, column) => row + 4 * ((column + row) % 4));
const INVERSE_SHIFT_ROWS = rows((row, column) => row + 4 * ((column - row + 4) % 4));
/** Each byte becomes the one `by` rows further down its column. */
const turned = (by: number): number[] => rows((row, column) => ((row + by) % 4) + 4 * column);

function permute(e: Assembler, lanes: readonly number[]): void {
  const value = e.local(V128);
  e.tee(value).get(value).shuffle(lanes);
}

/** A local with the double of each byte of a local, in GF(2^8). */
function doubled(e: Assembler, a: number): number {
  const result = e.local(V128);
  e.get(a).get(a).op(simd("i8x16_add"));
  e.get(a).i32(7).op(simd("i8x16_shr_s")).i32(POLYNOMIAL).op(V.i8x16_splat, V.and, V.xor).set(result);
  return result;
}

/** Multiplies the columns on the stack by 2, 3, 1, 1 (FIPS 197, section 5.1.3). */
function mixColumns(e: Assembler): void {
  const a = e.local(V128);
  e.set(a);
  const twice = doubled(e, a);
  e.get(twice).get(twice).get(a).op(V.xor);
  permute(e, turned(1));
  for (const by of [2, 3]) {
    e.op(V.xor).get(a);
    permute(e, turned(by));
  }
  e.op(V.xor);
}

/** Multiplies the columns on the stack by 14, 11, 13, 9 (FIPS 197, section 5.3.3). */
function inverseMixColumns(e: Assembler): void {
  const a = e.local(V128);
  e.set(a);
  const a2 = doubled(e, a);
  const a4 = doubled(e, a2);
  const a8 = doubled(e, a4);
  [
    [a8, a4, a2],
    [a8, a2, a],
    [a8, a4, a],
    [a8, a],
  ].forEach((terms, by) => {
    terms.forEach((term, i) => {
      e.get(term);
      if (i > 0) e.op(V.xor);
    });
    permute(e, turned(by));
    if (by > 0) e.op(V.xor);
  });
}

/** (state, round key): AESENC, AESENCLAST. */
export function writeEncrypt(e: Assembler, last: boolean): void {
  e.get(0);
  permute(e, SHIFT_ROWS);
  substituteBytes(e, substitutions().forward);
  if (!last) mixColumns(e);
  e.get(1).op(V.xor);
}

/** (state, round key): AESDEC, AESDECLAST. */
export function writeDecrypt(e: Assembler, last: boolean): void {
  e.get(0);
  permute(e, INVERSE_SHIFT_ROWS);
  substituteBytes(e, substitutions().inverse);
  if (!last) inverseMixColumns(e);
  e.get(1).op(V.xor);
}

/** (round key): AESIMC. */
export function writeInverseMixColumns(e: Assembler): void {
  e.get(0);
  inverseMixColumns(e);
}

/** (vector): SubBytes, for AESKEYGENASSIST. */
export function writeSubstitute(e: Assembler): void {
  e.get(0);
  substituteBytes(e, substitutions().forward);
}
