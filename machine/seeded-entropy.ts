/**
 * Entropy that repeats: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators"), its state
 * filled from the seed by splitmix32. Good statistics, no secrecy: a seeded machine is for tests and replays.
 */
import type { Entropy } from "../kernel/world.ts";

export class SeededEntropy implements Entropy {
  private readonly state = new Uint32Array(4);
  private readonly word = new Uint32Array(1);
  private readonly wordBytes = new Uint8Array(this.word.buffer);

  /** @param seed an integer of magnitude up to 2^53 */
  constructor(seed: number) {
    let counter = (seed >>> 0) ^ Math.imul(Math.floor(seed / 4294967296) | 0, 0x85ebca6b);
    for (let index = 0; index < 4; index++) {
      counter = (counter + 0x9e3779b9) | 0;
      let mixed = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      this.state[index] = mixed ^ (mixed >>> 15);
    }
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      this.word[0] = this.next();
      bytes.set(at + 4 <= bytes.length ? this.wordBytes : this.wordBytes.subarray(0, bytes.length - at), at);
    }
  }

  private next(): number {
    const { state } = this;
    const scrambled = Math.imul(rotateLeft(Math.imul(state[1]!, 5), 7), 9);
    const shifted = state[1]! << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = rotateLeft(state[3]!, 11);
    return scrambled;
  }
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}
