/** `scripts/lockstep-programs.mjs`: the programs of programs.ts, one after the other, each in a process of its own. */
import { lockstepPrograms } from "./programs.ts";
import { runInLockstep, type Outcome } from "./run-program.ts";

const words = process.argv.slice(2);
const option = (name: string): string | undefined => {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words[at + 1];
};
const only = option("--only");
const engines = option("--engines") ?? "unicorn,wasm";
const seconds = Number(option("--timeout") ?? 600);

const programs = lockstepPrograms().filter(
  ({ name, short }) => (only === undefined || name.includes(only)) && (short || !words.includes("--short")),
);
const rows: (readonly [string, Outcome])[] = [];
console.log("| program | pieces | instructions | repeated | not compared | seconds | result |");
console.log("|---|---|---|---|---|---|---|");
for (const program of programs) {
  const outcome = runInLockstep(program, { engines, seconds });
  rows.push([program.name, outcome]);
  console.log(`| ${program.name} | ${describe(outcome)} |`);
  if (outcome.report !== "") process.stderr.write(`--- ${program.name}\n${outcome.report}\n`);
}
const sum = (field: "pieces" | "instructions" | "unchecked"): number =>
  rows.reduce((total, [, { statistics }]) => total + (statistics?.[field] ?? 0), 0);
console.log(`| all | ${sum("pieces")} | ${sum("instructions")} | | ${sum("unchecked")} | | |`);
process.exitCode = rows.some(([, { report }]) => report !== "") ? 1 : 0;

function describe({ statistics, seconds: taken, result }: Outcome): string {
  if (!statistics) return ` | | | | ${taken.toFixed(1)} | ${result}`;
  const { pieces, instructions, units, repeated, unchecked } = statistics;
  const size = instructions > 0 ? String(instructions) : `(${units} blocks)`;
  return [pieces, size, repeated, unchecked, taken.toFixed(1), result].join(" | ");
}
