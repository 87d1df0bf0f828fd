/** The table of the kernel selftests; see scripts/selftests.mjs. */
import { parseArgs } from "node:util";
import { buildSelftests } from "./build.ts";
import { nameOf, SELFTESTS } from "./programs.ts";
import { caseName, readKnownDifferences, runSelftests, type Report } from "./run.ts";

const { values } = parseArgs({
  options: {
    fast: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    output: { type: "boolean", default: false },
  },
});

function printReport(report: Report): void {
  const different = report.cases.filter(({ native, ours }) => native !== ours).length;
  const times = `native ${report.native.seconds.toFixed(1)} s, ours ${report.ours.seconds.toFixed(1)} s`;
  const verdict = different === 0 ? "same" : `${different} differ`;
  console.log(`${report.name}: ${report.cases.length} cases, ${verdict} (${times})`);
  if (values.output) console.log(report.ours.text);
}

function printTable(reports: readonly Report[]): void {
  console.log("\n| directory | passed | same as native | total |\n| --- | ---: | ---: | ---: |");
  const directories = [...new Set(reports.map(({ test }) => test.directory))];
  for (const directory of directories) {
    const cases = reports.filter(({ test }) => test.directory === directory).flatMap((report) => report.cases);
    const passed = cases.filter(({ ours }) => ours === "passed").length;
    const same = cases.filter(({ ours, native }) => ours === native).length;
    console.log(`| ${directory} | ${passed} | ${same} | ${cases.length} |`);
  }
}

/** @returns how many differences are news */
function printDifferences(reports: readonly Report[]): number {
  const known = readKnownDifferences();
  let news = 0;
  for (const report of reports) {
    report.cases.forEach(({ name, native, ours }, index) => {
      const reason = known.get(caseName(report, index));
      if (native === ours) return;
      if (reason === undefined && native === "passed") news++;
      console.log(
        `${caseName(report, index)} (${name}): native ${native}, ours ${ours}; ${reason ?? hint(native, ours)}`,
      );
    });
  }
  return news;
}

const hint = (native: string, ours: string): string =>
  ours === "passed" ? `the host's own trouble: its result was "${native}"` : "not known before";

const trouble = buildSelftests();
if (trouble !== null) {
  console.log(`selftests: skipped, because ${trouble}`);
} else {
  const tests = SELFTESTS.filter((test) => (!values.fast || !test.slow) && nameOf(test).includes(values.only));
  const reports = await runSelftests(tests, printReport);
  printTable(reports);
  console.log();
  process.exitCode = printDifferences(reports) === 0 ? 0 : 1;
}
