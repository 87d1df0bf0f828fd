/** How often each form was executed on the host, and how often it made a difference. */
import { stopIndex } from "./compare.ts";
import type { HardwareResult } from "./protocol.ts";
import type { Sequence } from "./sequence.ts";

export interface FormCount {
  readonly executed: number;
  readonly faulted: number;
  readonly chosen: number;
  readonly differences: number;
}

/** Forms that do nothing but fault, each with its reason: a fault is a hit. */
const FAULTING: readonly (readonly [name: RegExp, reason: string])[] = [[/^Ud[012](_|$)/, "#UD is what it does"]];

/** Why a form cannot be executed to its end; undefined when it can. */
export function reasonToFault(name: string): string | undefined {
  return FAULTING.find(([pattern]) => pattern.test(name))?.[1];
}

/** How often a form did what it does: faults do not count where there is more to it. */
export function hitsOf(name: string, { executed, faulted }: FormCount): number {
  return reasonToFault(name) === undefined ? executed : faulted;
}

const EXECUTED = 0;
const FAULTED = 1;
const CHOSEN = 2;
const DIFFERENCES = 3;

export class Coverage {
  private readonly counts = new Map<number, Float64Array>();

  private row(code: number): Float64Array {
    let row = this.counts.get(code);
    if (!row) this.counts.set(code, (row = new Float64Array(4)));
    return row;
  }

  of(code: number): FormCount {
    const row = this.row(code);
    return { executed: row[EXECUTED]!, faulted: row[FAULTED]!, chosen: row[CHOSEN]!, differences: row[DIFFERENCES]! };
  }

  /** Counts the instructions up to the one that stopped the case; behind a branch none. */
  add(sequence: Sequence, hardware: HardwareResult): void {
    this.row(sequence.chosen)[CHOSEN]!++;
    const stop = stopIndex(sequence, hardware);
    for (let i = 0; i <= stop && i < sequence.items.length; i++) {
      const { code, straight } = sequence.items[i]!;
      if (straight) this.row(code)[i < stop ? EXECUTED : FAULTED]!++;
    }
  }

  addDifference(code: number): void {
    this.row(code)[DIFFERENCES]!++;
  }
}
