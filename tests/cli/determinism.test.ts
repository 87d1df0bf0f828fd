/** With a virtual clock and a seed, a run is a function of its inputs (docs/architecture.md). */
import { describe, expect, it } from "vitest";
import { busybox } from "../native/compare.ts";
import { guest, trapgate } from "./trapgate.ts";

const TIMES = 20;

/** The different traces that several runs give: one, if all is well. */
function traces(words: readonly string[]): Set<string> {
  const runs = Array.from({ length: TIMES }, () => trapgate(["trace", "--clock=virtual", "--seed=1", ...words]));
  return new Set(runs.map(({ code, out, err }) => `${code}\n${out}\n${err}`));
}

describe("the same program gives the same trace, byte for byte, 20 times", () => {
  it.each(["clone2", "fork-tree", "threads-by-clone"])("%s", (name) => {
    const [first, ...others] = traces([guest(name)]);
    expect(others).toEqual([]);
    expect(first).toMatch(/exited with 0/);
  });

  it.skipIf(!busybox)("busybox sh with a pipeline, time and random numbers", () => {
    const script =
      "date; seq 1 50 | sort -r | head -n 3; echo $RANDOM; od -N 8 -t x1 /dev/urandom; sleep 0.1 & wait; mktemp -u";
    const [, ...others] = traces([busybox!, "sh", "-c", script]);
    expect(others).toEqual([]);
  });
});
