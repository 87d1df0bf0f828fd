#!/usr/bin/env node
/**
 * `make bench`: trapgate on Unicorn, qemu-user and the bare machine in one run, in turns, so that a busy minute hits all
 * three. Prints a table in markdown.
 *
 *     node bench/run.mjs [--rounds N] [--only WORD] [--write]
 *
 * --write puts the table into docs/status.md. qemu-user is Debian's package, unpacked privately.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GZIP_WHY, HELLO_WHY, OWN_START_WHY, rows } from "./rows.mjs";
import {
  buildMeasureTool,
  fail,
  findQemu,
  folder,
  machineName,
  measureCommand,
  median,
  root,
  warnIfBusy,
  writeStatus,
} from "./turns.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(options.rounds);
/** A difference shorter than this is noise; a base run longer than that wastes time. */
const LONG_ENOUGH_NS = 150e6;
const guests = join(root, "build/guests");
const busybox = join(root, ".private/debian/trixie/usr/bin/busybox");

const qemu = findQemu();
if (!qemu) console.error("bench: qemu-user is not to be had here; its column stays empty");
const trapgate = join(root, "bin/trapgate");
const systems = [
  { name: "trapgate", prefix: [process.execPath, trapgate, "run"] },
  ...(qemu ? [{ name: "qemu-user", prefix: [qemu] }] : []),
  { name: "native", prefix: [] },
];

/** One run: { wall (ns), rss (KiB) }. */
function measure(system, words) {
  const command = [...system.prefix, ...words];
  const { wall, rss, code, stderr } = measureCommand(command);
  if (code !== 0) fail(`${command.join(" ")} ended with exit code ${code}\n${stderr}`);
  return { wall, rss };
}

/** Median over the rounds of what `sample` gives for each system, the systems taking turns. */
function inTurns(sample, able = systems) {
  const samples = able.map(() => []);
  for (let round = 0; round < ROUNDS; round++) able.forEach((system, index) => samples[index].push(sample(system)));
  return Object.fromEntries(able.map(({ name }, index) => [name, median(samples[index])]));
}

/** Iterations after which doubling them is worth measuring, and that twice: once may be a busy moment of the host. */
function calibrate(system, row, program) {
  const gain = (count) =>
    measure(system, [program, String(count * 2)]).wall - measure(system, [program, String(count)]).wall;
  for (let count = row.base; ; count *= 2) {
    if (count > 1e10 || (gain(count) > LONG_ENOUGH_NS && gain(count) > LONG_ENOUGH_NS)) return count;
  }
}

/** The medians of runs of N and of 2N are taken first and then subtracted, which forgives more than the other way round. */
function measureRow(row) {
  const program = join(guests, "bench", row.program);
  const able = systems.filter(({ name }) => !row.lacks?.includes(name));
  const counts = new Map(able.map((system) => [system, calibrate(system, row, program)]));
  const perIteration = (system, factor) => {
    const count = counts.get(system);
    return measure(system, [program, String(count * factor)]).wall / count;
  };
  const once = new Map(systems.map(({ name }) => [name, []]));
  const twice = inTurns((system) => {
    once.get(system.name).push(perIteration(system, 1));
    return perIteration(system, 2);
  }, able);
  const value = (name) => (twice[name] - median(once.get(name))) / 1000 / (row.per ?? 1);
  return Object.fromEntries(systems.map(({ name }) => [name, value(name)]));
}

function number(value) {
  if (value === undefined || !Number.isFinite(value)) return "-";
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toFixed(4);
}

function tableLine(name, unit, values, goal, why) {
  const { trapgate: ours, "qemu-user": theirs, native } = values;
  const ratio = (other) => (other ? `${number(ours / other)}x` : "-");
  const wanted = goal === undefined ? "" : `${ours <= goal ? "reached" : "missed"}: ${goal} ${unit}`;
  return `| ${name} | ${unit} | ${number(ours)} | ${number(theirs)} | ${number(native)} | ${ratio(theirs)} | ${ratio(native)} | ${wanted} | ${why} |`;
}

function helloLines() {
  const hello = join(guests, "hello");
  const wall = inTurns((system) => measure(system, [hello]).wall / 1e6);
  const rss = inTurns((system) => measure(system, [hello]).rss / 1024);
  const bare = { name: "node", prefix: [process.execPath, "-e", "0"] };
  const ours = Array.from({ length: ROUNDS * 3 }, () => measure(systems[0], [hello]).wall - measure(bare, []).wall);
  return [
    tableLine("hello, start to exit", "ms", wall, undefined, HELLO_WHY),
    tableLine("hello, without Node's own start", "ms", { trapgate: median(ours) / 1e6 }, 60, OWN_START_WHY),
    tableLine(
      "hello, peak memory",
      "MiB",
      rss,
      undefined,
      "Node, its heap, the library and the guest RAM that was touched",
    ),
  ];
}

/** busybox gzip of 20 MB, less the time of `busybox true`. */
function gzipLine() {
  const input = join(folder, "gzip-input");
  let seed = 1;
  const lines = Array.from(
    { length: 500_000 },
    (_, i) => `${i} ${(seed = (seed * 48271) % 2147483647)} and text, text, text`,
  );
  writeFileSync(input, lines.join("\n").slice(0, 20_000_000));
  const sample = (system) =>
    (measure(system, [busybox, "gzip", "-c", input]).wall - measure(system, [busybox, "true"]).wall) / 1e6;
  const values = inTurns(sample);
  rmSync(input);
  return tableLine("busybox gzip of 20 MB", "ms", values, undefined, GZIP_WHY);
}

function machineLine() {
  return `${machineName(qemu)}; medians of ${ROUNDS} rounds, the three in turns.`;
}

if (!existsSync(join(guests, "bench")) || readdirSync(join(guests, "bench")).length === 0)
  fail("run `make guests` first");
buildMeasureTool();
warnIfBusy();
const wanted = (name) => name.includes(options.only);
const lines = [];
const add = (line) => {
  lines.push(line);
  console.log(line);
};
console.log(machineLine());
console.log();
add("| what | unit | trapgate | qemu-user | native | to qemu | to native | goal | why |");
add("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |");
if (wanted("hello")) helloLines().forEach(add);
for (const row of rows) if (wanted(row.name)) add(tableLine(row.name, row.unit, measureRow(row), row.goal, row.why));
if (wanted("gzip") && existsSync(busybox)) add(gzipLine());
if (options.write) {
  const table = lines.join("\n");
  if (/\| -\d/.test(table)) fail("not written: negative times mean that the host was too busy to measure anything");
  writeStatus("<!-- bench -->", "<!-- end of bench -->", `${machineLine()}\n\n${table}`);
}
