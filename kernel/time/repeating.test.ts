import { describe, expect, it } from "vitest";
import { advance, remaining, schedule } from "./repeating.ts";

describe("a repeating timer", () => {
  it("counts the expiries it has missed and keeps its rhythm", () => {
    const timer = schedule(100, 50, 20, false);
    expect(advance(timer, 149)).toBe(0);
    expect(advance(timer, 195)).toBe(3);
    expect(timer.expires).toBe(210);
  });

  it("is off after its only expiry", () => {
    const timer = schedule(100, 50, 0, false);
    expect(advance(timer, 150)).toBe(1);
    expect(remaining(timer, 150)).toEqual({ value: 0, interval: 0 });
  });

  it("takes an absolute time from the epoch to the clock it is kept on", () => {
    expect(schedule(100, 1000, 0, true, -700).expires).toBe(300);
    expect(schedule(100, 1000, 0, true, -5000).expires).toBe(1);
  });

  it.each([0, 1e9, 1.7e18, 9e18])("with an interval of 1 ns has its next expiry behind %f", (now) => {
    const timer = schedule(now, 1, 1, false);
    for (let at = timer.expires, round = 0; round < 5; round++, at = timer.expires) {
      expect(advance(timer, at)).toBeGreaterThan(0);
      expect(timer.expires).toBeGreaterThan(at);
    }
  });
});
