/** Runs a test program on this computer's own Linux, in a scratch folder, with a time limit. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Ending, ProgramOutput } from "../conformance/result.ts";
import { KeptOutput } from "./conformance-host.ts";

export interface NativeJob {
  readonly file: string;
  readonly argv0: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default: a new empty folder, removed afterwards. */
  readonly cwd?: string;
  readonly timeoutMs: number;
}

/** Something may hold the pipes open after the program's end; it is given this long to write its last words. */
const LAST_WORDS_MS = 300;

/** True where x86-64 Linux programs run without us. */
export const hostRunsGuests = process.platform === "linux" && process.arch === "x64";

/** Process groups that are running, to be killed when this process has to stop. */
const groups = new Set<number>();

export function killNativeRuns(): void {
  for (const pid of groups) killGroup(pid);
}

export async function runNative(job: NativeJob): Promise<ProgramOutput> {
  const scratch = job.cwd === undefined ? mkdtempSync(join(tmpdir(), "trapgate-native-")) : null;
  const started = performance.now();
  try {
    const cwd = scratch ?? job.cwd!;
    const { ending, stdout, stderr } = await spawnProgram(job, cwd, scratch === null ? {} : { TMPDIR: scratch });
    return { ending, stdout: stdout.text, stderr: stderr.text, milliseconds: performance.now() - started };
  } finally {
    if (scratch !== null) removeScratch(scratch);
  }
}

interface Spawned {
  readonly ending: Ending;
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
}

function spawnProgram(job: NativeJob, cwd: string, extra: Readonly<Record<string, string>>): Promise<Spawned> {
  return new Promise((resolve) => {
    const stdout = new KeptOutput();
    const stderr = new KeptOutput();
    let isLate = false;
    let ended: Ending | null = null;
    const child = spawn(job.file, [], {
      cwd,
      env: { ...extra, ...job.env },
      argv0: job.argv0,
      // A process group of its own, so that all of it can be killed.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = child;
    if (pid !== undefined) groups.add(pid);
    const timer = setTimeout(() => {
      isLate = true;
      if (pid !== undefined) killGroup(pid);
    }, job.timeoutMs);
    const finish = (ending: Ending): void => {
      clearTimeout(timer);
      if (pid !== undefined) {
        killGroup(pid);
        groups.delete(pid);
      }
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ ending, stdout, stderr });
    };
    child.stdout.on("data", (bytes: Buffer) => stdout.write(bytes));
    child.stderr.on("data", (bytes: Buffer) => stderr.write(bytes));
    child.on("error", (error: NodeJS.ErrnoException) =>
      finish({ kind: "not-started", errno: -(error.errno ?? 0), reason: error.message }),
    );
    child.on("exit", (code, signal) => {
      ended = isLate
        ? { kind: "hung", seconds: job.timeoutMs / 1000 }
        : signal !== null
          ? { kind: "killed", signal: constants.signals[signal] }
          : { kind: "exited", code: code! };
      setTimeout(() => finish(ended!), LAST_WORDS_MS);
    });
    child.on("close", () => ended && finish(ended));
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH: all of it has ended.
  }
}

/** A test may leave mounts or protected files behind; a scratch folder that stays is no reason to fail. */
function removeScratch(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // See above.
  }
}
