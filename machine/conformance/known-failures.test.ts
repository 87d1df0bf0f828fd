import { describe, expect, it } from "vitest";
import { compareWithKnown, KnownFailures, parseKnownFailures } from "./known-failures.ts";

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

describe("a list for programs that lie in other folders", () => {
  const list = () =>
    new KnownFailures(
      new Map([
        ["x/a/1", "one"],
        ["a/2", "two"],
        ["b", "whole"],
      ]),
    );

  it("knows a case by the end of its name", () => {
    expect(list().reasonFor("build/x/a/1")).toBe("one");
    expect(list().reasonFor("build/x/a/2")).toBe("two");
    expect(list().reasonFor("build/b")).toBe("whole");
  });

  it("does not take a part of a word for the whole", () => {
    expect(list().reasonFor("build/xx/a/1")).toBeUndefined();
    expect(list().reasonFor("build/x/a/11")).toBeUndefined();
    expect(list().reasonFor("build/b/1")).toBeUndefined();
  });

  it("says which names nobody has", () => {
    const known = list();
    known.reasonFor("build/x/a/1");
    expect(known.stale([])).toEqual(["a/2", "b"]);
  });

  it("says nothing of programs that were left out", () => {
    expect(list().stale(["build/x/a"])).toEqual(["b"]);
    expect(list().stale(["build/b"])).toEqual(["x/a/1", "a/2"]);
  });
});
