/** A report as JUnit XML, in the form that Jenkins, GitLab and the usual actions of GitHub read. */
import { caseTitle, explain } from "./format-tap.ts";
import { isUnexpected, type Report, type ReportedCase, type ReportedProgram } from "./report.ts";

const LONGEST_OUTPUT = 1 << 20;

export function formatJunit(report: Report): string {
  const suites = [...report.programs.map(suite), ...(report.stale.length > 0 ? [staleSuite(report.stale)] : [])];
  const sum = (of: (one: Suite) => number): number => suites.reduce((total, one) => total + of(one), 0);
  const totals = { tests: sum((s) => s.tests), failures: sum((s) => s.failures), skipped: sum((s) => s.skipped) };
  const head = attributes({ name: "trapgate conformance", ...totals, errors: 0, time: seconds(report.milliseconds) });
  const body = suites.map(({ xml }) => xml).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${body}</testsuites>\n`;
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
  readonly xml: string;
}

function suite(program: ReportedProgram): Suite {
  const { title, cases, milliseconds } = program;
  const failures = cases.filter(({ verdict }) => isUnexpected(verdict)).length;
  const skipped = cases.filter((one) => !isUnexpected(one.verdict) && skipReason(one) !== null).length;
  const output = program.machine ?? program.native!;
  const texts = failures > 0 ? streamElement("out", output.stdout) + streamElement("err", output.stderr) : "";
  const counts = { name: title, tests: cases.length, failures, errors: 0, skipped, time: seconds(milliseconds) };
  // Programs do not say how long each case takes: the first stands for all, so that the sum is right.
  const inner = cases.map((one, index) => testcase(title, one, index === 0 ? milliseconds : 0)).join("");
  const xml = `  <testsuite${attributes(counts)}>\n${inner}${texts}  </testsuite>\n`;
  return { tests: cases.length, failures, skipped, xml };
}

function testcase(title: string, one: ReportedCase, milliseconds: number): string {
  const head = attributes({ classname: title, name: caseTitle(one), time: seconds(milliseconds) });
  if (isUnexpected(one.verdict)) {
    const text = explain(one);
    const message = text.split("\n")[0] || one.verdict;
    const failure = `<failure${attributes({ message, type: one.verdict })}>${escape(text)}</failure>`;
    return `    <testcase${head}>\n      ${failure}\n    </testcase>\n`;
  }
  const reason = skipReason(one);
  if (reason === null) return `    <testcase${head}/>\n`;
  return `    <testcase${head}>\n      <skipped${attributes({ message: reason })}/>\n    </testcase>\n`;
}

/** Known and announced failures are skipped for JUnit, which has no word for them. */
function skipReason({ verdict, outcome, details, knownReason }: ReportedCase): string | null {
  if (verdict === "known failure") return `known failure: ${knownReason}`;
  if (outcome === "xfailed") return `announced failure: ${details}`;
  return outcome === "skipped" ? details : null;
}

function staleSuite(stale: readonly string[]): Suite {
  const title = "list of known failures";
  const xml = stale.map((name) => {
    const message = "is listed as a known failure but does not exist";
    return `    <testcase${attributes({ classname: title, name, time: "0.000" })}>\n      <failure${attributes({ message, type: "stale" })}/>\n    </testcase>\n`;
  });
  const counts = { name: title, tests: stale.length, failures: stale.length, errors: 0, skipped: 0, time: "0.000" };
  return {
    tests: stale.length,
    failures: stale.length,
    skipped: 0,
    xml: `  <testsuite${attributes(counts)}>\n${xml.join("")}  </testsuite>\n`,
  };
}

function streamElement(name: "out" | "err", text: string): string {
  if (text === "") return "";
  return `    <system-${name}>${escape(text.slice(-LONGEST_OUTPUT))}</system-${name}>\n`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escape(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Characters that XML 1.0 does not allow, even escaped, become the replacement character. */
function escape(text: string): string {
  const clean = text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
  return clean.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
