/** The options of `trapgate conformance`. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import {
  hostRunsGuests,
  KINDS,
  KnownFailures,
  parseKnownFailures,
  parseShard,
  type Kind,
  type MachineSettings,
  type Shard,
} from "../machine/node/conformance.ts";
import { parseArguments, type OptionSpec } from "./arguments.ts";
import type { ViewRequest } from "./guest-view.ts";
import {
  machineSpecs,
  OptionReader,
  parseSettings,
  readMachine,
  readTimeout,
  readView,
  viewSpecs,
} from "./run-options.ts";
import { UsageError } from "./usage.ts";

export const COMMAND = "trapgate conformance";

export const FORMATS = ["tap", "junit", "json", "table"] as const;
export type Format = (typeof FORMATS)[number];

export const suiteSpecs: readonly OptionSpec[] = [
  { name: "native", help: "runs each program on this computer's Linux too, and reports what differs" },
  { name: "native-only", help: "runs the programs on this computer's Linux only" },
  { name: "jobs", short: "j", value: "N", help: "programs run at a time (default: one for each processor)" },
  { name: "timeout", value: "SECONDS", help: "real time that each program may take (default 60); later it hangs" },
  { name: "filter", value: "REGEX", help: "only the programs, or the cases of programs, that match" },
  { name: "shard", value: "I/N", help: "only part I of N of the programs, the same on every computer" },
  {
    name: "known-failures",
    value: "FILE",
    help: "cases that fail, with reasons; others that fail, and these if they pass, are news",
  },
  { name: "kind", value: KINDS.join("|"), help: "how programs tell their results (default: it shows)" },
  { name: "format", value: FORMATS.join("|"), help: "prints the results to standard output; table is Markdown" },
  {
    name: "output",
    short: "o",
    value: "FILE",
    help: "writes them to FILE; .xml is junit, .json json, .md a table, others tap",
  },
  { name: "quiet", short: "q", help: "no progress, only the summary" },
];

export const guestSpecs: readonly OptionSpec[] = [
  { name: "env", short: "E", value: "VAR=VALUE", many: true, help: "sets an environment variable of the programs" },
  { name: "cwd", value: "DIR", help: "working directory in the guest (default /tmp, which is empty)" },
  ...viewSpecs,
  ...machineSpecs,
];

export interface ConformanceOptions {
  readonly files: readonly string[];
  readonly runsMachine: boolean;
  readonly runsNative: boolean;
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly filter: RegExp | null;
  readonly shard: Shard | null;
  readonly known: KnownFailures;
  readonly kind: Kind | undefined;
  readonly format: Format | null;
  readonly output: string | null;
  readonly isQuiet: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly view: Omit<ViewRequest, "program" | "path">;
  readonly machine: Omit<MachineSettings, "root">;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** @throws UsageError */
export function readConformanceOptions(words: readonly string[]): ConformanceOptions {
  const { given, rest } = parseArguments(COMMAND, [...suiteSpecs, ...guestSpecs], words, true);
  if (rest.length === 0) throw new UsageError(`${COMMAND}: which programs? Name files or folders`);
  const reader = new OptionReader(COMMAND, given);
  if (given.has("native") && given.has("native-only"))
    throw new UsageError(`${COMMAND}: --native and --native-only exclude each other`);
  const runsNative = given.has("native") || given.has("native-only");
  if (runsNative && !hostRunsGuests)
    throw new UsageError(
      `${COMMAND}: --native needs Linux on x86-64, and this is ${process.platform} on ${process.arch}`,
    );
  const output = reader.one("output") ?? null;
  const format = reader.read("format", FORMATS.join(", "), (text) => FORMATS.find((name) => name === text));
  return {
    files: rest,
    runsMachine: !given.has("native-only"),
    runsNative,
    jobs: reader.read("jobs", "a whole number from 1 to 512", parseJobs) ?? availableParallelism(),
    timeoutMs: readTimeout(reader) ?? DEFAULT_TIMEOUT_MS,
    filter: readFilter(reader),
    shard: reader.read("shard", "I/N such as 1/4, with I from 1 to N", parseShard) ?? null,
    known: readKnown(reader.one("known-failures")),
    kind: reader.read("kind", KINDS.join(", "), (text) => KINDS.find((name) => name === text)),
    format: format ?? (output === null ? null : formatOf(output)),
    output,
    isQuiet: given.has("quiet"),
    env: parseSettings(COMMAND, given.get("env") ?? []),
    view: readView(reader),
    machine: readMachine(reader),
  };
}

function parseJobs(text: string): number | undefined {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 512 ? count : undefined;
}

function readFilter(reader: OptionReader): RegExp | null {
  const text = reader.one("filter");
  if (text === undefined) return null;
  try {
    return new RegExp(text, "u");
  } catch (error) {
    throw new UsageError(`${COMMAND}: --filter: ${(error as Error).message}`);
  }
}

function readKnown(path: string | undefined): KnownFailures {
  if (path === undefined) return new KnownFailures(new Map());
  try {
    return new KnownFailures(parseKnownFailures(readFileSync(path, "utf8")));
  } catch (error) {
    throw new UsageError(`${COMMAND}: --known-failures ${path}: ${(error as Error).message}`);
  }
}

function formatOf(output: string): Format {
  if (output.endsWith(".xml")) return "junit";
  if (output.endsWith(".json")) return "json";
  return output.endsWith(".md") ? "table" : "tap";
}
