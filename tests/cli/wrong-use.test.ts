/** What the command line says to mistakes, with which exit code. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { guest, inScratch, trapgate } from "./trapgate.ts";

const hello = guest("hello");

describe("wrong usage is exit code 2 and one sentence", () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no verb", [], /say what to do/],
    ["an unknown verb", ["fly"], /no verb "fly"/],
    ["no program", ["run"], /which program\?/],
    ["an unknown option", ["run", "--fast", hello], /unknown option --fast/],
    ["an unknown short option", ["run", "-q", hello], /unknown option -q/],
    ["an option without its value", ["run", "--memory"], /--memory needs a value/],
    ["a value for a switch", ["run", "--host=yes", hello], /--host takes no value/],
    ["an option given twice", ["run", "--seed", "1", "--seed", "2", hello], /--seed is given twice/],
    ["a memory size that is none", ["run", "--memory", "many", hello], /--memory must be a size .* not "many"/],
    ["too little memory", ["run", "--memory", "1M", hello], /--memory must be/],
    ["an unknown engine", ["run", "--engine", "steam", hello], /--engine must be auto or unicorn or wasm or lockstep/],
    [
      "a processor that the engine has not",
      ["run", "--engine=unicorn", "--cpu=x86-64-v3", hello],
      /needs --engine=wasm/,
    ],
    ["an unknown clock", ["run", "--clock=sun", hello], /--clock must be host or virtual/],
    ["a seed that is no number", ["run", "--seed=x", hello], /--seed must be a whole number/],
    ["a time-out of nothing", ["run", "--timeout", "0", hello], /--timeout must be seconds/],
    ["no tasks", ["run", "--max-tasks", "0", hello], /--max-tasks must be/],
    ["a bind without a target", ["run", "--bind", "/tmp", hello], /--bind must be HOST:GUEST/],
    ["a bind of nothing", ["run", "--bind", "/no/such:/x", hello], /the host has no \/no\/such/],
    ["a setting without a value", ["run", "-E", "HOME", hello], /-E needs VAR=VALUE/],
    ["a root that is not there", ["run", "--root", "/no/such", hello], /--root: the host has no/],
    ["a root that is no archive", ["run", "--root", hello, "/bin/x"], /neither a folder nor a tar archive/],
    ["two roots", ["run", "--host", "--root", "/", hello], /exclude each other/],
    ["an unknown table format", ["syscalls", "--format", "xml"], /--format must be table, csv or json/],
    ["an unknown system call to trace", ["trace", "-e", "trace=nonsense", hello], /nonsense/],
  ];
  it.each(cases)("%s", (_, args, message) => {
    const { code, out, err } = trapgate(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("a program that cannot be run", () => {
  it("is exit code 127 when there is none", () => {
    const { code, err } = trapgate(["run", "./no-such-program"]);
    expect(code).toBe(127);
    expect(err).toBe("trapgate: ./no-such-program: not found\n");
  });

  it("is exit code 127 when PATH has none", () => {
    expect(trapgate(["run", "no-such-program"])).toEqual({
      code: 127,
      out: "",
      err: "trapgate: no-such-program: not found in PATH\n",
    });
  });

  it("is exit code 127 and names the interpreter when that is missing", () => {
    inScratch((cwd) => {
      writeFileSync(join(cwd, "script"), "#!/no/interpreter\n", { mode: 0o755 });
      const { code, err } = trapgate(["run", "./script"], { cwd });
      expect(code).toBe(127);
      expect(err).toMatch(/needs \/no\/interpreter/);
    });
  });

  it("is exit code 126 for a folder", () => {
    inScratch((cwd) => {
      mkdirSync(join(cwd, "folder"));
      const { code, err } = trapgate(["run", "./folder"], { cwd });
      expect(code).toBe(126);
      expect(err).toMatch(/folder: is a directory/);
    });
  });

  it("is exit code 126 for a text without an interpreter line", () => {
    inScratch((cwd) => {
      writeFileSync(join(cwd, "text"), "just words\n", { mode: 0o755 });
      const { code, err } = trapgate(["run", "./text"], { cwd });
      expect(code).toBe(126);
      expect(err).toMatch(/not an x86-64 ELF executable and not a script/);
    });
  });

  it("is exit code 126 for a file that is not marked executable", () => {
    inScratch((cwd) => {
      writeFileSync(join(cwd, "program"), readFileSync(hello), { mode: 0o644 });
      const { code, err } = trapgate(["run", "./program"], { cwd });
      expect(code).toBe(126);
      expect(err).toMatch(/not marked executable/);
    });
  });

  it("is exit code 126 for an ELF file of another processor", () => {
    inScratch((cwd) => {
      const bytes = readFileSync(hello);
      bytes[18] = 183;
      writeFileSync(join(cwd, "arm"), bytes, { mode: 0o755 });
      const { code, err } = trapgate(["run", "./arm"], { cwd });
      expect(code).toBe(126);
      expect(err).toMatch(/for another processor/);
    });
  });

  it.each([4, 16, 40, 63, 64, 100, 119])("is exit code 126 for an ELF file cut to %i bytes", (size) => {
    inScratch((cwd) => {
      const path = join(cwd, "cut");
      writeFileSync(path, readFileSync(hello).subarray(0, size));
      chmodSync(path, 0o755);
      const { code, out, err } = trapgate(["run", "./cut"], { cwd });
      expect({ code, out }).toEqual({ code: 126, out: "" });
      expect(err).toMatch(/^trapgate: .*cut: .+\n$/);
    });
  });
});
