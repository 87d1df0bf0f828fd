/** Random choices that repeat: the same seed gives the same test. */
import { SeededEntropy } from "../../machine/seeded-entropy.ts";

export class Random {
  private readonly entropy: SeededEntropy;
  private readonly word = new Uint32Array(1);
  private readonly bytes = new Uint8Array(this.word.buffer);

  constructor(seed: number) {
    this.entropy = new SeededEntropy(seed);
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    this.entropy.fill(this.bytes);
    return this.word[0]! % limit;
  }

  /** `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}
