/** Reads what a ByteWriter has written. Throws a RangeError at the end of the bytes. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError("unexpected end of bytes");
    return this.bytes[this.at++]!;
  }

  /** Unsigned LEB128, below 2^53. */
  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** Signed LEB128 of a safe integer. */
  signed(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return byte < 0x40 ? value : value - factor * 128;
    }
  }

  /** The bytes themselves, not a copy. */
  take(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) throw new RangeError("unexpected end of bytes");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  sized(): Uint8Array {
    return this.take(this.unsigned());
  }

  name(): string {
    return new TextDecoder().decode(this.sized());
  }

  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let count = this.unsigned(); count > 0; count--) items.push(item());
    return items;
  }
}
