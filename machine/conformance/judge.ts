/** What the output and the end of a program mean: its kind, its cases, and whether the end is explained by them. */
import { signalName } from "../../abi/signal.ts";
import { parseLtp } from "./ltp-parser.ts";
import type { CaseResult, Ending, Kind, Outcome, ProgramOutput } from "./result.ts";
import { parseTap } from "./tap-parser.ts";

export interface Judgement {
  readonly kind: Kind;
  /** The case without an id is the program as a whole; a program with other cases has it only for what they miss. */
  readonly cases: readonly CaseResult[];
}

/** Exit codes of tools/testing/selftests/kselftest.h. */
const KSFT_XFAIL = 2;
const KSFT_XPASS = 3;
const KSFT_SKIP = 4;
/** Automake's way to say that a test was skipped. */
const AUTOMAKE_SKIP = 77;
/** Bits of LTP's exit code: some case had no kernel to test; any other bit is a failure. */
const LTP_TCONF = 32;

export function detectKind(stdout: string, stderr = ""): Kind {
  if (/^# Totals: pass:\d/m.test(stdout)) return "kselftest";
  if (/^(TAP version \d+|1\.\.\d+)/m.test(stdout)) return "tap";
  // LTP writes to standard error.
  return parseLtp(stdout + stderr).length > 0 ? "ltp" : "exit";
}

/** @param kind what to take the output for; it shows by itself where this is left out */
export function judge(output: ProgramOutput, kind = detectKind(output.stdout, output.stderr)): Judgement {
  switch (kind) {
    case "tap":
    case "kselftest":
      return judgeTap(output, kind);
    case "ltp":
      return judgeLtp(output);
    case "exit":
      return { kind, cases: [judgeExit(output)] };
  }
}

function judgeTap(output: ProgramOutput, kind: Kind): Judgement {
  const { cases, planned, ran, bailOut, skipAll } = parseTap(output.stdout);
  const { ending } = output;
  const whole = (outcome: Outcome, details: string): Judgement => ({
    kind,
    cases: [...cases, { id: "", sentence: "", outcome, details }],
  });
  const last = cases.at(-1);
  if (ending.kind !== "exited")
    return whole("failed", describeEnding(ending) + (last ? `\nThe last result was that of ${last.id}.` : ""));
  if (bailOut !== null) return whole("failed", `gave up: ${bailOut}`);
  if (cases.length === 0 && isSkip(ending.code)) return whole("skipped", skipAll ?? "");
  if (cases.length === 0 && skipAll !== null && ending.code === 0) return whole("skipped", skipAll);
  if (cases.length === 0) return whole("failed", `${describeEnding(ending)} and without any result`);
  const end = describeEnding(ending);
  if (planned > 0 && planned !== ran) return whole("failed", `${end} after ${ran} of ${planned} planned cases`);
  if (!isExplained(ending.code, cases)) return whole("failed", end);
  return { kind, cases };
}

/** A failed case explains any exit code; without one it must be 0, or say of what all cases are. */
function isExplained(code: number, cases: readonly CaseResult[]): boolean {
  const has = (...outcomes: readonly Outcome[]) => cases.some(({ outcome }) => outcomes.includes(outcome));
  if (code === 0 || has("failed")) return true;
  if (isSkip(code)) return has("skipped");
  return (code === KSFT_XFAIL && has("xfailed")) || (code === KSFT_XPASS && has("xpassed"));
}

function isSkip(code: number): boolean {
  return code === KSFT_SKIP || code === AUTOMAKE_SKIP;
}

function judgeLtp(output: ProgramOutput): Judgement {
  const cases = parseLtp(`${output.stdout}${output.stderr}`);
  const { ending } = output;
  const failed = cases.some(({ outcome }) => outcome === "failed");
  const isGood = ending.kind === "exited" && ((ending.code & ~LTP_TCONF) === 0 || failed);
  if (isGood && cases.length > 0) return { kind: "ltp", cases };
  const details = isGood ? "ended without any result" : describeEnding(ending);
  return { kind: "ltp", cases: [...cases, { id: "", sentence: "", outcome: "failed", details }] };
}

function judgeExit({ ending }: ProgramOutput): CaseResult {
  const of = (outcome: Outcome, details: string): CaseResult => ({ id: "", sentence: "", outcome, details });
  if (ending.kind === "exited" && ending.code === 0) return of("passed", "");
  return of(ending.kind === "exited" && isSkip(ending.code) ? "skipped" : "failed", describeEnding(ending));
}

export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case "exited":
      return `ended with exit code ${ending.code}`;
    case "killed":
      return `was killed by ${signalName(ending.signal)}`;
    case "hung":
      return `hangs: stopped after ${ending.seconds} seconds`;
    case "not-started":
      return `could not be started: ${ending.reason}`;
    case "machine-failed":
      return `the machine has failed, which is a bug of ours:\n${ending.report}`;
  }
}
