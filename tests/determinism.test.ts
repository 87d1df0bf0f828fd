/** With a virtual clock and a seed, a run is a function of its inputs (docs/architecture.md). */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TraceWriter } from "../machine/index.ts";
import { busybox, guestPath, runGuest, type GuestOptions } from "./support/run-guest.ts";

const TIMES = 20;

/** Everything that can be seen of a run: trace, output, end. */
async function recordRun(program: string, options: GuestOptions): Promise<string> {
  const lines: string[] = [];
  const tracer = new TraceWriter({ write: (text) => void lines.push(text), stringLimit: 256 });
  const { result, stdout, stderr } = await runGuest(program, { ...options, tracer });
  return [JSON.stringify(result), stdout, stderr, ...lines].join("\n");
}

async function distinctRuns(program: string, options: GuestOptions): Promise<string[]> {
  const seen = new Set<string>();
  for (let count = 0; count < TIMES; count++) seen.add(await recordRun(program, { seed: 1, ...options }));
  return [...seen];
}

const programs: readonly (readonly [string, GuestOptions])[] = [
  ["clone2", {}],
  ["fork-tree", {}],
  ["threads-by-clone", {}],
  ["signals", {}],
  ["pipes", {}],
  ["conformance/clone2/e-tid-stores", { env: { TRAPGATE: "1" } }],
];

const script =
  'a=$(seq 1 200 | sort -r | head -n 3); echo $a; (sleep 0.01; echo slept) & echo "$RANDOM"; date +%s%N; wait; ' +
  "od -An -tx1 -N8 /dev/urandom; mktemp -u; i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo $i | cat | cat; done";

describe(`the whole trace of system calls is the same ${TIMES} times`, () => {
  it.each(programs)("%s", async (name, options) => {
    const runs = await distinctRuns(guestPath(name), options);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatch(/^\{"kind":"exited","code":[01]\}/);
    expect(runs[0]!.split("\n").length).toBeGreaterThan(10);
  });

  it.skipIf(!busybox)("busybox sh with pipes, time and random numbers", async () => {
    const [first, ...others] = await distinctRuns(busybox!, { argv: ["sh", "-c", script], env: { PATH: "/bin" } });
    expect(others).toEqual([]);
    expect(first).toMatch(/^\{"kind":"exited","code":0\}/);
  });
});

describe("another seed", () => {
  it("changes what getrandom gives, and nothing else of a program that asks for it", async () => {
    const program = guestPath("bad-input/random");
    expect(existsSync(program)).toBe(true);
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => recordRun(program, { seed })));
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    const isRandom = (line: string): boolean => line.includes("getrandom(") || line.includes("random: ");
    const rest = (run: string): string[] => run.split("\n").filter((line) => !isRandom(line));
    expect(rest(other!)).toEqual(rest(one!));
    expect(rest(one!).length).toBeGreaterThan(5);
  });

  it("changes nothing in a program that does not ask", async () => {
    const [one, other] = await Promise.all([1, 2].map((seed) => recordRun(guestPath("fork-tree"), { seed })));
    expect(other).toBe(one);
  });
});
