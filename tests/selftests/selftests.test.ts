/** The kernel selftests that take no longer than a moment; scripts/selftests.mjs runs all of them. */
import { beforeAll, describe, expect, it } from "vitest";
import { buildSelftests } from "./build.ts";
import { nameOf, SELFTESTS } from "./programs.ts";
import { caseName, readKnownDifferences, runSelftests, type Report } from "./run.ts";

const tests = SELFTESTS.filter(({ slow }) => !slow);
const trouble = buildSelftests();
const reason = trouble === null ? "" : ` (skipped: ${trouble})`;

describe.skipIf(trouble !== null)(`unmodified selftests of Linux 6.1 end as on the host${reason}`, () => {
  const known = readKnownDifferences();
  let reports: Report[] = [];

  beforeAll(async () => {
    reports = await runSelftests(tests, () => {});
  }, 240_000);

  for (const test of tests) {
    it(nameOf(test), () => {
      const report = reports.find((each) => each.test === test)!;
      const unknown = report.cases.flatMap(({ name, native, ours }, index) => {
        const isKnown = known.has(caseName(report, index));
        // A host may lack what a test needs; what it can do must be done here as well.
        const worse = native === "passed" && ours !== "passed";
        return worse === isKnown ? [] : [`${caseName(report, index)} ${name}: native ${native}, ours ${ours}`];
      });
      expect(unknown, report.ours.text.slice(-2000)).toEqual([]);
    });
  }
});
