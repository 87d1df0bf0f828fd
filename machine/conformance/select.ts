/** Which programs and cases of a suite are run: `--filter` and `--shard`. */

/** One part of several, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** `2/5`; undefined if it is no such thing. */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  if (index === undefined || Number(index) > Number(count)) return undefined;
  return { index: Number(index), count: Number(count) };
}

/**
 * The shard's part of the programs, dealt out in turn by name: the parts are of equal size, none overlap, and every
 * computer that sees the same programs deals alike.
 */
export function inShard<T>(programs: readonly T[], nameOf: (program: T) => string, shard: Shard): T[] {
  return sortedByName(programs, nameOf).filter((_, index) => index % shard.count === shard.index - 1);
}

/** By code units, whatever the user's language. */
export function sortedByName<T>(programs: readonly T[], nameOf: (program: T) => string): T[] {
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...programs].sort((a, b) => compare(nameOf(a), nameOf(b)));
}

export interface Selection<T> {
  readonly programs: readonly T[];
  /** Whether a case is wanted; null if all cases of the programs are. */
  readonly wants: ((title: string, id: string, sentence: string) => boolean) | null;
}

/**
 * What a filter selects. Where it matches names of programs, those programs with all their cases; where the part in
 * front of a slash matches the end of names, the matching cases of those programs; and else it is looked for in the
 * names and sentences of all cases.
 */
export function select<T>(programs: readonly T[], nameOf: (program: T) => string, filter: RegExp): Selection<T> {
  const whole = programs.filter((program) => filter.test(nameOf(program)));
  if (whole.length > 0) return { programs: whole, wants: null };
  const wants = (title: string, id: string, sentence: string): boolean =>
    filter.test(`${title}/${id}`) || filter.test(sentence);
  const heads = headsOf(filter);
  const some = programs.filter((program) => heads.some((head) => head.test(nameOf(program))));
  return { programs: some.length > 0 ? some : programs, wants };
}

/** The filter up to each of its slashes, matching at the end of a program's name. */
function headsOf(filter: RegExp): RegExp[] {
  const { source, flags } = filter;
  // In the source of a RegExp every slash is escaped.
  return [...source.matchAll(/\\\//g)].flatMap(({ index }) => {
    try {
      return [new RegExp(`(?:${source.slice(0, index)})$`, flags)];
    } catch {
      // The slash is inside a group.
      return [];
    }
  });
}
