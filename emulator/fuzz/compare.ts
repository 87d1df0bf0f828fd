/** What the host and an engine made of the same case, laid side by side. */
import { REGISTER_NAMES } from "../registers.ts";
import type { EngineResult } from "./engine-runner.ts";
import {
  STATE_FXSAVE,
  STATE_RFLAGS,
  STATE_RIP,
  STATE_SIZE,
  STATE_ST,
  STATE_XMM,
  STATE_YMM,
  type Batch,
  type HardwareResult,
} from "./protocol.ts";
import { itemAt, rflagsMask, STATUS_FLAGS, statusWordMask, undefinedAt, X87_FLAGS, type Sequence } from "./sequence.ts";
import { WRITABLE_PAGES } from "./windows.ts";
import { PAGE_SIZE } from "../physical-memory.ts";

const PF = 14;
const BP = 3;
/** CF PF AF ZF SF TF DF OF NT AC ID: not RF, IF and the reserved bits. */
const COMPARED_RFLAGS = 0x244dd5;
const MXCSR_AT = STATE_FXSAVE + 24;
const MXCSR_FLAGS = 0x3f;
/** The defined bits, and AMD's misaligned mode (bit 17). */
const MXCSR_BITS = 0x2ffff;

export interface Difference {
  /** `stop`, `rip`, `rflags`, a register, `fcw`, `fsw`, `ftw`, `mxcsr`, or `memory` with the address in `at`. */
  readonly what: string;
  readonly at?: number;
  readonly hardware: string;
  readonly engine: string;
}

export interface CompareOptions {
  /** Compare the exception flags of MXCSR, too. */
  readonly strict: boolean;
  /** Compare the upper halves of YMM registers. */
  readonly ymm: boolean;
}

/** The comparison of results against one batch. */
export class Comparison {
  private readonly batch: Batch;
  private readonly options: CompareOptions;
  private readonly expected: Uint8Array;
  private readonly expectedView: DataView;

  constructor(batch: Batch, options: CompareOptions) {
    this.batch = batch;
    this.options = options;
    this.expected = batch.contents.slice(0, WRITABLE_PAGES * PAGE_SIZE);
    this.expectedView = new DataView(this.expected.buffer);
  }

  /** All differences in a case, none when there are none that matter. */
  differences(number: number, hardware: HardwareResult, engine: EngineResult): Difference[] {
    const sequence = this.batch.sequences[number]!;
    const found: Difference[] = [];
    compareStop(hardware, engine, found);
    this.compareRegisters(sequence, hardware, engine.state, found);
    this.compareMemory(hardware, engine.memory, found);
    return found;
  }

  private compareRegisters(sequence: Sequence, hardware: HardwareResult, b: Uint8Array, found: Difference[]): void {
    const a = hardware.state;
    const end = this.options.ymm ? STATE_SIZE : STATE_YMM;
    if (same(a, b, 0, STATE_RFLAGS) && same(a, b, STATE_ST, end)) {
      // The common case: only flags and control words are left.
    } else {
      for (let i = 0; i <= 16; i++) addRange(found, REGISTER_NAMES[i]!, a, b, i * 8, 8);
      for (let i = 0; i < 8; i++) addRange(found, `st${i}`, a, b, STATE_ST + i * 16, 10);
      for (let i = 0; i < 16; i++) addRange(found, `xmm${i}`, a, b, STATE_XMM + i * 16, 16);
      if (this.options.ymm) for (let i = 0; i < 16; i++) addRange(found, `ymm${i}h`, a, b, STATE_YMM + i * 16, 16);
    }
    const undefinedFlags = undefinedAt(sequence, stopIndex(sequence, hardware));
    addMasked(found, "rflags", a, b, STATE_RFLAGS, 4, COMPARED_RFLAGS & ~rflagsMask(undefinedFlags & STATUS_FLAGS));
    addMasked(found, "fcw", a, b, STATE_FXSAVE, 2, 0xffff);
    addMasked(found, "fsw", a, b, STATE_FXSAVE + 2, 2, 0xffff & ~statusWordMask(undefinedFlags & X87_FLAGS));
    addMasked(found, "ftw", a, b, STATE_FXSAVE + 4, 1, 0xff);
    addMasked(found, "mxcsr", a, b, MXCSR_AT, 4, this.options.strict ? MXCSR_BITS : MXCSR_BITS & ~MXCSR_FLAGS);
  }

  private compareMemory(hardware: HardwareResult, memory: Uint8Array, found: Difference[]): void {
    const { expected, expectedView, batch } = this;
    const { changes } = hardware;
    for (let i = 0; i < changes.length; i += 3) {
      expectedView.setUint32(changes[i]!, changes[i + 1]!, true);
      expectedView.setUint32(changes[i]! + 4, changes[i + 2]!, true);
    }
    if (!sameBytes(expected, memory)) {
      for (let at = 0; at < expected.length; at += 8) {
        const page = batch.pages[Math.floor(at / PAGE_SIZE)]!;
        addRange(found, "memory", expected, memory, at, 8, page.address + (at % PAGE_SIZE));
      }
    }
    for (let i = 0; i < changes.length; i += 3) {
      expected.set(batch.contents.subarray(changes[i]!, changes[i]! + 8), changes[i]!);
    }
  }
}

/** The item in front of which the host stopped: the number of items at the int3 behind them. */
export function stopIndex(sequence: Sequence, { vector, state }: HardwareResult): number {
  return itemAt(sequence, word(state, STATE_RIP, 6) - (vector === BP ? 1 : 0));
}

function compareStop(hardware: HardwareResult, engine: EngineResult, found: Difference[]): void {
  const [a, b] = [stopText(hardware), engine.exception || stopText(engine)];
  if (a !== b) found.push({ what: "stop", hardware: a, engine: b });
}

type Stopped = Pick<EngineResult, "vector" | "errorCode" | "addressLow" | "addressHigh">;

function stopText({ vector, errorCode, addressLow, addressHigh }: Stopped): string {
  if (vector !== PF) return `vector ${vector} error ${errorCode}`;
  // Linux says of every address that is not a program's that its page is present: from the last page of the lower half on.
  const beyond = addressHigh > 0x7fff || (addressHigh === 0x7fff && addressLow >= 0xfffff000);
  const error = beyond ? errorCode | 1 : errorCode;
  return `vector 14 error ${error} address ${hex(addressHigh)}${hex(addressLow)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function same(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Node has a fast way, which this folder must not name: see testing/main.ts. */
export let sameBytes = (a: Uint8Array, b: Uint8Array): boolean => same(a, b, 0, a.length);

/** Puts a faster comparison in. */
export function provideSameBytes(compare: (a: Uint8Array, b: Uint8Array) => boolean): void {
  sameBytes = compare;
}

function word(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function textOf(bytes: Uint8Array, at: number, size: number): string {
  return [...bytes.subarray(at, at + size)]
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

function addRange(
  found: Difference[],
  what: string,
  a: Uint8Array,
  b: Uint8Array,
  from: number,
  size: number,
  at?: number,
): void {
  if (same(a, b, from, from + size)) return;
  const texts = { hardware: textOf(a, from, size), engine: textOf(b, from, size) };
  found.push(at === undefined ? { what, ...texts } : { what, at, ...texts });
}

function addMasked(
  found: Difference[],
  what: string,
  a: Uint8Array,
  b: Uint8Array,
  at: number,
  size: number,
  mask: number,
): void {
  const [x, y] = [word(a, at, size) & mask, word(b, at, size) & mask];
  if (x !== y) found.push({ what, hardware: (x >>> 0).toString(16), engine: (y >>> 0).toString(16) });
}
