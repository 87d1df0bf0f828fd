/**
 * The line discipline: what happens to typed bytes before a program reads them (termios(3)). In canonical mode they
 * are edited and handed over by lines, else as they come; special characters become signals or flow control.
 */
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  IMAXBEL,
  INLCR,
  ISIG,
  ISTRIP,
  IUTF8,
  IXANY,
  IXON,
  NOFLSH,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VWERASE,
} from "../../abi/termios.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../../abi/signal.ts";
import type { Termios } from "./termios.ts";

/** Bytes held for a program that does not read (N_TTY_BUF_SIZE). */
const BUFFER_SIZE = 4096;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 0x20;

/** What the discipline asks of its terminal. */
export interface LineHost {
  readonly termios: Termios;
  /** Column of the cursor. */
  readonly column: number;
  /** Shows bytes, with output processing. */
  echo(bytes: readonly number[]): void;
  signal(signo: number): void;
  /** Flow control: output is stopped or goes on. */
  setStopped(stopped: boolean): void;
  /** Something can be read that could not before. */
  inputReady(): void;
}

export class LineDiscipline {
  private readonly host: LineHost;
  /** Bytes a read may take. */
  private ready: number[] = [];
  /** Canonical mode: lengths of the lines at the head of `ready`; 0 is an end of file. */
  private lines: number[] = [];
  /** The line being edited. */
  private line: number[] = [];
  private lineStart = 0;
  private literalNext = false;
  private stopped = false;

  constructor(host: LineHost) {
    this.host = host;
  }

  private has(flag: number): boolean {
    return (this.host.termios.local & flag) !== 0;
  }

  /** Bytes that a read could return now; in canonical mode those of all complete lines. */
  get available(): number {
    if (!this.has(ICANON)) return this.ready.length;
    return this.lines.reduce((sum, length) => sum + length, 0);
  }

  /** A read would not have to wait (canonical mode: a line or an end of file is there). */
  get readable(): boolean {
    return this.has(ICANON) ? this.lines.length > 0 : this.ready.length > 0;
  }

  /** Takes typed bytes; returns how many there was room for. */
  receive(bytes: Uint8Array): number {
    let taken = 0;
    for (; taken < bytes.length; taken++) {
      const full = this.ready.length + this.line.length >= BUFFER_SIZE - 1;
      if (full && (!this.has(ICANON) || this.lines.length > 0)) break;
      this.receiveByte(bytes[taken]!);
    }
    return taken;
  }

  /** Up to `limit` bytes; stops behind a line in canonical mode. */
  take(limit: number): Uint8Array {
    if (!this.has(ICANON)) return Uint8Array.from(this.ready.splice(0, limit));
    const length = this.lines[0] ?? 0;
    const count = Math.min(length, limit);
    if (count === length) this.lines.shift();
    else this.lines[0] = length - count;
    return Uint8Array.from(this.ready.splice(0, count));
  }

  /** Puts bytes back that could not be delivered. */
  giveBack(bytes: Uint8Array): void {
    this.ready.unshift(...bytes);
    if (!this.has(ICANON)) return;
    this.lines.unshift(bytes.length);
  }

  flush(): void {
    this.ready = [];
    this.lines = [];
    this.line = [];
    this.literalNext = false;
  }

  /** The local modes have changed from `old`: what is waiting is seen with other eyes. */
  modeChanged(old: number): void {
    const now = this.host.termios.local;
    if (((old ^ now) & ICANON) === 0) return;
    if ((now & ICANON) !== 0) {
      this.lines = this.ready.length > 0 ? [this.ready.length] : [];
    } else {
      this.ready.push(...this.line);
      this.line = [];
      this.lines = [];
    }
    if (this.readable) this.host.inputReady();
  }

  private receiveByte(raw: number): void {
    const { input, characters } = this.host.termios;
    let byte = (input & ISTRIP) !== 0 ? raw & 0x7f : raw;
    if (this.literalNext) {
      this.literalNext = false;
      this.add(byte);
      return;
    }
    const is = (index: number): boolean => byte === characters[index] && byte !== 0;
    if ((input & IXON) !== 0) {
      if (is(VSTART)) return this.flow(false);
      if (is(VSTOP)) return this.flow(true);
      if (this.stopped && (input & IXANY) !== 0) this.flow(false);
    }
    if (this.has(ISIG)) {
      if (is(VINTR)) return this.interrupt(byte, SIGINT);
      if (is(VQUIT)) return this.interrupt(byte, SIGQUIT);
      if (is(VSUSP)) return this.interrupt(byte, SIGTSTP);
    }
    if (byte === RETURN) {
      if ((input & IGNCR) !== 0) return;
      if ((input & ICRNL) !== 0) byte = NEWLINE;
    } else if (byte === NEWLINE && (input & INLCR) !== 0) {
      byte = RETURN;
    }
    if (!this.has(ICANON)) {
      this.ready.push(byte);
      if (this.has(ECHO)) this.echoByte(byte);
      this.host.inputReady();
      return;
    }
    if (is(VERASE)) return this.erase();
    if (is(VKILL)) return this.kill();
    if (this.has(IEXTEN)) {
      if (is(VWERASE)) return this.eraseWord();
      if (is(VLNEXT)) {
        this.literalNext = true;
        if (this.has(ECHO) && this.has(ECHOCTL)) this.host.echo([0x5e, 8]);
        return;
      }
      if (is(VREPRINT) && this.has(ECHO)) return this.reprint(byte);
    }
    if (byte === NEWLINE) {
      if (this.has(ECHO) || this.has(ECHONL)) this.host.echo([NEWLINE]);
      return this.finish([NEWLINE]);
    }
    if (is(VEOF)) return this.finish([]);
    if (is(VEOL) || (is(VEOL2) && this.has(IEXTEN))) {
      if (this.has(ECHO)) this.echoByte(byte);
      return this.finish([byte]);
    }
    this.add(byte);
  }

  private add(byte: number): void {
    if (!this.has(ICANON)) {
      this.ready.push(byte);
      if (this.has(ECHO)) this.echoByte(byte);
      this.host.inputReady();
      return;
    }
    if (this.line.length >= BUFFER_SIZE - 1) {
      if ((this.host.termios.input & IMAXBEL) !== 0) this.host.echo([7]);
      return;
    }
    if (this.line.length === 0) this.lineStart = this.host.column;
    this.line.push(byte);
    if (this.has(ECHO)) this.echoByte(byte);
  }

  private finish(end: readonly number[]): void {
    this.ready.push(...this.line, ...end);
    this.lines.push(this.line.length + end.length);
    this.line = [];
    this.host.inputReady();
  }

  private interrupt(byte: number, signo: number): void {
    if (!this.has(NOFLSH)) this.flush();
    if (this.stopped) this.flow(false);
    if (this.has(ECHO)) this.echoByte(byte);
    this.host.signal(signo);
  }

  private flow(stopped: boolean): void {
    this.stopped = stopped;
    this.host.setStopped(stopped);
  }

  private echoByte(byte: number): void {
    this.host.echo(this.shownAs(byte));
  }

  /** How a byte appears on the screen: control characters as ^X. */
  private shownAs(byte: number): number[] {
    const isControl = (byte < SPACE && byte !== 9 && byte !== NEWLINE) || byte === 0x7f;
    return isControl && this.has(ECHOCTL) ? [0x5e, byte ^ 0x40] : [byte];
  }

  /** Removes the last character from the line, all bytes of it. */
  private dropLast(): number[] {
    const utf8 = (this.host.termios.input & IUTF8) !== 0;
    const dropped: number[] = [];
    while (this.line.length > 0) {
      const byte = this.line.pop()!;
      dropped.unshift(byte);
      if (!utf8 || (byte & 0xc0) !== 0x80) break;
    }
    return dropped;
  }

  private erase(): void {
    if (this.line.length === 0) return;
    const dropped = this.dropLast();
    if (!this.has(ECHO)) return;
    if (this.has(ECHOE)) this.wipe(dropped);
    else this.echoByte(this.host.termios.characters[VERASE]!);
  }

  private kill(): void {
    if (!this.has(ECHO)) {
      this.line = [];
    } else if (this.has(ECHOK) && this.has(ECHOKE) && this.has(ECHOE)) {
      while (this.line.length > 0) this.wipe(this.dropLast());
    } else {
      this.line = [];
      this.echoByte(this.host.termios.characters[VKILL]!);
      if (this.has(ECHOK)) this.host.echo([NEWLINE]);
    }
  }

  private eraseWord(): void {
    const isWord = (byte: number): boolean => byte > SPACE;
    let seenWord = false;
    while (this.line.length > 0) {
      const word = isWord(this.line.at(-1)!);
      if (seenWord && !word) break;
      seenWord ||= word;
      const dropped = this.dropLast();
      if (this.has(ECHO) && this.has(ECHOE)) this.wipe(dropped);
    }
  }

  private reprint(byte: number): void {
    this.echoByte(byte);
    this.host.echo([NEWLINE, ...this.line.flatMap((one) => this.shownAs(one))]);
  }

  /** Takes a character that was echoed off the screen again. */
  private wipe(character: readonly number[]): void {
    let width = 1;
    if (character.length === 1) {
      const byte = character[0]!;
      if (byte === 9) width = this.host.column - this.columnBehindLine();
      else width = this.shownAs(byte).length;
      if (byte < SPACE && byte !== 9 && !this.has(ECHOCTL)) width = 0;
    }
    for (let count = 0; count < width; count++) this.host.echo(character[0] === 9 ? [8] : [8, SPACE, 8]);
  }

  /** Where the cursor stands when the line as it is now has been typed. */
  private columnBehindLine(): number {
    let column = this.lineStart;
    for (const byte of this.line) {
      if (byte === 9) column += 8 - (column % 8);
      else if ((byte & 0xc0) !== 0x80) column += this.shownAs(byte).length;
    }
    return column;
  }
}
