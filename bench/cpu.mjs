#!/usr/bin/env node
/**
 * `make bench-cpu`: the wasm engine, Unicorn, qemu-user and the bare machine on kernels and programs, in turns.
 *
 *     node bench/cpu.mjs [--rounds N] [--only WORD] [--systems LIST] [--limit SECONDS] [--minutes N] [--quick] [--write]
 *
 * WORD is part of a row's name or a group (kernels, programs, start-up). A run is ended after --limit seconds; one that
 * took longer than a tenth of it is not repeated; no round is begun that --minutes has no time for. --write puts the
 * tables into docs/status.md. All samples are left in build/bench/cpu.json. What it means: docs/benchmarks.md.
 */
import { cpSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildKernels } from "./cpu/kernels.mjs";
import { report } from "./cpu/report.mjs";
import { chooseRows } from "./cpu/rows.mjs";
import { buildMeasureTool, fail, findQemu, folder, machineName, root, warnIfBusy, writeStatus } from "./turns.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    systems: { type: "string", default: "native,qemu-user,unicorn,wasm" },
    limit: { type: "string" },
    minutes: { type: "string" },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

function positive(name, usual) {
  const value = Number(options[name] ?? usual);
  if (!(value > 0)) fail(`--${name} must be a number above 0`);
  return value;
}

const ROUNDS = positive("rounds", options.quick ? 1 : 3);
const LIMIT = Math.ceil(positive("limit", options.quick ? 20 : 120));
const MINUTES = positive("minutes", options.quick ? 3.5 : 24);
/** Longer runs vary little, and would take the time from the others. */
const TOO_LONG_TO_REPEAT_NS = LIMIT * 1e8;
const started = performance.now();
const elapsedMs = () => performance.now() - started;

/** A copy of the command line, so that a build in the meantime does not change what is measured. */
function copyTrapgate() {
  const copy = join(folder, "bin");
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(root, "bin"), copy, { recursive: true });
  return join(copy, "trapgate");
}

function findSystems() {
  const trapgate = copyTrapgate();
  const machine = (engine) => [process.execPath, trapgate, "run", `--engine=${engine}`, "--host", "--"];
  const known = {
    native: () => [],
    "qemu-user": () => {
      const qemu = findQemu();
      if (!qemu) console.error("bench: qemu-user is not to be had here; its column is left out");
      return qemu ? [qemu] : undefined;
    },
    unicorn: () => machine("unicorn"),
    wasm: () => machine("wasm"),
  };
  const names = options.systems.split(",");
  const unknown = names.find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) fail(`--systems knows ${Object.keys(known).join(", ")}, and not ${unknown}`);
  return Object.keys(known)
    .filter((name) => names.includes(name))
    .map((name) => ({ name, prefix: known[name]() }))
    .filter(({ prefix }) => prefix);
}

/** Notes a sample of a row on a system, and what is wrong with it. */
function record(row, cell, { name }, sample) {
  if (sample.late) return void (cell.isLate = true);
  if (sample.problem) return void (cell.problem = sample.problem);
  row.expected ??= sample.result;
  if (sample.result !== row.expected) {
    cell.isWrong = true;
    cell.problem = `gave ${sample.result} instead of ${row.expected}`;
    return;
  }
  cell.samples.push(sample);
  cell.isDone = row.runs === undefined && sample.ns > TOO_LONG_TO_REPEAT_NS;
  process.stderr.write(` ${name} ${(sample.ns / 1e6).toFixed(1)}`);
}

/** The systems take turns; which is first changes from round to round. */
function runRow(row, round) {
  const able = systems.filter(({ name }) => !row.lacks?.[name]);
  // What native computes is what all must compute, so in the first round it is first.
  const order = able.map((_, index) => able[(index + round) % able.length]);
  process.stderr.write(`${row.name}, ms:`);
  for (let run = 0; run < (row.runs ?? 1); run++)
    for (const system of order) {
      const cell = cells.get(row).get(system.name);
      if (cell.isLate || cell.problem || cell.isDone) continue;
      record(row, cell, system, row.sample(system, LIMIT));
      if (cell.problem) process.stderr.write(` ${system.name}: ${cell.problem}`);
      else if (cell.isLate) process.stderr.write(` ${system.name} > ${LIMIT} s`);
    }
  process.stderr.write("\n");
}

function writeSamples() {
  const rowsOut = rows.map(({ group, name, words, missing }) => ({ group, name, words, missing }));
  const out = rowsOut.map((row, index) => ({ ...row, systems: Object.fromEntries(cells.get(rows[index])) }));
  writeFileSync(join(folder, "cpu.json"), `${JSON.stringify(out, undefined, 1)}\n`);
}

if (!existsSync(join(root, "bin/trapgate"))) fail("run `make build` first");
if (options.write && (options.only || options.quick)) fail("--write needs a whole run, without --only and --quick");
buildMeasureTool();
const systems = findSystems();
buildKernels();
const rows = chooseRows(options);
if (rows.length === 0) fail(`--only ${options.only}: there is no such row`);
warnIfBusy();
const emptyCells = ({ lacks }) =>
  new Map(systems.filter(({ name }) => !lacks?.[name]).map(({ name }) => [name, { samples: [] }]));
const cells = new Map(rows.map((row) => [row, emptyCells(row)]));

const runnable = rows.filter(({ missing }) => !missing);
let rounds = 0;
let lastRoundMs = 0;
for (; rounds < ROUNDS && elapsedMs() + lastRoundMs < MINUTES * 60_000; rounds++) {
  const begin = elapsedMs();
  for (const row of runnable) {
    row.hadNoTime = rounds === 0 && elapsedMs() > MINUTES * 60_000;
    if (elapsedMs() > MINUTES * 60_000) continue;
    runRow(row, rounds);
    writeSamples();
  }
  // A later round is without the runs that are too long to repeat.
  lastRoundMs = (elapsedMs() - begin) / (rounds === 0 ? 2 : 1);
}

const qemu = systems.find(({ name }) => name === "qemu-user")?.prefix[0];
const outcome = { rows, systems: systems.map(({ name }) => name), cells, limit: LIMIT };
const heading = `${machineName(qemu)}; medians of ${rounds} rounds in turns, ${Math.round(elapsedMs() / 6000) / 10} minutes.`;
const text = `${heading}\n\n${report(outcome)}`;
console.log(text);
if (options.write) writeStatus("<!-- bench-cpu:begin -->", "<!-- bench-cpu:end -->", text);
if ([...cells.values()].some((row) => [...row.values()].some(({ problem }) => problem))) process.exitCode = 1;
