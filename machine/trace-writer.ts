/**
 * Prints what tasks do in the form of strace(1): one line a call; a call during which another task has something to
 * print is cut in two, `<unfinished ...>` and `<... resumed>`.
 */
import { Errno } from "../abi/errno.ts";
import { syscallByName, type Syscall } from "../abi/syscalls.ts";
import { R10, R8, R9, RAX, RDI, RDX, RSI } from "../emulator/registers.ts";
import type { Tracer } from "../kernel/events.ts";
import { readBytes } from "../kernel/mm/user-copy.ts";
import type { SigInfo } from "../kernel/signal/pending.ts";
import { encodeSigInfo } from "../kernel/signal/siginfo-encode.ts";
import { REGISTERS_SET, type Task } from "../kernel/task/task.ts";
import type { TraceFilter } from "./trace/filter.ts";
import {
  DEFAULT_STRING_LIMIT,
  formatEntry,
  formatExit,
  formatResumed,
  formatUnfinished,
  type EntryText,
} from "./trace/format-call.ts";
import { formatEndLine, formatSignalLine } from "./trace/format-event.ts";
import type { GuestReader } from "./trace/guest-reader.ts";
import { formatHex, quote, quoteStart } from "./trace/text.ts";

export interface TraceOptions {
  /** Takes whole lines. */
  readonly write: (text: string) => void;
  /** Which calls are printed. Default: all. */
  readonly filter?: TraceFilter;
  /** Children and threads too, not the first task alone. Default: true. */
  readonly follow?: boolean;
  /** Bytes of a string and elements of an array shown. Default: 32. */
  readonly stringLimit?: number;
  /** The program started, for a first line as if it had been started by execve. */
  readonly start?: { readonly path: string; readonly argv: readonly string[]; readonly variables: number };
}

/** A call that has begun. */
interface OpenCall {
  readonly name: string;
  readonly reader: GuestReader;
  /** Undefined for a number that is in no table; its text is complete but for the result. */
  readonly entry: EntryText | undefined;
  readonly text: string;
  /** Its first half is printed. */
  isCut: boolean;
}

/** Where strace(1) puts the `=`. */
const RESULT_COLUMN = 40;
const EXECVE = syscallByName.get("execve")!.number;
const ARGUMENT_REGISTERS = [RDI, RSI, RDX, R10, R8, R9];

export class TraceWriter implements Tracer {
  private readonly options: TraceOptions;
  private readonly calls = new Map<Task, OpenCall>();
  /** The task whose call was begun last, if that call is neither over nor cut. */
  private current: Task | null = null;
  private first: Task | null = null;
  private alive = 0;
  /** Once there was a second task, lines say whose they are as long as there is more than one. */
  private readonly seen = new Set<Task>();

  constructor(options: TraceOptions) {
    this.options = options;
  }

  callEntered(task: Task, number: number, row: Syscall | undefined, args: Float64Array): void {
    if (!this.follows(task) || !(this.options.filter?.(number) ?? true)) return;
    this.cutCurrent(task);
    const reader = readerOf(task);
    const words = argumentWords(task);
    const options = {
      column: RESULT_COLUMN,
      namespaceLevel: task.namespaces.pidForChildren.level,
      ...(this.options.stringLimit !== undefined && { stringLimit: this.options.stringLimit }),
    };
    const entry = row && formatEntry(row, args, reader, options, words);
    const name = row?.name ?? `syscall_${formatHex(number)}`;
    const text = entry ? "" : `${name}(${Array.from(words, (word) => formatHex(word)).join(", ")})`;
    this.calls.set(task, { name, reader, entry, text, isCut: false });
    this.current = task;
  }

  callLeft(task: Task, _number: number, result: number): void {
    this.finish(task, result === REGISTERS_SET ? valueOfRax(task) : result);
  }

  taskCreated(parent: Task, child: Task): void {
    if (this.follows(parent)) this.follows(child);
  }

  signalTaken(task: Task, info: SigInfo): void {
    if (!this.follows(task)) return;
    const bytes = encodeSigInfo(info);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.print(task, formatSignalLine(view));
  }

  taskEnded(task: Task, status: number): void {
    if (!this.follows(task)) return;
    this.finish(task, undefined);
    this.print(task, formatEndLine(status));
    this.alive--;
    this.seen.delete(task);
  }

  private finish(task: Task, result: number | undefined): void {
    const call = this.calls.get(task);
    if (!call) return;
    this.calls.delete(task);
    if (this.current === task) this.current = null;
    const { entry, reader, text, isCut, name } = call;
    if (entry) this.print(task, isCut ? formatResumed(entry, reader, result) : formatExit(entry, reader, result));
    else
      this.print(
        task,
        `${isCut ? `<... ${name} resumed>)` : text} = ${result === undefined ? "?" : describeResult(result)}`,
      );
  }

  /** Another task is about to print. */
  private cutCurrent(other: Task): void {
    const { current } = this;
    if (current === null || current === other) return;
    this.current = null;
    const call = this.calls.get(current);
    if (!call) return;
    call.isCut = true;
    this.print(current, call.entry ? formatUnfinished(call.entry) : `${call.text.slice(0, -1)} <unfinished ...>`);
  }

  private print(task: Task, text: string): void {
    this.cutCurrent(task);
    const prefix = this.alive > 1 ? `[pid ${task.pid.global}] ` : "";
    this.options.write(`${prefix}${text}\n`);
  }

  private printStart(): void {
    const { start, filter, stringLimit = DEFAULT_STRING_LIMIT, write } = this.options;
    if (!start || !(filter?.(EXECVE) ?? true)) return;
    const encoder = new TextEncoder();
    const text = (word: string): string => quoteStart(encoder.encode(word), stringLimit, true);
    const argv = start.argv.slice(0, stringLimit).map(text);
    if (argv.length < start.argv.length) argv.push("...");
    const call = `execve(${quote(encoder.encode(start.path))}, [${argv.join(", ")}], [/* ${start.variables} vars */])`;
    write(`${call.padEnd(RESULT_COLUMN - 1)} = 0\n`);
  }

  private follows(task: Task): boolean {
    if (this.first === null) {
      this.first = task;
      this.printStart();
    }
    if (task !== this.first && this.options.follow === false) return false;
    if (!this.seen.has(task)) {
      this.seen.add(task);
      this.alive++;
    }
    return true;
  }
}

/** A task's memory as it is at the moment of reading: exec exchanges it during a call. */
function readerOf(task: Task): GuestReader {
  return {
    read(address, length) {
      if (!task.mm) return undefined;
      try {
        return readBytes(task.mm, address, length);
      } catch (error) {
        if (error instanceof Errno) return undefined;
        throw error;
      }
    },
  };
}

function argumentWords(task: Task): BigUint64Array {
  const { cpu } = task.kernel.engine;
  return BigUint64Array.from(ARGUMENT_REGISTERS, (register) => cpu.u64[register]!);
}

/** What rt_sigreturn or execve have put into RAX themselves. */
function valueOfRax(task: Task): number {
  return Number(BigInt.asIntN(64, task.kernel.engine.cpu.u64[RAX]!));
}

function describeResult(result: number): string {
  return result < 0 ? `-1 (errno ${-result})` : String(result);
}
