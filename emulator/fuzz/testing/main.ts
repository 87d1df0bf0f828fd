/** `make fuzz-cpu`: random instruction sequences on the host's processor and on an engine (docs/fuzz-cpu.md). */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Engine } from "../../engine.ts";
import type { PhysicalMemory } from "../../physical-memory.ts";
import { createUnicornEngine } from "../../unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../../wasm/wasm-engine.ts";
import { EngineRunner } from "../engine-runner.ts";
import { supportedForms, type CpuModel } from "../forms.ts";
import { resultsText } from "../report.ts";
import { addResults, type Results } from "../results.ts";
import { Hardware, hardwareMissing } from "./hardware.ts";
import { Session } from "./session.ts";

/** What the engine runs often it compiles: for the tier `compiled` what it runs twice. */
const ENGINES: Readonly<Record<string, (memory: PhysicalMemory, cpu: CpuModel, compiled: boolean) => Engine>> = {
  wasm: (memory, cpu, compiled) => createWasmEngine(memory, compiled ? { cpu, hotRuns: 1 } : { cpu }),
  unicorn: (memory) => createUnicornEngine(memory),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
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
    results: { type: "string" },
    add: { type: "boolean", default: false },
  },
});
if (positionals.length > 0 && !values.add) {
  console.error(`fuzz-cpu: ${positionals[0]} is no option; files of results come behind --add`);
  process.exit(2);
}
if (values.add) {
  try {
    const all = positionals.map((file) => JSON.parse(readFileSync(file, "utf8")) as Results);
    const text = resultsText(addResults(all), true);
    await new Promise((written) => process.stdout.write(text, written));
  } catch (error) {
    console.error(`fuzz-cpu: ${(error as Error).message}`);
    process.exit(2);
  }
  process.exit(0);
}

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
const runner = new EngineRunner((memory) => create(memory, cpu, compiled), {
  warmUp: compiled ? 2 : 0,
  watched: values.strict,
});
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
    save();
  }
}
hardware.dispose();
save();
process.stdout.write(resultsText(results(), values.coverage));
if (failures() > 0 || session.deaths.length > 0 || session.unrepeated.length > 0) process.exitCode = 1;

function failures(): number {
  return [...session.failures.values()].reduce((sum, { count }) => sum + count, 0);
}

function results(): Results {
  const tier = values.engine === "wasm" ? ` ${values.tier}` : "";
  const subject = `${values.engine}${tier} as ${cpu} and this processor${values.strict ? ", strict" : ""}`;
  return session.results(subject, (Date.now() - start) / 1000);
}

function save(): void {
  if (values.summary !== undefined) writeFileSync(values.summary, resultsText(results(), values.coverage));
  if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(results()));
}
