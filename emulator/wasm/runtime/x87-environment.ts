/** FLDENV, FNSTENV, FRSTOR and FNSAVE: the x87's environment in memory (Intel SDM volume 1, section 8.1.10). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { isDenormal, isInfinite, isNaN80, isUnsupported, isZero } from "./float80.ts";
import { AT_X87_FDP, AT_X87_FIP, AT_X87_FOP } from "./fpu-state.ts";
import type { X87State } from "./x87-state.ts";

const VALID = 0;
const ZERO = 1;
const SPECIAL = 2;
const EMPTY = 3;
const REGISTER_BYTES = 10;

/** Two bits for each physical register. */
function tagWord(state: X87State): number {
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    const physical = (state.top + i) & 7;
    const x = state.read(i);
    const special = isUnsupported(x) || isNaN80(x) || isInfinite(x) || isDenormal(x);
    const tag = state.isEmpty(i) ? EMPTY : isZero(x) ? ZERO : special ? SPECIAL : VALID;
    tags |= tag << (physical * 2);
  }
  return tags;
}

/**
 * Writes the environment in its protected-mode form of 28 or 14 bytes. Selectors are 0: processors without them are as
 * old as 64-bit mode's disuse of them.
 */
export function storeEnvironment(memory: PhysicalMemory, state: X87State, at: number, bytes: number): void {
  const { view } = memory;
  const width = bytes === 28 ? 4 : 2;
  const put = (index: number, low: number, high = 0xffff): void => {
    view.setUint16(at + index * width, low, true);
    if (width === 4) view.setUint16(at + index * width + 2, high, true);
  };
  const pointer = (address: number): readonly [number, number] => [
    view.getUint16(address, true),
    view.getUint16(address + 2, true),
  ];
  put(0, state.control);
  put(1, state.status | (state.top << 11));
  put(2, tagWord(state));
  put(3, ...pointer(AT_X87_FIP));
  put(4, 0, width === 4 ? view.getUint16(AT_X87_FOP, true) : 0);
  put(5, ...pointer(AT_X87_FDP));
  put(6, 0);
}

export function loadEnvironment(memory: PhysicalMemory, state: X87State, at: number, bytes: number): void {
  const { view } = memory;
  const width = bytes === 28 ? 4 : 2;
  const field = (index: number): number => view.getUint16(at + index * width, true);
  const wide = (index: number): bigint => BigInt(width === 4 ? view.getUint32(at + index * width, true) : field(index));
  const status = field(1);
  const tags = field(2);
  state.top = status >> 11;
  state.status = status & ~0x3800;
  let used = 0;
  for (let i = 0; i < 8; i++) if (((tags >> (i * 2)) & 3) !== EMPTY) used |= 1 << i;
  state.used = used;
  state.control = field(0);
  view.setBigUint64(AT_X87_FIP, wide(3), true);
  view.setBigUint64(AT_X87_FDP, wide(5), true);
  view.setUint16(AT_X87_FOP, width === 4 ? view.getUint16(at + 4 * width + 2, true) & 0x7ff : 0, true);
}

/** The stack registers behind the environment, ST(0) first. */
export function storeRegisters({ u8 }: PhysicalMemory, state: X87State, at: number): void {
  for (let i = 0; i < 8; i++) {
    const from = state.address(i);
    u8.copyWithin(at + i * REGISTER_BYTES, from, from + REGISTER_BYTES);
  }
}

export function loadRegisters({ u8 }: PhysicalMemory, state: X87State, at: number): void {
  for (let i = 0; i < 8; i++) {
    const from = at + i * REGISTER_BYTES;
    u8.copyWithin(state.address(i), from, from + REGISTER_BYTES);
  }
}
