/** One worker process of the conformance runner, seen from the runner. It is started when it is needed, and again. */
import { fork, type ChildProcess } from "node:child_process";
import type { ProgramOutput } from "../conformance/result.ts";
import type { FromWorker, GuestJob, MachineSettings, ToWorker } from "./conformance-protocol.ts";

/** How a worker process is started: a script for Node and its arguments, which must call `serveConformance`. */
export interface WorkerCommand {
  readonly script: string;
  readonly args: readonly string[];
}

/** No machine can be made at all; `isUsage` if that is because of what the user asked for. */
export class ConformanceRefusal extends Error {
  readonly isUsage: boolean;

  constructor(message: string, isUsage: boolean) {
    super(message);
    this.isUsage = isUsage;
  }
}

/** A machine stops itself at the time limit. One that has not by then is stuck in our own code. */
const GRACE_MS = 10_000;
/** A worker that keeps more memory than this after a run is replaced by a new one. */
const MOST_RESIDENT_BYTES = 600 << 20;
const STDERR_KEPT = 4096;

/** Worker processes that are running, to be killed when this process has to stop. */
const running = new Set<ChildProcess>();

export function killWorkers(): void {
  for (const child of running) child.kill("SIGKILL");
}

export class ConformanceWorker {
  private readonly command: WorkerCommand;
  private readonly settings: MachineSettings;
  private child: ChildProcess | null = null;
  private stderr = "";

  constructor(command: WorkerCommand, settings: MachineSettings) {
    this.command = command;
    this.settings = settings;
  }

  /** Rejects with a ConformanceRefusal if no machine can be made. One job at a time. */
  async run(job: GuestJob): Promise<ProgramOutput> {
    const child = (this.child ??= this.start());
    const started = performance.now();
    const reply = await this.ask(child, job);
    if (typeof reply === "string") {
      this.dispose();
      const milliseconds = performance.now() - started;
      return { ending: { kind: "machine-failed", report: reply }, stdout: "", stderr: "", milliseconds };
    }
    if (reply.kind === "refused") throw new ConformanceRefusal(reply.message, reply.isUsage);
    if (reply.residentBytes > MOST_RESIDENT_BYTES) this.dispose();
    return reply.output;
  }

  dispose(): void {
    this.child?.kill("SIGKILL");
    this.child = null;
  }

  private start(): ChildProcess {
    const { script, args } = this.command;
    const child = fork(script, [...args], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
      execArgv: [],
    });
    this.stderr = "";
    running.add(child);
    child.on("close", () => running.delete(child));
    child.stderr!.on("data", (bytes: Buffer) => (this.stderr = (this.stderr + bytes.toString()).slice(-STDERR_KEPT)));
    // A message to a worker that has just died: its end is told by "close".
    child.on("error", () => {});
    this.send(child, { kind: "settings", settings: this.settings });
    return child;
  }

  private send(child: ChildProcess, message: ToWorker): void {
    if (child.connected) child.send(message, () => {});
  }

  /** The worker's answer, or in words why there is none. */
  private ask(child: ChildProcess, job: GuestJob): Promise<FromWorker | string> {
    return new Promise((resolve) => {
      const finish = (reply: FromWorker | string): void => {
        clearTimeout(timer);
        child.off("message", finish).off("close", onClose);
        resolve(reply);
      };
      const onClose = (code: number | null, signal: NodeJS.Signals | null): void =>
        finish(`the worker process ended with ${signal ?? `exit code ${code}`}\n${this.stderr}`.trimEnd());
      const timer = setTimeout(
        () => finish(`the machine did not stop at its time limit of ${job.timeoutMs / 1000} seconds`),
        job.timeoutMs + GRACE_MS,
      );
      child.on("message", finish).on("close", onClose);
      this.send(child, { kind: "job", job });
    });
  }
}
