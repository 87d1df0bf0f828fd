/**
 * Memory for the contents of all pipes. It lies outside of the guest's RAM, so that it needs a limit of its own, which
 * nobody is exempt from; the rules are Linux's (pipe(7), /proc/sys/fs/pipe-user-pages-soft and pipe-user-pages-hard).
 */
import { ENFILE, EPERM } from "../../abi/errno.ts";

export const DEFAULT_CAPACITY = 65536;
/** What a new pipe can still have when there are many. */
const SMALL_CAPACITY = 8192;

export class PipeMemory {
  private reserved = 0;
  private readonly soft: number;
  private readonly hard: number;

  /** @param ram bytes of the machine's memory */
  constructor(ram: number) {
    this.soft = Math.floor(ram / 16);
    this.hard = 2 * this.soft;
  }

  /** The capacity of a pipe that is being opened. @throws ENFILE */
  reserve(): number {
    const capacity = this.reserved + DEFAULT_CAPACITY > this.soft ? SMALL_CAPACITY : DEFAULT_CAPACITY;
    if (this.reserved + capacity > this.hard) throw ENFILE;
    this.reserved += capacity;
    return capacity;
  }

  /** F_SETPIPE_SZ. @throws EPERM */
  change(from: number, to: number): void {
    if (to > from && this.reserved - from + to > this.hard) throw EPERM;
    this.reserved += to - from;
  }

  release(capacity: number): void {
    this.reserved -= capacity;
  }
}
