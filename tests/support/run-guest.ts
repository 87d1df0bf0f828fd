/** Runs a guest program in a machine of its own, in this process, on the real CPU. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createUnicornEngine } from "../../emulator/unicorn/unicorn-engine.ts";
import { createMachine, type MachineOptions, type MachineResult } from "../../machine/index.ts";
import { MemoryHost, type MemoryHostOptions } from "./memory-host.ts";

export const repository = resolve(import.meta.dirname, "../..");
const guests = join(repository, "build/guests");

/** Path of a guest program that `make guests` has built. */
export const guestPath = (name: string): string => join(guests, name);

/** Debian's busybox as `make setup` has unpacked it, undefined where there is none. */
export const busybox = ["usr/bin/busybox", "bin/busybox"]
  .map((path) => join(repository, ".private/debian/trixie", path))
  .find((path) => existsSync(path));

export type GuestOptions = Partial<Omit<MachineOptions, "engine" | "host">> & MemoryHostOptions;

export interface GuestRun {
  result: MachineResult;
  stdout: string;
  stderr: string;
}

const SMALL = 64 << 20;

/**
 * Runs a host file, seen in the guest at its own path, with output and errors kept. With the option `program` another
 * file of the guest is run.
 */
export async function runGuest(program: string, options: GuestOptions = {}): Promise<GuestRun> {
  const { seed, input, keep, binds = [], ...rest } = options;
  const host = new MemoryHost({ ...(seed !== undefined && { seed }), ...(input && { input }), ...(keep && { keep }) });
  const machine = createMachine({
    program,
    memory: SMALL,
    ...rest,
    binds: [{ host: program, guest: program }, ...binds],
    engine: createUnicornEngine,
    host,
  });
  const result = await machine.run();
  return { result, stdout: host.stdout, stderr: host.stderr };
}

/** How a run ended, in the words a shell would use. */
export function exitCode(result: MachineResult): number {
  switch (result.kind) {
    case "exited":
      return result.code;
    case "killed":
      return 128 + result.signal;
    case "limit":
      return 124;
    case "failed":
      return 125;
  }
}
