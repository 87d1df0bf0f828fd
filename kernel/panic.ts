/** The report of a machine that cannot go on because of a bug of ours. */
import { REGISTER_NAMES } from "../emulator/registers.ts";
import { syscallByNumber } from "../abi/syscalls.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task/task.ts";

/** Thrown out of `runKernel`; the machine is not to be run any more. */
export class KernelPanic extends Error {
  /** What happened to whom, for a person who is to mend it. */
  readonly report: string;

  constructor(kernel: Kernel, task: Task | null, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(`kernel bug: ${message}`, { cause });
    this.name = "KernelPanic";
    const stack = cause instanceof Error ? (cause.stack ?? message) : message;
    this.report = [
      `kernel bug: ${message}`,
      ...(task ? describeTask(kernel, task) : ["no task was running"]),
      stack,
    ].join("\n");
  }
}

function describeTask(kernel: Kernel, task: Task): string[] {
  const { cpu } = kernel.engine;
  const call = task.callNumber < 0 ? "none" : (syscallByNumber[task.callNumber]?.name ?? `number ${task.callNumber}`);
  const registers = REGISTER_NAMES.map((name, index) => `${name}=${cpu.u64[index]!.toString(16)}`);
  return [
    `task: ${task.comm}, pids outermost first: ${task.pid.numbers.join(" ")}`,
    `system call: ${call}`,
    `registers: ${registers.slice(0, 8).join(" ")}`,
    `           ${registers.slice(8, 16).join(" ")}`,
    `           ${registers.slice(16).join(" ")}`,
  ];
}
