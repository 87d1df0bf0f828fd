/** The work of string instructions (Intel SDM volume 2, REP): one element, or elements up to the next page border. */
import { PAGE_SIZE, type PhysicalMemory } from "../../physical-memory.ts";
import { RAX, RCX, RDI, RSI } from "../../registers.ts";
import { KIND_SUB, operationNumber } from "../flags.ts";
import type { GuestMemory } from "../guest-memory.ts";
import { AT_BOUNCE, AT_CC_A, AT_CC_B, AT_CC_OP, AT_CC_R, AT_FS_BASE, AT_GS_BASE, AT_RFLAGS } from "../layout.ts";

export const STRING_OPERATIONS = ["movs", "stos", "lods", "cmps", "scas"] as const;
export type StringOperation = (typeof STRING_OPERATIONS)[number];

const DONE = 0;
const FAULT = 1;
const AGAIN = 2;
const STEPPED = 3;
const TF = 0x100;
const DF = 0x400;

const REPNE = 2;

export class StringUnit {
  private readonly guest: GuestMemory;
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;
  private readonly u64: BigUint64Array;
  private readonly view: DataView;

  constructor(memory: PhysicalMemory, guest: GuestMemory) {
    this.guest = guest;
    this.u8 = memory.u8;
    this.u32 = memory.u32;
    this.view = memory.view;
    this.u64 = new BigUint64Array(memory.buffer, 0, PAGE_SIZE / 8);
  }

  /** @param prefix 0 none, 1 REP or REPE, 2 REPNE @param segment of the source: 0 none, 1 FS, 2 GS */
  readonly run = (operation: number, size: number, prefix: number, addressSize: number, segment: number): number => {
    if (prefix === 0) return this.element(STRING_OPERATIONS[operation]!, size, addressSize, segment) ? DONE : FAULT;
    const stepping = (this.u32[AT_RFLAGS / 4]! & TF) !== 0;
    for (;;) {
      const count = this.count(addressSize);
      if (count === 0n) return DONE;
      const moved = stepping ? 0n : this.many(STRING_OPERATIONS[operation]!, size, count, addressSize, segment);
      if (moved > 0n) {
        this.setCount(count - moved, addressSize);
        return moved === count ? DONE : AGAIN;
      }
      if (!this.element(STRING_OPERATIONS[operation]!, size, addressSize, segment)) return FAULT;
      this.setCount(count - 1n, addressSize);
      if (operation >= 3 && (this.u64[AT_CC_R / 8] === 0n) === (prefix === REPNE)) return DONE;
      if (count === 1n) return DONE;
      if (stepping) return STEPPED;
      if ((this.u32[RDI * 2]! & 4095) < size || (this.u32[RSI * 2]! & 4095) < size) return AGAIN;
    }
  };

  private count(addressSize: number): bigint {
    return addressSize === 4 ? BigInt(this.u32[RCX * 2]!) : this.u64[RCX]!;
  }

  private setCount(count: bigint, addressSize: number): void {
    this.u64[RCX] = addressSize === 4 ? BigInt.asUintN(32, count) : count;
  }

  private sourceBase(segment: number): bigint {
    return segment === 0 ? 0n : this.u64[(segment === 1 ? AT_FS_BASE : AT_GS_BASE) / 8]!;
  }

  private address(register: number, addressSize: number, base: bigint): bigint {
    return BigInt.asUintN(64, (addressSize === 4 ? BigInt(this.u32[register * 2]!) : this.u64[register]!) + base);
  }

  private advance(register: number, bytes: bigint, addressSize: number): void {
    const next = this.u64[register]! + bytes;
    this.u64[register] = BigInt.asUintN(addressSize === 4 ? 32 : 64, next);
  }

  private host(address: bigint, size: number, write: boolean): number {
    const low = Number(address & 0xffffffffn) | 0;
    const high = Number(address >> 32n) | 0;
    return write ? this.guest.write(low, high, size) : this.guest.read(low, high, size);
  }

  /** MOVS and STOS upward within one page of source and destination; 0n when one element at a time is in order. */
  private many(operation: StringOperation, size: number, count: bigint, addressSize: number, segment: number): bigint {
    if ((operation !== "movs" && operation !== "stos") || addressSize !== 8 || segment !== 0) return 0n;
    if ((this.u32[AT_RFLAGS / 4]! & DF) !== 0) return 0n;
    let bytes = PAGE_SIZE - (this.u32[RDI * 2]! & 4095);
    if (operation === "movs") bytes = Math.min(bytes, PAGE_SIZE - (this.u32[RSI * 2]! & 4095));
    if (BigInt(bytes) > count * BigInt(size)) bytes = Number(count) * size;
    bytes -= bytes % size;
    if (bytes === 0) return 0n;
    let from = 0;
    if (operation === "movs") {
      from = this.host(this.u64[RSI]!, 1, false);
      if (from < 0) return 0n;
    }
    const to = this.host(this.u64[RDI]!, 1, true);
    if (to < 0) return 0n;
    if (operation === "stos") this.fill(to, bytes, size);
    else if (to > from && to < from + bytes) this.copyUpward(from, to, bytes, size);
    else this.u8.copyWithin(to, from, from + bytes);
    if (operation === "movs") this.advance(RSI, BigInt(bytes), 8);
    this.advance(RDI, BigInt(bytes), 8);
    return BigInt(bytes / size);
  }

  private fill(to: number, bytes: number, size: number): void {
    const { u8, u32 } = this;
    const value = u32[RAX * 2]!;
    if (size === 1) {
      u8.fill(value, to, to + bytes);
      return;
    }
    this.put(to, size, this.u64[RAX]!);
    for (let done = size; done < bytes; done *= 2) u8.copyWithin(to + done, to, to + Math.min(done, bytes - done));
  }

  /** The destination overlaps what is still to be read: elements repeat, as on the processor. */
  private copyUpward(from: number, to: number, bytes: number, size: number): void {
    for (let i = 0; i < bytes; i += size) this.u8.copyWithin(to + i, from + i, from + i + size);
  }

  /** One element with its registers; false: a fault is noted and nothing has changed. */
  private element(operation: StringOperation, size: number, addressSize: number, segment: number): boolean {
    const step = (this.u32[AT_RFLAGS / 4]! & DF) === 0 ? BigInt(size) : -BigInt(size);
    const source = (): bigint => this.address(RSI, addressSize, this.sourceBase(segment));
    const target = (): bigint => this.address(RDI, addressSize, 0n);
    let value = this.u64[RAX]!;
    if (operation !== "stos" && operation !== "scas") {
      const host = this.host(source(), size, false);
      if (host < 0) return false;
      value = this.take(host, size);
    }
    switch (operation) {
      case "movs":
      case "stos": {
        const host = this.host(target(), size, true);
        if (host < 0) return false;
        this.put(host, size, value);
        if (host === AT_BOUNCE) this.guest.commit(size);
        break;
      }
      case "lods":
        this.u64[RAX] = size >= 4 ? value : (this.u64[RAX]! & ~((1n << BigInt(size * 8)) - 1n)) | value;
        break;
      default: {
        const host = this.host(target(), size, false);
        if (host < 0) return false;
        this.compare(BigInt.asUintN(size * 8, value), this.take(host, size), size);
      }
    }
    if (operation !== "stos" && operation !== "scas") this.advance(RSI, step, addressSize);
    if (operation !== "lods") this.advance(RDI, step, addressSize);
    return true;
  }

  private compare(a: bigint, b: bigint, size: number): void {
    this.u32[AT_CC_OP / 4] = operationNumber({ kind: KIND_SUB, size });
    this.u64[AT_CC_A / 8] = a;
    this.u64[AT_CC_B / 8] = b;
    this.u64[AT_CC_R / 8] = BigInt.asUintN(size * 8, a - b);
  }

  private take(host: number, size: number): bigint {
    const { view } = this;
    if (size === 8) return view.getBigUint64(host, true);
    return BigInt(size === 4 ? view.getUint32(host, true) : size === 2 ? view.getUint16(host, true) : this.u8[host]!);
  }

  private put(host: number, size: number, value: bigint): void {
    const { view } = this;
    if (size === 8) view.setBigUint64(host, value, true);
    else {
      const low = Number(value & 0xffffffffn);
      if (size === 4) view.setUint32(host, low, true);
      else if (size === 2) view.setUint16(host, low & 0xffff, true);
      else this.u8[host] = low;
    }
  }
}
