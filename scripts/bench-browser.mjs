#!/usr/bin/env node
/**
 * Measures the wasm engine in headless Chromium: the engine contract's tests, and the kernels of
 * guest-programs/bench/kernels in a page, the same in Node, and natively, in turns. Prints a table in markdown. Needs build/web (scripts/build-web.mjs).
 *
 *     node scripts/bench-browser.mjs [--rounds N] [--only WORD] [--write]
 *
 * The watch is the kernel's own (clock_gettime in the guest), so that what counts is translating and running its code.
 * A checksum that is not the native one ends the measurement with exit code 1. --write puts the table into
 * docs/status.md.
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { buildKernels, kernelPath, kernels } from "../bench/cpu/kernels.mjs";
import { fail, median, root, warnIfBusy, writeStatus } from "../bench/turns.mjs";
import { runTypeScript } from "./run-typescript.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds ${options.rounds} is no number of rounds`);
const rows = kernels.filter(({ name }) => name.includes(options.only));
if (rows.length === 0) fail(`no kernel has ${options.only} in its name`);

await runTypeScript("tests/browser/door.ts");
const { launch, missing, openSite, runContract, runInPage, unbuilt } = await import(
  pathToFileURL(join(root, "build/tests/browser/door.mjs")).href
);
if (missing ?? unbuilt) fail(missing ?? unbuilt);

/** "CHECKSUM NANOSECONDS" as the harness prints it. */
function readOutput(name, text) {
  const match = /^([0-9a-f]+) (\d+)\n$/.exec(text);
  if (!match) fail(`${name} printed ${JSON.stringify(text)}`);
  return { checksum: match[1], milliseconds: Number(match[2]) / 1e6 };
}

function runCommand(name, words) {
  const { stdout, stderr, status } = spawnSync(words[0], words.slice(1), { encoding: "utf8" });
  if (status !== 0) fail(`${words.join(" ")} failed: ${stderr}`);
  return readOutput(name, stdout);
}

const trapgate = [process.execPath, join(root, "bin/trapgate"), "run", "--engine=wasm"];

/** Each takes a row and gives what its output says. */
const systems = {
  native: ({ name, count }) => runCommand(name, [kernelPath({ name }), String(count)]),
  node: ({ name, count }) => runCommand(name, [...trapgate, kernelPath({ name }), String(count)]),
  chromium: async ({ name, count }) => {
    const { stdout, stderr, result } = await runInPage(page, [`/guests/bench/kernels/${name}`, String(count)]);
    if (result.kind !== "exited" || result.code !== 0) fail(`${name} in the page: ${JSON.stringify(result)} ${stderr}`);
    return readOutput(name, stdout);
  },
};

async function measure(row) {
  const times = { native: [], node: [], chromium: [] };
  let expected;
  for (let round = 0; round < rounds; round++) {
    for (const [system, run] of Object.entries(systems)) {
      const { checksum, milliseconds } = await run(row);
      expected ??= checksum;
      if (checksum !== expected) fail(`${row.name} on ${system}: checksum ${checksum}, natively ${expected}`);
      times[system].push(milliseconds);
    }
  }
  const [native, node, chromium] = ["native", "node", "chromium"].map((system) => median(times[system]));
  console.error(`${row.name}: ${(chromium / native).toFixed(2)}`);
  return { ...row, native, node, chromium };
}

const geometricMean = (numbers) => Math.exp(numbers.reduce((sum, one) => sum + Math.log(one), 0) / numbers.length);

function table(results) {
  const ratio = (one, system) => `${(one[system] / one.native).toFixed(2)}`;
  const mean = (system) => geometricMean(results.map((one) => one[system] / one.native)).toFixed(2);
  return [
    `| kernel | what | native | Chromium | Chromium / native | Node / native |`,
    `| --- | --- | ---: | ---: | ---: | ---: |`,
    ...results.map(
      (one) =>
        `| ${one.name} | ${one.what} | ${one.native.toFixed(0)} ms | ${one.chromium.toFixed(0)} ms |` +
        ` ${ratio(one, "chromium")} | ${ratio(one, "node")} |`,
    ),
    `| geometric mean | | | | ${mean("chromium")} | ${mean("node")} |`,
  ].join("\n");
}

/** "140 tests of the engine contract passed in 7.5 s"; the failures are `make test-browser`'s to show. */
function timeContract() {
  const tests = runContract().testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === "passed").length;
  if (passed < tests.length || passed === 0) fail(`${passed} of ${tests.length} contract tests passed in Chromium`);
  const seconds = tests.reduce((sum, { duration = 0 }) => sum + duration, 0) / 1000;
  return `${passed} tests of the engine contract passed in ${seconds.toFixed(1)} s`;
}

buildKernels();
warnIfBusy();
// Whoever asks for some kernels wants nothing else.
const contract = options.only ? "" : ` ${timeContract()}.`;
const browser = await launch();
const page = await openSite(browser);
const results = [];
try {
  for (const row of rows) results.push(await measure(row));
} finally {
  await browser.close();
}
const text =
  `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, Chromium ${browser.version()}; medians of ${rounds} rounds in turns, times of the kernels' own` +
  ` watches, checksums equal to the native ones.${contract}\n\n${table(results)}`;
console.log(text);
if (options.write) writeStatus("<!-- browser -->", "<!-- end of browser -->", text);
