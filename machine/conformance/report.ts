/** Puts runs, native runs and the list of known failures together: what was to be expected, and what was not. */
import { pairCases, type Agreement, type Pair } from "./compare-native.ts";
import { judge } from "./judge.ts";
import type { KnownFailures } from "./known-failures.ts";
import type { CaseResult, Kind, Outcome, ProgramOutput } from "./result.ts";

/** Both runs of a program; null for the one that was not asked for. */
export interface ProgramRun {
  readonly title: string;
  readonly machine: ProgramOutput | null;
  readonly native: ProgramOutput | null;
}

/** What a case means for the whole run. `difference` is from Linux; `known` were to be expected by the list. */
export type Verdict = "good" | "known failure" | "failure" | "difference" | "unexpected pass";

export interface ReportedCase extends CaseResult {
  /** Program and case, as in the list of known failures. */
  readonly name: string;
  readonly verdict: Verdict;
  /** The reason from the list of known failures. */
  readonly knownReason: string | null;
  /** Only in runs that compare: */
  readonly agreement: Agreement | null;
  readonly nativeOutcome: Outcome | "missing" | null;
  readonly nativeDetails: string;
  /** False where only Linux has the case; outcome, sentence and details are Linux's then. */
  readonly isOurs: boolean;
  /** The program as a whole, where that is told beside its cases. */
  readonly isExtra: boolean;
}

export interface ReportedProgram {
  readonly title: string;
  readonly kind: Kind;
  readonly milliseconds: number;
  readonly cases: readonly ReportedCase[];
  readonly machine: ProgramOutput | null;
  readonly native: ProgramOutput | null;
}

export interface Counts {
  readonly cases: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly knownFailures: number;
  /** Cases with a result on both sides, and how many of those are the same. */
  readonly compared: number;
  readonly agreeing: number;
}

export interface Report {
  /** Name of the engine, null for a native run. */
  readonly engine: string | null;
  readonly isCompared: boolean;
  readonly programs: readonly ReportedProgram[];
  /** Names in the list of known failures that no program has. */
  readonly stale: readonly string[];
  readonly milliseconds: number;
  readonly counts: Counts;
  /** Whether everything was as expected. */
  readonly isGood: boolean;
}

/** What selects and explains cases while the runs come in. */
export interface ReportRules {
  readonly known: KnownFailures;
  readonly kind?: Kind;
  readonly wants?: ((title: string, id: string, sentence: string) => boolean) | null;
}

export function reportProgram(run: ProgramRun, { known, kind, wants }: ReportRules): ReportedProgram {
  const main = run.machine ?? run.native!;
  const judged = judge(main, kind);
  const pairs: Pair[] | null =
    run.machine && run.native ? pairCases(judged.cases, judge(run.native, kind).cases) : null;
  const all = pairs
    ? pairs.map((pair) => reportCase(run.title, pair.ours ?? pair.native!, known, pair))
    : judged.cases.map((one) => reportCase(run.title, one, known, null));
  const isWanted = ({ id, sentence, verdict }: ReportedCase): boolean =>
    !wants || wants(run.title, id, sentence) || (id === "" && isUnexpected(verdict));
  const hasCases = all.some(({ id }) => id !== "");
  const cases = all.filter(isWanted).map((one) => ({ ...one, isExtra: one.id === "" && hasCases }));
  const { milliseconds } = main;
  return { ...run, kind: judged.kind, milliseconds, cases };
}

function reportCase(title: string, one: CaseResult, known: KnownFailures, pair: Pair | null): ReportedCase {
  const name = one.id === "" ? title : `${title}/${one.id}`;
  const knownReason = known.reasonFor(name) ?? null;
  const agreement = pair?.agreement ?? null;
  const isGood = agreement === null || agreement === "incomparable" ? one.outcome !== "failed" : agreement === "agrees";
  const isPass = isGood && one.outcome !== "skipped" && one.outcome !== "failed";
  return {
    ...one,
    name,
    knownReason,
    agreement,
    verdict: verdictOf(isGood, isPass, knownReason !== null, agreement === "differs"),
    nativeOutcome: pair ? (pair.native?.outcome ?? "missing") : null,
    nativeDetails: pair?.native?.details ?? "",
    isOurs: pair === null || pair.ours !== null,
    isExtra: false,
  };
}

function verdictOf(isGood: boolean, isPass: boolean, isKnown: boolean, isDifferent: boolean): Verdict {
  if (isKnown) return isPass ? "unexpected pass" : isGood ? "good" : "known failure";
  return isGood ? "good" : isDifferent ? "difference" : "failure";
}

export function isUnexpected(verdict: Verdict): boolean {
  return verdict !== "good" && verdict !== "known failure";
}

/** The unexpected cases of a program, without those that were not run because the program as a whole has failed. */
export function newsOf({ cases }: ReportedProgram): { news: ReportedCase[]; notRun: number } {
  const unexpected = cases.filter(({ verdict }) => isUnexpected(verdict));
  const explainsMissing = unexpected.some(({ isExtra, isOurs }) => isExtra && isOurs);
  const news = unexpected.filter(({ isOurs }) => isOurs || !explainsMissing);
  return { news, notRun: unexpected.length - news.length };
}

export interface ReportFrame {
  readonly engine: string | null;
  readonly isCompared: boolean;
  readonly milliseconds: number;
  readonly stale: readonly string[];
}

export function makeReport(programs: readonly ReportedProgram[], frame: ReportFrame): Report {
  const cases = programs.flatMap((program) => program.cases);
  const isGood = frame.stale.length === 0 && !cases.some(({ verdict }) => isUnexpected(verdict));
  return { ...frame, programs, counts: countCases(cases), isGood };
}

export function countCases(cases: readonly ReportedCase[]): Counts {
  const count = (holds: (one: ReportedCase) => boolean): number => cases.filter(holds).length;
  return {
    cases: count(({ isOurs }) => isOurs),
    passed: count(({ isOurs, outcome }) => isOurs && (outcome === "passed" || outcome === "xpassed")),
    failed: count(({ isOurs, outcome }) => isOurs && outcome === "failed"),
    skipped: count(({ isOurs, outcome }) => isOurs && (outcome === "skipped" || outcome === "xfailed")),
    knownFailures: count(({ verdict }) => verdict === "known failure"),
    compared: count((one) => !one.isExtra && (one.agreement === "agrees" || one.agreement === "differs")),
    agreeing: count((one) => !one.isExtra && one.agreement === "agrees"),
  };
}

/** Percent with one digit, rounded down: 100 means all. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${(Math.floor((part * 1000) / whole) / 10).toFixed(1)} %`;
}
