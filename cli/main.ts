/** `trapgate VERB ...`: finds the verb's file, runs it, and turns what it throws into a sentence and an exit code. */
import { writeSync } from "node:fs";
import { CommandError, EXIT_FAILURE, EXIT_USAGE, UsageError } from "./usage.ts";

/** Filled in by scripts/build-bundle.mjs. */
declare const TRAPGATE_VERSION: string;

interface Verb {
  readonly help: string;
  main(words: readonly string[]): number | Promise<number>;
}

/** Each verb is loaded only when it is used. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  run: () => import("./run.ts"),
  trace: () => import("./trace.ts"),
  syscalls: () => import("./syscalls.ts"),
  conformance: () => import("./conformance.ts"),
  debug: () => import("./debug.ts"),
};

const help = `Usage: trapgate VERB [options] ...

  run          runs a Linux program for x86-64
  trace        runs it and prints its system calls, like strace
  syscalls     lists the system calls and how far they are supported
  conformance  runs test programs and compares with Linux
  debug        shows what the wasm engine makes of a program's code

  trapgate VERB --help   says more
  trapgate --version     says which version this is
`;

async function dispatch(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined)
    throw new UsageError(
      "trapgate: say what to do: run, trace, syscalls, conformance or debug; `trapgate --help` says more",
    );
  if (name === "--version" || name === "-V") return say(`trapgate ${TRAPGATE_VERSION}\n`);
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) return say(help);
  const isHelp = name === "help";
  const verb = isHelp ? rest[0]! : name;
  if (!Object.hasOwn(verbs, verb)) {
    throw new UsageError(`trapgate: there is no verb "${verb}"; known are ${Object.keys(verbs).join(", ")}`);
  }
  const { main, help: verbHelp } = await verbs[verb]!();
  return isHelp || rest[0] === "--help" || rest[0] === "-h" ? say(verbHelp) : main(rest);
}

/** Prints for the user; a reader that has gone away is no error. */
function say(text: string): number {
  try {
    writeSync(1, text);
  } catch {
    // EPIPE: nobody reads on.
  }
  return 0;
}

function complain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof CommandError) {
    process.stderr.write(`trapgate: ${error.message}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (isOurBug(error) ? error.stack : error.message) : String(error);
  process.stderr.write(`trapgate: ${text}\n`);
  return EXIT_FAILURE;
}

/** Plain Errors are messages of ours, such as that no engine was found; the others come from mistakes in the code. */
function isOurBug(error: Error): boolean {
  return error.constructor !== Error;
}

// The machine is gone when its verb returns: there is nothing worth an orderly shutdown of Node.
dispatch(process.argv.slice(2))
  .catch(complain)
  .then((code) => process.exit(code));
