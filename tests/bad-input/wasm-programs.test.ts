/** Broken and greedy programs in a whole machine on the wasm engine. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createWasmEngine } from "../../emulator/wasm/wasm-engine.ts";
import { createMachine, type MachineOptions, type MachineResult } from "../../machine/index.ts";
import { mutate } from "../support/elf.ts";
import { MemoryHost } from "../support/memory-host.ts";
import { Random } from "../support/random.ts";
import { exitCode, guestPath } from "../support/run-guest.ts";
import { tarOf } from "../support/tar.ts";

interface Run {
  readonly result: MachineResult;
  readonly stdout: string;
  readonly growth: number;
}

async function runOnWasm(
  program: string,
  argv: readonly string[],
  options: Partial<MachineOptions> = {},
): Promise<Run> {
  const host = new MemoryHost({ keep: 1 << 18 });
  const before = process.memoryUsage.rss();
  const machine = createMachine({
    program,
    argv,
    memory: 64 << 20,
    timeoutMs: 40_000,
    ...options,
    binds: [{ host: program, guest: program }],
    engine: (memory) => createWasmEngine(memory),
    host,
  });
  const result = await machine.run();
  return { result, stdout: host.stdout, growth: process.memoryUsage.rss() - before };
}

const MOST_GROWTH = 500 << 20;
const bombs = (name: string): string => guestPath(`bad-input/${name}-bombs`);

describe("a greedy program on the wasm engine", () => {
  it.each([
    ["forks", "process", ["fork"], 0],
    ["takes memory page by page", "memory", ["touch"], 0],
    ["wants all page tables", "memory", ["sparse"], 0],
    ["maps until there are no more areas", "memory", ["areas"], 0],
    ["calls itself without end", "memory", ["recursion"], 139],
    ["has a signal handler and no stack", "process", ["no-stack"], 139],
  ] as const)("that %s meets Linux's limit", async (_, name, args, code) => {
    const { result, growth } = await runOnWasm(bombs(name), ["bomb", ...args], { maxTasks: 200 });
    expect(exitCode(result)).toBe(code);
    expect(growth).toBeLessThan(MOST_GROWTH);
  });

  it.each([
    ["forks, and its children too", ["fork-for-ever"]],
    ["executes itself", ["exec", "0"]],
  ] as const)("that %s for ever is stopped at the time limit", async (_, args) => {
    const { result, growth } = await runOnWasm(bombs("process"), ["bomb", ...args], { timeoutMs: 1500, maxTasks: 300 });
    expect(result).toEqual({ kind: "limit", what: "time-out of 1500 ms" });
    expect(growth).toBeLessThan(MOST_GROWTH);
  });
});

describe("a broken program on the wasm engine", () => {
  it("is refused, or dies, or runs, and never harms the machine: 60 mutations", async () => {
    const hello = new Uint8Array(readFileSync(guestPath("hello")));
    const random = new Random(20260404);
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, mutate(hello, random)]));
    const argv = ["exec-all", ...Object.keys(files).map((name) => `/${name}`)];
    const root = { kind: "tar", bytes: tarOf(files) } as const;
    const { result, stdout } = await runOnWasm(guestPath("bad-input/exec-all"), argv, { root });
    expect(result).toEqual({ kind: "exited", code: 0 });
    const endings = stdout.match(/^\/\S+ (errno \d+|signal \d+|exit \d+|hangs)$/gm) ?? [];
    expect(endings.length).toBeGreaterThan(45);
    for (const ending of endings) {
      const signal = /signal (\d+)/.exec(ending)?.[1];
      if (signal) expect([4, 5, 7, 8, 11]).toContain(Number(signal));
    }
  });
});
