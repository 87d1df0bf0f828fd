/** Whole programs on Unicorn and the wasm engine at once: the short ones of scripts/lockstep-programs.mjs. */
import { describe, expect, test } from "vitest";
import { trapgate } from "../cli/trapgate.ts";
import { lockstepPrograms } from "./programs.ts";
import { runInLockstep } from "./run-program.ts";

describe("the engines do the same", () => {
  for (const program of lockstepPrograms().filter(({ short }) => short)) {
    test.skipIf(program.missing !== "")(program.name, () => {
      const { result, report, statistics } = runInLockstep(program, { engines: "unicorn,wasm", seconds: 50 });
      expect(report).toBe("");
      expect(result).toBe("same");
      expect(statistics).toMatchObject({ unchecked: 0 });
      expect(statistics!.pieces).toBeGreaterThan(1);
    });
  }
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
