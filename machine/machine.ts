/** A machine: an engine, a kernel and a host put together, and the loop that gives each its turn. */
import { Errno } from "../abi/errno.ts";
import { PhysicalMemory } from "../emulator/physical-memory.ts";
import type { Engine } from "../emulator/engine.ts";
import { boot, startProgram } from "../kernel/boot.ts";
import { Kernel } from "../kernel/kernel.ts";
import { KernelPanic } from "../kernel/panic.ts";
import { runKernel } from "../kernel/run-loop.ts";
import { kernelSigInfo, sendSignalToGroup } from "../kernel/signal/send.ts";
import { byteString } from "./byte-string.ts";
import type { Inlet, MachineHost } from "./host.ts";
import { checkOptions, DEFAULT_MEMORY, machineRules, type MachineOptions } from "./options.ts";

/** How a run ended. */
export type MachineResult =
  /** The program called exit. */
  | { readonly kind: "exited"; readonly code: number }
  /** A signal killed the program. */
  | { readonly kind: "killed"; readonly signal: number }
  /** A limit of the options was reached. */
  | { readonly kind: "limit"; readonly what: string }
  /** Our bug: the report says where. */
  | { readonly kind: "failed"; readonly report: string };

/** The program could not be started, for the reason execve(2) would give. */
export class ProgramError extends Error {
  readonly errno: Errno;
  readonly program: string;

  constructor(program: string, errno: Errno) {
    super(`${program}: ${errno.text}`);
    this.name = "ProgramError";
    this.errno = errno;
    this.program = program;
  }
}

/** How long the kernel runs before the host's events get a turn. */
const SLICE_NS = 10e6;
/** setTimeout takes no longer delay. */
const LONGEST_TIMEOUT_MS = 0x7fffffff;

/**
 * Makes a machine that has booted and is ready to run its program.
 * Throws a TypeError for wrong options and whatever the engine throws that cannot be made.
 */
export function createMachine(options: MachineOptions): Machine {
  checkOptions("createMachine", options, machineRules);
  return new Machine(options);
}

export class Machine {
  readonly kernel: Kernel;
  private readonly engine: Engine;
  private readonly host: MachineHost;
  private readonly options: MachineOptions;
  private interrupted = false;
  private alarm: (() => void) | null = null;

  /** Use `createMachine`, which checks the options. */
  constructor(options: MachineOptions) {
    this.options = options;
    this.host = options.host;
    this.engine = options.engine(new PhysicalMemory(options.memory ?? DEFAULT_MEMORY));
    this.kernel = new Kernel({
      engine: this.engine,
      world: options.host.world,
      maxTasks: options.maxTasks ?? 4096,
      hostname: options.hostname ?? "trapgate",
      tracer: options.tracer,
    });
    boot(this.kernel, {
      root: rootInBytes(options.root ?? { kind: "tmpfs" }),
      binds: (options.binds ?? []).map(({ host, guest, writable }) => ({
        host: byteString(host),
        guest: byteString(guest),
        writable: writable ?? false,
      })),
      proc: true,
      dev: true,
      tmp: true,
      cwd: byteString(options.cwd ?? "/"),
    });
    options.onBoot?.(this.kernel);
  }

  /**
   * Runs the program to its end; once per machine. The engine is given back afterwards.
   * Rejects with a ProgramError if the program cannot be started.
   */
  async run(): Promise<MachineResult> {
    const { host } = this;
    const deadline = host.milliseconds() + (this.options.timeoutMs ?? Infinity);
    host.attach(this.inlet());
    try {
      this.start();
      return await this.drive(deadline);
    } catch (error) {
      if (error instanceof KernelPanic) return { kind: "failed", report: error.report };
      throw error;
    } finally {
      host.detach();
      this.engine.dispose();
    }
  }

  /** Starts the first of the programs that exists. */
  private start(): void {
    const { program, argv, env } = this.options;
    const candidates = typeof program === "string" ? [program] : program;
    for (const [index, path] of candidates.entries()) {
      try {
        startProgram(this.kernel, {
          path: byteString(path),
          argv: (argv ?? [path]).map(byteString),
          env: Object.entries(env ?? {}).map(([name, value]) => byteString(`${name}=${value}`)),
        });
        return;
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        const isLast = index === candidates.length - 1;
        if (isLast || error.name !== "ENOENT") throw new ProgramError(path, error);
      }
    }
  }

  private async drive(deadline: number): Promise<MachineResult> {
    const { kernel, host } = this;
    for (;;) {
      host.pump();
      const state = runKernel(kernel, kernel.now() + SLICE_NS);
      if (state === "halted") return resultOf(kernel.exitStatus);
      if (host.milliseconds() >= deadline) return { kind: "limit", what: `time-out of ${this.options.timeoutMs} ms` };
      if (state === "busy") await host.turn();
      else if (!host.pump()) await this.sleepUntil(kernel.timers.next, deadline);
    }
  }

  /** All tasks sleep: waits for the next timer, for an event or for the time-out, whichever comes first. */
  private async sleepUntil(next: number, deadline: number): Promise<void> {
    const { host } = this;
    const untilTimer = (next - this.kernel.now()) / 1e6;
    const milliseconds = Math.min(untilTimer, deadline - host.milliseconds());
    if (milliseconds < 1) await host.turn();
    else await this.waitForEvent(Math.min(milliseconds, LONGEST_TIMEOUT_MS));
    if (!this.interrupted && milliseconds === untilTimer) host.waitedUntil(next);
    this.interrupted = false;
  }

  private waitForEvent(milliseconds: number): Promise<void> {
    if (this.interrupted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.floor(milliseconds));
      this.alarm = () => {
        clearTimeout(timer);
        this.alarm = null;
        resolve();
      };
    });
  }

  private inlet(): Inlet {
    const { console } = this.kernel;
    const afterwards = (): void => {
      this.interrupted = true;
      this.alarm?.();
    };
    return {
      input: (bytes) => {
        const taken = console.input(bytes);
        afterwards();
        return taken;
      },
      inputEnd: () => {
        console.inputEnd();
        afterwards();
      },
      resized: () => {
        console.resized();
        afterwards();
      },
      signal: (number) => {
        const { main } = this.kernel;
        if (main) sendSignalToGroup(main, kernelSigInfo(number));
        afterwards();
      },
    };
  }
}

function rootInBytes(root: NonNullable<MachineOptions["root"]>) {
  return root.kind === "host" ? { ...root, path: byteString(root.path), writable: root.writable ?? false } : root;
}

function resultOf(status: number): MachineResult {
  const signal = status & 0x7f;
  return signal === 0 ? { kind: "exited", code: (status >> 8) & 0xff } : { kind: "killed", signal };
}
