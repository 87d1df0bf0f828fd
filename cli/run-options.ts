/** The options that the verbs which start machines have in common, and what they mean to the library. */
import { fileURLToPath } from "node:url";
import {
  CPU_MODELS,
  DEFAULT_ENGINE,
  ENGINE_NAMES,
  isEngineName,
  LOCKSTEP_GRANULARITIES,
  presents,
  translationFolder,
  type CpuModel,
  type EngineName,
  type NodeMachineOptions,
} from "../machine/node/index.ts";
import type { OptionSpec, ParsedArguments } from "./arguments.ts";
import { guestView, type ViewRequest } from "./guest-view.ts";
import { UsageError } from "./usage.ts";

/** Which files the guest sees. */
export const viewSpecs: readonly OptionSpec[] = [
  {
    name: "root",
    value: "DIR|TAR",
    help: "the guest's root: a folder (read-only, see --rw) or a tar archive, plain or gzip",
  },
  { name: "host", help: "the whole host as root, read-only, with a fresh /tmp, /proc and /dev" },
  { name: "bind", value: "HOST:GUEST[:rw]", many: true, help: "shows a file or folder of the host in the guest" },
  { name: "rw", help: "makes the current folder (with --root DIR: that folder) writable" },
];

/** What the machine is like. */
export const machineSpecs: readonly OptionSpec[] = [
  { name: "memory", value: "SIZE", help: "RAM of the machine, with K, M or G (default 1G)" },
  {
    name: "engine",
    value: "NAME",
    help: `what executes instructions: ${ENGINE_NAMES.join(", ")}\n(default auto: unicorn where it is there, else wasm)`,
  },
  { name: "cpu", value: "MODEL", help: `the processor: ${CPU_MODELS.join(" or ")} (the latter on wasm only)` },
  {
    name: "lockstep",
    value: "syscall|block|step",
    help: "how often engines in lockstep are compared (default syscall)",
  },
  {
    name: "translations",
    value: "DIR|off",
    help: "where the wasm engine keeps its translations for the next start (default ~/.cache/trapgate)",
  },
  { name: "clock", value: "host|virtual", help: "real time, or time that only moves with executed work" },
  { name: "seed", value: "N", help: "makes the guest's random numbers repeatable" },
  { name: "max-tasks", value: "N", help: "how many tasks may live at once (default 4096)" },
];

export const runSpecs: readonly OptionSpec[] = [
  ...viewSpecs,
  { name: "env", short: "E", value: "VAR=VALUE", many: true, help: "sets an environment variable of the guest" },
  { name: "unset", short: "U", value: "VAR", many: true, help: "removes an environment variable" },
  { name: "cwd", value: "DIR", help: "working directory in the guest" },
  ...machineSpecs,
  { name: "timeout", value: "SECONDS", help: "stops the machine after this time, with exit code 124" },
];

/** Everything the library must be told to run PROGRAM; `guestPath` is the program's first candidate. @throws UsageError */
export async function machineOptions(command: string, { given, rest }: ParsedArguments): Promise<NodeMachineOptions> {
  const [program, ...args] = rest;
  if (program === undefined)
    throw new UsageError(`${command}: which program? Usage: ${command} [options] PROGRAM [ARGS...]`);
  const reader = new OptionReader(command, given);
  const env = guestEnvironment(command, given.has("root"), given.get("env") ?? [], given.get("unset") ?? []);
  const view = await guestView(command, { program, path: env["PATH"], ...readView(reader) });
  const timeoutMs = readTimeout(reader);
  return {
    ...view,
    argv: [program, ...args],
    env,
    ...readMachine(reader),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** The given options by name, with the sentence for a value that makes no sense. */
export class OptionReader {
  readonly command: string;
  readonly given: ParsedArguments["given"];

  constructor(command: string, given: ParsedArguments["given"]) {
    this.command = command;
    this.given = given;
  }

  one(name: string): string | undefined {
    return this.given.get(name)?.at(-1);
  }

  /** The value as `parse` understands it; undefined if the option is not given. @throws UsageError */
  read<T>(name: string, expected: string, parse: (value: string) => T | undefined): T | undefined {
    const value = this.one(name);
    if (value === undefined) return undefined;
    const result = parse(value);
    if (result === undefined) throw new UsageError(`${this.command}: --${name} must be ${expected}, not "${value}"`);
    return result;
  }
}

/** The options of `viewSpecs` and --cwd. @throws UsageError */
export function readView(reader: OptionReader): Omit<ViewRequest, "program" | "path"> {
  const { command, given } = reader;
  const host = given.has("host");
  const root = reader.one("root");
  if (host && root !== undefined) throw new UsageError(`${command}: --host and --root exclude each other`);
  return { host, root, binds: given.get("bind") ?? [], writable: given.has("rw"), cwd: reader.one("cwd") };
}

/** The options of `machineSpecs`. @throws UsageError */
export function readMachine(
  reader: OptionReader,
): Pick<NodeMachineOptions, "memory" | "engine" | "cpu" | "lockstep" | "translations" | "clock" | "seed" | "maxTasks"> {
  const memory = reader.read("memory", "a size such as 512M, at least 4M and below 4G", parseSize);
  const engine = reader.read("engine", ENGINE_NAMES.join(" or "), (value) => (isEngineName(value) ? value : undefined));
  const cpu = readCpu(reader, engine ?? DEFAULT_ENGINE);
  const lockstep = reader.read("lockstep", LOCKSTEP_GRANULARITIES.join(" or "), (value) =>
    LOCKSTEP_GRANULARITIES.find((granularity) => granularity === value),
  );
  const translations = translationsFor(reader.one("translations"));
  const clock = reader.read("clock", "host or virtual", parseClock);
  const seed = reader.read("seed", "a whole number", parseSeed);
  const maxTasks = reader.read("max-tasks", "a whole number from 1 to 4194304", parseTasks);
  return {
    ...(memory !== undefined && { memory }),
    ...(engine !== undefined && { engine }),
    ...(cpu !== undefined && { cpu }),
    ...(lockstep !== undefined && { lockstep }),
    ...(translations !== undefined && { translations }),
    ...(clock !== undefined && { clock }),
    ...(seed !== undefined && { seed }),
    ...(maxTasks !== undefined && { maxTasks }),
  };
}

/** The folder of --translations. Only the bundled program has one by itself: its file tells one build from another. */
function translationsFor(value: string | undefined): string | undefined {
  if (value !== undefined) return value === "off" ? undefined : value;
  const program = fileURLToPath(import.meta.url);
  return program.endsWith(".cjs") ? translationFolder(program) : undefined;
}

/** --cpu, which not every engine has. @throws UsageError */
function readCpu(reader: OptionReader, engine: EngineName): CpuModel | undefined {
  const cpu = reader.read("cpu", CPU_MODELS.join(" or "), (value) => CPU_MODELS.find((model) => model === value));
  if (cpu === undefined || presents(engine, cpu)) return cpu;
  throw new UsageError(`${reader.command}: --cpu=${cpu} needs --engine=wasm: ${engine} has no such processor`);
}

/** --timeout in milliseconds. @throws UsageError */
export function readTimeout(reader: OptionReader): number | undefined {
  const seconds = reader.read("timeout", "seconds, more than 0, such as 2.5", parseSeconds);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Bytes from a number with K, M or G behind it, rounded down to whole 64 KiB; undefined if it is no such thing. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text);
  if (!match) return undefined;
  const factor = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match[2]!.toUpperCase() as "" | "K" | "M" | "G"];
  const bytes = Math.floor((Number(match[1]) * factor) / 65536) * 65536;
  return bytes >= 4 << 20 && bytes <= 4294901760 ? bytes : undefined;
}

function parseClock(text: string): "host" | "virtual" | undefined {
  return text === "host" || text === "virtual" ? text : undefined;
}

function parseSeed(text: string): number | undefined {
  return /^-?(\d+|0x[0-9a-f]+)$/i.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

function parseSeconds(text: string): number | undefined {
  return /^(\d+\.?\d*|\.\d+)s?$/.test(text) && parseFloat(text) > 0 ? parseFloat(text) : undefined;
}

function parseTasks(text: string): number | undefined {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 4194304 ? count : undefined;
}

/**
 * The guest's environment: the host's where the guest sees host files, as qemu-user has it; a small clean one in a root
 * of its own.
 */
function guestEnvironment(
  command: string,
  isOwnRoot: boolean,
  set: readonly string[],
  unset: readonly string[],
): Record<string, string> {
  const env: Record<string, string> = {};
  const host = process.env;
  if (isOwnRoot) {
    env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    env["HOME"] = "/root";
    for (const name of ["TERM", "LANG"]) if (host[name] !== undefined) env[name] = host[name];
  } else {
    for (const [name, value] of Object.entries(host)) if (value !== undefined) env[name] = value;
  }
  for (const name of unset) delete env[name];
  return { ...env, ...parseSettings(command, set) };
}

/** The values of -E. @throws UsageError */
export function parseSettings(command: string, settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((setting) => {
      const equals = setting.indexOf("=");
      if (equals < 1) throw new UsageError(`${command}: -E needs VAR=VALUE, not "${setting}"`);
      return [setting.slice(0, equals), setting.slice(equals + 1)];
    }),
  );
}
