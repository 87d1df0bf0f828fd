/** The guest's address space in the fuzzer: the same pages at the same addresses on hardware and on an engine. */
import { PAGE_SIZE } from "../physical-memory.ts";
import type { Random } from "./random.ts";
import { double, integer64, single, writeExtended, writeVector } from "./values.ts";

export const CODE = 0x10000000;
/** Of every so many code pages the last is absent, so that sequences run into the end of code. */
export const CODE_HOLE = 16;
export const DATA = 0x20000000;
export const STACK = 0x30000000;
/** Beyond 32 bits. */
export const HIGH = 0x523456000;
export const FS_BASE = 0x1f00_1238;
export const GS_BASE = HIGH - 0x1000;

export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;

export interface WindowPage {
  readonly address: number;
  readonly access: number;
}

const PAGES: readonly (readonly [address: number, access: number])[] = [
  [DATA, READ | WRITE],
  [DATA + PAGE_SIZE, READ | WRITE],
  [DATA + 4 * PAGE_SIZE, READ | WRITE],
  [STACK, READ | WRITE],
  [STACK + PAGE_SIZE, READ | WRITE],
  [HIGH, READ | WRITE],
  [DATA + 2 * PAGE_SIZE, READ],
];

/** All pages but those of code; the writable ones first. Between and around them nothing is mapped. */
export const DATA_PAGES: readonly WindowPage[] = PAGES.map(([address, access]) => ({ address, access }));
export const WRITABLE_PAGES = DATA_PAGES.filter(({ access }) => (access & WRITE) !== 0).length;

/** Where prepared operands of FXRSTOR, LDMXCSR, FLDCW, FLDENV and FRSTOR lie: others would fault or unmask exceptions. */
export const PREPARED = DATA + 4 * PAGE_SIZE;
const PREPARED_SIZE = 512;
export const PREPARED_COUNT = 4;

/** The addresses that operands get. */
export function operandAddress(random: Random, size: number): number {
  const aligned = size >= 16 ? random.chance(0.88) : random.chance(0.5);
  const place = (start: number, length: number): number => {
    const at = start + random.below(Math.max(1, length - size));
    return aligned ? at - (at % Math.min(size || 1, 16)) : at;
  };
  const across = (border: number): number => (size < 2 ? border - 1 : border - 1 - random.below(size - 1));
  const kind = random.below(100);
  if (kind < 62) return place(DATA, 2 * PAGE_SIZE);
  if (kind < 76) return place(STACK, 2 * PAGE_SIZE);
  if (kind < 84) return place(HIGH, PAGE_SIZE);
  if (kind < 88) return across(DATA + PAGE_SIZE);
  if (kind < 92) return place(DATA + 2 * PAGE_SIZE, PAGE_SIZE);
  if (kind < 94) return place(DATA + 3 * PAGE_SIZE, PAGE_SIZE);
  return across(
    random.pick([DATA, DATA + 2 * PAGE_SIZE, DATA + 3 * PAGE_SIZE, DATA + 4 * PAGE_SIZE, HIGH + PAGE_SIZE]),
  );
}

/** An address that a register may well hold: inside the windows, mostly with room on both sides. */
export function pointer(random: Random): number {
  if (random.chance(0.1)) return operandAddress(random, 8);
  const address = random.pick([DATA + 2048, DATA + 2048, DATA + 4096, STACK + 2048, HIGH + 1024]) + random.below(2048);
  return random.chance(0.7) ? address - (address % 16) : address;
}

/** An operand for the instructions that load control state. */
export function preparedAddress(random: Random): number {
  return PREPARED + PREPARED_SIZE * random.below(PREPARED_COUNT);
}

/** Contents of all data pages, in their order. */
export function dataContents(random: Random, strict: boolean): Uint8Array {
  const bytes = new Uint8Array(DATA_PAGES.length * PAGE_SIZE);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 16) {
    const kind = random.below(6);
    writeVector(random, view, at);
    if (kind === 0) writeExtended(random, view, at);
    if (kind === 1) view.setUint32(at, single(random), true);
    if (kind === 2)
      [double(random), integer64(random)].forEach(([low, high], i) => {
        view.setUint32(at + i * 8, low, true);
        view.setUint32(at + i * 8 + 4, high, true);
      });
  }
  const start = DATA_PAGES.findIndex(({ address }) => address === PREPARED) * PAGE_SIZE;
  for (let i = 0; i < PREPARED_COUNT; i++) writePrepared(random, view, start + i * PREPARED_SIZE, i, strict);
  return bytes;
}

/** Control words with all exceptions masked: all precisions and roundings of the x87. */
export function controlWord(random: Random): number {
  return 0x7f | (random.pick([0, 2, 3, 3]) << 8) | (random.below(4) << 10);
}

/** MXCSR: the default, or in strict mode any rounding, FTZ, DAZ and flags with all exceptions masked. */
export function mxcsr(random: Random, strict: boolean): number {
  if (!strict || random.chance(0.3)) return 0x1f80;
  return (
    0x1f80 |
    (random.below(4) << 13) |
    (random.chance(0.2) ? 0x8000 : 0) |
    (random.chance(0.2) ? 0x40 : 0) |
    random.below(64)
  );
}

/** The first is an FXSAVE image; the second MXCSR; others x87 environments, which begin with a control word. */
function writePrepared(random: Random, view: DataView, at: number, index: number, strict: boolean): void {
  view.setUint16(at, controlWord(random), true);
  if (index < 2) {
    view.setUint16(at + 2, random.below(8) << 11, true);
    view.setUint16(at + 4, random.u32() & 0xff, true);
    view.setUint32(at + 24, mxcsr(random, strict), true);
    for (let i = 32; i < 160; i += 16) writeExtended(random, view, at + i);
  } else {
    view.setUint16(at + 2, 0, true);
    view.setUint16(at + 4, random.below(8) << 11, true);
    view.setUint16(at + 6, 0, true);
    view.setUint16(at + 8, random.u32(), true);
    for (let i = 28; i < 108; i += 10) writeExtended(random, view, at + i);
  }
}
