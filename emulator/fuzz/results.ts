/** What a run found, as data that can be kept in a file, and what several runs of other seeds found together. */
import type { FormCount } from "./coverage.ts";

export interface Failure {
  readonly key: string;
  count: number;
  readonly examples: string[];
}

export interface Results {
  /** What was compared: engine, model, tier. Only runs of the same are added up. */
  readonly subject: string;
  readonly seeds: readonly number[];
  readonly sequences: number;
  readonly seconds: number;
  /** Cases that used up their time on the host. */
  readonly timeouts: number;
  readonly failures: readonly Failure[];
  /** Differences that may be, by their reasons. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Cases at which the harness ended, and differences not seen again. */
  readonly lost: readonly string[];
  /** By iced's names. */
  readonly coverage: Readonly<Record<string, FormCount>>;
}

const NEVER: FormCount = { executed: 0, faulted: 0, chosen: 0, differences: 0 };

/** The results of several runs in one; throws when they are not of the same subject, or have a seed in common. */
export function addResults(all: readonly Results[]): Results {
  const [first] = all;
  if (!first) throw new Error("there are no results to add up");
  const other = all.find(({ subject }) => subject !== first.subject);
  if (other) throw new Error(`results of ${first.subject} and of ${other.subject} do not add up`);
  const seeds = all.flatMap((each) => each.seeds);
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw new Error(`seed ${twice} is there twice`);
  const sum = (of: (results: Results) => number): number => all.reduce((total, results) => total + of(results), 0);
  return {
    subject: first.subject,
    seeds,
    sequences: sum(({ sequences }) => sequences),
    seconds: sum(({ seconds }) => seconds),
    timeouts: sum(({ timeouts }) => timeouts),
    failures: addFailures(all.flatMap(({ failures }) => failures)),
    reasons: addReasons(all),
    lost: all.flatMap(({ lost }) => lost),
    coverage: addCoverage(all),
  };
}

function addFailures(all: readonly Failure[]): Failure[] {
  const sums = new Map<string, Failure>();
  for (const { key, count, examples } of all) {
    const sum = sums.get(key);
    if (sum) sum.count += count;
    else sums.set(key, { key, count, examples: [...examples] });
  }
  return [...sums.values()];
}

function addReasons(all: readonly Results[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { reasons } of all) {
    for (const [reason, count] of Object.entries(reasons)) sums[reason] = (sums[reason] ?? 0) + count;
  }
  return sums;
}

function addCoverage(all: readonly Results[]): Record<string, FormCount> {
  const sums: Record<string, FormCount> = {};
  for (const { coverage } of all) {
    for (const [name, count] of Object.entries(coverage)) {
      const before = sums[name] ?? NEVER;
      sums[name] = {
        executed: before.executed + count.executed,
        faulted: before.faulted + count.faulted,
        chosen: before.chosen + count.chosen,
        differences: before.differences + count.differences,
      };
    }
  }
  return sums;
}
