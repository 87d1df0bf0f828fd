/**
 * Where the bytes of a read go, or those of a write come from: one user buffer, a list of them, or memory of the
 * kernel. A file moves bytes piece by piece, on RAM itself, and a piece that cannot be reached ends the transfer
 * before anything is taken out of the file.
 */
import { EFAULT } from "../../abi/errno.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { forEachPiece } from "../mm/user-copy.ts";

/** Gets a view of the next bytes, answers how many of them it has used; fewer than offered ends the transfer. */
export type UsePiece = (piece: Uint8Array) => number;

export abstract class Transfer {
  /** Bytes moved so far, or skipped. */
  done = 0;
  /** Bytes in all. */
  readonly length: number;

  constructor(length: number) {
    this.length = length;
  }

  get remaining(): number {
    return this.length - this.done;
  }

  /** Leaves out bytes that an earlier run of the call has moved. */
  skip(count: number): void {
    this.done += count;
  }

  /**
   * Moves up to `limit` more bytes; returns how many. A bad address after the first byte shortens the transfer.
   * @throws EFAULT if no byte has been moved at all
   */
  abstract move(use: UsePiece, limit?: number): number;

  /** Copies bytes into the memory; for a transfer of a read. */
  put(bytes: Uint8Array): number {
    let at = 0;
    return this.move((piece) => {
      piece.set(bytes.subarray(at, at + piece.length));
      at += piece.length;
      return piece.length;
    }, bytes.length);
  }

  /** Copies the next bytes out of the memory; for a transfer of a write. @throws EFAULT */
  take(limit = this.remaining): Uint8Array {
    const bytes = new Uint8Array(Math.min(limit, this.remaining));
    let at = 0;
    this.move((piece) => {
      bytes.set(piece, at);
      at += piece.length;
      return piece.length;
    }, bytes.length);
    return at === bytes.length ? bytes : bytes.subarray(0, at);
  }
}

export class UserTransfer extends Transfer {
  private readonly space: AddressSpace;
  private readonly address: number;
  private readonly intoUser: boolean;

  constructor(space: AddressSpace, address: number, length: number, intoUser: boolean) {
    super(length);
    this.space = space;
    this.address = address;
    this.intoUser = intoUser;
  }

  move(use: UsePiece, limit = this.remaining): number {
    const count = Math.min(limit, this.remaining);
    if (count === 0) return 0;
    try {
      const moved = forEachPiece(this.space, this.address + this.done, count, this.intoUser, use);
      this.done += moved;
      return moved;
    } catch (error) {
      if (error === EFAULT && this.done > 0) return 0;
      throw error;
    }
  }
}

/** readv(2) and writev(2). */
export class VectorTransfer extends Transfer {
  private readonly space: AddressSpace;
  private readonly addresses: readonly number[];
  private readonly lengths: readonly number[];
  private readonly intoUser: boolean;

  constructor(
    space: AddressSpace,
    addresses: readonly number[],
    lengths: readonly number[],
    length: number,
    intoUser: boolean,
  ) {
    super(length);
    this.space = space;
    this.addresses = addresses;
    this.lengths = lengths;
    this.intoUser = intoUser;
  }

  move(use: UsePiece, limit = this.remaining): number {
    let wanted = Math.min(limit, this.remaining);
    let total = 0;
    let start = 0;
    for (let index = 0; index < this.lengths.length && wanted > 0; index++) {
      const end = start + this.lengths[index]!;
      if (this.done < end) {
        const count = Math.min(end - this.done, wanted);
        let moved: number;
        try {
          moved = forEachPiece(this.space, this.addresses[index]! + this.done - start, count, this.intoUser, use);
        } catch (error) {
          if (error === EFAULT && this.done > 0) return total;
          throw error;
        }
        this.done += moved;
        total += moved;
        wanted -= moved;
        if (moved < count) break;
      }
      start = end;
    }
    return total;
  }
}

export class BytesTransfer extends Transfer {
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super(bytes.length);
    this.bytes = bytes;
  }

  move(use: UsePiece, limit = this.remaining): number {
    const count = Math.min(limit, this.remaining);
    if (count === 0) return 0;
    const used = use(this.bytes.subarray(this.done, this.done + count));
    this.done += used;
    return used;
  }
}
