/** The engines that Node can run, by name. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine } from "../../emulator/engine.ts";
import { GRANULARITIES, LockstepEngine, type Granularity } from "../../emulator/lockstep/lockstep-engine.ts";
import type { PhysicalMemory } from "../../emulator/physical-memory.ts";
import { createUnicornEngine } from "../../emulator/unicorn/unicorn-engine.ts";
import { CPU_MODELS, DEFAULT_CPU_MODEL, type CpuModel } from "../../emulator/wasm/runtime/cpu-model.ts";
import { createWasmEngine } from "../../emulator/wasm/wasm-engine.ts";
import { TranslationFiles } from "./translation-files.ts";
import { chooseEngine, hasUnicorn } from "./engine-choice.ts";

export { CPU_MODELS, DEFAULT_CPU_MODEL, type CpuModel };

type EngineFactory = (memory: PhysicalMemory) => Engine;

export const engines = {
  unicorn: createUnicornEngine,
  wasm: createWasmEngine,
} satisfies Record<string, EngineFactory>;

/** The same for lockstep, which tells how many instructions were compared. */
const COUNTING = {
  unicorn: createUnicornEngine,
  wasm: (memory) => createWasmEngine(memory, { countInstructions: true }),
} satisfies Record<string, EngineFactory>;

/** The folder beside the bundle of the command line with handlers made beforehand (scripts/bundle-parts.mjs). */
declare const TRAPGATE_PARTS: string;

function commonHandlers(): TranslationFiles | undefined {
  if (typeof TRAPGATE_PARTS !== "string") return undefined;
  return new TranslationFiles(join(dirname(fileURLToPath(import.meta.url)), TRAPGATE_PARTS));
}

type SingleEngine = keyof typeof engines;
/** One engine that is named, or two of them in lockstep (docs/lockstep.md): unicorn and wasm, unless named. */
type ChosenEngine = SingleEngine | "lockstep" | `lockstep:${SingleEngine},${SingleEngine}`;
/** `auto` stands for what is there (docs/engines.md). */
export type EngineName = ChosenEngine | "auto";

const SINGLE_NAMES = Object.keys(engines) as readonly SingleEngine[];
/** For help texts and messages. */
export const ENGINE_NAMES = ["auto", ...SINGLE_NAMES, "lockstep[:FIRST,SECOND]"] as readonly string[];
export const DEFAULT_ENGINE: EngineName = "auto";

export const LOCKSTEP_GRANULARITIES = GRANULARITIES;
export type LockstepGranularity = Granularity;

/** The engines that stand for a name: one, or two in lockstep; undefined if it names none. */
function namedEngines(name: string): readonly SingleEngine[] | undefined {
  const pair = name === "lockstep" ? "unicorn,wasm" : /^lockstep:(.*)$/.exec(name)?.[1];
  const names = (pair?.split(",") ?? [name]) as SingleEngine[];
  if (names.length !== (pair === undefined ? 1 : 2) || !names.every((one) => SINGLE_NAMES.includes(one))) return;
  // The wasm engine keeps its state in frame 0, which there is one of.
  return names.every((one) => one === "wasm") && names.length > 1 ? undefined : names;
}

export function isEngineName(name: unknown): name is EngineName {
  return name === "auto" || (typeof name === "string" && namedEngines(name) !== undefined);
}

/** The engine that runs: what `auto` stands for here, any other name itself. */
export function resolveEngine(name: EngineName, cpu: CpuModel = DEFAULT_CPU_MODEL): ChosenEngine {
  return name === "auto" ? chooseEngine({ cpu, hasUnicorn }).engine : name;
}

/** Whether an engine can present a processor model: Unicorn has no AVX. */
export function presents(name: EngineName, cpu: CpuModel): boolean {
  return cpu === DEFAULT_CPU_MODEL || name === "wasm" || name === "auto";
}

/**
 * Throws an Error for a processor that the engine cannot present.
 *
 * @param granularity how often engines in lockstep are compared
 * @param translations a folder where the wasm engine keeps its translations; none: it keeps nothing
 */
export function engineFactory(
  name: EngineName,
  granularity: Granularity = "syscall",
  cpu: CpuModel = DEFAULT_CPU_MODEL,
  translations?: string,
): EngineFactory {
  if (!presents(name, cpu)) throw new Error(`engine ${name} has no ${cpu} processor; engine wasm has`);
  const engine = resolveEngine(name, cpu);
  if (engine === "wasm") {
    const store = translations === undefined ? undefined : new TranslationFiles(translations);
    return (memory) => createWasmEngine(memory, { cpu, store, commonHandlers: commonHandlers() });
  }
  const [first, second] = namedEngines(engine)!;
  if (second === undefined) return engines[first!];
  return (memory) => new LockstepEngine(memory, COUNTING[first!](memory), COUNTING[second](memory), { granularity });
}
