/** The worker process of the conformance runner: runs one program after the other, each in a machine of its own. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SetUpError } from "../../kernel/vfs/set-up.ts";
import type { Ending, ProgramOutput } from "../conformance/result.ts";
import { createMachine, ProgramError, type Machine, type MachineResult } from "../machine.ts";
import { ConformanceHost } from "./conformance-host.ts";
import type { FromWorker, GuestJob, MachineSettings, ToWorker } from "./conformance-protocol.ts";
import { DEFAULT_ENGINE, engineFactory } from "./engines.ts";

/** Below that the collector is left to itself: asking it takes as long as a small program. */
const COLLECT_ABOVE = 200 << 20;

/** Serves the process that has forked this one until that ends. */
export function serveConformance(): void {
  const collectGarbage = garbageCollector();
  let settings: MachineSettings = { root: { kind: "tmpfs" } };
  const answer = (message: FromWorker): void => void process.send!(message);
  process.on("message", (message: ToWorker) => {
    if (message.kind === "settings") settings = message.settings;
    else {
      void runJob(settings, message.job).then((reply) => {
        // A machine's RAM is a WebAssembly memory, which only the garbage collector gives back.
        if (process.memoryUsage.rss() > COLLECT_ABOVE) collectGarbage();
        answer("kind" in reply ? reply : { kind: "output", output: reply, residentBytes: process.memoryUsage.rss() });
      });
    }
  });
  process.on("disconnect", () => process.exit(0));
  // A Ctrl-C is for the one who runs us.
  process.on("SIGINT", () => {});
}

async function runJob(settings: MachineSettings, job: GuestJob): Promise<ProgramOutput | FromWorker> {
  const { clock = "virtual", seed = 1, engine = DEFAULT_ENGINE, cpu, root, memory, maxTasks } = settings;
  const host = new ConformanceHost({ clock, seed });
  const started = performance.now();
  let machine: Machine;
  try {
    machine = createMachine({
      ...job,
      root,
      ...(memory !== undefined && { memory }),
      ...(maxTasks !== undefined && { maxTasks }),
      engine: engineFactory(engine, undefined, cpu),
      host,
    });
  } catch (error) {
    return { kind: "refused", message: describe(error), isUsage: error instanceof SetUpError };
  }
  const ending = await machine.run().then(
    (result) => endingOf(result, job),
    (error: unknown): Ending => endingOfError(error),
  );
  const milliseconds = performance.now() - started;
  return { ending, stdout: host.stdout.text, stderr: host.stderr.text, milliseconds };
}

function endingOf(result: MachineResult, job: GuestJob): Ending {
  switch (result.kind) {
    case "exited":
    case "killed":
      return result;
    case "limit":
      return { kind: "hung", seconds: job.timeoutMs / 1000 };
    case "failed":
      return { kind: "machine-failed", report: result.report };
  }
}

function endingOfError(error: unknown): Ending {
  if (error instanceof ProgramError) {
    return { kind: "not-started", errno: error.errno.number, reason: `${error.errno.text} (${error.errno.name})` };
  }
  return { kind: "machine-failed", report: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** Plain Errors are messages of ours, such as that no engine was found; others come from mistakes in the code. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.constructor === Error || error instanceof SetUpError ? error.message : (error.stack ?? error.message);
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
