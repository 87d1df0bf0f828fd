/** Pairs the cases of a run in the machine with those of the same program on a real Linux. */
import type { CaseResult } from "./result.ts";

/**
 * - agrees: both came to the same result
 * - differs: they did not, or only one of them has such a case
 * - incomparable: Linux itself skipped it, so that it says nothing
 */
export type Agreement = "agrees" | "differs" | "incomparable";

export interface Pair {
  /** Null where only Linux has the case. */
  readonly ours: CaseResult | null;
  /** Null where only the machine has it. */
  readonly native: CaseResult | null;
  readonly agreement: Agreement;
}

/** In the order of our cases, then those that only Linux has. */
export function pairCases(ours: readonly CaseResult[], native: readonly CaseResult[]): Pair[] {
  const nativeById = new Map(native.map((one) => [one.id, one]));
  const nativeWhole = nativeById.get("");
  const pairs: Pair[] = ours.map((one) => {
    const twin = nativeById.get(one.id) ?? null;
    nativeById.delete(one.id);
    if (twin) return { ours: one, native: twin, agreement: agreementOf(one, twin) };
    const agreement = nativeWhole?.outcome === "skipped" ? "incomparable" : "differs";
    return { ours: one, native: null, agreement };
  });
  for (const one of nativeById.values()) {
    // A program skipped as a whole by Linux is the reason why the cases above have no twin.
    if (one.id === "" && one.outcome === "skipped" && ours.length > 0) continue;
    pairs.push({ ours: null, native: one, agreement: one.outcome === "skipped" ? "incomparable" : "differs" });
  }
  return pairs;
}

function agreementOf(ours: CaseResult, native: CaseResult): Agreement {
  if (native.outcome === "skipped") return "incomparable";
  if (ours.outcome !== native.outcome) return "differs";
  // Programs as a whole can fail in many ways; the first line of the details says how it ended.
  const isSameEnd = ours.id !== "" || firstLine(ours.details) === firstLine(native.details);
  return isSameEnd ? "agrees" : "differs";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
