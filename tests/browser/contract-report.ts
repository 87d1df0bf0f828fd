/** Runs the engine contract in Chromium and reads what vitest reports of it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./chromium.ts";

const report = join(root, "build/browser-contract.json");
const TIME_LIMIT_MS = 300_000;

/** What is read of vitest's JSON report. */
export interface ContractReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly duration?: number;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs vitest in browser mode. Throws what it printed when it leaves no report. */
export function runContract(): ContractReport {
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const words = ["run", "--config", "tests/browser/contract.config.ts", "--reporter=json", `--outputFile=${report}`];
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...words], {
    cwd: root,
    encoding: "utf8",
    timeout: TIME_LIMIT_MS,
    // What is set for a vitest that this runs in is not for the other.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^VITEST|^NODE_OPTIONS$/.test(name))),
  });
  if (!existsSync(report)) throw new Error(`vitest left no report:\n${stdout}${stderr}`);
  return JSON.parse(readFileSync(report, "utf8")) as ContractReport;
}
