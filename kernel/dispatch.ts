/**
 * From a stop at SYSCALL to a handler and back: arguments are decoded by the row of the table, a thrown errno becomes
 * the negative result, and anything else that is thrown is our bug and stops the machine.
 */
import { ENOSYS, Errno } from "../abi/errno.ts";
import { decodeClass, syscallByName, syscallByNumber, type Syscall, type SyscallName } from "../abi/syscalls.ts";
import type { CpuState } from "../emulator/registers.ts";
import { R10, R8, R9, RDI, RDX, RSI } from "../emulator/registers.ts";
import type { Task } from "./task/task.ts";

/** A handler takes its task and up to six decoded arguments, and returns the result, BLOCKED or REGISTERS_SET. */
export type HandlerFunction = (task: Task, ...args: number[]) => number;

type Run = (task: Task, a: number, b: number, c: number, d: number, e: number, f: number) => number;

export interface Handler {
  readonly row: Syscall;
  readonly run: HandlerFunction;
}

export type SupportStatus = "full" | "partial" | "absent";

export interface Support {
  readonly status: SupportStatus;
  readonly note?: string;
}

/** Ties a function to its row in the table. */
export function handler(name: SyscallName, run: HandlerFunction): Handler {
  return { row: syscallByName.get(name)!, run };
}

export interface TableEntry extends Support {
  readonly handler: Handler;
}

export const full = (handler: Handler): TableEntry => ({ handler, status: "full" });
export const partial = (handler: Handler, note: string): TableEntry => ({ handler, status: "partial", note });

const ARGUMENT_REGISTERS = [RDI, RSI, RDX, R10, R8, R9];
const TWO_32 = 4294967296;

type Decode = "i32" | "u32" | "u64" | "i64";

/** The handlers of one machine by number, ready to be called. */
export class Dispatcher {
  private readonly runs: (Run | undefined)[] = [];
  private readonly decodes: (readonly Decode[])[] = [];
  /** Arguments of the call decoded last. */
  readonly args = new Float64Array(6);

  constructor(entries: readonly TableEntry[]) {
    for (const { handler } of entries) {
      this.runs[handler.row.number] = handler.run;
      this.decodes[handler.row.number] = handler.row.args.map((arg) => decodeClass(arg.kind));
    }
  }

  has(number: number): boolean {
    return this.runs[number] !== undefined;
  }

  row(number: number): Syscall | undefined {
    return syscallByNumber[number];
  }

  /** Decodes the arguments of any call in the table into `args`, for a tracer. */
  decode(number: number, cpu: CpuState): void {
    const row = syscallByNumber[number];
    for (let index = 0; index < 6; index++) {
      const arg = row?.args[index];
      this.args[index] = decodeArgument(cpu, ARGUMENT_REGISTERS[index]! * 2, arg ? decodeClass(arg.kind) : "u64");
    }
  }

  /** Runs a call with the arguments in `cpu`; the result for RAX, or BLOCKED, or REGISTERS_SET. */
  call(task: Task, number: number, cpu: CpuState): number {
    const run = this.runs[number];
    if (run === undefined) return -ENOSYS.number;
    const { args } = this;
    const decode = this.decodes[number]!;
    for (let index = 0; index < decode.length; index++) {
      args[index] = decodeArgument(cpu, ARGUMENT_REGISTERS[index]! * 2, decode[index]!);
    }
    try {
      return run(task, args[0]!, args[1]!, args[2]!, args[3]!, args[4]!, args[5]!);
    } catch (error) {
      if (error instanceof Errno) return -error.number;
      throw error;
    }
  }
}

/** An argument register as a number; 64-bit values beyond 2^53 are rounded, which no range check minds. */
function decodeArgument(cpu: CpuState, word: number, decode: Decode): number {
  const low = cpu.u32[word]!;
  switch (decode) {
    case "i32":
      return low | 0;
    case "u32":
      return low;
    case "u64":
      return cpu.u32[word + 1]! * TWO_32 + low;
    case "i64":
      return (cpu.u32[word + 1]! | 0) * TWO_32 + low;
  }
}
