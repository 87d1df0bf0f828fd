/** Prints how many cases of each list pass, and which do not; see scripts/conformance-summary.mjs. */
import { findPrograms, LISTS, readKnownFailures, runProgram, summaryLine } from "./run-conformance.ts";
import type { TapCase } from "./tap-parser.ts";

const known = readKnownFailures();
const cases = new Map<string, TapCase[]>(LISTS.map(({ topic }) => [topic, []]));
let unexpected = 0;
for (const program of findPrograms()) {
  const report = await runProgram(program);
  cases.get(program.topic)?.push(...report.cases);
  for (const trouble of report.troubles) console.log(`${program.title}: ${trouble}`);
  unexpected += report.troubles.length;
  for (const { id, sentence, outcome, details } of report.cases) {
    const name = `${program.title}/${id}`;
    const reason = known.get(name);
    if (outcome === "passed" && reason === undefined) continue;
    if ((outcome === "passed") === (reason !== undefined)) unexpected++;
    const text = reason === undefined ? `${outcome}: ${details}` : `${outcome}, known: ${reason}`;
    console.log(`${name} (${sentence}) ${text}`);
  }
}
for (const { list, topic, total } of LISTS) console.log(summaryLine(list, total, cases.get(topic)!));
process.exitCode = unexpected === 0 ? 0 : 1;
