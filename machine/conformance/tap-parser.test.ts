import { describe, expect, it } from "vitest";
import { parseTap } from "./tap-parser.ts";

const outcomes = (text: string) => parseTap(text).cases.map(({ id, outcome }) => [id, outcome]);
const lines = (...all: string[]): string => `${all.join("\n")}\n`;

describe("TAP", () => {
  it("is read with plan, numbers, skips and diagnostics", () => {
    const report = parseTap(
      lines(
        "TAP version 14",
        "1..4",
        "ok 1 - clone2 does it [C7.1]",
        "not ok 2 - clone2 [sic] refuses it [C7.2]",
        "  ---",
        "  message: 'line 3: no'",
        "  ...",
        "ok 3 - needs a tracer [C7.98] # SKIP no ptrace",
        "ok 4",
      ),
    );
    expect(report).toEqual({
      planned: 4,
      ran: 4,
      bailOut: null,
      skipAll: null,
      hasTotals: false,
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
  it("may skip everything", () => expect(parseTap("1..0 # SKIP no root\n").skipAll).toBe("no root"));
  it("may have Windows' line ends", () => expect(outcomes("ok 1 - a\r\n")).toEqual([["a", "passed"]]));

  const directives: readonly (readonly [string, string, string])[] = [
    ["ok 1 - a # SKIP why", "a", "skipped"],
    ["ok 1 - a # skipped: why", "a", "skipped"],
    ["not ok 1 - a # TODO later", "a", "xfailed"],
    ["ok 1 - a # TODO later", "a", "xpassed"],
    ["ok 1 # XFAIL a b", "1", "xfailed"],
    ["ok 1 # SKIP a b", "1", "skipped"],
    ["not ok 1 # error a b", "1", "failed"],
    ["ok 1 global.name", "global.name", "passed"],
    ["ok 1 global.name # SKIP why", "global.name", "skipped"],
    ["ok 1 - not a \\# skip", "1", "passed"],
    ["ok 1 two words", "1", "passed"],
    ["ok", "1", "passed"],
    ["ok 7 - name with a dot [signal.stack.3]", "signal.stack.3", "passed"],
  ];
  it.each(directives)("reads %j as %s, %s", (line, id, outcome) => expect(outcomes(line)).toEqual([[id, outcome]]));

  it("does not take words for results", () => expect(outcomes("okay\nnot okay\n okidoki\n")).toEqual([]));

  it("tells cases of the same name apart", () => {
    expect(outcomes("ok 1 a\nok 2 a\nnot ok 3 a\n").map(([id]) => id)).toEqual(["a", "a#2", "a#3"]);
  });

  it("gives a failed case the comments below it", () => {
    const [first, second] = parseTap("not ok 1 - a\n# because\nok 2 - b\n# fine\n").cases;
    expect([first!.details, second!.details]).toEqual(["because", ""]);
  });

  it("gives a failed case the comments above it in a selftest of the kernel", () => {
    const totals = "# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:0 error:0";
    const [first, second] = parseTap(lines("ok 1 a", "# b.c:3:Expected 1", "not ok 2 b", totals)).cases;
    expect([first!.details, second!.details]).toEqual(["", "b.c:3:Expected 1"]);
  });
});

describe("subtests", () => {
  const text = lines(
    "TAP version 14",
    "1..2",
    "# Subtest: first",
    "    1..2",
    "    ok 1 - a",
    "    not ok 2 - b",
    "      ---",
    "      message: 'broken'",
    "      ...",
    "not ok 1 - first",
    "ok 2 - second",
  );

  it("stand for the case they are in", () => {
    expect(outcomes(text)).toEqual([
      ["first/a", "passed"],
      ["first/b", "failed"],
      ["second", "passed"],
    ]);
  });

  it("keep their diagnostics", () => expect(parseTap(text).cases[1]!.details).toBe("message: 'broken'"));
  it("count as one towards the plan", () => expect(parseTap(text)).toMatchObject({ planned: 2, ran: 2 }));

  it("do not hide that the case they are in failed by itself", () => {
    expect(outcomes("    ok 1 - a\nnot ok 1 - first\n")).toEqual([
      ["first/a", "passed"],
      ["first", "failed"],
    ]);
  });
});
