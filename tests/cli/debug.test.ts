import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readProgramCode } from "../../machine/inspect/program-code.ts";
import { guest, inScratch, trapgate } from "./trapgate.ts";

const hello = guest("hello");
const { entry } = readProgramCode(readFileSync(hello));
const show = (...words: string[]) => trapgate(["debug", "--dump-wasm", ...words]);

describe("debug --dump-wasm", () => {
  const whole = show(hello);

  it("shows the code at the entry point, and a module", () => {
    expect(whole).toMatchObject({ code: 0, err: "" });
    const [listing, module] = whole.out.split("\n(module\n");
    expect(listing!.split("\n").every((line) => line.startsWith(";;"))).toBe(true);
    expect(listing).toContain(`0x${entry.toString(16)} <_start>`);
    expect(listing).toMatch(/^;; {3}[0-9a-f]+ {2}0f 05 +syscall +syscall$/m);
    expect(module).toMatch(/local\.set \$rdi[^]*export "f0"/);
  });

  it("takes a symbol and an address", () => {
    expect(show(hello, "_start")).toEqual(whole);
    expect(show(hello, `0x${entry.toString(16)}`)).toEqual(whole);
  });

  it("shows less when asked", () => {
    expect(show("--count=1", hello).out).toMatch(/^;; 1 instruction in 1 block/m);
  });

  it("goes as far as the function, and says how blocks are connected", () => {
    const { out } = show(guest("pipes"), "put");
    expect(out).toMatch(/^;; block 0 at 0x[0-9a-f]+ <put>, goes to block \d+ or block \d+/m);
  });

  it("shows a handler of the interpreter", () => {
    const { code, out } = trapgate(["debug", "--handlers", hello]);
    expect(code).toBe(0);
    expect(out).toMatch(/;; {3}[0-9a-f]+ {2}bf 01 00 00 00 {2}mov edi,1 {2}mov \$1,%edi\n\(module/);
    expect(out).toContain("(param $record i32)");
  });

  it.each([
    ["nothing to show", ["debug", hello], /--dump-wasm or --handlers/],
    ["both", ["debug", "--dump-wasm", "--handlers", hello], /--dump-wasm or --handlers/],
    ["no program", ["debug", "--dump-wasm"], /which program/],
    ["no such file", ["debug", "--dump-wasm", "./none"], /\.\/none: .*ENOENT/],
    ["no ELF file", ["debug", "--dump-wasm", "package.json"], /not an x86-64 ELF/],
    ["an unknown symbol", ["debug", "--dump-wasm", hello, "steam"], /no symbol "steam"/],
    ["no code there", ["debug", "--dump-wasm", hello, "0x10"], /no code at 0x10/],
    ["too many words", ["debug", "--dump-wasm", hello, "_start", "x"], /"x" is one word too many/],
    ["a count of nothing", ["debug", "--dump-wasm", "--count=0", hello], /--count must be/],
  ])("refuses %s", (_, words, message) => {
    const { code, out, err } = trapgate(words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

  it.each([64, 200, 1000])("reads a file cut to %i bytes without falling over", (size) => {
    inScratch((folder) => {
      const path = join(folder, "cut");
      writeFileSync(path, readFileSync(hello).subarray(0, size));
      expect([0, 2]).toContain(show(path).code);
    });
  });

  it("reads a program without symbols", () => {
    inScratch((folder) => {
      const path = join(folder, "stripped");
      expect(spawnSync("strip", ["-o", path, guest("pipes")]).status).toBe(0);
      expect(show(path).out).toMatch(/^;; block 0 at 0x[0-9a-f]+(, goes|$)/m);
      expect(show(path, "main").code).toBe(2);
    });
  });
});
