/** A case's registers at its start, and which of them still hold those values while its code is generated. */
import type { Random } from "./random.ts";
import { STATE_FXSAVE, STATE_RFLAGS, STATE_RIP, STATE_SIZE, STATE_ST, STATE_XMM, STATE_YMM } from "./protocol.ts";
import { integer64, writeExtended, writeVector } from "./values.ts";
import { controlWord, mxcsr, operandAddress, pointer, STACK } from "./windows.ts";

const [RCX, RSP, RSI, RDI] = [1, 4, 6, 7];
const TWO_31 = 2 ** 31;
const TWO_32 = 2 ** 32;
/** CF PF AF ZF SF DF OF. */
const FLAG_BITS = [1, 4, 0x10, 0x40, 0x80, 0x800];
const DF = 0x400;
const FIXED_FLAGS = 0x202;

/** Chance of a pointer in each register; the rest are integers. */
const POINTER_CHANCE = [0.2, 0.15, 0.2, 0.5, 1, 0.6, 0.85, 0.85, 0.5, 0.5, 0.3, 0.3, 0.3, 0.5, 0.3, 0.3];

export class RegisterFile {
  private readonly values = new Float64Array(16);
  private readonly lows = new Uint32Array(16);
  private readonly intact = new Uint8Array(16);
  /** A register that generated code may not touch: the counter of a loop. */
  reserved = -1;

  /** Fills a case's registers and remembers them. */
  start(random: Random, state: DataView, rip: number, strict: boolean): void {
    this.reserved = -1;
    for (let i = 0; i < 16; i++) this.set(state, i, this.initial(random, i));
    state.setUint32(STATE_RIP, rip, true);
    state.setUint32(STATE_RIP + 4, 0, true);
    let flags = FIXED_FLAGS;
    for (const bit of FLAG_BITS) if (random.chance(0.5)) flags |= bit;
    if (random.chance(0.1)) flags |= DF;
    state.setUint32(STATE_RFLAGS, flags, true);
    state.setUint32(STATE_RFLAGS + 4, 0, true);
    for (let at = STATE_FXSAVE; at < STATE_ST; at += 4) state.setUint32(at, 0, true);
    this.startX87(random, state);
    state.setUint32(STATE_FXSAVE + 24, mxcsr(random, strict), true);
    for (let at = STATE_XMM; at < STATE_YMM; at += 16) writeVector(random, state, at);
    for (let at = STATE_YMM; at < STATE_SIZE; at += 16) writeVector(random, state, at);
  }

  private initial(random: Random, register: number): readonly [low: number, high: number] {
    if (register === RCX && random.chance(0.35)) return [random.below(24), 0];
    if (!random.chance(POINTER_CHANCE[register]!)) return integer64(random);
    let address = pointer(random);
    if (register === RSP) {
      address = random.chance(0.94) ? STACK + 1024 + random.below(6144) : operandAddress(random, 8);
      if (random.chance(0.9)) address -= address % 8;
    }
    // 32-bit addresses of string instructions cannot reach the high window.
    if ((register === RSI || register === RDI) && address >= TWO_32 && random.chance(0.5)) address = STACK + 4096;
    return [address % TWO_32, Math.floor(address / TWO_32)];
  }

  private set(state: DataView, i: number, [low, high]: readonly [number, number]): void {
    state.setUint32(i * 8, low, true);
    state.setUint32(i * 8 + 4, high, true);
    this.lows[i] = low;
    this.values[i] = high < 0x200000 ? high * TWO_32 + low : high >= 0xffe00000 ? (high - TWO_32) * TWO_32 + low : NaN;
    this.intact[i] = 1;
  }

  /** Mostly some registers from the top in use, as compilers leave it; sometimes any tags, or MMX contents. */
  private startX87(random: Random, state: DataView): void {
    const top = random.below(8);
    const control = random.chance(0.5) ? 0x37f : controlWord(random);
    const used = random.chance(0.8) ? 1 + random.below(7) : -1;
    let tags = used < 0 ? random.u32() & 255 : 0;
    for (let i = 0; i < used; i++) tags |= 1 << ((top + i) & 7);
    state.setUint16(STATE_FXSAVE, control, true);
    state.setUint16(STATE_FXSAVE + 2, (top << 11) | (random.u32() & 0x4700), true);
    state.setUint8(STATE_FXSAVE + 4, tags);
    for (let i = 0; i < 8; i++) {
      const at = STATE_ST + i * 16;
      writeExtended(random, state, at);
      state.setUint16(at + 10, 0, true);
      state.setUint32(at + 12, 0, true);
    }
  }

  /** The initial value, signed; NaN when it is too big for a number. */
  value(register: number): number {
    return this.values[register]!;
  }

  low(register: number): number {
    return this.lows[register]!;
  }

  spoil(register: number): void {
    this.intact[register] = 0;
  }

  /** The register now holds a known value. */
  define(register: number, value: number): void {
    this.values[register] = value;
    this.lows[register] = value % TWO_32;
    this.intact[register] = 1;
  }

  /** A register for an operand: RSP seldom, the reserved one never. */
  operand(random: Random): number {
    for (;;) {
      const register = random.below(16);
      if (register !== this.reserved && (register !== RSP || random.chance(0.2))) return register;
    }
  }

  private choose(random: Random, fits: (register: number) => boolean): number {
    const first = random.below(16);
    for (let i = 0; i < 16; i++) {
      const register = (first + i) & 15;
      if (this.intact[register] === 1 && register !== this.reserved && fits(register)) return register;
    }
    return -1;
  }

  /** A register whose value is still known, -1 for none. */
  known(random: Random): number {
    return this.choose(random, () => true);
  }

  /** A known register from which a displacement reaches the address. */
  near(random: Random, address: number): number {
    return this.choose(random, (i) => Math.abs(address - this.values[i]!) < TWO_31 - 1 && this.values[i]! > 65536);
  }

  /** A known register whose value is below a limit in magnitude. */
  small(random: Random, limit: number): number {
    return this.choose(random, (i) => Math.abs(this.values[i]!) < limit);
  }
}
