/**
 * Runs a group of shell scripts twice in the same place, by busybox on the host and by busybox in the machine, and
 * gives what each case has printed and how it ended.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Case, Group } from "./case-list.ts";

export const repository = resolve(import.meta.dirname, "../..");
export const trapgate = join(repository, "bin/trapgate");

/** Debian's busybox as `make setup` has unpacked it, undefined where there is none. */
export const busybox = ["usr/bin/busybox", "bin/busybox"]
  .map((path) => join(repository, ".private/debian/trixie", path))
  .find((path) => existsSync(path));

/** True where x86-64 Linux programs run without us. */
export const hostRunsGuests = process.platform === "linux" && process.arch === "x64";

export interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly code: string;
}

/**
 * Runs all scripts of a group one after the other; each leaves its output and exit code in the folder of results. It
 * never runs one anywhere but in the folder made for it: scripts delete what they find.
 */
function driverOf(group: Group, folder: string): string {
  const steps = group.cases.map((_, index) => {
    const at = join(folder, "results", String(index));
    const place = join(folder, "work", String(index));
    const script = join(folder, "scripts", String(index));
    return `mkdir ${place} && cd ${place} || exit 99
"$BUSYBOX" sh ${script} > ${at}.out 2> ${at}.err < /dev/null; echo $? > ${at}.code`;
  });
  return `${steps.join("\n")}\n`;
}

function outcomeOf(folder: string, index: number): Outcome {
  const read = (suffix: string): string => {
    const path = join(folder, "results", `${index}.${suffix}`);
    return existsSync(path) ? readFileSync(path, "latin1") : "(never run)";
  };
  return { out: read("out"), err: read("err"), code: read("code").trim() };
}

/** popen(3) and system(3) want a /bin/sh; the scripts read the repository. */
const binds = [`${repository}:${repository}`, `${busybox}:/bin/sh`].flatMap((bind) => ["--bind", bind]);

const inMachine = (engine: string) => (driver: string) => ({
  command: process.execPath,
  args: [trapgate, "run", `--engine=${engine}`, "--translations=off", "--rw", ...binds, busybox!, "sh", driver],
});

/** The ways to start `busybox sh driver`. */
const ways = {
  native: (driver: string) => ({ command: busybox!, args: ["sh", driver] }),
  unicorn: inMachine("unicorn"),
  wasm: inMachine("wasm"),
};

/** The ways that are compared with `native`. */
export const ENGINES = ["unicorn", "wasm"] as const;

/**
 * @param folder a scratch folder holding `fixtures`
 * @returns one outcome for each case; cases that were never reached say so
 */
export function runGroup(group: Group, folder: string, way: keyof typeof ways): Outcome[] {
  for (const part of ["work", "results", "scripts"]) {
    rmSync(join(folder, part), { recursive: true, force: true });
    mkdirSync(join(folder, part));
  }
  for (const [index, { script }] of group.cases.entries())
    writeFileSync(join(folder, "scripts", String(index)), script);
  const driver = join(folder, "scripts/driver");
  writeFileSync(driver, driverOf(group, folder));
  const { command, args } = ways[way](driver);
  const env = {
    PATH: `${join(folder, "nowhere")}`,
    HOME: folder,
    LC_ALL: "C",
    TZ: "UTC0",
    BUSYBOX: busybox!,
    F: join(folder, "fixtures"),
    REPO: repository,
  };
  const result = spawnSync(command, args, { cwd: folder, env, encoding: "latin1", stdio: ["ignore", "pipe", "pipe"] });
  const trouble = `${result.stdout}${result.stderr}`;
  if (trouble !== "")
    console.error(`${way} run of group "${group.name}" said (exit code ${result.status}):\n${trouble}`);
  return group.cases.map((_, index) => outcomeOf(folder, index));
}

/** An outcome with the case's rewrites applied, ready to be compared. */
export function normalise({ rewrites }: Case, outcome: Outcome): Outcome {
  const rewrite = (text: string): string =>
    rewrites.reduce((done, { pattern, text: by }) => done.replace(pattern, by), text);
  return { out: rewrite(outcome.out), err: rewrite(outcome.err), code: outcome.code };
}
