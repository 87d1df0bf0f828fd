/** What a selftest has printed, as a list of cases: TAP where it prints that, marks in brackets where it is older. */

export type Outcome = "passed" | "failed" | "skipped" | "never run";

export interface SelftestCase {
  readonly name: string;
  readonly outcome: Outcome;
}

const TAP = /^(not )?ok\b *\d* *(?:- )?(.*?)(?:(?:^| )# (skip|xfail|todo)\b *(.*))?$/i;
const MARK = /^(.*?)\[(OK|PASS|FAIL|FAILED|SKIP|UNSUPPORTED)\]\s*$/;
/** KSFT_SKIP in kselftest.h. */
const EXIT_SKIP = 4;

/** @param code the exit code, which decides alone when no case was printed */
export function readOutcomes(text: string, code: number): SelftestCase[] {
  const cases: SelftestCase[] = [];
  for (const line of text.split("\n")) {
    const tap = TAP.exec(line);
    const mark = MARK.exec(line);
    if (tap) {
      const [, not, description = "", directive, reason = ""] = tap;
      cases.push({
        name: nameOfCase(description || reason),
        outcome: not ? "failed" : directive ? "skipped" : "passed",
      });
    } else if (mark && !line.startsWith("#")) {
      const word = mark[2]!;
      const outcome = word === "OK" || word === "PASS" ? "passed" : word.startsWith("FAIL") ? "failed" : "skipped";
      cases.push({ name: nameOfCase(mark[1]!), outcome });
    }
  }
  if (cases.length > 0) return cases;
  return [{ name: "exit code", outcome: code === 0 ? "passed" : code === EXIT_SKIP ? "skipped" : "failed" }];
}

/** Without measured values and pids, which differ from run to run. */
const nameOfCase = (text: string): string =>
  text
    .replace(/-?\d+(?= *(?:ns)?\s*:?\s*$)/, "")
    .replace(/[:\s.]+$/, "")
    .trim();

export interface Comparison {
  readonly name: string;
  readonly native: Outcome;
  readonly ours: Outcome;
}

/** Cases are the same by their place: names may hold values. */
export function compareCases(native: readonly SelftestCase[], ours: readonly SelftestCase[]): Comparison[] {
  return Array.from({ length: Math.max(native.length, ours.length) }, (_, index) => ({
    name: (native[index] ?? ours[index])!.name,
    native: native[index]?.outcome ?? "never run",
    ours: ours[index]?.outcome ?? "never run",
  }));
}
