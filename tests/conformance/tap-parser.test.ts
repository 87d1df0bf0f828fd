/** What is read from a program's output, and from the list of known failures. */
import { describe, expect, it } from "vitest";
import { compareWithKnown, parseKnownFailures } from "./known-failures.ts";
import { parseTap } from "./tap-parser.ts";

describe("TAP", () => {
  it("is read with plan, numbers, skips and diagnostics", () => {
    const report = parseTap(
      [
        "TAP version 14",
        "1..4",
        "ok 1 - clone2 does it [C7.1]",
        "not ok 2 - clone2 [sic] refuses it [C7.2]",
        "  ---",
        "  message: 'line 3: no'",
        "  ...",
        "ok 3 - needs a tracer [C7.98] # SKIP no ptrace",
        "ok 4",
        "",
      ].join("\n"),
    );
    expect(report).toEqual({
      planned: 4,
      bailOut: null,
      cases: [
        { id: "C7.1", sentence: "clone2 does it", outcome: "passed", details: "" },
        { id: "C7.2", sentence: "clone2 [sic] refuses it", outcome: "failed", details: "message: 'line 3: no'" },
        { id: "C7.98", sentence: "needs a tracer", outcome: "skipped", details: "no ptrace" },
        { id: "4", sentence: "", outcome: "passed", details: "" },
      ],
    });
  });

  it("may give up", () => expect(parseTap("1..2\nBail out! no clone2\n").bailOut).toBe("no clone2"));
  it("may be missing", () => expect(parseTap("Segmentation fault\n")).toMatchObject({ planned: 0, cases: [] }));
});

describe("known failures", () => {
  it("are names with reasons, and comments", () => {
    const known = parseKnownFailures("# why\n\nclone2/a/C7.1  not yet: it is hard\nclone3/b/C8.2 other\n");
    expect([...known]).toEqual([
      ["clone2/a/C7.1", "not yet: it is hard"],
      ["clone3/b/C8.2", "other"],
    ]);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["without a reason", "clone2/a/C7.1\n", /line 1: "clone2\/a\/C7.1" has no reason/],
    ["twice", "a/1 x\na/1 y\n", /line 2: a\/1 is listed twice/],
  ];
  it.each(wrong)("are refused %s", (_, text, message) => expect(() => parseKnownFailures(text)).toThrow(message));

  it("are compared both ways", () => {
    const outcomes = new Map([
      ["a/1", true],
      ["a/2", false],
      ["a/3", true],
      ["a/4", false],
    ]);
    const known = new Map([
      ["a/1", "?"],
      ["a/4", "?"],
    ]);
    expect(compareWithKnown(outcomes, known)).toEqual({ failures: ["a/2"], passes: ["a/1"] });
  });
});
