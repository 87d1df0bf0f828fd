/** Stands in for emulator/contract/engines.ts in a page, where only the wasm engine runs. */
import { describe, onTestFinished } from "vitest";
import { createWasmEngine } from "../../emulator/wasm/wasm-engine.ts";
import type { EngineFactory } from "../../emulator/contract/test-machine.ts";

export function describeEngines(title: string, body: (create: EngineFactory) => void, family = ""): void {
  if (!"wasm".startsWith(family)) return;
  const create: EngineFactory = (memory) => {
    const engine = createWasmEngine(memory);
    onTestFinished(() => engine.dispose());
    return engine;
  };
  describe(`${title} (wasm)`, () => body(create));
}
