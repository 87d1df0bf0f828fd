/** A growing byte buffer with LEB128 numbers. */
const scratch = new DataView(new ArrayBuffer(8));

export class ByteWriter {
  private buffer = new Uint8Array(1024);
  length = 0;

  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.grow(this.length * 2);
    this.buffer[this.length++] = value;
  }

  append(bytes: ArrayLike<number>): void {
    const end = this.length + bytes.length;
    if (end > this.buffer.length) this.grow(Math.max(end, this.buffer.length * 2));
    this.buffer.set(bytes, this.length);
    this.length = end;
  }

  /** Unsigned LEB128, below 2^32. */
  unsigned(value: number): void {
    while (value > 0x7f) {
      this.byte((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    this.byte(value);
  }

  /** Signed LEB128 of a safe integer. */
  signed(value: number): void {
    while (value < -64 || value > 63) {
      this.byte((((value % 128) + 128) % 128) | 0x80);
      value = Math.floor(value / 128);
    }
    this.byte(value & 0x7f);
  }

  /** Signed LEB128 of a 64-bit number. */
  signedBig(value: bigint): void {
    while (value < -64n || value > 63n) {
      this.byte(Number(value & 0x7fn) | 0x80);
      value >>= 7n;
    }
    this.byte(Number(value & 0x7fn));
  }

  float64(value: number): void {
    scratch.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i));
  }

  float32(value: number): void {
    scratch.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.byte(scratch.getUint8(i));
  }

  /** A vector of bytes: its length, then the bytes. */
  sized(bytes: ArrayLike<number>): void {
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  name(text: string): void {
    this.sized(new TextEncoder().encode(text));
  }

  private grow(size: number): void {
    const larger = new Uint8Array(size);
    larger.set(this.buffer);
    this.buffer = larger;
  }
}
