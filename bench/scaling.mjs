#!/usr/bin/env node
/**
 * What operations cost while 10 to 10,000 other tasks are alive, in the machine and on the host:
 *
 *     node bench/scaling.mjs [--rounds N] [--only WORD] [--write]
 *
 * --write puts the numbers into docs/scaling.md and draws docs/scaling.svg. Exit code 1 if something grows faster than
 * the number of tasks.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { drawPlot } from "./scaling-plot.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(options.rounds);
const CROWDS = [10, 100, 1000, 10000];
/** Ten times the tasks may take ten times as long, and as much more as two runs on a shared machine differ. */
const TOLERANCE = 2;

/** `linear` says why an operation looks at every task, in Linux too. */
const OPERATIONS = [
  { name: "getpid", guest: "getpid", count: 50000 },
  { name: "fork + exit + wait4(pid)", guest: "fork", count: 200 },
  { name: "context switch by pipe", guest: "switch", count: 2000 },
  { name: "futex wake and wait", guest: "futex", count: 2000 },
  { name: "kill + handler + sigreturn", guest: "kill", count: 3000 },
  { name: "wait4(pid, WNOHANG)", guest: "wait4", count: 5000 },
  { name: "thread create + join", guest: "thread", count: 300 },
  { name: "one of n processes: fork to wait4", guest: "processes", count: 1 },
  { name: "one of n threads: create to join", guest: "threads", count: 1 },
  { name: "wait4(-1, WNOHANG)", guest: "wait4-any", count: 200, linear: "asks every child" },
  { name: "FUTEX_WAKE of a quarter of the tasks", guest: "wake-all", count: 3, linear: "they all run" },
];

const program = join(root, "build/bench/scaling");
const library = join(root, "guest-programs/lib");
const FLAGS =
  "-std=gnu11 -Wall -Wextra -march=x86-64 -O2 -ffreestanding -fno-stack-protector -fno-pic -no-pie -fcf-protection=none" +
  " -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -static -nostdlib -Wl,--build-id=none" +
  " -Wl,-z,noexecstack";

function fail(message) {
  console.error(`scaling: ${message}`);
  process.exit(2);
}

function buildGuest() {
  mkdirSync(dirname(program), { recursive: true });
  const sources = [join(root, "bench/scaling.c"), join(library, "start.c"), join(library, "text.c")];
  const words = [...FLAGS.split(" "), "-I", library, "-o", program, ...sources];
  const result = spawnSync(process.env.GUEST_CC ?? "gcc", words, { stdio: "inherit" });
  if (result.status !== 0) fail("bench/scaling.c cannot be compiled");
}

const machine = [
  process.execPath,
  join(root, "bin/trapgate"),
  "run",
  "--memory",
  "3G",
  "--max-tasks",
  "12000",
  program,
];
const systems = [
  { name: "trapgate", words: machine },
  { name: "native", words: [program] },
];

function measure({ words }, { guest, count }, crowd) {
  const [command, ...args] = [...words, guest, String(crowd), String(count)];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 300_000 });
  const ns = Number(stdout);
  if (status !== 0 || !(ns >= 0)) fail(`${guest} with ${crowd} tasks ended with ${status}: ${stdout}${stderr}`);
  return ns / 1000;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const number = (us) => (us >= 100 ? us.toFixed(0) : us >= 1 ? us.toFixed(1) : us.toFixed(2));

/** True if a step to ten times the tasks costs clearly more than ten times as much. */
function growsTooFast(costs) {
  return costs.some((cost, at) => at > 0 && cost > costs[at - 1] * (CROWDS[at] / CROWDS[at - 1]) * TOLERANCE);
}

if (!existsSync(join(root, "bin/trapgate"))) fail("run `make build` first");
buildGuest();
const wanted = OPERATIONS.filter(({ name }) => name.includes(options.only));
const header = `| µs for one, with so many other tasks | system | ${CROWDS.join(" | ")} | 10,000 to 10 |`;
const lines = [header, `| --- | --- | ${CROWDS.map(() => "---: |").join(" ")} ---: |`];
lines.forEach((line) => console.log(line));
const curves = [];
let tooFast = 0;
for (const operation of wanted) {
  for (const system of systems) {
    const costs = CROWDS.map((crowd) =>
      median(Array.from({ length: ROUNDS }, () => measure(system, operation, crowd))),
    );
    const growth = `${(costs.at(-1) / costs[0]).toFixed(1)}x`;
    const verdict = operation.linear ? ` (${operation.linear})` : "";
    const line = `| ${operation.name}${verdict} | ${system.name} | ${costs.map(number).join(" | ")} | ${growth} |`;
    lines.push(line);
    console.log(line);
    if (system.name !== "trapgate") continue;
    curves.push({ name: operation.name, costs });
    if (growsTooFast(costs)) {
      tooFast++;
      console.log(`scaling: ${operation.name} grows faster than the number of tasks`);
    }
  }
}

if (options.write) {
  writeFileSync(join(root, "docs/scaling.svg"), drawPlot(CROWDS, curves));
  const text = `# Cost with many tasks

What one operation costs while so many other tasks are alive and asleep: children of the measuring process, a quarter of
them each in \`pause\`, in a read of one pipe, in \`nanosleep\` and at one futex; for the row on threads, threads.

\`\`\`console
$ node bench/scaling.mjs --write
\`\`\`

![Cost of operations against the number of live tasks](scaling.svg)

${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}; medians of ${ROUNDS} runs, each the best of five.

${lines.join("\n")}

${tooFast === 0 ? "Nothing grows" : `${tooFast} of the operations grow`} faster than the number of tasks. The two rows that grow with it say why; they do so on Linux as well.
`;
  writeFileSync(join(root, "docs/scaling.md"), await format(text, { parser: "markdown", printWidth: 120 }));
}
process.exitCode = tooFast === 0 ? 0 : 1;
