/** `trapgate run [options] PROGRAM [ARGS...]` */
import {
  createNodeMachine,
  LockstepEngine,
  ProgramError,
  putThisThreadFirst,
  SetUpError,
  type MachineResult,
  type NodeMachineOptions,
  type EngineCapabilities,
  type LockstepStatistics,
} from "../machine/node/index.ts";
import { describeOptions, parseArguments } from "./arguments.ts";
import { explainStart } from "./diagnose.ts";
import { machineOptions, runSpecs } from "./run-options.ts";
import { CommandError, EXIT_FAILURE, EXIT_LIMIT, UsageError } from "./usage.ts";

export const help = `Usage: trapgate run [options] PROGRAM [ARGS...]

Runs a Linux program for x86-64 in a machine of its own. Its standard streams are ours, its exit code too.
Without --root and --host the guest sees an empty root with PROGRAM and the current folder, both read-only.

${describeOptions(runSpecs)}

Exit code: the program's own; 128+N when signal N killed it; 124 a limit was reached; 125 we failed;
126 PROGRAM cannot be executed; 127 PROGRAM was not found; 2 wrong usage.
`;

export async function main(words: readonly string[]): Promise<number> {
  return runMachine(await machineOptions("trapgate run", parseArguments("trapgate run", runSpecs, words)));
}

/** Runs to the end; the exit code. @throws CommandError */
export async function runMachine(options: NodeMachineOptions): Promise<number> {
  try {
    const machine = createNodeMachine(options);
    warnOfEngine(machine.kernel.engine.capabilities);
    putThisThreadFirst();
    const result = await machine.run();
    if (machine.kernel.engine instanceof LockstepEngine) summarize(machine.kernel.engine.statistics);
    return exitCode(result);
  } catch (error) {
    if (error instanceof SetUpError) throw new UsageError(`trapgate: ${error.message}`);
    if (error instanceof ProgramError) throw explainStart(options, error.program, error.errno);
    throw error;
  }
}

/** Once and only for a libunicorn that could not be guarded (docs/quirks.md). */
function warnOfEngine({ name, boundedBlocks }: EngineCapabilities): void {
  if (boundedBlocks !== false) return;
  process.stderr.write(`trapgate: warning: ${name}: a hostile program could crash this process\n`);
}

/** What has been compared; a difference ends the machine with a report. */
function summarize({ pieces, instructions, units, repeated, unchecked, excuses }: LockstepStatistics): void {
  const size = instructions > 0 ? `${instructions} instructions` : `${units} blocks`;
  const excused = Object.entries(excuses).map(([reason, count]) => `${reason} ${count}`);
  const text = [
    `${pieces} pieces compared, ${size}`,
    `${repeated} repeated in steps (excused: ${excused.join(", ")}), ${unchecked} not comparable`,
  ].join("; ");
  process.stderr.write(`trapgate: lockstep: ${text}\n`);
}

function exitCode(result: MachineResult): number {
  switch (result.kind) {
    case "exited":
      return result.code;
    case "killed":
      return 128 + result.signal;
    case "limit":
      throw new CommandError(`stopped: the ${result.what} was reached`, EXIT_LIMIT);
    case "failed":
      throw new CommandError(`the machine has failed, which is a bug of ours:\n${result.report}`, EXIT_FAILURE);
  }
}
