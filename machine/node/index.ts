/** The library's front door in Node: machines on the process's own clock, files, terminal and signals. */
import { createMachine, type Machine } from "../machine.ts";
import { checkOptions, programRules, type ProgramOptions, type Rule } from "../options.ts";
import {
  CPU_MODELS,
  DEFAULT_ENGINE,
  ENGINE_NAMES,
  engineFactory,
  isEngineName,
  LOCKSTEP_GRANULARITIES,
  type CpuModel,
  type EngineName,
  type LockstepGranularity,
} from "./engines.ts";
import { NodeHost, type NodeHostOptions } from "./node-host.ts";

export interface NodeMachineOptions extends ProgramOptions, NodeHostOptions {
  /** Default: "auto". */
  engine?: EngineName;
  /** The processor that programs see. Default: "x86-64-v2"; "x86-64-v3" which "unicorn" and "lockstep" do not have. */
  cpu?: CpuModel;
  /** A folder where the wasm engine keeps translations for later runs. Default: none. */
  translations?: string;
  /** How often engines in lockstep are compared. Default: "syscall", at every stop. */
  lockstep?: LockstepGranularity;
}

const nodeRules = {
  ...programRules,
  engine: { expected: ENGINE_NAMES.join(" or "), accepts: isEngineName },
  cpu: { expected: CPU_MODELS.join(" or "), accepts: (value) => CPU_MODELS.includes(value as CpuModel) },
  lockstep: {
    expected: LOCKSTEP_GRANULARITIES.join(" or "),
    accepts: (value) => LOCKSTEP_GRANULARITIES.includes(value as LockstepGranularity),
  },
  translations: { expected: "the path of a folder", accepts: (value) => typeof value === "string" },
  clock: { expected: '"host" or "virtual"', accepts: (value) => value === "host" || value === "virtual" },
  seed: { expected: "a whole number", accepts: Number.isSafeInteger },
} satisfies Record<keyof NodeMachineOptions, Rule>;

/** Makes a machine whose console is this process's standard streams. Throws as `createMachine` does. */
export function createNodeMachine(options: NodeMachineOptions): Machine {
  checkOptions("createNodeMachine", options, nodeRules);
  const { engine = DEFAULT_ENGINE, cpu, lockstep, translations, clock, seed, ...program } = options;
  const host = new NodeHost({ ...(clock !== undefined && { clock }), ...(seed !== undefined && { seed }) });
  return createMachine({ ...program, engine: engineFactory(engine, lockstep, cpu, translations), host });
}

export * from "../index.ts";
export {
  CPU_MODELS,
  DEFAULT_CPU_MODEL,
  DEFAULT_ENGINE,
  ENGINE_NAMES,
  isEngineName,
  LOCKSTEP_GRANULARITIES,
  presents,
  resolveEngine,
  type CpuModel,
  type EngineName,
  type LockstepGranularity,
} from "./engines.ts";
export { translationFolder } from "./translation-files.ts";
export { LockstepEngine, type LockstepStatistics } from "../../emulator/lockstep/lockstep-engine.ts";
export { streamKind, writeFully } from "./standard-streams.ts";
export { NodeHost, type NodeHostOptions } from "./node-host.ts";
export { putThisThreadFirst } from "./thread-priority.ts";
