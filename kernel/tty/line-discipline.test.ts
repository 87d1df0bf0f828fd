import { beforeEach, describe, expect, it } from "vitest";
import { ECHO, ECHOCTL, ICANON, ICRNL, IEXTEN, ISIG } from "../../abi/termios.ts";
import { LineDiscipline, type LineHost } from "./line-discipline.ts";
import { OutputProcessor } from "./output.ts";
import { defaultTermios } from "./termios.ts";

class Screen implements LineHost {
  termios = defaultTermios();
  shown = "";
  signals: number[] = [];
  isStopped = false;
  private readonly output = new OutputProcessor();

  get column(): number {
    return this.output.column;
  }

  echo(bytes: readonly number[]): void {
    this.shown += String.fromCharCode(...this.output.process(Uint8Array.from(bytes), this.termios.output));
  }

  signal(signo: number): void {
    this.signals.push(signo);
  }

  setStopped(stopped: boolean): void {
    this.isStopped = stopped;
  }

  inputReady(): void {}
}

let screen: Screen;
let line: LineDiscipline;
beforeEach(() => {
  screen = new Screen();
  line = new LineDiscipline(screen);
});

const type = (text: string) => line.receive(Uint8Array.from(text, (character) => character.charCodeAt(0)));
const read = (limit = 100) => String.fromCharCode(...line.take(limit));

describe("canonical mode", () => {
  it("hands over whole lines only", () => {
    type("abc");
    expect(line.readable).toBe(false);
    type("\r");
    expect(line.readable).toBe(true);
    expect(read()).toBe("abc\n");
    expect(screen.shown).toBe("abc\r\n");
  });

  it("keeps lines apart, and hands a long one over in parts", () => {
    type("one\rtwo\r");
    expect(read(2)).toBe("on");
    expect(read()).toBe("e\n");
    expect(read()).toBe("two\n");
    expect(line.readable).toBe(false);
  });

  it.each([
    ["the last character", "abx\x7fc\r", "abc\n", "abx\b \bc\r\n"],
    ["nothing from an empty line", "\x7fa\r", "a\n", "a\r\n"],
    ["a control character with both its columns", "a\x01\x7f\r", "a\n", "a^A\b \b\b \b\r\n"],
    ["all bytes of a character", "\xc3\xa9\x7f\r", "\n", "\xc3\xa9\b \b\r\n"],
    ["a word", "one two \x17x\r", "one x\n", "one two \b \b\b \b\b \b\b \bx\r\n"],
    ["the line", "abc\x15x\r", "x\n", "abc\b \b\b \b\b \bx\r\n"],
    ["a tab to where it began", "ab\tc\x7f\x7fd\r", "abd\n", "ab\tc\b \b\b\b\b\b\b\bd\r\n"],
    ["nothing after ^V", "a\x16\x7f\r", "a\x7f\n", "a^\b^?\r\n"],
  ])("erases %s", (_what, typed, got, shown) => {
    type(typed);
    expect(read()).toBe(got);
    expect(screen.shown).toBe(shown);
  });

  it("^D ends the file on an empty line and hands over an unfinished one", () => {
    type("\x04");
    expect(line.readable).toBe(true);
    expect(read()).toBe("");
    type("abc\x04");
    expect(read()).toBe("abc");
    expect(line.readable).toBe(false);
  });

  it.each([
    ["\x03", 2, "ab^C"],
    ["\x1c", 3, "ab^\\"],
    ["\x1a", 20, "ab^Z"],
  ])("%j sends a signal and forgets the line", (key, signo, shown) => {
    type(`ab${key}`);
    expect(screen.signals).toEqual([signo]);
    expect(screen.shown).toBe(shown);
    type("x\r");
    expect(read()).toBe("x\n");
  });

  it("stops and goes on at ^S and ^Q", () => {
    type("\x13");
    expect(screen.isStopped).toBe(true);
    type("\x11");
    expect(screen.isStopped).toBe(false);
  });

  it("takes no more than it can hold, and loses nothing but the end of an endless line", () => {
    expect(type("x".repeat(5000))).toBe(5000);
    type("\r");
    expect(type("more")).toBe(0);
    expect(read(10_000)).toBe(`${"x".repeat(4095)}\n`);
    expect(type("more")).toBe(4);
  });
});

describe("raw mode", () => {
  beforeEach(() => {
    screen.termios.local &= ~(ICANON | ECHO | ISIG | IEXTEN);
    screen.termios.input &= ~ICRNL;
  });

  it("hands over every byte as it is, unseen", () => {
    type("a\r\x03\x7f");
    expect(read()).toBe("a\r\x03\x7f");
    expect(screen.shown).toBe("");
    expect(screen.signals).toEqual([]);
  });

  it("pushes back when nobody reads", () => {
    expect(type("x".repeat(5000))).toBe(4095);
    read(1000);
    expect(type("x".repeat(5000))).toBe(1000);
  });

  it("entered in the middle of a line makes what was typed readable", () => {
    screen.termios.local |= ICANON;
    type("abc");
    const old = screen.termios.local;
    screen.termios.local &= ~ICANON;
    line.modeChanged(old);
    expect(read()).toBe("abc");
  });
});

describe("echo", () => {
  it("shows control characters as they are without ECHOCTL", () => {
    screen.termios.local &= ~ECHOCTL;
    type("\x01");
    expect(screen.shown).toBe("\x01");
  });
});
