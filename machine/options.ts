/** What a machine can be told, and the check that it was told nothing else. */
import type { Engine } from "../emulator/engine.ts";
import type { PhysicalMemory } from "../emulator/physical-memory.ts";
import type { Tracer } from "../kernel/events.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { MachineHost } from "./host.ts";

/** What is mounted at `/`. */
export type RootSource =
  /** An empty file system in memory. */
  | { readonly kind: "tmpfs" }
  /** A folder of the host. */
  | { readonly kind: "host"; readonly path: string; readonly writable?: boolean }
  /** A tar archive (not compressed), read-only below a file system in memory that takes the changes. */
  | { readonly kind: "tar"; readonly bytes: Uint8Array };

/** A file or folder of the host that the guest sees. */
export interface Bind {
  /** Absolute path on the host. */
  readonly host: string;
  /** Absolute path in the guest. */
  readonly guest: string;
  /** Default: false. */
  readonly writable?: boolean;
}

/** Options that mean the same in every host. */
export interface ProgramOptions {
  /** Absolute path of the program in the guest; of several, the first that exists is run. */
  program: string | readonly string[];
  /** Arguments, the program's own name first. Default: the path alone. */
  argv?: readonly string[];
  /** Environment of the program. Default: empty. */
  env?: Readonly<Record<string, string>>;
  /** Working directory in the guest. Default: `/`. */
  cwd?: string;
  /** Default: an empty file system in memory. */
  root?: RootSource;
  binds?: readonly Bind[];
  /** Bytes of RAM, a multiple of 64 KiB from 4 MiB to 4 GiB - 64 KiB. Default: 1 GiB. */
  memory?: number;
  /** Tasks alive at once. Default: 4096. */
  maxTasks?: number;
  /** Real time after which the machine is stopped, in milliseconds. Default: none. */
  timeoutMs?: number;
  hostname?: string;
  /** Told what the guest does, see kernel/events.ts. */
  tracer?: Tracer;
  /** Called with the booted kernel before the program starts: for tests and tools that look inside. */
  onBoot?: (kernel: Kernel) => void;
}

export interface MachineOptions extends ProgramOptions {
  /** Makes the CPU for the machine's RAM. */
  engine: (memory: PhysicalMemory) => Engine;
  host: MachineHost;
}

export const DEFAULT_MEMORY = 1 << 30;
const LEAST_MEMORY = 4 << 20;
const MOST_MEMORY = 4294901760;

/** How one option is checked. */
export interface Rule {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  readonly required?: true;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isString = (value: unknown): value is string => typeof value === "string";
const isAbsolute = (value: unknown): boolean => isString(value) && value.startsWith("/") && !value.includes("\0");
const isOptionalBoolean = (value: unknown): boolean => value === undefined || typeof value === "boolean";
const isFunction = (value: unknown): boolean => typeof value === "function";
const isCount = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

function isRoot(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (value["kind"] === "tmpfs") return true;
  if (value["kind"] === "tar") return value["bytes"] instanceof Uint8Array;
  return value["kind"] === "host" && isAbsolute(value["path"]) && isOptionalBoolean(value["writable"]);
}

function isBind(value: unknown): boolean {
  return (
    isObject(value) && isAbsolute(value["host"]) && isAbsolute(value["guest"]) && isOptionalBoolean(value["writable"])
  );
}

export const programRules = {
  program: {
    expected: "an absolute path in the guest, or several to try",
    accepts: (value) => (Array.isArray(value) ? value.length > 0 && value.every(isAbsolute) : isAbsolute(value)),
    required: true,
  },
  argv: { expected: "an array of strings", accepts: (value) => Array.isArray(value) && value.every(isString) },
  env: {
    expected: "an object with string values",
    accepts: (value) => isObject(value) && Object.values(value).every(isString),
  },
  cwd: { expected: "an absolute path in the guest", accepts: isAbsolute },
  root: { expected: '{ kind: "tmpfs" }, { kind: "host", path, writable? } or { kind: "tar", bytes }', accepts: isRoot },
  binds: {
    expected: "an array of { host, guest, writable? } with absolute paths",
    accepts: (value) => Array.isArray(value) && value.every(isBind),
  },
  memory: {
    expected: "bytes of RAM, a multiple of 65536 from 4 MiB to 4 GiB - 64 KiB",
    accepts: (value) => isCount(LEAST_MEMORY, MOST_MEMORY)(value) && (value as number) % 65536 === 0,
  },
  maxTasks: { expected: "a whole number from 1 to 4194304", accepts: isCount(1, 4194304) },
  timeoutMs: {
    expected: "a number of milliseconds above 0",
    accepts: (value) => typeof value === "number" && value > 0,
  },
  hostname: {
    expected: "a string of at most 64 characters",
    accepts: (value) => isString(value) && value.length <= 64,
  },
  tracer: { expected: "a Tracer object", accepts: isObject },
  onBoot: { expected: "a function", accepts: isFunction },
} satisfies Record<keyof ProgramOptions, Rule>;

export const machineRules = {
  ...programRules,
  engine: { expected: "a function that makes an Engine for a PhysicalMemory", accepts: isFunction, required: true },
  host: { expected: "a MachineHost object", accepts: isObject, required: true },
} satisfies Record<keyof MachineOptions, Rule>;

/**
 * Throws a TypeError naming call, key and what was expected, unless every option is known and well-formed.
 * An option that is undefined counts as absent.
 */
export function checkOptions(call: string, options: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (!isObject(options)) throw new TypeError(`${call}: the options must be an object, not ${describe(options)}`);
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(rules, key)) {
      throw new TypeError(`${call}: unknown option "${key}"; known are ${Object.keys(rules).join(", ")}`);
    }
  }
  for (const [key, rule] of Object.entries(rules)) {
    const value = options[key];
    if (value === undefined ? rule.required : !rule.accepts(value)) {
      throw new TypeError(`${call}: option "${key}" must be ${rule.expected}, not ${describe(value)}`);
    }
  }
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
