/** The x87 and SSE state between where generated code keeps it and the FXSAVE image (Intel SDM volume 1, 10.5). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_MXCSR, AT_X87, AT_X87_CONTROL, AT_X87_STATUS, AT_X87_TOP, AT_X87_USED, AT_XMM } from "../layout.ts";
import { needsStrictFloat } from "./strict-float.ts";

/** Behind the x87's registers (layout.ts): addresses of the last instruction and its operand (8 bytes each), opcode (2). */
export const AT_X87_FIP = AT_X87 + 144;
export const AT_X87_FDP = AT_X87 + 152;
export const AT_X87_FOP = AT_X87 + 160;
const POINTERS_END = AT_X87 + 168;
/** Not 0: floating point has to go by the helper that minds MXCSR, `Context.strictFloat` (4 bytes). */
export const AT_STRICT_FLOAT = AT_X87 + 168;
/** Not 0: the program has read MXCSR since it was loaded from an image (4 bytes). */
export const AT_MXCSR_READ = AT_X87 + 172;

const IMAGE_CONTROL = 0;
const IMAGE_STATUS = 2;
const IMAGE_USED = 4;
const IMAGE_FOP = 6;
const IMAGE_FIP = 8;
const IMAGE_FDP = 16;
const IMAGE_MXCSR = 24;
const IMAGE_MXCSR_MASK = 28;
const IMAGE_ST = 32;
const IMAGE_XMM = 160;
/** Bytes up to here are written; the rest is the program's. */
const IMAGE_END = 416;
/** A reserved byte, which no program sees: the task looks at exception flags. */
export const IMAGE_WATCHED = 463;
const ALL_MXCSR_BITS = 0xffff;
const OPCODE_BITS = 0x7ff;
const MXCSR_FLAGS = 0x3f;
const XMM_BYTES = 256;

const POINTERS = [
  [AT_X87_FIP, IMAGE_FIP],
  [AT_X87_FDP, IMAGE_FDP],
] as const;

/** Control word 37Fh, MXCSR 1F80h, registers zero: what Linux gives a new program. */
export function resetState(memory: PhysicalMemory): void {
  memory.u8.fill(0, AT_XMM, AT_XMM + XMM_BYTES);
  memory.u32[AT_MXCSR / 4] = 0x1f80;
  memory.u32[AT_STRICT_FLOAT / 4] = 0;
  memory.u32[AT_MXCSR_READ / 4] = 0;
  resetX87(memory);
  memory.u8.fill(0, AT_X87, AT_X87 + 128);
}

/** FNINIT: the registers keep their contents and are empty. */
export function resetX87({ u8, u32 }: PhysicalMemory): void {
  u8.fill(0, AT_X87_FIP, POINTERS_END);
  u32[AT_X87_CONTROL / 4] = 0x37f;
  u32[AT_X87_STATUS / 4] = 0;
  u32[AT_X87_TOP / 4] = 0;
  u32[AT_X87_USED / 4] = 0;
}

/**
 * LDMXCSR. A program that has read MXCSR and now clears its flags is about to look for exceptions (feclearexcept,
 * feholdexcept): from then on they are minded. Says whether that, or the control bits, change how code has to be translated.
 */
export function loadMxcsr({ u32 }: PhysicalMemory, value: number): boolean {
  const before = u32[AT_STRICT_FLOAT / 4] !== 0;
  const watched = before || (u32[AT_MXCSR_READ / 4] !== 0 && (value & MXCSR_FLAGS) === 0);
  const strict = needsStrictFloat(value) || watched;
  u32[AT_MXCSR / 4] = value;
  u32[AT_STRICT_FLOAT / 4] = strict ? 1 : 0;
  return strict !== before;
}

/** @param wide the form with REX.W, whose pointers have 64 bits; the other has 32 and selectors, which are 0 */
export function storeState({ u8, u32 }: PhysicalMemory, image: Uint8Array, wide = true): void {
  const top = u32[AT_X87_TOP / 4]!;
  const put = (offset: number, bytes: number, value: number): void => {
    for (let i = 0; i < bytes; i++) image[offset + i] = (value >>> (i * 8)) & 255;
  };
  image.fill(0, 0, IMAGE_MXCSR);
  put(IMAGE_CONTROL, 2, u32[AT_X87_CONTROL / 4]!);
  put(IMAGE_STATUS, 2, u32[AT_X87_STATUS / 4]! | (top << 11));
  put(IMAGE_USED, 1, u32[AT_X87_USED / 4]!);
  image.set(u8.subarray(AT_X87_FOP, AT_X87_FOP + 2), IMAGE_FOP);
  for (const [from, to] of POINTERS) image.set(u8.subarray(from, from + (wide ? 8 : 4)), to);
  put(IMAGE_MXCSR, 4, u32[AT_MXCSR / 4]!);
  put(IMAGE_MXCSR_MASK, 4, ALL_MXCSR_BITS);
  for (let i = 0; i < 8; i++) {
    const from = AT_X87 + ((top + i) & 7) * 16;
    image.set(u8.subarray(from, from + 10), IMAGE_ST + i * 16);
    image.fill(0, IMAGE_ST + i * 16 + 10, IMAGE_ST + i * 16 + 16);
  }
  image.set(u8.subarray(AT_XMM, AT_XMM + XMM_BYTES), IMAGE_XMM);
}

/**
 * Loads an image for a task. An unmasked exception flag pends from then on; the image's own summary bits do not count.
 */
export function loadState({ u8, u32 }: PhysicalMemory, image: Uint8Array, wide = true): void {
  const status = image[IMAGE_STATUS]! | (image[IMAGE_STATUS + 1]! << 8);
  const top = (status >> 11) & 7;
  const control = ((image[IMAGE_CONTROL]! | (image[IMAGE_CONTROL + 1]! << 8)) & 0x1f7f) | 0x40;
  const pending = (status & ~control & 0x3f) !== 0;
  u32[AT_X87_CONTROL / 4] = control;
  u32[AT_X87_STATUS / 4] = (status & ~0xb880) | (pending ? 0x8080 : 0);
  u32[AT_X87_TOP / 4] = top;
  u32[AT_X87_USED / 4] = image[IMAGE_USED]!;
  u8.fill(0, AT_X87_FIP, POINTERS_END);
  const opcode = (image[IMAGE_FOP]! | (image[IMAGE_FOP + 1]! << 8)) & OPCODE_BITS;
  u8.set([opcode & 255, opcode >> 8], AT_X87_FOP);
  for (const [to, from] of POINTERS) u8.set(image.subarray(from, from + (wide ? 8 : 4)), to);
  const mxcsr = (image[IMAGE_MXCSR]! | (image[IMAGE_MXCSR + 1]! << 8)) & ALL_MXCSR_BITS;
  u32[AT_MXCSR / 4] = mxcsr;
  // Flags in an image come from strict arithmetic: somebody looks at them.
  u32[AT_STRICT_FLOAT / 4] = needsStrictFloat(mxcsr) || (mxcsr & MXCSR_FLAGS) !== 0 ? 1 : 0;
  u32[AT_MXCSR_READ / 4] = 0;
  for (let i = 0; i < 8; i++) {
    u8.set(image.subarray(IMAGE_ST + i * 16, IMAGE_ST + i * 16 + 10), AT_X87 + ((top + i) & 7) * 16);
  }
  u8.set(image.subarray(IMAGE_XMM, IMAGE_END), AT_XMM);
}

/**
 * Loads an image as FXRSTOR and XRSTOR do: a program that looks for exceptions still does, for lazy binding of a function
 * (glibc's _dl_runtime_resolve) ends in one of them. Says whether code has to be translated differently now.
 */
export function restoreState(memory: PhysicalMemory, image: Uint8Array, wide = true): boolean {
  const { u32 } = memory;
  const [strict, wasRead] = [u32[AT_STRICT_FLOAT / 4]!, u32[AT_MXCSR_READ / 4]!];
  loadState(memory, image, wide);
  u32[AT_STRICT_FLOAT / 4]! |= strict;
  u32[AT_MXCSR_READ / 4] = wasRead;
  return u32[AT_STRICT_FLOAT / 4] !== strict;
}

/** The state of a task that is not running: the image, and in a reserved byte whether it looks at exception flags. */
export function storeTaskState(memory: PhysicalMemory, image: Uint8Array): void {
  storeState(memory, image);
  image[IMAGE_WATCHED] = memory.u32[AT_STRICT_FLOAT / 4]!;
}

export function loadTaskState(memory: PhysicalMemory, image: Uint8Array): void {
  loadState(memory, image);
  if (image[IMAGE_WATCHED] !== 0) memory.u32[AT_STRICT_FLOAT / 4] = 1;
}
