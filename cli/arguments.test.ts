import { describe, expect, it } from "vitest";
import { parseArguments, type OptionSpec } from "./arguments.ts";
import { parseSize } from "./run-options.ts";

const specs: readonly OptionSpec[] = [
  { name: "switch", short: "q", help: "" },
  { name: "value", short: "v", value: "N", help: "" },
  { name: "list", short: "E", value: "X", many: true, help: "" },
];
const parse = (...words: string[]) => {
  const { given, rest } = parseArguments("t", specs, words);
  return { given: Object.fromEntries(given), rest };
};

describe("options are read as people write them", () => {
  const cases: readonly (readonly [string[], object, string[]])[] = [
    [["--value", "1", "p"], { value: ["1"] }, ["p"]],
    [["--value=1", "p"], { value: ["1"] }, ["p"]],
    [["--value=a=b"], { value: ["a=b"] }, []],
    [["-v", "1", "p"], { value: ["1"] }, ["p"]],
    [["-v1", "p"], { value: ["1"] }, ["p"]],
    [["-Ea", "-E", "b", "--list=c"], { list: ["a", "b", "c"] }, []],
    [["--switch", "-q", "p"], { switch: ["", ""] }, ["p"]],
    [["--value", "--switch"], { value: ["--switch"] }, []],
    [["p", "--switch", "-v"], {}, ["p", "--switch", "-v"]],
    [["--", "--switch"], {}, ["--switch"]],
    [["-", "-q"], {}, ["-", "-q"]],
  ];
  it.each(cases)("%j", (words, given, rest) => expect(parse(...words)).toEqual({ given, rest }));
});

it.each([
  ["16M", 16 << 20],
  ["1g", 1 << 30],
  ["1.5G", 1.5 * 2 ** 30],
  ["8192K", 8 << 20],
  ["4194304", 4 << 20],
  ["16MiB", 16 << 20],
  ["4G", undefined],
  ["1M", undefined],
  ["-16M", undefined],
  ["16T", undefined],
  ["", undefined],
])("the size %s", (text, bytes) => expect(parseSize(text)).toBe(bytes));
