/**
 * Looks for the place of a difference that does not show in single steps: runs the piece again in ever larger parts,
 * until the two are unequal behind one of them.
 */
import { COMPARED_FLAGS, type Unequal } from "./compare.ts";
import { meet } from "./meet.ts";
import type { Pair, UnequalPage } from "./pair.ts";

/** Budget units of the parts tried, and how many parts of a size are worth the time. */
const SIZES = [1, 8, 64, 512, 4096, 32768, 262144];
const MOST_PARTS = 100_000;
const MEETING_STEPS = 2_000;

/** A part of a piece that begins the same on both and ends differently. */
export interface Part {
  /** Budget units. */
  readonly size: number;
  readonly start: number;
  readonly end: number;
  readonly unequal: readonly Unequal[];
  readonly pages: readonly UnequalPage[];
}

/** The smallest part that shows the difference again; undefined if none does. The pair is left where it was found. */
export function narrow(pair: Pair): Part | undefined {
  for (const size of SIZES) {
    const part = tryParts(pair, size);
    if (part) return part;
  }
  return undefined;
}

function tryParts(pair: Pair, size: number): Part | undefined {
  pair.rewind();
  const { first, second } = pair;
  for (let count = 0; count < MOST_PARTS; count++) {
    const start = first.rip;
    let stopped = pair.run(size);
    if (pair.spoiled) {
      pair.rewind();
      count = 0;
      continue;
    }
    if (!stopped) {
      const meeting = meet(first, second, MEETING_STEPS);
      if (meeting === "stopped") stopped = pair.bothStop(size);
      // Too far apart, or too different, to say which: the next size will show it.
      if (meeting === "lost") return undefined;
    }
    const unequal = pair.unequalState(COMPARED_FLAGS);
    const pages = pair.unequalPages();
    if (unequal.length > 0 || pages.length > 0) return { size, start, end: first.rip, unequal, pages };
    if (stopped) return undefined;
  }
  return undefined;
}
