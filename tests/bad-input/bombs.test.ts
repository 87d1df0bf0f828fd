/** Programs that want everything: they meet a limit of Linux or of the machine, and the process we live in stays small. */
import { existsSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exitCode, guestPath, runGuest, type GuestOptions } from "../support/run-guest.ts";

const PROCESSES = guestPath("bad-input/process-bombs");
const MEMORY = guestPath("bad-input/memory-bombs");
const FILES = guestPath("bad-input/file-bombs");
/** Far more than a machine of 64 MiB and its objects need, far less than what the bombs ask for. */
const MOST_GROWTH = 400 << 20;

const run = (program: string, args: readonly string[], options: GuestOptions = {}) =>
  runGuest(program, { argv: ["bomb", ...args], timeoutMs: 30_000, ...options });

let before = 0;
const residentBytes = (): number => process.memoryUsage.rss();

beforeAll(() => expect(existsSync(PROCESSES), 'run "make guests"').toBe(true));
beforeEach(() => {
  before = residentBytes();
});
afterEach(() => expect(residentBytes() - before).toBeLessThan(MOST_GROWTH));

/** What the program says when it has met the limit; it goes on living and ends well. */
const limits: readonly (readonly [string, string, readonly string[], GuestOptions, string])[] = [
  ["fork", PROCESSES, ["fork"], { maxTasks: 200 }, "fork 198: EAGAIN\nfork again: ok\n"],
  ["children nobody waits for", PROCESSES, ["zombies"], { maxTasks: 500 }, "zombies 498: EAGAIN\n"],
  ["threads", PROCESSES, ["threads"], { maxTasks: 1000 }, "threads 998: EAGAIN\n"],
  ["queued signals", PROCESSES, ["signals"], { maxTasks: 100 }, "signals 100: EAGAIN\n"],
  ["execs", PROCESSES, ["exec", "200"], {}, "exec: done\n"],
  [
    "memory in one piece",
    MEMORY,
    ["refused"],
    {},
    "10 GB: ENOMEM\nall of user space: ENOMEM\n32 TB of nothing: ok\nmincore of it: EFAULT\nmlock of it: ENOMEM\n",
  ],
  ["page by page", MEMORY, ["touch"], {}, "bomb 1: killed by 9\nbomb 2: killed by 9\nbomb 3: killed by 9\n"],
  ["page tables", MEMORY, ["sparse"], {}, "sparse: killed\n"],
  ["areas", MEMORY, ["areas"], {}, "mmap about 65530: ENOMEM\nmunmap: ok\n"],
  ["areas cut by mprotect", MEMORY, ["cuts"], {}, "mprotect about 32765: ENOMEM\n"],
  [
    "descriptors",
    FILES,
    ["descriptors"],
    {},
    "last descriptor 1023: EMFILE\npipe: EMFILE\ndup: EMFILE\ndup2 to 1024: EBADF\npipe after two are closed: ok\n",
  ],
  ["a pipe", FILES, ["pipe"], {}, "pipe holds 65536: EAGAIN\npipe gave 65536: EAGAIN\nwithout a reader: -32\n"],
  ["a file", FILES, ["disk"], {}, "write: ENOSPC\nfar away: -27\nafter unlink: ok\n"],
  ["arguments", FILES, ["arguments"], {}, "a string of 131072: E2BIG\n99 of 131071: E2BIG\n12 arguments arrived\n"],
];

describe("a program that wants too much", () => {
  it.each(limits)("of %s gets an errno", async (_, program, args, options, expected) => {
    const { result, stdout, stderr } = await run(program, args, options);
    expect({ result, stdout, stderr }).toEqual({ result: { kind: "exited", code: 0 }, stdout: expected, stderr: "" });
  });
});

const killed: readonly (readonly [string, string, readonly string[], number])[] = [
  ["calls itself without end", MEMORY, ["recursion"], 139],
  ["has a signal handler and no stack", PROCESSES, ["no-stack"], 139],
  ["is alone and takes all memory with brk", MEMORY, ["heap"], 137],
];

describe("a program that goes too far is killed when it", () => {
  it.each(killed)("%s", async (_, program, args, code) => {
    const { result } = await run(program, args);
    expect(exitCode(result)).toBe(code);
  });
});

const endless: readonly (readonly [string, string, readonly string[]])[] = [
  ["forks, and its children too", PROCESSES, ["fork-for-ever"]],
  ["executes itself", PROCESSES, ["exec", "0"]],
  ["writes", FILES, ["output"]],
];

describe("a program that never ends is stopped at the time limit, exit code 124, though it", () => {
  it.each(endless)("%s", async (_, program, args) => {
    const { result, stdout } = await run(program, args, { timeoutMs: 1500, maxTasks: 300, keep: 1 << 16 });
    expect(result).toEqual({ kind: "limit", what: "time-out of 1500 ms" });
    expect(exitCode(result)).toBe(124);
    expect(stdout.length).toBeLessThanOrEqual(1 << 16);
  });
});

describe("memory of ours that a guest can fill", () => {
  it("with pipes is bounded", async () => {
    const { stdout } = await run(FILES, ["pipes"], { maxTasks: 100 });
    expect(stdout).toMatch(/^pipes of \d+ processes\n$/);
  });

  it("with names of files is bounded", async () => {
    const { stdout } = await run(FILES, ["names"]);
    expect(stdout).toBe("names: ENOSPC\n");
  });
});
