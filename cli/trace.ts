/** `trapgate trace [options] PROGRAM [ARGS...]` */
import { closeSync, openSync } from "node:fs";
import { parseTraceFilter, streamKind, TraceWriter, writeFully, type TraceFilter } from "../machine/node/index.ts";
import { describeOptions, parseArguments, type OptionSpec } from "./arguments.ts";
import { runMachine } from "./run.ts";
import { machineOptions, runSpecs } from "./run-options.ts";
import { UsageError } from "./usage.ts";

const traceSpecs: readonly OptionSpec[] = [
  { name: "output", short: "o", value: "FILE", help: "writes the trace to FILE instead of standard error" },
  { name: "e", short: "e", value: "EXPR", help: "trace=NAME,%CLASS,...: only these calls; trace=!... all others" },
  { name: "s", short: "s", value: "N", help: "how many bytes of a string are shown (default 32)" },
  { name: "follow", short: "f", help: "traces children and threads too (the default)" },
  { name: "no-follow", help: "traces the first task only" },
];

export const help = `Usage: trapgate trace [options] PROGRAM [ARGS...]

Runs a program as \`trapgate run\` does and prints its system calls in the form of strace.

${describeOptions(traceSpecs)}

${describeOptions(runSpecs)}

Exit codes are those of \`trapgate run\`.
`;

/** A trace in a file is collected and written in blocks; on standard error each line has to be in its place. */
const BLOCK = 1 << 16;

export async function main(words: readonly string[]): Promise<number> {
  const parsed = parseArguments("trapgate trace", [...traceSpecs, ...runSpecs], words);
  const one = (name: string): string | undefined => parsed.given.get(name)?.at(-1);
  const filter = readFilter(one("e"));
  const stringLimit = readLimit(one("s"));
  const options = await machineOptions("trapgate trace", parsed);
  const output = openOutput(one("output"));
  const { program, argv = [], env = {} } = options;
  const path = typeof program === "string" ? program : program[0]!;
  const tracer = new TraceWriter({
    write: output.write,
    start: { path, argv, variables: Object.keys(env).length },
    follow: !parsed.given.has("no-follow"),
    ...(filter && { filter }),
    ...(stringLimit !== undefined && { stringLimit }),
  });
  try {
    return await runMachine({ ...options, tracer });
  } finally {
    output.close();
  }
}

function readFilter(expression: string | undefined): TraceFilter | undefined {
  if (expression === undefined) return undefined;
  const [, qualifier, list] = /^(?:(\w+)=)?(.*)$/.exec(expression)!;
  if (qualifier !== undefined && !["trace", "t"].includes(qualifier)) {
    throw new UsageError(`trapgate trace: -e ${qualifier}= is not known; only trace= is`);
  }
  try {
    return parseTraceFilter(list!);
  } catch (error) {
    throw new UsageError(`trapgate trace: -e: ${(error as Error).message}`);
  }
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,7}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(`trapgate trace: -s must be a number of bytes, not "${text}"`);
}

function openOutput(path: string | undefined): { write: (text: string) => void; close: () => void } {
  const encoder = new TextEncoder();
  if (path === undefined) {
    // While the guest has the terminal, nobody else puts the carriage returns there.
    const isShared = streamKind(0) === "terminal" && streamKind(2) === "terminal";
    const lineOf = (text: string): string => (isShared ? text.replaceAll("\n", "\r\n") : text);
    return { write: (text) => writeFully(2, encoder.encode(lineOf(text))), close: () => undefined };
  }
  let handle: number;
  try {
    handle = openSync(path, "w");
  } catch (error) {
    throw new UsageError(`trapgate trace: -o ${path}: ${(error as Error).message}`);
  }
  let held = "";
  const flush = (): void => {
    writeFully(handle, encoder.encode(held));
    held = "";
  };
  return {
    write: (text) => {
      held += text;
      if (held.length > BLOCK) flush();
    },
    close: () => {
      flush();
      closeSync(handle);
    },
  };
}
