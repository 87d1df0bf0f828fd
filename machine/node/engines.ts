/** The engines that Node can run, by name. */
import type { Engine } from "../../emulator/engine.ts";
import type { PhysicalMemory } from "../../emulator/physical-memory.ts";
import { createUnicornEngine } from "../../emulator/unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../../emulator/wasm/wasm-engine.ts";

export const engines = {
  unicorn: createUnicornEngine,
  wasm: createWasmEngine,
} satisfies Record<string, (memory: PhysicalMemory) => Engine>;

export type EngineName = keyof typeof engines;
export const ENGINE_NAMES = Object.keys(engines) as readonly EngineName[];
export const DEFAULT_ENGINE: EngineName = "unicorn";
