/** One program in lockstep, in a process of its own, and what became of it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { repository } from "../support/run-guest.ts";
import type { LockstepProgram } from "./programs.ts";

export interface Counts {
  readonly pieces: number;
  readonly instructions: number;
  readonly units: number;
  readonly repeated: number;
  readonly unchecked: number;
}

export interface Outcome {
  /** "same", "differs", or why there is no answer; a program that fails proves nothing. */
  readonly result: string;
  /** Empty if all is well. */
  readonly report: string;
  readonly statistics: Counts | undefined;
  readonly seconds: number;
}

export interface LockstepRun {
  readonly engines: string;
  readonly seconds: number;
}

/** The trapgate that is run: another one with TRAPGATE_CLI. */
const trapgate = process.env["TRAPGATE_CLI"] ?? join(repository, "bin/trapgate");
const EXIT_LIMIT = 124;
const EXIT_FAILURE = 125;

export function runInLockstep(
  { words, missing, exit = 0 }: LockstepProgram,
  { engines, seconds }: LockstepRun,
): Outcome {
  if (missing !== "") return { result: missing, report: "", statistics: undefined, seconds: 0 };
  const started = performance.now();
  const settings = ["--clock=virtual", "--seed=1", `--timeout=${seconds}`, `--engine=lockstep:${engines}`];
  const ran = spawnSync(process.execPath, [trapgate, "run", ...settings, ...words], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "latin1",
    maxBuffer: 1 << 28,
  });
  const result = resultOf(ran.status, ran.stderr, exit);
  return {
    result,
    report: result === "same" || result === "time-out" ? "" : ran.stderr,
    statistics: parseCounts(ran.stderr),
    seconds: (performance.now() - started) / 1000,
  };
}

/** @param expected exit code of the program */
export function resultOf(status: number | null, errors: string, expected: number): string {
  if (status === EXIT_FAILURE) return errors.includes("the engines differ") ? "differs" : "failed";
  if (status === EXIT_LIMIT) return "time-out";
  return status === expected ? "same" : `exit code ${status}, not ${expected}`;
}

/** The summary that `trapgate run` writes for an engine in lockstep (cli/run.ts). */
export function parseCounts(errors: string): Counts | undefined {
  const match =
    /lockstep: (\d+) pieces compared, (\d+) (instructions|blocks); (\d+) repeated [^;]*, (\d+) not comparable/.exec(
      errors,
    );
  if (!match) return undefined;
  const [pieces, size, , repeated, unchecked] = match.slice(1).map(Number) as [number, number, number, number, number];
  const counted = match[3] === "instructions";
  return { pieces, instructions: counted ? size : 0, units: counted ? 0 : size, repeated, unchecked };
}
