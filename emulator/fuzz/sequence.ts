/** A generated piece of code: what a case executes. */

export interface Item {
  /** iced's Code; 0 for bytes that are no instruction. */
  readonly code: number;
  readonly offset: number;
  readonly length: number;
  /** Flags (iced's RflagsBits) that earlier instructions have left undefined when this one starts. */
  readonly undefinedBefore: number;
  /** False behind a branch: whether it was executed cannot be told from where the case stopped. */
  readonly straight: boolean;
}

export interface Sequence {
  readonly address: number;
  /** With the int3 that ends it, unless a missing code page cuts it off. */
  readonly bytes: Uint8Array;
  readonly items: readonly Item[];
  readonly undefinedAfter: number;
  /** The form it was made for. */
  readonly chosen: number;
}

/** The item that starts at or contains an address; the number of items when it is behind them all; -1 outside. */
export function itemAt(sequence: Sequence, address: number): number {
  const offset = address - sequence.address;
  if (offset < 0 || offset > sequence.bytes.length) return -1;
  const index = sequence.items.findIndex((item) => offset < item.offset + item.length);
  return index < 0 ? sequence.items.length : index;
}

/** Flags undefined when the case stops in front of an item. */
export function undefinedAt(sequence: Sequence, index: number): number {
  if (index < 0) return ALL_FLAGS;
  return sequence.items[index]?.undefinedBefore ?? sequence.undefinedAfter;
}

/** iced's RflagsBits: OF SF ZF AF CF PF and C0 to C3. */
export const STATUS_FLAGS = 0x3f;
export const X87_FLAGS = 0x3c00;
export const ALL_FLAGS = STATUS_FLAGS | X87_FLAGS;

/** The bits of RFLAGS for iced's OF SF ZF AF CF PF. */
export function rflagsMask(flags: number): number {
  const BITS = [0x800, 0x80, 0x40, 0x10, 1, 4];
  return BITS.reduce((mask, bit, i) => ((flags & (1 << i)) !== 0 ? mask | bit : mask), 0);
}

/** The bits of the x87 status word for iced's C0 to C3. */
export function statusWordMask(flags: number): number {
  const BITS = [0x100, 0x200, 0x400, 0x4000];
  return BITS.reduce((mask, bit, i) => ((flags & (0x400 << i)) !== 0 ? mask | bit : mask), 0);
}
