#!/usr/bin/env node
/**
 * Where the time of a run goes: the functions with the most time of their own, and what the engine counted.
 *
 *     node bench/profile.mjs [--top N] [--interval MICROSECONDS] [--built] -- run --engine=wasm build/guests/bench/sieve 500
 *
 * The command line is bundled anew from the sources, with a source map, into build/profile; --built takes bin/trapgate as
 * it is, which has neither. The guest's output goes where it always goes, the report to standard error. The profile stays
 * in build/profile for `chrome://inspect` or speedscope.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { fail, root } from "./turns.mjs";

const { values: options, positionals } = parseArgs({
  options: {
    top: { type: "string", default: "25" },
    interval: { type: "string", default: "500" },
    built: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const folder = join(root, "build/profile");
const bundle = join(folder, "trapgate.cjs");

/** Runs the command line, and at the end writes what the engines that were made know about themselves. */
const ENTRY = `
import { writeFileSync } from "node:fs";
import { engines } from "./machine/node/engines.ts";
const made = [];
for (const [name, create] of Object.entries(engines))
  engines[name] = (...words) => {
    const engine = create(...words);
    made.push({ name, engine });
    return engine;
  };
process.on("exit", () => {
  const counted = made.map(({ name, engine }) => ({ name, statistics: engine.translator?.statistics }));
  const memory = process.memoryUsage();
  writeFileSync(process.env.TRAPGATE_PROFILE_STATISTICS, JSON.stringify({ engines: counted, memory }));
});
import("./cli/main.ts");
`;

async function buildBundle() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  await build({
    absWorkingDir: root,
    stdin: { contents: ENTRY, resolveDir: root, sourcefile: "bench/profile-entry.js" },
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    packages: "external",
    sourcemap: "external",
    define: { TRAPGATE_VERSION: JSON.stringify(version), "import.meta.url": "moduleUrl" },
    banner: { js: `const moduleUrl = "file://" + encodeURI(__filename);` },
    logLevel: "warning",
  });
}

/** Gives a position in the bundle's sources for one in the bundle. */
function sourceFinder() {
  const path = `${options.built ? join(root, "bin/trapgate.cjs") : bundle}.map`;
  if (!existsSync(path)) return () => undefined;
  const map = new SourceMap(JSON.parse(readFileSync(path, "utf8")));
  return (line, column) => {
    const { originalSource, originalLine } = map.findEntry(line, column);
    return originalSource && { file: originalSource.replace(/^(\.\.\/)+/, ""), line: originalLine + 1 };
  };
}

/** The function of a call frame as { place, name, kind }. */
function describe({ functionName, url, lineNumber, columnNumber }, findSource) {
  if (url.startsWith("wasm://")) return { name: `${functionName} of ${url.slice(12)}`, place: "", kind: "wasm" };
  if (url === "") {
    const kind = functionName.startsWith("(") ? functionName : `built in: ${functionName}`;
    return { name: functionName, place: "", kind };
  }
  const isOurs = /trapgate\.cjs$/.test(url);
  const source = isOurs ? findSource(lineNumber, columnNumber) : undefined;
  const name = functionName || "(anonymous)";
  if (source) {
    const [top, next] = source.file.split("/");
    return { name, place: `${source.file}:${source.line}`, kind: top === "emulator" ? `${top}/${next}` : top };
  }
  return { name, place: `${url.split("/").at(-1)}:${lineNumber + 1}`, kind: isOurs ? "trapgate" : "Node" };
}

/** Milliseconds spent in each function itself, and in each kind of function. */
function selfTimes(profile) {
  const findSource = sourceFinder();
  const nodes = new Map(profile.nodes.map((node) => [node.id, describe(node.callFrame, findSource)]));
  const functions = new Map();
  const kinds = new Map();
  const add = (map, key, ms) => map.set(key, (map.get(key) ?? 0) + ms);
  profile.samples.forEach((id, index) => {
    const { name, place, kind } = nodes.get(id);
    const ms = profile.timeDeltas[index] / 1000;
    add(functions, `${name}  ${place}`, ms);
    add(kinds, kind, ms);
  });
  return { functions, kinds };
}

function printTimes(title, times, top) {
  const sorted = [...times].sort(([, a], [, b]) => b - a);
  const total = sorted.reduce((sum, [, ms]) => sum + ms, 0);
  console.error(`\n${title}, of ${(total / 1000).toFixed(2)} s on the main thread`);
  for (const [name, ms] of sorted.slice(0, top))
    console.error(`${ms.toFixed(1).padStart(10)} ms ${((ms / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
}

/** The numbers in an object and in objects inside it, as [name, number]. */
function numbersIn(object, prefix = "") {
  return Object.entries(object).flatMap(([key, value]) => {
    if (typeof value === "number") return [[prefix + key, value]];
    return value && typeof value === "object" ? numbersIn(value, `${prefix}${key}.`) : [];
  });
}

/** What the engine exposes as `translator.statistics`; times, whose names end in Ms, with their share of the run. */
function printStatistics(path, wholeMs) {
  if (!existsSync(path)) return;
  const { engines, memory } = JSON.parse(readFileSync(path, "utf8"));
  console.error(`\nmemory at the end: ${(memory.rss / 2 ** 20).toFixed(0)} MiB resident`);
  for (const { name, statistics } of engines) {
    if (!statistics) continue;
    for (const [key, value] of numbersIn(statistics)) {
      const share = key.endsWith("Ms") ? `  ${((value / wholeMs) * 100).toFixed(1)} % of the run` : "";
      console.error(`${name}: ${key.padEnd(28)} ${Math.round(value * 1000) / 1000}${share}`);
    }
    const { regions, instructions, bytes } = statistics;
    if (regions && instructions)
      console.error(`${name}: instructions a region       ${(instructions / regions).toFixed(1)}`);
    if (bytes && instructions)
      console.error(`${name}: wasm bytes an instruction   ${(bytes / instructions).toFixed(1)}`);
  }
}

if (positionals.length === 0) fail("after -- come the words for trapgate, such as: run --engine=wasm PROGRAM");
mkdirSync(folder, { recursive: true });
if (!options.built) await buildBundle();
const profiles = mkdtempSync(join(folder, "run-"));
const statistics = join(profiles, "statistics.json");
const flags = ["--cpu-prof", `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${options.interval}`];
const program = options.built ? join(root, "bin/trapgate") : bundle;
const { status } = spawnSync(process.execPath, [...flags, program, ...positionals], {
  stdio: "inherit",
  env: { ...process.env, TRAPGATE_PROFILE_STATISTICS: statistics },
});
const file = readdirSync(profiles).find((name) => name.endsWith(".cpuprofile"));
if (!file) fail(`the run ended with exit code ${status} and left no profile`);
const kept = join(folder, "last.cpuprofile");
renameSync(join(profiles, file), kept);
const profile = JSON.parse(readFileSync(kept, "utf8"));
const { functions, kinds } = selfTimes(profile);
printTimes("kinds of code by time of their own", kinds, Infinity);
printTimes("functions by time of their own", functions, Number(options.top));
printStatistics(statistics, (profile.endTime - profile.startTime) / 1000);
rmSync(profiles, { recursive: true });
console.error(`\nthe whole profile: ${kept}`);
process.exitCode = status ?? 1;
