#!/usr/bin/env node
/**
 * `make test`: formatting, lint, types and every test; the last line is "N passed, N failed". Each of the first three
 * counts as one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const results = join(root, "build/test-results.json");
const summary = join(root, "build/test-summary.txt");

const checks = [
  ["format", "prettier", ["--check", "--log-level", "warn", "."]],
  ["lint", "eslint", ["."]],
  ["types", "tsc", ["--noEmit"]],
];

function runTool(tool, args) {
  const path = join(root, "node_modules/.bin", tool);
  return spawnSync(path, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

/** Runs vitest; the numbers of its JSON report, a run that left none counting as one failure. */
function runVitest() {
  rmSync(results, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
  const good = runTool("vitest", ["run", ...reporters]);
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(results, "utf8"));
  // A file that cannot even be loaded has failed without a single test.
  const failed = numFailedTests || (good ? 0 : Math.max(numFailedTestSuites, 1));
  return { passed: numPassedTests, failed };
}

mkdirSync(dirname(results), { recursive: true });
let passed = 0;
let failed = 0;
for (const [name, tool, args] of checks) {
  const good = runTool(tool, args);
  console.log(`${good ? "ok" : "FAILED"}: ${name}`);
  if (good) passed++;
  else failed++;
}
const tests = runVitest();
const line = `${passed + tests.passed} passed, ${failed + tests.failed} failed`;
writeFileSync(summary, `${line}\n`);
console.log(line);
process.exitCode = failed + tests.failed === 0 ? 0 : 1;
