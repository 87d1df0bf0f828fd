import { expect, it } from "vitest";
import { SeededEntropy } from "./seeded-entropy.ts";

function bytes(seed: number, size: number): Uint8Array {
  const result = new Uint8Array(size);
  new SeededEntropy(seed).fill(result);
  return result;
}

it("gives the same bytes for the same seed", () => {
  expect(bytes(1, 1000)).toEqual(bytes(1, 1000));
});

it.each([
  [0, 1],
  [1, -1],
  [1, 4294967297],
])("gives other bytes for another seed: %i and %i", (a, b) => {
  expect(bytes(a, 16)).not.toEqual(bytes(b, 16));
});

it("has each byte value about equally often", () => {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes(7, 256_000)) counts[byte]!++;
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1150);
});
