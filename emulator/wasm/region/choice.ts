/** A choice among known addresses: some comparisons, or a table that a hash without collisions leads into. */
import type { Assembler, Label } from "../emit/assembler.ts";
import { W } from "../emit/opcodes.ts";

/** So many addresses are compared one behind the other. */
const MOST_COMPARISONS = 3;
const LARGEST_TABLE_LOG = 9;
/** Odd multipliers to be tried, from the golden ratio on. */
const FIRST_FACTOR = 0x9e3779b1;
const FACTORS = 64;

interface Hash {
  readonly factor: number;
  readonly bits: number;
}

const hashOf = (address: number, { factor, bits }: Hash): number =>
  Math.imul((address % 4294967296) | 0, factor) >>> (32 - bits);

/** A hash under which all addresses are different, with the smallest table found. */
function perfectHash(addresses: readonly number[]): Hash | undefined {
  for (let bits = Math.ceil(Math.log2(addresses.length)); bits <= LARGEST_TABLE_LOG; bits++) {
    for (let i = 0; i < FACTORS; i++) {
      const hash = { factor: (FIRST_FACTOR + i * 0x3c6ef372) | 1, bits };
      if (new Set(addresses.map((address) => hashOf(address, hash))).size === addresses.length) return hash;
    }
  }
  return undefined;
}

/**
 * Writes what chooses by the i64 in a local: `write(i)`, which does not come back, for the address with the number i, and
 * a branch to `miss` for all others.
 */
export function choose(
  e: Assembler,
  local: number,
  addresses: readonly number[],
  miss: Label,
  write: (i: number) => void,
): void {
  const hash = addresses.length > MOST_COMPARISONS ? perfectHash(addresses) : undefined;
  if (!hash) {
    addresses.forEach((address, i) => {
      e.get(local).i64(address).op(W.i64_eq);
      e.if();
      write(i);
      e.end();
    });
    e.br(miss);
    return;
  }
  const labels = addresses.map(() => e.block());
  const table = new Array<Label>(1 << hash.bits).fill(miss);
  addresses.forEach((address, i) => (table[hashOf(address, hash)] = labels[i]!));
  e.get(local).wrap().i32(hash.factor).op(W.i32_mul);
  e.i32(32 - hash.bits).op(W.i32_shr_u);
  e.brTable([...table, miss]);
  for (let i = addresses.length - 1; i >= 0; i--) {
    e.end();
    e.get(local).i64(addresses[i]!).op(W.i64_ne).unlikely().brIf(miss);
    write(i);
  }
}
