import { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP } from "../../abi/signal.ts";

/** Signals of faults: they go before all others, so that the handler sees the instruction that failed. */
const SYNCHRONOUS = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS].reduce(
  (bits, signal) => bits | (1 << (signal - 1)),
  0,
);

/** A set of signals 1..64 as two words, so that the common questions cost no BigInt. */
export class SignalSet {
  low: number;
  high: number;

  constructor(low = 0, high = 0) {
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  static of(...signals: number[]): SignalSet {
    const set = new SignalSet();
    for (const signal of signals) set.add(signal);
    return set;
  }

  has(signal: number): boolean {
    return signal <= 32 ? ((this.low >>> (signal - 1)) & 1) !== 0 : ((this.high >>> (signal - 33)) & 1) !== 0;
  }

  add(signal: number): void {
    if (signal <= 32) this.low = (this.low | (1 << (signal - 1))) >>> 0;
    else this.high = (this.high | (1 << (signal - 33))) >>> 0;
  }

  delete(signal: number): void {
    if (signal <= 32) this.low = (this.low & ~(1 << (signal - 1))) >>> 0;
    else this.high = (this.high & ~(1 << (signal - 33))) >>> 0;
  }

  get empty(): boolean {
    return this.low === 0 && this.high === 0;
  }

  clone(): SignalSet {
    return new SignalSet(this.low, this.high);
  }

  copyFrom(other: SignalSet): void {
    this.low = other.low;
    this.high = other.high;
  }

  addAll(other: SignalSet): void {
    this.low = (this.low | other.low) >>> 0;
    this.high = (this.high | other.high) >>> 0;
  }

  deleteAll(other: SignalSet): void {
    this.low = (this.low & ~other.low) >>> 0;
    this.high = (this.high & ~other.high) >>> 0;
  }

  /** The signal in this set and not in `mask` that is taken first: a fault's, else the smallest; 0 if none. */
  firstNotIn(mask: SignalSet): number {
    const low = this.low & ~mask.low;
    const fault = low & SYNCHRONOUS;
    if (fault !== 0) return 32 - Math.clz32(fault & -fault);
    if (low !== 0) return 32 - Math.clz32(low & -low);
    const high = this.high & ~mask.high;
    return high === 0 ? 0 : 64 - Math.clz32(high & -high);
  }

  /** Sixteen hexadecimal digits, as in /proc/PID/status. */
  toString(): string {
    return this.high.toString(16).padStart(8, "0") + this.low.toString(16).padStart(8, "0");
  }
}
