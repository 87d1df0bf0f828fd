/** `make fuzz-cpu`: random instruction sequences on the host's processor and on an engine (docs/fuzz-cpu.md). */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Engine } from "../../engine.ts";
import type { PhysicalMemory } from "../../physical-memory.ts";
import { createUnicornEngine } from "../../unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../../wasm/wasm-engine.ts";
import { EngineRunner } from "../engine-runner.ts";
import { supportedForms, type CpuModel } from "../forms.ts";
import { coverageTable } from "../report.ts";
import { Hardware, hardwareMissing } from "./hardware.ts";
import { Session } from "./session.ts";

/** What the engine runs often it compiles: for the tier `compiled` what it runs twice. */
const ENGINES: Readonly<Record<string, (memory: PhysicalMemory, cpu: CpuModel, compiled: boolean) => Engine>> = {
  wasm: (memory, cpu, compiled) => createWasmEngine(memory, compiled ? { cpu, hotRuns: 1 } : { cpu }),
  unicorn: (memory) => createUnicornEngine(memory),
};

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "wasm" },
    cpu: { type: "string", default: "x86-64-v2" },
    forms: { type: "string" },
    alone: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    tier: { type: "string", default: "interpreter" },
    batch: { type: "string" },
    case: { type: "string" },
    "batch-size": { type: "string", default: "2000" },
    examples: { type: "string", default: "2" },
    coverage: { type: "boolean", default: false },
    summary: { type: "string" },
  },
});

const missing = hardwareMissing();
if (missing !== undefined) {
  console.error(`fuzz-cpu: skipped: ${missing}`);
  process.exit(0);
}
const create = ENGINES[values.engine];
if (!create) {
  console.error(`fuzz-cpu: no engine ${values.engine}; there are ${Object.keys(ENGINES).join(", ")}`);
  process.exit(2);
}
const cpu = values.cpu as CpuModel;
const all = supportedForms({ cpu });
const forms = values.forms === undefined ? all : supportedForms({ cpu, only: new RegExp(values.forms, "i") });
if (forms.length === 0) {
  console.error(`fuzz-cpu: no supported form matches ${values.forms}`);
  process.exit(2);
}
const compiled = values.tier === "compiled";
const size = Number(values["batch-size"]);
const runner = new EngineRunner((memory) => create(memory, cpu, compiled), { warmUp: compiled ? 2 : 0 });
const hardware = new Hardware();
const session = new Session(hardware, runner, {
  seed: Number(values.seed),
  forms,
  fillers: values.alone ? forms : all,
  casesPerBatch: size,
  strict: values.strict,
  ymm: cpu === "x86-64-v3",
  examples: Number(values.examples),
});

const start = Date.now();
let lastWord = start;
if (values.batch !== undefined) {
  if (values.case !== undefined) process.stdout.write(session.listing(Number(values.batch), Number(values.case)));
  session.runBatch(Number(values.batch), values.case === undefined ? undefined : Number(values.case));
} else {
  const batches = Math.ceil(Number(values.count) / size);
  for (let number = 0; number < batches; number++) {
    session.runBatch(number);
    if (Date.now() - lastWord < 30_000) continue;
    lastWord = Date.now();
    console.error(`fuzz-cpu: ${session.sequences} sequences, ${failures()} failures of ${session.failures.size} kinds`);
    if (values.summary !== undefined) writeFileSync(values.summary, summary());
  }
}
hardware.dispose();
const text = summary();
process.stdout.write(text);
if (values.summary !== undefined) writeFileSync(values.summary, text);
if (failures() > 0 || session.deaths.length > 0 || session.unrepeated.length > 0) process.exitCode = 1;

function failures(): number {
  return [...session.failures.values()].reduce((sum, { count }) => sum + count, 0);
}

function summary(): string {
  const seconds = (Date.now() - start) / 1000;
  const lines = [...session.failures.values()]
    .sort((a, b) => b.count - a.count)
    .flatMap(({ key, count, examples }) => [`== ${count} x ${key}`, ...examples]);
  const counts = forms.map(({ code }) => session.coverage.of(code)).map(({ executed, faulted }) => executed + faulted);
  lines.push(...session.deaths, ...session.unrepeated.map((place) => `not seen again: ${place}`));
  for (const [reason, count] of session.reasons) lines.push(`allowed ${count} times: ${reason}`);
  if (values.coverage) lines.push(coverageTable(session.coverage, forms));
  lines.push(
    `${session.sequences} sequences of ${forms.length} forms on ${values.engine} and this processor, seed ${values.seed}, in ${seconds.toFixed(1)} s`,
    `forms met at least 1000 times: ${counts.filter((count) => count >= 1000).length}; least: ${Math.min(...counts)}`,
    `used up their time: ${session.timeouts}; failures: ${failures()} of ${session.failures.size} kinds`,
  );
  return `${lines.join("\n")}\n`;
}
