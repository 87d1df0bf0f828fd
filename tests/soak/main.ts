/** A soak; see scripts/soak.mjs. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { PhysicalMemory } from "../../emulator/physical-memory.ts";
import { createWasmEngine, type InspectableEngine } from "../../emulator/wasm/wasm-engine.ts";
import { createMachine } from "../../machine/index.ts";
import { busybox } from "../support/run-guest.ts";
import { engineCensus } from "./engine-census.ts";
import { growthOf, type Bound, type Sample } from "./growth.ts";
import { expectedOutput, INIT, JOB_ENVIRONMENT, missing, SOAK_JOBS } from "./jobs.ts";
import { SoakHost } from "./soak-host.ts";

const MIB = 1 << 20;
/** What must not grow; docs/soak.md says why so much is allowed. */
const BOUNDS: readonly Bound[] = [
  { name: "rss MiB", least: 64, share: 0.1 },
  { name: "heap MiB", least: 24, share: 0.1 },
  { name: "external MiB", least: 16, share: 0.1 },
  { name: "translations", least: 1000, share: 0.1 },
  { name: "table", least: 1024, share: 0.1 },
  { name: "frames used", least: 2048, share: 0.1 },
  { name: "tasks", least: 4, share: 0 },
];

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    memory: { type: "string", default: "512" },
    only: { type: "string", default: "" },
    "hot-runs": { type: "string" },
    "sample-seconds": { type: "string", default: "60" },
  },
});
const jobs = SOAK_JOBS.filter((job) => job.name.includes(values.only) && missing(job) === "");
for (const job of SOAK_JOBS) if (missing(job)) console.log(`left out: ${job.name}: there is no ${missing(job)}`);
const expected = new Map(jobs.map((job) => [job.name, expectedOutput(job)]));

const folder = mkdtempSync(join(tmpdir(), "trapgate-soak-"));
mkdirSync(join(folder, "jobs"));
for (const { name, command } of jobs) writeFileSync(join(folder, "jobs", name), `${command}\n`);
if (busybox !== undefined) copyFileSync(busybox, join(folder, "busybox"));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const runs = new Map<string, number>();
const wrong: string[] = [];
const errors = new Map<string, number>();
let current: { name: string; text: string } | undefined;

function onLine(stream: number, line: string): void {
  const [word, rest] = line.split(" ");
  if (stream === 2) errors.set(line, (errors.get(line) ?? 0) + 1);
  else if (word === "@begin") current = { name: rest!, text: "" };
  else if (word === "@end" && current) {
    const { name, text } = current;
    runs.set(name, (runs.get(name) ?? 0) + 1);
    if (text !== expected.get(name)) {
      wrong.push(`${name}, run ${runs.get(name)}, status ${rest}:\n${text}\ninstead of\n${expected.get(name)}`);
      if (wrong.length < 20) console.log(`WRONG ${wrong.at(-1)}`);
    }
    current = undefined;
  } else if (current) current.text += `${line}\n`;
}

let engine: InspectableEngine | undefined;
const hotRuns = values["hot-runs"] === undefined ? {} : { hotRuns: Number(values["hot-runs"]) };
const machine = createMachine({
  program: "/bin/bash",
  argv: ["bash", "-c", INIT],
  env: JOB_ENVIRONMENT,
  root: { kind: "host", path: "/" },
  cwd: "/tmp",
  memory: Number(values.memory) * MIB,
  binds: [{ host: folder, guest: "/tmp/soak" }],
  timeoutMs: Number(values.minutes) * 60_000,
  engine: (memory: PhysicalMemory) => (engine = createWasmEngine(memory, hotRuns)),
  host: new SoakHost(onLine),
});

const samples: Sample[] = [];
const started = performance.now();
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, each) => total + each, 0);

function sample(): void {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { memory } = engine!;
  const row = {
    runs: sum(runs.values()),
    "rss MiB": rss / MIB,
    "heap MiB": heapUsed / MIB,
    "external MiB": external / MIB,
    ...engineCensus(engine!),
    "frames used": memory.frameCount - memory.freeFrames,
    tasks: machine.kernel.taskCount,
  };
  const minute = (performance.now() - started) / 60_000;
  if (samples.length === 0) console.log(["minute", ...Object.keys(row)].join("; "));
  samples.push({ minute, values: row });
  console.log([minute.toFixed(1), ...Object.values(row).map((each) => Math.round(each))].join("; "));
}

const timer = setInterval(sample, Number(values["sample-seconds"]) * 1000);
const result = await machine.run();
clearInterval(timer);
rmSync(folder, { recursive: true });

console.log(`runs: ${[...runs].map(([name, count]) => `${name} ${count}`).join(", ")}; wrong: ${wrong.length}`);
for (const [line, count] of [...errors].slice(0, 20)) console.log(`on standard error, ${count} times: ${line}`);
if (result.kind !== "limit") console.log(`it ended before its time: ${JSON.stringify(result)}`);
const growths = BOUNDS.map((bound) => growthOf(samples, bound)).filter((growth) => growth !== undefined);
for (const { name, mean, growth, bound } of growths) {
  const verdict = growth > bound ? "GROWS" : "steady";
  console.log(
    `${verdict}: ${name}: mean ${mean.toFixed(0)}, grew by ${growth.toFixed(1)}, at most ${bound.toFixed(1)}`,
  );
}
const grew = growths.some(({ growth, bound }) => growth > bound);
process.exitCode = wrong.length > 0 || grew || result.kind !== "limit" || sum(runs.values()) === 0 ? 1 : 0;
