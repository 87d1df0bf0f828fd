/** A report as TAP 14: each program is a test with its cases as a subtest. */
import { isUnexpected, type Report, type ReportedCase, type ReportedProgram } from "./report.ts";

export function formatTap(report: Report): string {
  const { programs, stale } = report;
  const lines = ["TAP version 14", `1..${programs.length + stale.length}`];
  programs.forEach((program, index) => lines.push(...programLines(program, index + 1)));
  stale.forEach((name, index) =>
    lines.push(
      `not ok ${programs.length + index + 1} - ${escape(`${name} is listed as a known failure but does not exist`)}`,
    ),
  );
  return `${lines.join("\n")}\n`;
}

function programLines(program: ReportedProgram, number: number): string[] {
  const { cases, title, milliseconds } = program;
  const good = !cases.some(({ verdict }) => isUnexpected(verdict));
  const inner = [`# Subtest: ${escape(title)}`, `    1..${cases.length}`];
  cases.forEach((one, index) => inner.push(...caseLines(one, index + 1).map((line) => `    ${line}`)));
  const result = `${good ? "ok" : "not ok"} ${number} - ${escape(title)}`;
  return [...inner, result, "  ---", `  duration_ms: ${milliseconds.toFixed(1)}`, "  ..."];
}

function caseLines(one: ReportedCase, number: number): string[] {
  const start = (isOk: boolean): string => `${isOk ? "ok" : "not ok"} ${number} - ${escape(caseTitle(one))}`;
  switch (one.verdict) {
    case "good":
      if (one.outcome === "skipped") return [`${start(true)} # SKIP ${escape(firstLine(one.details))}`.trimEnd()];
      if (one.outcome === "xfailed") return [`${start(false)} # TODO ${escape(firstLine(one.details))}`.trimEnd()];
      return [start(true)];
    case "known failure":
      return [`${start(false)} # TODO ${escape(one.knownReason!)}`, ...block(one)];
    case "failure":
    case "difference":
    case "unexpected pass":
      return [start(false), ...block(one)];
  }
}

/** The sentence with the id, or the program's own result. */
export function caseTitle({ id, sentence }: ReportedCase): string {
  if (id === "") return "the program as a whole";
  return sentence === "" || sentence === id ? id : `${sentence} [${id}]`;
}

/** What went wrong, in one text: differences and unexpected passes explain themselves. */
export function explain(one: ReportedCase): string {
  const lines: string[] = [];
  if (one.verdict === "difference")
    lines.push(
      `${sideOf(one.isOurs ? one.outcome : "missing")} in the machine, ${sideOf(one.nativeOutcome ?? "missing")} on Linux`,
    );
  if (one.verdict === "unexpected pass") lines.push(`is listed as a known failure (${one.knownReason}), and passes`);
  const details = messageOf(one.details);
  if (one.isOurs && details !== "") lines.push(details);
  if (one.nativeDetails !== "" && one.nativeDetails !== one.details)
    lines.push(`on Linux: ${messageOf(one.nativeDetails)}`);
  return lines.join("\n");
}

/** Without the YAML around a message that is all there is. */
function messageOf(details: string): string {
  const [, text] = /^message: '(.*)'$/.exec(details) ?? [];
  return text === undefined ? details : text.replaceAll("''", "'");
}

function sideOf(outcome: string): string {
  return outcome === "xfailed"
    ? "failed as announced"
    : outcome === "xpassed"
      ? "passed against its announcement"
      : outcome;
}

function block(one: ReportedCase): string[] {
  const text = explain(one);
  if (text === "") return [];
  return ["  ---", "  message: |", ...text.split("\n").map((line) => `    ${printable(line)}`), "  ..."];
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}

function escape(text: string): string {
  return printable(text).replace(/[\\#]/g, "\\$&");
}

/** YAML and terminals have no place for control characters. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => (character === "\t" ? " " : "\uFFFD"));
}
