import { describe, expect, it } from "vitest";
import { nameOf, readProgramCode, symbolAt, type ProgramCode } from "./program-code.ts";

const code: ProgramCode = {
  entry: 0x1000,
  segments: [{ address: 0x1000, bytes: new Uint8Array(0x100) }],
  symbols: [
    { name: "_start", address: 0x1000, size: 0 },
    { name: "main", address: 0x1010, size: 0x20 },
    { name: "label", address: 0x1020, size: 0 },
    { name: "last", address: 0x1050, size: 0x10 },
  ],
};

describe("names of addresses", () => {
  it.each([
    [0x1000, "_start"],
    [0x1008, "_start+0x8"],
    [0x1014, "main+0x4"],
    [0x1024, "label+0x4"],
    [0x105f, "last+0xf"],
    [0x1060, "label+0x40"],
    [0x2000, ""],
  ])("%i", (address, name) => {
    expect(nameOf(code, address)).toBe(name);
  });

  it("there is none before the first", () => {
    expect(symbolAt({ ...code, symbols: code.symbols.slice(1) }, 0x1000)).toBeUndefined();
  });
});

describe("a program", () => {
  it("that is none is refused as execve would", () => {
    expect(() => readProgramCode(new TextEncoder().encode("#!/bin/sh\n"))).toThrow();
  });
});
