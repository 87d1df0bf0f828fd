/** What a run of test programs finds out, as plain data. */

/** How one case ended; the last two are failures that were announced (TODO, XFAIL), and such that did not happen. */
export type Outcome = "passed" | "failed" | "skipped" | "xfailed" | "xpassed";

export interface CaseResult {
  /** Short and without blanks, unique in its program; empty for the program as a whole. */
  readonly id: string;
  /** What the program says the case is about. */
  readonly sentence: string;
  readonly outcome: Outcome;
  /** Why it failed or was skipped, as far as the program says. */
  readonly details: string;
}

/** How a program ended. */
export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: number }
  /** It was stopped by the time limit. */
  | { readonly kind: "hung"; readonly seconds: number }
  /** It could not be executed. */
  | { readonly kind: "not-started"; readonly errno: number; readonly reason: string }
  /** A bug of ours. */
  | { readonly kind: "machine-failed"; readonly report: string };

/** One run of a program, in the machine or natively. */
export interface ProgramOutput {
  readonly ending: Ending;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** In which way a program tells its results. */
export type Kind = "tap" | "kselftest" | "ltp" | "exit";

export const KINDS: readonly Kind[] = ["tap", "kselftest", "ltp", "exit"];
