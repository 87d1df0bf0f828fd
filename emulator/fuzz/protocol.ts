/**
 * What a batch is, and its bytes for the native harness (native/harness.c).
 *
 * Input: header (magic, pages, cases, tick; FS and GS base), page table, page contents, one register file a case.
 * Output: for each case a result header, its register file and the changed words of memory; an end mark.
 *
 * | offset in a register file | size | what |
 * |---|---|---|
 * | 0 | 128 | RAX RCX RDX RBX RSP RBP RSI RDI R8 … R15 |
 * | 128 | 16 | RIP, RFLAGS |
 * | 144 | 416 | FXSAVE image up to XMM15 (Intel SDM volume 1, section 10.5) |
 * | 560 | 256 | upper halves of YMM0 to YMM15 |
 */
import type { Sequence } from "./sequence.ts";
import { FS_BASE, GS_BASE, type WindowPage } from "./windows.ts";

export const STATE_SIZE = 816;
export const STATE_RIP = 128;
export const STATE_RFLAGS = 136;
export const STATE_FXSAVE = 144;
export const STATE_ST = STATE_FXSAVE + 32;
export const STATE_XMM = STATE_FXSAVE + 160;
export const STATE_YMM = 560;

const MAGIC = 0x31464754;
const HEADER_SIZE = 32;
const PAGE_ENTRY_SIZE = 16;
const RESULT_HEADER_SIZE = 24;
const CHANGE_SIZE = 12;
const END = 0xffffffff;
/** Vector of a case that used up its time. */
export const TIMED_OUT = 0x100;
/** After one to two of these (user time) a case has used up its time. */
const TICK_US = 10_000;

/** Cases with the memory they start from. */
export interface Batch {
  /** Code pages behind the data pages of windows.ts. */
  readonly pages: readonly WindowPage[];
  readonly contents: Uint8Array;
  readonly sequences: readonly Sequence[];
  /** Register files, STATE_SIZE each. */
  readonly states: Uint8Array;
}

/** What became of a case on the host. */
export interface HardwareResult {
  readonly vector: number;
  readonly errorCode: number;
  readonly addressLow: number;
  readonly addressHigh: number;
  readonly state: Uint8Array;
  /** Pairs: offset of a changed 8-byte word in `contents`, and (as two more entries) its halves. */
  readonly changes: Uint32Array;
}

export function encodeBatch(batch: Batch): Uint8Array {
  const { pages, contents, sequences, states } = batch;
  const table = HEADER_SIZE + pages.length * PAGE_ENTRY_SIZE;
  const bytes = new Uint8Array(table + contents.length + sequences.length * STATE_SIZE);
  const view = new DataView(bytes.buffer);
  [MAGIC, pages.length, sequences.length, TICK_US].forEach((value, i) => view.setUint32(i * 4, value, true));
  view.setBigUint64(16, BigInt(FS_BASE), true);
  view.setBigUint64(24, BigInt(GS_BASE), true);
  pages.forEach(({ address, access }, i) => {
    view.setBigUint64(HEADER_SIZE + i * PAGE_ENTRY_SIZE, BigInt(address), true);
    view.setUint32(HEADER_SIZE + i * PAGE_ENTRY_SIZE + 8, access, true);
  });
  bytes.set(contents, table);
  bytes.set(states.subarray(0, sequences.length * STATE_SIZE), table + contents.length);
  return bytes;
}

export interface HardwareOutput {
  /** Fewer than there are cases when the harness died in the next one. */
  readonly results: readonly HardwareResult[];
  readonly complete: boolean;
  /** False: a case has written to the harness itself. */
  readonly intact: boolean;
}

export function decodeOutput(bytes: Uint8Array): HardwareOutput {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const results: HardwareResult[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const number = view.getUint32(at, true);
    if (number === END) return { results, complete: true, intact: view.getUint32(at + 4, true) === 1 };
    if (number !== results.length)
      throw new Error(`result ${number} of the harness stands where ${results.length} should`);
    const end = at + RESULT_HEADER_SIZE + STATE_SIZE;
    if (end > bytes.length) break;
    const count = view.getUint32(at + 12, true);
    if (end + count * CHANGE_SIZE > bytes.length) break;
    const changes = new Uint32Array(count * 3);
    for (let i = 0; i < changes.length; i++) changes[i] = view.getUint32(end + i * 4, true) * (i % 3 === 0 ? 8 : 1);
    results.push({
      vector: view.getUint32(at + 4, true),
      errorCode: view.getUint32(at + 8, true),
      addressLow: view.getUint32(at + 16, true),
      addressHigh: view.getUint32(at + 20, true),
      state: bytes.subarray(at + RESULT_HEADER_SIZE, end),
      changes,
    });
    at = end + count * CHANGE_SIZE;
  }
  return { results, complete: false, intact: true };
}
