/** Runs of several seeds added up. */
import { expect, test } from "vitest";
import { resultsText } from "./report.ts";
import { addResults, type Results } from "./results.ts";

const count = (executed: number, faulted = 0) => ({ executed, faulted, chosen: 1, differences: 0 });

function run(seed: number, more: Partial<Results> = {}): Results {
  return {
    subject: "wasm and this processor",
    seeds: [seed],
    sequences: 100,
    seconds: 2,
    timeouts: 1,
    failures: [{ key: "Nop: rip", count: 2, examples: ["example"] }],
    reasons: { "left undefined": 3 },
    lost: [],
    coverage: { Nop: count(600), Ud2: count(0, 600) },
    ...more,
  };
}

test("counts are added up, failures of one kind are one", () => {
  const sum = addResults([run(1), run(2, { reasons: { other: 1 }, lost: ["not seen again: x"] })]);
  expect(sum).toEqual({
    ...run(1),
    seeds: [1, 2],
    sequences: 200,
    seconds: 4,
    timeouts: 2,
    failures: [{ key: "Nop: rip", count: 4, examples: ["example"] }],
    reasons: { "left undefined": 3, other: 1 },
    lost: ["not seen again: x"],
    coverage: {
      Nop: { ...count(1200), chosen: 2 },
      Ud2: { ...count(0, 1200), chosen: 2 },
    },
  });
});

test("a seed counts once, and what was compared has to be the same", () => {
  expect(() => addResults([run(1), run(1)])).toThrow("seed 1 is there twice");
  expect(() => addResults([run(1), run(2, { subject: "unicorn" })])).toThrow("do not add up");
});

test("a fault is a hit of a form that does nothing else, and the table says why", () => {
  const text = resultsText(
    addResults([run(1), run(2, { coverage: { Nop: count(100, 900), Ud2: count(0, 600) } })]),
    true,
  );
  expect(text).toContain("forms hit at least 1000 times: 1; least: 700, Nop");
  expect(text).toMatch(/Ud2 .*#UD is what it does/);
});
