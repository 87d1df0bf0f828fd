/** The engines that the contract tests run on: adding one here runs the whole suite on it. */
import { describe, onTestFinished } from "vitest";
import { createUnicornEngine } from "../unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../wasm/wasm-engine.ts";
import type { EngineFactory } from "./test-machine.ts";

const ENGINES: readonly { readonly name: string; readonly create: EngineFactory }[] = [
  { name: "unicorn", create: (memory) => createUnicornEngine(memory) },
  { name: "unicorn, by functions only", create: (memory) => createUnicornEngine(memory, { direct: false }) },
  { name: "wasm", create: (memory) => createWasmEngine(memory) },
  { name: "wasm, all compiled", create: (memory) => createWasmEngine(memory, { hotRuns: 1 }) },
];

/**
 * Declares a group of tests once for every engine, or for those whose name begins with `family`. Engines made in a test
 * are disposed of behind it.
 */
export function describeEngines(title: string, body: (create: EngineFactory) => void, family = ""): void {
  for (const { name, create } of ENGINES) {
    if (!name.startsWith(family)) continue;
    const createForTest: EngineFactory = (memory) => {
      const engine = create(memory);
      onTestFinished(() => engine.dispose());
      return engine;
    };
    describe(`${title} (${name})`, () => body(createForTest));
  }
}
