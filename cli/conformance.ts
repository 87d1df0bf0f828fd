/** `trapgate conformance [options] FILES or folders...` */
import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { errnoByNumber } from "../abi/errno.ts";
import {
  ConformanceRefusal,
  formatJson,
  formatJunit,
  formatTable,
  formatTap,
  inShard,
  makeReport,
  programLines,
  reportProgram,
  runSuite,
  select,
  serveConformance,
  sortedByName,
  stopSuites,
  summaryLines,
  type ProgramRun,
  type Report,
  type ReportedProgram,
} from "../machine/node/conformance.ts";
import { DEFAULT_ENGINE, resolveEngine, writeFully } from "../machine/node/index.ts";
import { describeOptions } from "./arguments.ts";
import {
  COMMAND,
  guestSpecs,
  readConformanceOptions,
  suiteSpecs,
  type ConformanceOptions,
} from "./conformance-options.ts";
import { findTestPrograms, type TestProgram } from "./conformance-programs.ts";
import { Progress } from "./conformance-progress.ts";
import { startProblem } from "./diagnose.ts";
import { CommandError, EXIT_FAILURE, UsageError } from "./usage.ts";

export const help = `Usage: trapgate conformance [options] FILES or folders...

Runs test programs, each in a machine of its own, several at a time, and says which of their cases fail. Programs tell
their results as TAP, as the kernel's selftests, as the Linux Test Project or by their exit code. Guests have
TRAPGATE=1 in a small environment of their own, an empty /tmp, and a virtual clock unless --clock says otherwise.

${describeOptions(suiteSpecs)}

${describeOptions(guestSpecs)}

Exit code: 0 all as expected; 1 not all; 125 we failed; 2 wrong usage.
`;

/** How this program starts itself as a worker process. */
const WORKER = "--worker-process";
const BASE_ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
const GUEST_CWD = "/tmp";
const EXIT_UNEXPECTED = 1;

export async function main(words: readonly string[]): Promise<number> {
  if (words[0] === WORKER) {
    serveConformance();
    return new Promise(() => {});
  }
  const options = readConformanceOptions(words);
  const found = sortedByName(await findTestPrograms(options.files, options.view), ({ title }) => title);
  const write = openResults(options.output);
  const report = await run(found, options);
  if (options.format) write(format(options.format, report));
  say(summaryLines(report));
  return report.isGood ? 0 : EXIT_UNEXPECTED;
}

async function run(found: readonly TestProgram[], options: ConformanceOptions): Promise<Report> {
  const titleOf = ({ title }: TestProgram): string => title;
  const selected = options.filter ? select(found, titleOf, options.filter) : { programs: found, wants: null };
  const programs = options.shard ? inShard(selected.programs, titleOf, options.shard) : selected.programs;
  const { known, kind, isQuiet } = options;
  const { machine } = options;
  // Chosen here, so that all machines have the same one and the report has its name.
  const engine = options.runsMachine ? resolveEngine(machine.engine ?? DEFAULT_ENGINE, machine.cpu) : null;
  const rules = { known, wants: selected.wants, ...(kind && { kind }) };
  const reported = new Map<string, ReportedProgram>();
  const progress = new Progress(programs.length, isQuiet);
  const started = performance.now();
  const restore = onInterrupt(() => progress.close());
  try {
    await runSuite({
      programs: programs.map((program) => suiteProgram(program, options)),
      settings: { root: programs[0]?.view.root ?? { kind: "tmpfs" }, ...machine, ...(engine && { engine }) },
      worker: { script: process.argv[1]!, args: ["conformance", WORKER] },
      jobs: options.jobs,
      onStart: (title) => progress.start(title),
      onEnd: (result) => {
        const program = programs.find(({ title }) => title === result.title)!;
        const one = reportProgram(explained(result, program), rules);
        reported.set(one.title, one);
        progress.end(one.title, one.cases.length > 0 ? programLines(one) : []);
      },
    });
  } catch (error) {
    if (!(error instanceof ConformanceRefusal)) throw error;
    throw error.isUsage
      ? new UsageError(`${COMMAND}: ${error.message}`)
      : new CommandError(error.message, EXIT_FAILURE);
  } finally {
    progress.close();
    restore();
  }
  const kept = programs.map(({ title }) => reported.get(title)!).filter(({ cases }) => cases.length > 0);
  const leftOut = found.filter((program) => !programs.includes(program)).map(titleOf);
  return makeReport(kept, {
    engine,
    isCompared: options.runsMachine && options.runsNative,
    milliseconds: performance.now() - started,
    stale: known.stale(leftOut),
  });
}

function suiteProgram({ title, guestPath, hostFile, view }: TestProgram, options: ConformanceOptions) {
  const { timeoutMs, env, runsMachine, runsNative } = options;
  if (runsNative && hostFile === undefined)
    throw new UsageError(`${COMMAND}: --native needs programs that are files of this computer, and ${title} is not`);
  const guest = {
    program: guestPath,
    argv: [guestPath],
    env: { ...BASE_ENV, HOME: "/root", TRAPGATE: "1", ...env },
    cwd: options.view.cwd === undefined ? GUEST_CWD : view.cwd,
    binds: view.binds,
    timeoutMs,
  };
  // A program that finds TRAPGATE=1 may do what only a machine of its own allows.
  const { TRAPGATE: _, ...nativeEnv } = env;
  const file = resolve(hostFile ?? "");
  const native = { file, argv0: guestPath, env: { ...BASE_ENV, ...nativeEnv }, timeoutMs };
  return { title, guest: runsMachine ? guest : null, native: runsNative ? native : null };
}

/** The reason why a program could not be started, in a sentence that says what to try. */
function explained(result: ProgramRun, { view, guestPath }: TestProgram): ProgramRun {
  const ending = result.machine?.ending;
  if (ending?.kind !== "not-started") return result;
  const errno = errnoByNumber.get(ending.errno);
  const reason = errno ? startProblem(view, guestPath, errno) : ending.reason;
  return { ...result, machine: { ...result.machine!, ending: { ...ending, reason } } };
}

function format(name: NonNullable<ConformanceOptions["format"]>, report: Report): string {
  switch (name) {
    case "tap":
      return formatTap(report);
    case "junit":
      return formatJunit(report);
    case "json":
      return formatJson(report);
    case "table":
      return formatTable(report);
  }
}

/** Opened before anything runs, so that a wrong path is told at once. */
function openResults(path: string | null): (text: string) => void {
  const encoder = new TextEncoder();
  if (path === null) return (text) => void writeFully(1, encoder.encode(text));
  let handle: number;
  try {
    handle = openSync(path, "w");
  } catch (error) {
    throw new UsageError(`${COMMAND}: -o ${path}: ${(error as Error).message}`);
  }
  return (text) => {
    const bytes = encoder.encode(text);
    const written = writeFully(handle, bytes);
    closeSync(handle);
    if (written !== bytes.length) throw new CommandError(`${path} could not be written`, EXIT_FAILURE);
  };
}

function say(lines: readonly string[]): void {
  writeFully(2, new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

/** Takes everything that runs along when this process is told to stop. */
function onInterrupt(tidy: () => void): () => void {
  const listeners = SIGNALS.map(([signal, code]) => {
    const listener = (): never => {
      tidy();
      stopSuites();
      say([`${COMMAND}: stopped by ${signal}`]);
      process.exit(code);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}
