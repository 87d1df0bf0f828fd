/** What of two processors is compared, and what is known to differ without a meaning. */
import {
  PF_PRESENT,
  PF_WRITE,
  STOP_BUDGET,
  STOP_FAULT,
  STOP_HALT,
  STOP_SYSCALL,
  STOP_TRAP,
  VECTOR_PF,
  type Stop,
} from "../engine.ts";
import { REGISTER_NAMES, RFLAGS, type CpuState } from "../registers.ts";

/** CF, PF, ZF, SF, DF, OF. AF is left out: too many instructions leave it undefined. */
export const COMPARED_FLAGS = 0xcc5n;
export const ALL_BITS = 0xffffffffffffffffn;

/** One thing that is not the same on both sides. */
export interface Unequal {
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

const STOP_NAMES = {
  [STOP_SYSCALL]: "system call",
  [STOP_FAULT]: "fault",
  [STOP_TRAP]: "trap",
  [STOP_BUDGET]: "still running",
  [STOP_HALT]: "halt",
} as const;

/** A stop in words: kind, vector, error code and address as far as they mean something. */
export function describeStop(stop: Stop): string {
  const name = STOP_NAMES[stop.kind];
  if (stop.kind !== STOP_FAULT && stop.kind !== STOP_TRAP) return name;
  if (stop.kind === STOP_TRAP || stop.vector !== VECTOR_PF) return `${name} ${stop.vector} (${stop.errorCode})`;
  const address = BigInt(stop.addressHigh >>> 0) * 0x1_0000_0000n + BigInt(stop.addressLow >>> 0);
  return `page fault at ${address.toString(16)}, error code ${stop.errorCode}`;
}

/**
 * Whether two stops are one. Reading before writing an absent page (error code 4 for 6) is Unicorn's way to execute
 * read-modify-write instructions, see emulator/unicorn/README.md.
 */
export function sameStop(a: Stop, b: Stop): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind !== STOP_FAULT && a.kind !== STOP_TRAP) return true;
  if (a.vector !== b.vector) return false;
  if (a.kind === STOP_TRAP) return true;
  if (a.vector !== VECTOR_PF) return a.errorCode === b.errorCode;
  const ignored = (a.errorCode & PF_PRESENT) === 0 ? PF_WRITE : 0;
  return (
    ((a.errorCode ^ b.errorCode) & ~ignored) === 0 &&
    a.addressLow >>> 0 === b.addressLow >>> 0 &&
    a.addressHigh >>> 0 === b.addressHigh >>> 0
  );
}

/** General registers, RIP, flags in `flags`, segment bases. */
export function compareRegisters(a: CpuState, b: CpuState, flags: bigint, found: Unequal[]): void {
  for (let i = 0; i < 20; i++) {
    if (a.u32[i * 2] === b.u32[i * 2] && a.u32[i * 2 + 1] === b.u32[i * 2 + 1]) continue;
    const mask = i === RFLAGS ? flags : ALL_BITS;
    const [x, y] = [a.u64[i]! & mask, b.u64[i]! & mask];
    if (x !== y) found.push({ what: REGISTER_NAMES[i]!, first: x.toString(16), second: y.toString(16) });
  }
}

const FCW = 0;
const FSW = 2;
const FTW = 4;
const MXCSR = 24;
const ST = 32;
const ST_BYTES = 10;
const XMM = 160;
const FXSAVE_END = 416;
/** Bit 6 is always set on a processor, and what was loaded on Unicorn. */
const COMPARED_FCW = 0xffbf;
/** TOP and the condition codes but C1, which many instructions leave undefined. */
const COMPARED_FSW = 0x7d00;
/** All but the exception flags: Unicorn 2.1.1 leaves SSE instructions without them (docs/lockstep.md). */
const COMPARED_MXCSR = 0xffc0;

/** The FXSAVE images: XMM, the used x87 registers, control, status and tags. */
export function compareFpu(a: Uint8Array, b: Uint8Array, found: Unequal[]): void {
  if (sameBytes(a, b, XMM, FXSAVE_END) && sameBytes(a, b, 0, XMM)) return;
  const word = (image: Uint8Array, at: number): number => image[at]! | (image[at + 1]! << 8);
  const words = [
    ["fcw", FCW, COMPARED_FCW],
    ["fsw", FSW, COMPARED_FSW],
    ["ftw", FTW, 0xff],
    ["mxcsr", MXCSR, COMPARED_MXCSR],
  ] as const;
  for (const [what, at, mask] of words) {
    const [x, y] = [word(a, at) & mask, word(b, at) & mask];
    if (x !== y) found.push({ what, first: x.toString(16), second: y.toString(16) });
  }
  const top = (word(a, FSW) >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const used = (a[FTW]! & b[FTW]! & (1 << ((top + i) & 7))) !== 0;
    if (used) compareBytes(`st${i}`, a, b, ST + 16 * i, ST_BYTES, found);
  }
  for (let i = 0; i < 16; i++) compareBytes(`xmm${i}`, a, b, XMM + 16 * i, 16, found);
}

function compareBytes(what: string, a: Uint8Array, b: Uint8Array, at: number, size: number, found: Unequal[]): void {
  if (sameBytes(a, b, at, at + size)) return;
  found.push({ what, first: littleEndian(a, at, size), second: littleEndian(b, at, size) });
}

/** A number of `size` bytes, most significant digit first. */
export function littleEndian(bytes: Uint8Array, at: number, size: number): string {
  let text = "";
  for (let i = at; i < at + size; i++) text = bytes[i]!.toString(16).padStart(2, "0") + text;
  return text;
}

function sameBytes(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}
