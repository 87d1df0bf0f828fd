/** Handlers for a store that is there before the first run: those of instructions that most programs have. */
import { PhysicalMemory } from "../../physical-memory.ts";
import type { TranslationStore } from "../cache/translation-store.ts";
import { CodeReader, LONGEST_INSTRUCTION } from "../decode.ts";
import { LITTLE_RAM } from "../layout.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { createWasmEngine } from "../wasm-engine.ts";
import { COMMON_INSTRUCTIONS } from "./common-instructions.ts";

/** Puts the handlers of common instructions into a store, for engines with `LITTLE_RAM` or more. */
export function putCommonHandlers(cpu: CpuModel, store: TranslationStore): void {
  const engine = createWasmEngine(new PhysicalMemory(LITTLE_RAM), { cpu, store });
  for (const text of COMMON_INSTRUCTIONS.trim().split(/\s+/)) {
    const bytes = new Uint8Array(LONGEST_INSTRUCTION);
    for (let i = 0; i < text.length; i += 2) bytes[i / 2] = parseInt(text.slice(i, i + 2), 16);
    const reader = new CodeReader(bytes, 0);
    engine.translator.prepare(reader.read(0)!);
    reader.dispose();
  }
  engine.dispose();
}

/**
 * Puts machine code into a store that has handlers: of them as an engine makes one module of them, and of the base module.
 * Only what V8 has optimized can be kept, so this is to be called when it optimizes at once.
 *
 * @param compiled called when all is compiled
 */
export function putMachineCode(cpu: CpuModel, store: TranslationStore, compiled: () => void): void {
  const own = { get: () => undefined, put: (key: string, value: Uint8Array) => store.put(key, value) };
  const engine = createWasmEngine(new PhysicalMemory(LITTLE_RAM), { cpu, store: own, commonHandlers: store });
  compiled();
  engine.dispose();
}
