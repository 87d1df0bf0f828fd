/** What a person is told: a line for each program as it ends, and the summary at the end. */
import { explain, printable } from "./format-tap.ts";
import { countCases, newsOf, percent, type Report, type ReportedCase, type ReportedProgram } from "./report.ts";

const LONGEST_EXPLANATION = 12;
const LONGEST_STDERR = 8;

/** `ok   clone3/set-tid  28 passed  0.4 s`, followed by what was not expected. */
export function programLines(program: ReportedProgram): string[] {
  const { title, milliseconds } = program;
  const { news, notRun } = newsOf(program);
  const head = `${news.length > 0 ? "FAIL" : "ok  "} ${title}: ${countWords(program)} (${seconds(milliseconds)})`;
  const lines = news.flatMap((one) => explanation(one));
  if (notRun > 0) lines.push(`       not run: ${plural(notRun, "case")} that Linux has`);
  return [head, ...lines, ...(news.length > 0 ? lastWords(program) : [])];
}

/** The end of what the program has written to standard error. */
function lastWords({ machine, native }: ReportedProgram): string[] {
  const text = (machine ?? native)!.stderr.trimEnd();
  if (text === "") return [];
  const lines = text.split("\n").slice(-LONGEST_STDERR);
  return ["       standard error:", ...lines.map((line) => `         ${printable(line)}`)];
}

function countWords({ cases }: ReportedProgram): string {
  const { passed, failed, skipped, knownFailures, compared, agreeing } = countCases(cases);
  const differing = compared - agreeing;
  const words = [
    [passed, "passed"],
    [failed, knownFailures === 0 ? "failed" : `failed (${knownFailures} known)`],
    [skipped, "skipped"],
    [differing, "other than on Linux"],
  ] as const;
  const text = words.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return text.length > 0 ? text.join(", ") : "no cases";
}

function explanation(one: ReportedCase): string[] {
  const text = explain(one);
  const lines = text === "" ? [] : text.split("\n");
  const shown = lines.slice(0, LONGEST_EXPLANATION);
  if (lines.length > shown.length) shown.push(`... (${lines.length - shown.length} more lines)`);
  const isNamed = one.sentence === "" || one.name.endsWith(`/${one.sentence}`);
  const what = one.id === "" || isNamed ? one.name : `${one.name}: ${one.sentence}`;
  return [
    `       ${VERDICT_WORDS[one.verdict] ?? one.verdict}: ${what}`,
    ...shown.map((line) => `         ${line}`),
  ].map(printable);
}

const VERDICT_WORDS: Partial<Record<ReportedCase["verdict"], string>> = {
  failure: "failed",
  difference: "differs from Linux",
  "unexpected pass": "unexpected pass",
};

/** The last lines of a run: totals first, then every name that needs somebody's attention. */
export function summaryLines(report: Report): string[] {
  const { counts, programs, stale, isCompared, milliseconds, engine } = report;
  const where = engine === null ? "natively" : `on ${engine}`;
  const known = counts.knownFailures > 0 ? ` (${counts.knownFailures} known)` : "";
  const lines = [
    `${plural(programs.length, "program")}, ${plural(counts.cases, "case")} ${where}: ${counts.passed} passed, ` +
      `${counts.failed} failed${known}, ${counts.skipped} skipped (${seconds(milliseconds)})`,
  ];
  if (isCompared) {
    lines.push(
      `${counts.agreeing} of ${plural(counts.compared, "comparable case")} as on Linux (${percent(counts.agreeing, counts.compared)})`,
    );
  }
  const cases = programs.flatMap((program) => newsOf(program).news);
  lines.push(...list("failed", names(cases, "failure")));
  lines.push(...list("other than on Linux", names(cases, "difference")));
  lines.push(...list("listed as known failures, and pass", names(cases, "unexpected pass")));
  lines.push(...list("listed as known failures, and do not exist", stale));
  lines.push(report.isGood ? "all as expected" : "NOT as expected");
  return lines;
}

function names(cases: readonly ReportedCase[], verdict: ReportedCase["verdict"]): string[] {
  return cases.filter((one) => one.verdict === verdict).map(({ name }) => name);
}

function list(head: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${head}:`, ...items.map((item) => `  ${item}`)];
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
