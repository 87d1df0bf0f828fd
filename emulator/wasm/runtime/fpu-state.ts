/** The x87 and SSE state between where generated code keeps it and the FXSAVE image (Intel SDM volume 1, 10.5). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_MXCSR, AT_X87, AT_X87_CONTROL, AT_X87_STATUS, AT_X87_TOP, AT_X87_USED, AT_XMM } from "../layout.ts";

const IMAGE_CONTROL = 0;
const IMAGE_STATUS = 2;
const IMAGE_USED = 4;
const IMAGE_MXCSR = 24;
const IMAGE_MXCSR_MASK = 28;
const IMAGE_ST = 32;
const IMAGE_XMM = 160;
/** Bytes up to here are written; the rest is the program's. */
const IMAGE_END = 416;
const ALL_MXCSR_BITS = 0xffff;
const XMM_BYTES = 256;

/** Control word 37Fh, MXCSR 1F80h, registers zero: what Linux gives a new program. */
export function resetState(memory: PhysicalMemory): void {
  memory.u8.fill(0, AT_XMM, AT_XMM + XMM_BYTES);
  memory.u32[AT_MXCSR / 4] = 0x1f80;
  resetX87(memory);
  memory.u8.fill(0, AT_X87, AT_X87 + 128);
}

/** FNINIT: the registers keep their contents and are empty. */
export function resetX87({ u32 }: PhysicalMemory): void {
  u32[AT_X87_CONTROL / 4] = 0x37f;
  u32[AT_X87_STATUS / 4] = 0;
  u32[AT_X87_TOP / 4] = 0;
  u32[AT_X87_USED / 4] = 0;
}

export function storeState({ u8, u32 }: PhysicalMemory, image: Uint8Array): void {
  const top = u32[AT_X87_TOP / 4]!;
  const put = (offset: number, bytes: number, value: number): void => {
    for (let i = 0; i < bytes; i++) image[offset + i] = (value >>> (i * 8)) & 255;
  };
  image.fill(0, 0, IMAGE_MXCSR);
  put(IMAGE_CONTROL, 2, u32[AT_X87_CONTROL / 4]!);
  put(IMAGE_STATUS, 2, u32[AT_X87_STATUS / 4]! | (top << 11));
  put(IMAGE_USED, 1, u32[AT_X87_USED / 4]!);
  put(IMAGE_MXCSR, 4, u32[AT_MXCSR / 4]!);
  put(IMAGE_MXCSR_MASK, 4, ALL_MXCSR_BITS);
  for (let i = 0; i < 8; i++) {
    const from = AT_X87 + ((top + i) & 7) * 16;
    image.set(u8.subarray(from, from + 10), IMAGE_ST + i * 16);
    image.fill(0, IMAGE_ST + i * 16 + 10, IMAGE_ST + i * 16 + 16);
  }
  image.set(u8.subarray(AT_XMM, AT_XMM + XMM_BYTES), IMAGE_XMM);
}

export function loadState({ u8, u32 }: PhysicalMemory, image: Uint8Array): void {
  const status = image[IMAGE_STATUS]! | (image[IMAGE_STATUS + 1]! << 8);
  const top = (status >> 11) & 7;
  u32[AT_X87_CONTROL / 4] = image[IMAGE_CONTROL]! | (image[IMAGE_CONTROL + 1]! << 8);
  u32[AT_X87_STATUS / 4] = status & ~0x3800;
  u32[AT_X87_TOP / 4] = top;
  u32[AT_X87_USED / 4] = image[IMAGE_USED]!;
  u32[AT_MXCSR / 4] = (image[IMAGE_MXCSR]! | (image[IMAGE_MXCSR + 1]! << 8)) & ALL_MXCSR_BITS;
  for (let i = 0; i < 8; i++) {
    u8.set(image.subarray(IMAGE_ST + i * 16, IMAGE_ST + i * 16 + 10), AT_X87 + ((top + i) & 7) * 16);
  }
  u8.set(image.subarray(IMAGE_XMM, IMAGE_END), AT_XMM);
}
