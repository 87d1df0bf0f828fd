import { describe, expect, it } from "vitest";
import { formatJson } from "./format-json.ts";
import { formatJunit } from "./format-junit.ts";
import { formatTable } from "./format-table.ts";
import { formatTap } from "./format-tap.ts";
import { KnownFailures } from "./known-failures.ts";
import { makeReport, reportProgram, type Report } from "./report.ts";
import type { Ending, ProgramOutput } from "./result.ts";
import { programLines, summaryLines } from "./summary.ts";
import { parseTap } from "./tap-parser.ts";

const output = (stdout: string, ending: Ending = { kind: "exited", code: 0 }): ProgramOutput => ({
  ending,
  stdout,
  stderr: "",
  milliseconds: 1500,
});

interface Given {
  known?: Record<string, string>;
  native?: string | ProgramOutput;
  wants?: (title: string, id: string) => boolean;
}

function reportOf(stdout: string | ProgramOutput, { known = {}, native, wants }: Given = {}): Report {
  const list = new KnownFailures(new Map(Object.entries(known)));
  const machine = typeof stdout === "string" ? output(stdout) : stdout;
  const nativeOutput = native === undefined ? null : typeof native === "string" ? output(native) : native;
  const rules = { known: list, ...(wants && { wants }) };
  const program = reportProgram({ title: "t/p", machine, native: nativeOutput }, rules);
  const isCompared = native !== undefined;
  return makeReport([program], { engine: "e", isCompared, milliseconds: 2000, stale: list.stale([]) });
}

const verdicts = (report: Report): string =>
  report.programs[0]!.cases.map(({ id, verdict }) => `${id || "*"}=${verdict}`).join(" ");

const GOOD = "1..2\nok 1\nok 2\n";
const BAD = "1..2\nok 1\nnot ok 2\n";

describe("a run is as expected", () => {
  const rows: readonly (readonly [string, string, Given, string, boolean])[] = [
    ["when all is good", GOOD, {}, "1=good 2=good", true],
    ["not with a failure", BAD, {}, "1=good 2=failure", false],
    ["with a known failure", BAD, { known: { "p/2": "why" } }, "1=good 2=known failure", true],
    ["not when a known failure passes", GOOD, { known: { "p/2": "why" } }, "1=good 2=unexpected pass", false],
    ["not when a known failure does not exist", GOOD, { known: { "p/3": "why" } }, "1=good 2=good", false],
    ["with skips", "1..1\nok 1 # SKIP\n", {}, "1=good", true],
    ["with a skipped known failure", "1..1\nok 1 # SKIP\n", { known: { "p/1": "why" } }, "1=good", true],
    ["with announced failures", "1..1\nnot ok 1 # TODO\n", {}, "1=good", true],
    ["when Linux says the same", GOOD, { native: GOOD }, "1=good 2=good", true],
    ["when Linux fails too", BAD, { native: BAD }, "1=good 2=good", true],
    ["when Linux fails a known failure too", BAD, { native: BAD, known: { "p/2": "" } }, "1=good 2=good", true],
    ["not when only Linux passes", BAD, { native: GOOD }, "1=good 2=difference", false],
    ["not when only Linux fails", GOOD, { native: BAD }, "1=good 2=difference", false],
    ["with a known difference", BAD, { native: GOOD, known: { "p/2": "" } }, "1=good 2=known failure", true],
    ["when Linux skips the case", GOOD, { native: "1..2\nok 1\nok 2 # SKIP\n" }, "1=good 2=good", true],
    ["not when Linux skips what fails", BAD, { native: "1..2\nok 1\nok 2 # SKIP\n" }, "1=good 2=failure", false],
    ["not when we skip what Linux runs", "1..1\nok 1 # SKIP\n", { native: "1..1\nok 1\n" }, "1=difference", false],
    ["when Linux skips the program", GOOD, { native: "1..0 # SKIP no\n" }, "1=good 2=good", true],
    [
      "not when we skip the program",
      "1..0 # SKIP\n",
      { native: GOOD },
      "*=difference 1=difference 2=difference",
      false,
    ],
    ["not when Linux has more cases", "1..1\nok 1\n", { native: GOOD }, "1=good 2=difference", false],
    ["not when Linux has fewer cases", GOOD, { native: "1..1\nok 1\n" }, "1=good 2=difference", false],
  ];
  it.each(rows)("%s", (_, stdout, given, expected, isGood) => {
    const report = reportOf(stdout, given);
    expect(verdicts(report)).toBe(expected);
    expect(report.isGood).toBe(isGood);
  });

  it("only if a program that fails as a whole does so in the same way", () => {
    const ends = (signal: number) => output("", { kind: "killed", signal });
    expect(reportOf(ends(11), { native: ends(11) }).isGood).toBe(true);
    expect(reportOf(ends(11), { native: ends(6) }).isGood).toBe(false);
  });

  it("not if a program hangs of which other cases are wanted", () => {
    const hung = output("1..2\nok 1\nok 2\n", { kind: "hung", seconds: 1 });
    const report = reportOf(hung, { wants: (_, id) => id === "1" });
    expect(verdicts(report)).toBe("1=good *=failure");
  });
});

describe("counts", () => {
  it("compare what Linux has not skipped", () => {
    const { counts } = reportOf("1..3\nok 1\nok 2\nnot ok 3\n", { native: "1..3\nok 1\nok 2 # SKIP\nok 3\n" });
    expect(counts).toMatchObject({ cases: 3, passed: 2, failed: 1, compared: 2, agreeing: 1 });
  });

  it("take a program without cases for one", () => expect(reportOf("").counts).toMatchObject({ cases: 1, passed: 1 }));
});

/** All that can go wrong, with characters that each format must escape. */
const everything = reportOf(
  '1..5\nok 1 - <a> & "b" \\# c\nnot ok 2 - bad\n# \x1b[31m]]>\x00\nnot ok 3 - known\nok 4 - pass # SKIP no\nok 5 - cured\n',
  { known: { "p/known": "because & so", "p/cured": "was <ill>", "p/gone": "left" } },
);

describe("TAP", () => {
  const text = formatTap(everything);

  it("is read back by our own parser with the same cases", () => {
    const { cases, planned, ran } = parseTap(text);
    expect({ planned, ran }).toEqual({ planned: 2, ran: 2 });
    expect(cases.map(({ outcome }) => outcome)).toEqual(["passed", "failed", "xfailed", "skipped", "failed", "failed"]);
  });

  it("has no control characters", () => expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u));
});

describe("JUnit XML", () => {
  const text = formatJunit(everything);

  it("is well-formed", () => {
    expect(unbalanced(text)).toEqual([]);
    expect(text).not.toMatch(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u);
  });

  it("counts what it lists", () => {
    const count = (tag: string): number => text.split(`<${tag} `).length - 1;
    const [, tests, failures, skipped] = /<testsuites [^>]*tests="(\d+)" failures="(\d+)" skipped="(\d+)"/.exec(text)!;
    expect([tests, failures, skipped].map(Number)).toEqual([count("testcase"), count("failure"), count("skipped")]);
    expect([count("failure"), count("skipped")]).toEqual([3, 2]);
  });

  it("escapes what the programs say", () => {
    expect(text).toContain('name="&lt;a&gt; &amp; &quot;b&quot; # c [1]"');
    expect(text).toContain("]]&gt;");
  });
});

/** Tags without their partner, and markup characters that are not part of a tag. */
function unbalanced(xml: string): string[] {
  const wrong: string[] = [];
  const open: string[] = [];
  const rest = xml.replace(
    /<\?xml [^>]*\?>|<(\/?)([\w-]+)((?: [\w-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#10);[^"<&]*)*")*)(\/?)>/g,
    (_, close, name, __, empty) => {
      if (name === undefined || empty) return "";
      if (!close) open.push(name as string);
      else if (open.pop() !== name) wrong.push(name as string);
      return "";
    },
  );
  if (/[<>]|&(?!(amp|lt|gt|quot|#10);)/.test(rest)) wrong.push(rest);
  return [...wrong, ...open];
}

describe("JSON", () => {
  it("has everything", () => {
    const report = JSON.parse(formatJson(everything)) as Report;
    expect(report.programs[0]!.machine!.stdout).toContain("not ok 2");
    expect(report.stale).toEqual(["p/gone"]);
    expect(report.counts).toEqual(everything.counts);
  });
});

describe("the table", () => {
  it("has a row for each folder and one for all", () => {
    const one = reportOf(GOOD, { native: BAD }).programs[0]!;
    const programs = [one, { ...one, title: "u/q" }, { ...one, title: "u/r" }];
    const report = makeReport(programs, { engine: "e", isCompared: true, milliseconds: 1, stale: [] });
    const cells = formatTable(report)
      .trimEnd()
      .split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()));
    expect(cells.slice(2).map((row) => row.slice(1, -1))).toEqual([
      ["`t`", "1", "2", "2", "0", "2", "1", "50.0 %"],
      ["`u`", "2", "4", "4", "0", "4", "2", "50.0 %"],
      ["all", "3", "6", "6", "0", "6", "3", "50.0 %"],
    ]);
  });
});

describe("what a person reads", () => {
  it("is one line for a program that is as expected", () => {
    expect(programLines(reportOf(GOOD).programs[0]!)).toEqual(["ok   t/p: 2 passed (1.5 s)"]);
  });

  it("names what is not as expected, with the reason", () => {
    const text = programLines(everything.programs[0]!).join("\n");
    expect(text).toMatch(/^FAIL t\/p: 2 passed, 2 failed \(1 known\), 1 skipped/);
    expect(text).toMatch(/failed: t\/p\/bad/);
    expect(text).toMatch(/unexpected pass: t\/p\/cured\S*\n.*was <ill>/);
    expect(text).not.toMatch(/t\/p\/known/);
  });

  it("does not list every case that a program has not come to", () => {
    const killed = output("1..3\nok 1\n", { kind: "killed", signal: 11 });
    const [program] = reportOf(killed, { native: "1..3\nok 1\nok 2\nok 3\n" }).programs;
    const text = programLines(program!).join("\n");
    expect(text).toMatch(/SIGSEGV/);
    expect(text).toMatch(/not run: 2 cases that Linux has/);
    expect(text).not.toMatch(/t\/p\/3/);
  });

  it("ends with the totals and the names", () => {
    const lines = summaryLines(everything);
    expect(lines[0]).toBe("1 program, 5 cases on e: 2 passed, 2 failed (1 known), 1 skipped (2.0 s)");
    expect(lines).toContain("  p/gone");
    expect(lines.at(-1)).toBe("NOT as expected");
  });
});
