/** Starts bin/trapgate as a person would. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const repository = resolve(import.meta.dirname, "../..");
const program = join(repository, "bin/trapgate");

export const guest = (name: string): string => join(repository, "build/guests", name);

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly env?: Record<string, string>;
}

/** Runs to the end. */
export function trapgate(args: readonly string[], { cwd = repository, input, env }: Surroundings = {}): Ran {
  const result = spawnSync(process.execPath, [program, ...args], {
    cwd,
    ...(input === undefined ? { stdio: ["ignore", "pipe", "pipe"] } : { input }),
    env: { PATH: process.env["PATH"], ...env },
    encoding: "latin1",
    maxBuffer: 1 << 28,
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** Starts it and returns at once. */
export function startTrapgate(args: readonly string[], cwd = repository): ChildProcess {
  return spawn(process.execPath, [program, ...args], { cwd, stdio: ["pipe", "pipe", "pipe"] });
}

/** Calls with a new folder, which is removed afterwards. */
export function inScratch<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "trapgate-cli-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
