/** Floating point, MMX and x87 against Unicorn, where Unicorn is right (shared/notes/unicorn-native.md, section 5). */
import { describe, test } from "vitest";
import type { EngineFactory } from "../contract/test-machine.ts";
import { createUnicornEngine } from "../unicorn/unicorn-engine.ts";
import { expectSameResults, generator } from "./testing/differential.ts";
import { dataPage, mmxCases, sseFloatCases, x87Cases } from "./testing/differential-cases.ts";
import { createWasmEngine } from "./wasm-engine.ts";

const unicorn: EngineFactory = (memory) => createUnicornEngine(memory);
const wasm: EngineFactory = (memory) => createWasmEngine(memory);

const FAMILIES = [
  ["SSE floating-point", sseFloatCases, 6],
  ["MMX", mmxCases, 4],
  ["x87", x87Cases, 6],
] as const;

describe.each(FAMILIES)("%s instructions do what they do on Unicorn", (_name, cases, count) => {
  test.each([1, 2])("seed %i", { timeout: 60_000 }, (seed) => {
    const random = generator(seed);
    const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
    expectSameResults(unicorn, wasm, cases(count, pick, random), dataPage(random));
  });
});
