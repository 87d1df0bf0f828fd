import { expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

it("moves with executed work alone", () => {
  const clock = new VirtualClock();
  expect(clock.now()).toBe(0);
  clock.executed(1000);
  const later = clock.now();
  expect(later).toBeGreaterThan(0);
  expect(clock.now()).toBe(later);
});

it("jumps to the end of a sleep, never back", () => {
  const clock = new VirtualClock();
  expect(clock.skipTo(5e9)).toBe(true);
  expect(clock.skipTo(1e9)).toBe(true);
  expect(clock.now()).toBe(5e9);
});

it("does not run ahead of input that may still come, nor to no time at all", () => {
  const clock = new VirtualClock(() => false);
  expect(clock.skipTo(5e9)).toBe(false);
  expect(new VirtualClock().skipTo(Infinity)).toBe(false);
  clock.advanceTo(7);
  expect(clock.now()).toBe(7);
});
