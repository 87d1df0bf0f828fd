/** Whether what was measured grows: the slope of a straight line through the later samples. */

/** What one row of the table holds. */
export interface Sample {
  readonly minute: number;
  readonly values: Readonly<Record<string, number>>;
}

/** By how much a measure may grow from the beginning of the fitted part to its end. */
export interface Bound {
  readonly name: string;
  readonly least: number;
  /** Of the mean. */
  readonly share: number;
}

export interface Growth {
  readonly name: string;
  readonly mean: number;
  /** Of the fitted line, from its first sample to its last. */
  readonly growth: number;
  readonly bound: number;
}

/** The first third is the warm-up. */
export const fittedPart = <T>(samples: readonly T[]): readonly T[] => samples.slice(Math.floor(samples.length / 3));

/** Least squares. Undefined where there are fewer than three samples. */
export function growthOf(samples: readonly Sample[], { name, least, share }: Bound): Growth | undefined {
  const part = fittedPart(samples);
  if (part.length < 3) return undefined;
  const average = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const x = part.map(({ minute }) => minute);
  const y = part.map(({ values }) => values[name]!);
  const [middle, mean] = [average(x), average(y)];
  const slope = average(x.map((each, i) => (each - middle) * y[i]!)) / average(x.map((each) => (each - middle) ** 2));
  return { name, mean, growth: slope * (x.at(-1)! - x[0]!), bound: Math.max(least, Math.abs(mean) * share) };
}
