/** Reads what a conformance program prints: TAP 14 with the number of the case in brackets at the end of its sentence. */

export interface TapCase {
  /** The number in the list the case comes from, such as C7.87; its place in the plan where there is none. */
  readonly id: string;
  readonly sentence: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Lines of the block below a result, or the reason to skip. */
  readonly details: string;
}

export interface TapReport {
  /** How many cases were planned, 0 without a plan. */
  readonly planned: number;
  readonly cases: readonly TapCase[];
  /** Why the program gave up, if it did. */
  readonly bailOut: string | null;
}

const RESULT = /^(not )?ok\b *(\d*) *(?:- )?(.*?)(?: # (skip|todo)\b *(.*))?$/i;
const ID = /^(.*?) *\[(C\d+\.\d+\w*)\]$/;

export function parseTap(text: string): TapReport {
  let planned = 0;
  let bailOut: string | null = null;
  const cases: { -readonly [K in keyof TapCase]: TapCase[K] }[] = [];
  for (const line of text.split("\n")) {
    const plan = /^1\.\.(\d+)/.exec(line);
    const result = RESULT.exec(line);
    if (plan) planned = Number(plan[1]);
    else if (line.startsWith("Bail out!")) bailOut = line.slice(9).trim();
    else if (result) {
      const [, not, number, description = "", directive, reason = ""] = result;
      const [, sentence = description, id = number || String(cases.length + 1)] = ID.exec(description) ?? [];
      const skipped = directive?.toLowerCase() === "skip";
      cases.push({ id, sentence, outcome: skipped ? "skipped" : not ? "failed" : "passed", details: reason });
    } else if (line.startsWith("  ") && cases.length > 0) {
      const inner = line.trim();
      if (inner !== "---" && inner !== "...") cases.at(-1)!.details += `${cases.at(-1)!.details ? "\n" : ""}${inner}`;
    }
  }
  return { planned, cases, bailOut };
}
