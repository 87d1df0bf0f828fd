/** Deadlines come up in order, each once. */
import { describe, expect, it } from "vitest";
import { Random } from "../../tests/support/random.ts";
import { Timers, type Expiring } from "./timers.ts";

const noted = (log: string[], name: string): Expiring => ({
  expire: (deadline) => void log.push(`${name}@${deadline}`),
});

describe("timers", () => {
  it("expire by time, and in the order of setting where the time is the same", () => {
    const timers = new Timers();
    const log: string[] = [];
    timers.add(30, noted(log, "a"));
    timers.add(10, noted(log, "b"));
    timers.add(20, noted(log, "c"));
    timers.add(10, noted(log, "d"));
    expect(timers.next).toBe(10);
    timers.expireUntil(9);
    expect(log).toEqual([]);
    timers.expireUntil(20);
    expect(log).toEqual(["b@10", "d@10", "c@20"]);
    expect([timers.next, timers.size]).toEqual([30, 1]);
    timers.expireUntil(Infinity);
    expect(timers.next).toBe(Infinity);
  });

  it("may be set again from within, and expire in the same round when they are due", () => {
    const timers = new Timers();
    const times: number[] = [];
    const periodic: Expiring = {
      expire(deadline) {
        times.push(deadline);
        if (deadline < 50) timers.add(deadline + 10, periodic);
      },
    };
    timers.add(10, periodic);
    timers.expireUntil(35);
    expect(times).toEqual([10, 20, 30]);
    timers.expireUntil(100);
    expect(times).toEqual([10, 20, 30, 40, 50]);
  });

  it.each([1, 2, 3])("agree with a sorted list (seed %i)", (seed) => {
    const random = new Random(seed);
    const timers = new Timers();
    const log: string[] = [];
    let model: { deadline: number; name: string }[] = [];
    let now = 0;
    for (let step = 0; step < 3000; step++) {
      if (!random.chance(3)) {
        const deadline = now + random.below(200);
        timers.add(deadline, noted(log, String(step)));
        model.push({ deadline, name: String(step) });
      } else {
        now += random.below(40);
        timers.expireUntil(now);
        const due = model.filter(({ deadline }) => deadline <= now).sort((a, b) => a.deadline - b.deadline);
        model = model.filter(({ deadline }) => deadline > now);
        expect(log.splice(0)).toEqual(due.map(({ name, deadline }) => `${name}@${deadline}`));
        expect(timers.size).toBe(model.length);
      }
    }
  });

  it("that matter to nobody any more do not pile up, and the others stay", () => {
    const timers = new Timers();
    const log: string[] = [];
    const stale: Expiring = { expire: () => {}, isStale: () => true };
    for (let count = 0; count < 100; count++) timers.add(10_000 - count, noted(log, "live"));
    for (let count = 0; count < 50_000; count++) timers.add(1e15 + count, stale);
    const again: Expiring = { expire: (deadline) => void log.push(`again@${deadline}`) };
    for (let count = 0; count < 5000; count++) timers.add(30_000, again);
    expect(timers.size).toBeLessThan(1000);
    timers.expireUntil(20_000);
    expect(log).toHaveLength(100);
    expect(log[0]).toBe("live@9901");
  });
});
