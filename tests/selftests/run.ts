/** Runs selftests on the host's Linux and in the machine, several at a time: most of them only sleep. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseKnownFailures } from "../conformance/known-failures.ts";
import { programPath, repository } from "./build.ts";
import { compareCases, readOutcomes, type Comparison } from "./outcomes.ts";
import { nameOf, type Selftest } from "./programs.ts";

const trapgate = join(repository, "bin/trapgate");
const TIMEOUT_MS = 240_000;
const AT_ONCE = 6;

export interface Run {
  readonly text: string;
  readonly code: number;
  readonly seconds: number;
}

export interface Report {
  readonly test: Selftest;
  readonly name: string;
  readonly native: Run;
  readonly ours: Run;
  readonly cases: readonly Comparison[];
}

/** Differences that are known, by name of the test and place of the case. */
export function readKnownDifferences(): Map<string, string> {
  return parseKnownFailures(readFileSync(join(repository, "tests/selftests/known-differences.txt"), "utf8"));
}

/** The name of a case in that list: one word. */
export const caseName = (report: Report, index: number): string => `${report.name.replaceAll(" ", "_")}/${index + 1}`;

/** Runs all of them both ways. @param said is told of each as it ends */
export async function runSelftests(tests: readonly Selftest[], said: (report: Report) => void): Promise<Report[]> {
  // The last in the list sleep longest: they begin first.
  const queue = [...tests].reverse().sort((a, b) => Number(b.slow) - Number(a.slow));
  const reports: Report[] = [];
  const worker = async (): Promise<void> => {
    for (let test = queue.shift(); test; test = queue.shift()) {
      const report = await runBoth(test);
      reports.push(report);
      said(report);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return tests.map((test) => reports.find((report) => report.test === test)!);
}

async function runBoth(test: Selftest): Promise<Report> {
  const path = programPath(test.directory, test.program);
  const clock = test.measuresTime ? ["--clock=virtual"] : [];
  const both = await Promise.all([
    run(path, test.args),
    run(process.execPath, [trapgate, "run", "--host", "--rw", ...clock, path, ...test.args]),
  ]);
  const [, ours] = both;
  // Some of them race against the clock, and lose on a busy host.
  const again = !test.slow && readOutcomes(both[0].text, both[0].code).some(({ outcome }) => outcome === "failed");
  const native = again ? await run(path, test.args) : both[0];
  const cases = compareCases(readOutcomes(native.text, native.code), readOutcomes(ours.text, ours.code));
  if (cases.every((each) => each.native === each.ours) && native.code !== ours.code)
    cases.push({ name: `exit code ${native.code}, ours ${ours.code}`, native: "passed", ours: "failed" });
  return { test, name: nameOf(test), native, ours, cases };
}

function run(command: string, args: readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "trapgate-selftest-"));
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let size = 0;
    const keep = (chunk: Buffer): void => {
      size += chunk.length;
      if (size < 1 << 24) chunks.push(chunk);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      rmSync(folder, { recursive: true, force: true });
      const seconds = (performance.now() - start) / 1000;
      resolve({ text: Buffer.concat(chunks).toString("latin1"), code: signal ? 128 : (code ?? 128), seconds });
    });
  });
}
