/** Runs conformance programs, each in a machine of its own that it has for itself. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exitCode, guestPath, repository, runGuest } from "../support/run-guest.ts";
import { parseKnownFailures } from "./known-failures.ts";
import { parseTap, type TapCase } from "./tap-parser.ts";

/** The lists of cases in the specification, and how many each has. */
export const LISTS = [
  { list: "C7", topic: "clone2", total: 140 },
  { list: "C8", topic: "clone3", total: 39 },
] as const;

export interface Program {
  readonly topic: string;
  readonly name: string;
  /** Topic and name, as in known-failures.txt. */
  readonly title: string;
}

export interface ProgramReport {
  readonly cases: readonly TapCase[];
  /** What is wrong with the run as a whole: cases missing, a bug of ours, an end that its results do not explain. */
  readonly troubles: readonly string[];
}

/** The programs that `make guests` has built, of all topics. */
export function findPrograms(): Program[] {
  const folder = guestPath("conformance");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((topic) => {
      const names = readdirSync(join(folder, topic)).sort();
      return names.map((name) => ({ topic, name, title: `${topic}/${name}` }));
    });
}

export function readKnownFailures(): Map<string, string> {
  return parseKnownFailures(readFileSync(join(repository, "tests/conformance/known-failures.txt"), "utf8"));
}

const MEMORY = 256 << 20;
const TIMEOUT_MS = 50_000;

export async function runProgram(program: Program): Promise<ProgramReport> {
  const { result, stdout, stderr } = await runGuest(guestPath(`conformance/${program.title}`), {
    env: { TRAPGATE: "1" },
    memory: MEMORY,
    timeoutMs: TIMEOUT_MS,
  });
  const { cases, planned, bailOut } = parseTap(stdout);
  const failed = cases.some(({ outcome }) => outcome === "failed");
  const code = exitCode(result);
  const troubles: string[] = [];
  if (result.kind === "failed") troubles.push(result.report);
  if (bailOut !== null) troubles.push(`gave up: ${bailOut}`);
  if (planned === 0 || cases.length !== planned) troubles.push(`${cases.length} of ${planned} planned cases were run`);
  if (code !== (failed ? 1 : 0)) troubles.push(`ended with exit code ${code}`);
  if (stderr !== "") troubles.push(`wrote to standard error: ${stderr}`);
  return { cases, troubles };
}

/** The line for one list: how many of its cases have passed in some program. */
export function summaryLine(list: string, total: number, cases: readonly TapCase[]): string {
  const passed = new Set(cases.filter(({ outcome }) => outcome === "passed").map(({ id }) => id));
  const failed = new Set(cases.filter(({ outcome }) => outcome !== "passed").map(({ id }) => id));
  const count = [...passed].filter((id) => id.startsWith(`${list}.`) && !failed.has(id)).length;
  return `${list}: ${count} of ${total}`;
}
