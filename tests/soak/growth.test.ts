import { expect, test } from "vitest";
import { fittedPart, growthOf } from "./growth.ts";

const bound = { name: "heap", least: 5, share: 0.1 };
const series = (values: readonly number[]) => values.map((heap, minute) => ({ minute, values: { heap } }));

test("a line grows by its slope times the fitted minutes", () => {
  const growth = growthOf(series([0, 0, 0, 10, 20, 30, 40, 50, 60]), bound)!;
  expect(growth.growth).toBeCloseTo(50);
  expect(growth.mean).toBeCloseTo(35);
  expect(growth.bound).toBe(5);
});

test("what jumps up and down does not grow", () => {
  const growth = growthOf(series([0, 900, 500, 100, 120, 100, 100, 120, 100]), bound)!;
  expect(Math.abs(growth.growth)).toBeLessThan(growth.bound);
  expect(growth.bound).toBeCloseTo(10.67, 1);
});

test("the first third is warm-up, and two samples say nothing", () => {
  expect(fittedPart([1, 2, 3, 4, 5, 6])).toEqual([3, 4, 5, 6]);
  expect(growthOf(series([1, 2, 3]), bound)).toBeUndefined();
});
