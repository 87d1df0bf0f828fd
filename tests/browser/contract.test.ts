/** The engine contract in Chromium: one test here for each that ran there (contract.config.ts). */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { missing, root } from "./chromium.ts";
import { runContract } from "./contract-report.ts";
import { unbuilt } from "./site.ts";

const reason = missing ?? unbuilt;
const FOLDER = "emulator/contract";

if (reason) {
  console.log(`tests/browser/contract is skipped: ${reason}`);
  test.skip("the engine contract in Chromium", () => {});
} else {
  const { testResults } = runContract();
  const pathOf = (file: { readonly name: string }): string => relative(root, file.name);

  test("every file of the engine contract ran in Chromium", () => {
    const files = readdirSync(join(root, FOLDER)).filter((name) => name.endsWith(".test.ts"));
    expect(testResults.map(pathOf).sort()).toEqual(files.map((name) => `${FOLDER}/${name}`).sort());
  });

  for (const file of testResults) {
    describe(`in Chromium: ${pathOf(file)}`, () => {
      test("was loaded", () => {
        expect(file.assertionResults.length, file.message).toBeGreaterThan(0);
      });
      for (const { fullName, status, failureMessages } of file.assertionResults) {
        test(fullName, () => {
          expect(status, failureMessages.join("\n")).toBe("passed");
        });
      }
    });
  }
}
