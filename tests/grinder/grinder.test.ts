/** A short grind on the real CPU; scripts/grind.mjs does a long one. */
import { expect, it } from "vitest";
import { censusDifference } from "../support/census.ts";
import { grind } from "./grind.ts";

it("50,000 random process-related calls with hostile arguments from many tasks leave nothing behind", async () => {
  const { result, before, after, calls, tallies, last } = await grind(50_000, 1);
  expect(result.kind === "failed" ? `${result.report}\n${last.join("\n")}` : result).toEqual({
    kind: "exited",
    code: 0,
  });
  expect(calls).toBeGreaterThanOrEqual(50_000);
  expect(censusDifference(before!, after!)).toEqual([]);
  expect(tallies.size).toBeGreaterThan(120);
}, 120_000);
