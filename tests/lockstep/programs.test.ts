/** Whole programs on Unicorn and the wasm engine at once: the short ones of scripts/lockstep-programs.mjs. */
import { describe, expect, test } from "vitest";
import { trapgate } from "../cli/trapgate.ts";
import { lockstepPrograms } from "./programs.ts";
import { resultOf, runInLockstep } from "./run-program.ts";

describe("the engines do the same", () => {
  for (const program of lockstepPrograms().filter(({ short }) => short)) {
    test.skipIf(program.missing !== "")(program.name, () => {
      const { result, report, statistics } = runInLockstep(program, { engines: "unicorn,wasm", seconds: 50 });
      expect(report).toBe("");
      expect(result).toBe("same");
      expect(statistics).toMatchObject({ unchecked: 0 });
      expect(statistics!.pieces).toBeGreaterThan(1);
      expect(statistics!.instructions).toBeGreaterThan(statistics!.pieces);
    });
  }
});

describe("the result", () => {
  test.each([
    [0, "", 0, "same"],
    [1, "", 1, "same"],
    [1, "", 0, "exit code 1, not 0"],
    [0, "", 1, "exit code 0, not 1"],
    [127, "trapgate: awk: not found in PATH", 0, "exit code 127, not 0"],
    [null, "", 0, "exit code null, not 0"],
    [124, "", 0, "time-out"],
    [125, "the engines differ", 0, "differs"],
    [125, "a bug", 0, "failed"],
  ])("exit code %s and %j, with %i expected, is %j", (status, errors, expected, result) => {
    expect(resultOf(status, errors, expected)).toBe(result);
  });
});

describe("the command line", () => {
  test.each([
    ["--engine=lockstep:unicorn,steam", "--engine must be"],
    ["--engine=lockstep:wasm,wasm", "--engine must be"],
    ["--lockstep=sometimes", "--lockstep must be syscall or block or step"],
  ])("%s is refused", (word, message) => {
    const { code, err } = trapgate(["run", word, "/bin/true"]);
    expect({ code, err: err.includes(message) }).toEqual({ code: 2, err: true });
  });
});
