/** Runs a suite of test programs: in machines, natively, or both, several at a time. */
import type { ProgramRun } from "../conformance/report.ts";
import { ConformanceWorker, killWorkers, type WorkerCommand } from "./conformance-pool.ts";
import { killNativeRuns, runNative, type NativeJob } from "./conformance-native.ts";
import type { GuestJob, MachineSettings } from "./conformance-protocol.ts";

/** A program and how it is run; null where it is not. */
export interface SuiteProgram {
  readonly title: string;
  readonly guest: GuestJob | null;
  readonly native: NativeJob | null;
}

export interface SuiteOptions {
  readonly programs: readonly SuiteProgram[];
  readonly settings: MachineSettings;
  readonly worker: WorkerCommand;
  /** Programs that are run at a time. */
  readonly jobs: number;
  readonly onStart?: (title: string) => void;
  readonly onEnd?: (run: ProgramRun) => void;
}

/** Rejects with a ConformanceRefusal if no machine can be made. Runs are in the order of the programs. */
export async function runSuite(options: SuiteOptions): Promise<ProgramRun[]> {
  const { programs, jobs } = options;
  const runs: ProgramRun[] = [];
  const workers: ConformanceWorker[] = [];
  let next = 0;
  let isOver = false;
  const onEnd = (run: ProgramRun): void => {
    if (!isOver) options.onEnd?.(run);
  };
  const lane = async (): Promise<void> => {
    const worker = new ConformanceWorker(options.worker, options.settings);
    workers.push(worker);
    while (next < programs.length) {
      const index = next++;
      runs[index] = await runProgram(programs[index]!, worker, { ...options, onEnd });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, programs.length) }, lane));
  } finally {
    isOver = true;
    next = programs.length;
    for (const worker of workers) worker.dispose();
  }
  return runs;
}

async function runProgram(
  program: SuiteProgram,
  worker: ConformanceWorker,
  options: SuiteOptions,
): Promise<ProgramRun> {
  const { title } = program;
  options.onStart?.(title);
  // One after the other, so that neither takes the processor from the other.
  const machine = program.guest && (await worker.run(program.guest));
  const native = program.native && (await runNative(program.native));
  const run = { title, machine, native };
  options.onEnd?.(run);
  return run;
}

/** Ends whatever is still running; for a process that has to stop. */
export function stopSuites(): void {
  killWorkers();
  killNativeRuns();
}

export * from "../conformance/index.ts";
export { ConformanceRefusal, type WorkerCommand } from "./conformance-pool.ts";
export { hostRunsGuests } from "./conformance-native.ts";
export { programsIn } from "./conformance-programs.ts";
export { serveConformance } from "./conformance-worker.ts";
export type { MachineSettings } from "./conformance-protocol.ts";
