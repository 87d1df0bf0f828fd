/**
 * Runs the grinder in a machine of its own until it has made so many system calls, and says what the kernel holds
 * before the first of them and after everything has been cleared away. With the same seed it is the same run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { SIGTERM } from "../../abi/signal.ts";
import { createUnicornEngine } from "../../emulator/unicorn/unicorn-engine.ts";
import type { Tracer } from "../../kernel/events.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { kernelSigInfo, sendSignalToGroup } from "../../kernel/signal/send.ts";
import { REGISTERS_SET } from "../../kernel/task/task.ts";
import { createMachine, type MachineResult } from "../../machine/index.ts";
import { census, type Census } from "../support/census.ts";
import { MemoryHost } from "../support/memory-host.ts";
import { repository } from "../support/run-guest.ts";

const source = join(repository, "tests/grinder/grinder.c");
const library = join(repository, "guest-programs/lib");
const product = join(repository, "build/grinder/grinder");
const compiler = process.env["GUEST_CC"] ?? "gcc";
const FLAGS =
  "-std=gnu11 -Wall -Wextra -march=x86-64 -O1 -ffreestanding -fno-stack-protector -fno-pic -no-pie -fcf-protection=none" +
  " -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -static -nostdlib -Wl,--build-id=none" +
  " -Wl,-z,noexecstack";

/** @throws Error with what the compiler said */
export function buildGrinder(): string {
  const parts = [source, join(library, "start.c"), join(library, "text.c")];
  if (existsSync(product) && parts.every((part) => statSync(part).mtimeMs < statSync(product).mtimeMs)) return product;
  mkdirSync(dirname(product), { recursive: true });
  const unfinished = `${product}.${process.pid}`;
  const words = [...FLAGS.split(" "), "-I", library, "-o", unfinished, ...parts];
  const result = spawnSync(compiler, words, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`the grinder cannot be compiled: ${result.stderr}`);
  renameSync(unfinished, product);
  return product;
}

/** How often a call was made, and how often it did something. */
export interface Tally {
  made: number;
  done: number;
}

export interface Grind {
  readonly result: MachineResult;
  readonly before: Census | null;
  readonly after: Census | null;
  readonly calls: number;
  /** Tasks created. */
  readonly tasks: number;
  /** Tasks alive at once, at most. */
  readonly mostTasks: number;
  readonly outOfMemoryKills: number;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** The last calls of all before the end, for reports. */
  readonly last: readonly string[];
}

const MEMORY = 128 << 20;
const MOST_TASKS = 300;
const REMEMBERED = 40;

export async function grind(calls: number, seed: number): Promise<Grind> {
  const program = buildGrinder();
  const tallies = new Map<string, Tally>();
  const last: string[] = [];
  let kernel: Kernel | undefined;
  let made = 0;
  let mostTasks = 0;
  const tracer: Tracer = {
    callEntered(task, number, row, args) {
      if (++made === calls) sendSignalToGroup(kernel!.main!, kernelSigInfo(SIGTERM));
      const name = row?.name ?? `number ${number}`;
      let tally = tallies.get(name);
      if (!tally) tallies.set(name, (tally = { made: 0, done: 0 }));
      tally.made++;
      last.push(
        `${task.pid.global} ${name}(${[...args]
          .slice(0, row?.args.length ?? 6)
          .map(hex)
          .join(", ")})`,
      );
      if (last.length > 2 * REMEMBERED) last.splice(0, REMEMBERED);
    },
    callLeft(_task, number, result) {
      const tally = tallies.get(kernel!.dispatcher.row(number)?.name ?? `number ${number}`);
      if (tally && (result >= 0 || result === REGISTERS_SET)) tally.done++;
    },
    taskCreated() {
      mostTasks = Math.max(mostTasks, kernel!.taskCount);
    },
  };
  const counts: Census[] = [];
  const host = new MemoryHost({ seed });
  const { console } = host.world;
  const write = console.write.bind(console);
  console.write = (stream, bytes) => {
    if (/^(ready|done)$/m.test(Buffer.from(bytes).toString("latin1"))) counts.push(census(kernel!));
    return write(stream, bytes);
  };
  const machine = createMachine({
    program,
    argv: ["grinder", "supervise", String(seed)],
    memory: MEMORY,
    maxTasks: MOST_TASKS,
    binds: [{ host: program, guest: program }],
    tracer,
    engine: createUnicornEngine,
    host,
    onBoot: (booted) => (kernel = booted),
  });
  const result = await machine.run();
  const { forks, outOfMemoryKills } = kernel!;
  const [before = null, after = null] = counts;
  return {
    result,
    before,
    after,
    calls: made,
    tasks: forks,
    mostTasks,
    outOfMemoryKills,
    tallies,
    last: last.slice(-REMEMBERED),
  };
}

const hex = (value: number): string => (value >= 0 && value > 4096 ? `0x${value.toString(16)}` : String(value));
