/** Sets of signals 1 to 64, against JavaScript's own sets. */
import { describe, expect, it } from "vitest";
import { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP } from "../../abi/signal.ts";
import { Random } from "../../tests/support/random.ts";
import { SignalSet } from "./signal-set.ts";

/** What an instruction has caused goes before what others have sent. */
const FAULTS: readonly number[] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS];

const members = (set: SignalSet): number[] =>
  Array.from({ length: 64 }, (_, index) => index + 1).filter((n) => set.has(n));

describe("a set of signals", () => {
  it.each([1, 2])("agrees with a Set through random changes (seed %i)", (seed) => {
    const random = new Random(seed);
    const set = new SignalSet();
    const model = new Set<number>();
    for (let step = 0; step < 3000; step++) {
      const signal = random.between(1, 64);
      if (random.chance(2)) {
        set.add(signal);
        model.add(signal);
      } else {
        set.delete(signal);
        model.delete(signal);
      }
      const sorted = [...model].sort((a, b) => a - b);
      expect(set.empty).toBe(model.size === 0);
      const mask = SignalSet.of(...Array.from({ length: 20 }, () => random.between(1, 64)));
      const open = sorted.filter((each) => !mask.has(each));
      expect(set.firstNotIn(mask)).toBe(open.find((each) => FAULTS.includes(each)) ?? open[0] ?? 0);
      if (step % 100 === 0) expect(members(set)).toEqual(sorted);
    }
  });

  const edges: readonly (readonly [number, string])[] = [
    [1, "0000000000000001"],
    [31, "0000000040000000"],
    [32, "0000000080000000"],
    [33, "0000000100000000"],
    [64, "8000000000000000"],
  ];
  it.each(edges)("of signal %i alone is %s", (signal, text) => {
    const set = SignalSet.of(signal);
    expect(set.toString()).toBe(text);
    expect(members(set)).toEqual([signal]);
    expect(set.firstNotIn(new SignalSet())).toBe(signal);
    expect(set.firstNotIn(set)).toBe(0);
  });

  it("takes over, adds and removes whole sets", () => {
    const set = SignalSet.of(1, 32, 33, 64);
    const copy = set.clone();
    copy.deleteAll(SignalSet.of(1, 64));
    copy.addAll(SignalSet.of(2));
    expect([members(copy), members(set)]).toEqual([
      [2, 32, 33],
      [1, 32, 33, 64],
    ]);
    set.copyFrom(copy);
    expect(members(set)).toEqual([2, 32, 33]);
    expect(new SignalSet(-1, -1).toString()).toBe("ffffffffffffffff");
  });
});
