/** One long grind; see scripts/grind.mjs. */
import { parseArgs } from "node:util";
import { censusDifference } from "../support/census.ts";
import { grind } from "./grind.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    tallies: { type: "boolean", default: false },
  },
});
const start = performance.now();
const run = await grind(Number(values.calls), Number(values.seed));
const seconds = (performance.now() - start) / 1000;
console.log(
  `${run.calls} calls by ${run.tasks} tasks, at most ${run.mostTasks} at once, in ${seconds.toFixed(1)} s;` +
    ` ${run.outOfMemoryKills} ended for want of memory`,
);
if (values.tallies) {
  const rows = [...run.tallies].sort(([, a], [, b]) => b.made - a.made);
  for (const [name, { made, done }] of rows) console.log(`${name.padEnd(28)}${made} made, ${done} done`);
}
const differences = run.before && run.after ? censusDifference(run.before, run.after) : ["there was no second count"];
if (run.result.kind === "exited" && run.result.code === 0 && differences.length === 0) {
  console.log("no kernel report, and everything was given back");
  if (run.after)
    console.log(
      Object.entries(run.after)
        .map(([name, count]) => `${name} ${count}`)
        .join(", "),
    );
} else {
  console.log(`last calls:\n${run.last.join("\n")}`);
  console.log(run.result.kind === "failed" ? run.result.report : `it ended as ${JSON.stringify(run.result)}`);
  console.log(`not as before: ${differences.join("; ") || "nothing"}`);
  process.exitCode = 1;
}
