/** Reads the results of the Linux Test Project: a line with TPASS, TFAIL, TBROK, TCONF or TWARN for each. */
import type { CaseResult, Outcome } from "./result.ts";

const WORDS: Readonly<Record<string, Outcome>> = {
  TPASS: "passed",
  TFAIL: "failed",
  TBROK: "failed",
  TWARN: "failed",
  TCONF: "skipped",
};

/** "clone01.c:45: TPASS: clone() passed", as tst_test.h prints it. */
const NEW_STYLE = /^(?:\S+:\d+: )?(TPASS|TFAIL|TBROK|TCONF|TWARN): ?(.*)$/;
/** "clone01    1  TPASS  :  clone returned 5", as the older test.h does. */
const OLD_STYLE = /^\S+\s+\d+\s+(TPASS|TFAIL|TBROK|TCONF|TWARN)\s+:\s+(.*)$/;
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");

/** In order; each is named by its place, because the texts hold pids and addresses. */
export function parseLtp(text: string): CaseResult[] {
  const cases: CaseResult[] = [];
  for (const raw of text.replaceAll(COLOURS, "").split("\n")) {
    const line = raw.trimEnd();
    const [, word, sentence] = NEW_STYLE.exec(line) ?? OLD_STYLE.exec(line) ?? [];
    if (word === undefined || sentence === undefined) continue;
    const outcome = WORDS[word]!;
    const details = outcome === "passed" ? "" : `${word}: ${sentence}`;
    cases.push({ id: String(cases.length + 1), sentence, outcome, details });
  }
  return cases;
}
