/** Output processing of a terminal: newlines, tabs and the column they leave the cursor in (termios(3), c_oflag). */
import { OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, TAB3, TABDLY } from "../../abi/termios.ts";

const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;

export class OutputProcessor {
  column = 0;

  /** The bytes to send for the bytes written. */
  process(bytes: Uint8Array, flags: number): Uint8Array {
    if ((flags & OPOST) === 0) return bytes;
    const out: number[] = [];
    for (const byte of bytes) this.add(out, byte, flags);
    return Uint8Array.from(out);
  }

  private add(out: number[], byte: number, flags: number): void {
    switch (byte) {
      case NEWLINE:
        if ((flags & ONLRET) !== 0) this.column = 0;
        if ((flags & ONLCR) !== 0) {
          out.push(RETURN);
          this.column = 0;
        }
        break;
      case RETURN:
        if ((flags & ONOCR) !== 0 && this.column === 0) return;
        if ((flags & OCRNL) !== 0) {
          out.push(NEWLINE);
          if ((flags & ONLRET) !== 0) this.column = 0;
          return;
        }
        this.column = 0;
        break;
      case TAB: {
        const spaces = 8 - (this.column % 8);
        this.column += spaces;
        if ((flags & TABDLY) === TAB3) {
          for (let count = 0; count < spaces; count++) out.push(0x20);
          return;
        }
        break;
      }
      case BACKSPACE:
        if (this.column > 0) this.column--;
        break;
      default:
        if ((flags & OLCUC) !== 0 && byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
        // Continuation bytes of UTF-8 take no column.
        if (byte >= 0x20 && byte !== 0x7f && (byte & 0xc0) !== 0x80) this.column++;
    }
    out.push(byte);
  }
}
