import { describe, expect, it } from "vitest";
import { detectKind, judge } from "./judge.ts";
import type { Ending, Kind, ProgramOutput } from "./result.ts";

const output = (stdout: string, ending: Ending | number = 0, stderr = ""): ProgramOutput => ({
  ending: typeof ending === "number" ? { kind: "exited", code: ending } : ending,
  stdout,
  stderr,
  milliseconds: 1,
});

/** Cases in short: id=outcome, the program as a whole being *. */
const short = (...args: Parameters<typeof output>): string =>
  judge(output(...args))
    .cases.map(({ id, outcome }) => `${id || "*"}=${outcome}`)
    .join(" ");

const totals = (counts: string): string => `# Totals: ${counts}\n`;
const ksft = "TAP version 13\n1..2\nok 1 a\nok 2 b\n";
const ltp = (...words: string[]): string => words.map((word) => `clone01.c:12: ${word}: text\n`).join("");

describe("the kind of a program shows in its output", () => {
  const kinds: readonly (readonly [string, Kind])[] = [
    ["TAP version 14\n1..1\nok 1\n", "tap"],
    ["1..1\nok 1\n", "tap"],
    [ksft + totals("pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0"), "kselftest"],
    [ltp("TPASS"), "ltp"],
    ["clone01     1  TPASS  :  clone returned 5\n", "ltp"],
    ["\x1b[1;32mclone01.c:3: \x1b[0mTPASS: coloured\n", "ltp"],
    ["hello\nok\n", "exit"],
    ["", "exit"],
  ];
  it.each(kinds)("%j is %s", (text, kind) => expect(detectKind(text)).toBe(kind));

  it("for LTP on standard error", () => expect(detectKind("", ltp("TCONF"))).toBe("ltp"));
});

describe("the cases of a run", () => {
  const rows: readonly (readonly [string, string, Ending | number, string])[] = [
    ["TAP, all good", "1..2\nok 1\nok 2\n", 0, "1=passed 2=passed"],
    ["TAP, a failure explains any exit code", "1..2\nok 1\nnot ok 2\n", 9, "1=passed 2=failed"],
    ["TAP, an exit code without a failure", "1..1\nok 1\n", 1, "1=passed *=failed"],
    ["TAP, too few cases", "1..3\nok 1\n", 0, "1=passed *=failed"],
    ["TAP, too many cases", "1..1\nok 1\nok 2\n", 0, "1=passed 2=passed *=failed"],
    ["TAP without a plan", "TAP version 14\nok 1\n", 0, "1=passed"],
    ["TAP, given up", "1..2\nok 1\nBail out! no\n", 1, "1=passed *=failed"],
    ["TAP, nothing at all", "TAP version 14\n", 0, "*=failed"],
    ["TAP, all skipped by plan", "1..0 # SKIP no root\n", 0, "*=skipped"],
    ["TAP, skipped by exit code", "TAP version 13\n", 4, "*=skipped"],
    ["TAP, killed", "1..2\nok 1\n", { kind: "killed", signal: 11 }, "1=passed *=failed"],
    ["TAP, hanging", "1..2\nok 1\n", { kind: "hung", seconds: 60 }, "1=passed *=failed"],
    ["kselftest, skipped as a whole", `TAP version 13\n1..1\nok 1 # SKIP x y\n${totals("pass:0")}`, 4, "1=skipped"],
    ["kselftest, expected failure", `1..1\nok 1 # XFAIL x y\n${totals("pass:0")}`, 2, "1=xfailed"],
    ["kselftest, failed without a case", ksft + totals("pass:2"), 1, "a=passed b=passed *=failed"],
    ["LTP, all good", ltp("TPASS", "TINFO", "TPASS"), 0, "1=passed 2=passed"],
    ["LTP, failures", ltp("TPASS", "TFAIL", "TBROK", "TWARN"), 7, "1=passed 2=failed 3=failed 4=failed"],
    ["LTP, unsupported", ltp("TCONF"), 32, "1=skipped"],
    ["LTP, exit bit without a line", ltp("TPASS"), 1, "1=passed *=failed"],
    ["LTP, killed", ltp("TPASS"), { kind: "killed", signal: 9 }, "1=passed *=failed"],
    ["exit code 0", "words\n", 0, "*=passed"],
    ["exit code 1", "words\n", 1, "*=failed"],
    ["exit code 4, the kernel's skip", "", 4, "*=skipped"],
    ["exit code 77, automake's skip", "", 77, "*=skipped"],
    ["killed", "", { kind: "killed", signal: 6 }, "*=failed"],
    ["not started", "", { kind: "not-started", errno: 8, reason: "no" }, "*=failed"],
    ["our bug", "", { kind: "machine-failed", report: "oops" }, "*=failed"],
  ];
  it.each(rows)("%s", (_, stdout, ending, expected) => expect(short(stdout, ending)).toBe(expected));
});

describe("a failure of the program as a whole says why", () => {
  const rows: readonly (readonly [Ending, RegExp])[] = [
    [{ kind: "exited", code: 3 }, /exit code 3/],
    [{ kind: "killed", signal: 11 }, /SIGSEGV/],
    [{ kind: "hung", seconds: 2.5 }, /hangs: stopped after 2.5 seconds/],
    [{ kind: "not-started", errno: 2, reason: "not found" }, /could not be started: not found/],
    [{ kind: "machine-failed", report: "kernel bug: x" }, /bug of ours:\nkernel bug: x/],
  ];
  it.each(rows)("%j", (ending, text) => expect(judge(output("", ending)).cases[0]!.details).toMatch(text));

  it("names the last result before a hang", () => {
    const { cases } = judge(output("1..9\nok 1 first\n", { kind: "hung", seconds: 1 }));
    expect(cases.at(-1)!.details).toMatch(/last result was that of first/);
  });
});
