/** Debian's busybox in the machine against the same busybox on the host: every byte and every exit code. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCaseList } from "./case-list.ts";
import { busybox, ENGINES, hostRunsGuests, normalise, runGroup, type Outcome } from "./compare.ts";
import { writeFixtures, writeLargeFixtures } from "./fixtures.ts";

const groups = parseCaseList(readFileSync(join(import.meta.dirname, "busybox.list"), "utf8"));

describe.skipIf(!hostRunsGuests || !busybox)("busybox is byte-identical to native", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trapgate-native-"));
    mkdirSync(join(folder, "fixtures"));
    writeFixtures(join(folder, "fixtures"));
    writeLargeFixtures(join(folder, "fixtures"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const group of groups) {
    describe(group.name, () => {
      let native: Outcome[];
      beforeAll(() => {
        native = runGroup(group, folder, "native");
      }, 300_000);

      describe.each(ENGINES)("%s", (engine) => {
        let machine: Outcome[];
        beforeAll(() => {
          machine = runGroup(group, folder, engine);
        }, 300_000);

        for (const [index, test] of group.cases.entries()) {
          it(test.name, () => {
            expect(normalise(test, machine[index]!)).toEqual(normalise(test, native[index]!));
          });
        }
      });
    });
  }
});
