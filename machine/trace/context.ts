import type { Syscall } from "../../abi/syscalls.ts";
import type { GuestReader } from "./guest-reader.ts";

export interface FormatOptions {
  /** How many bytes of a string and elements of an array are shown, `-s N`. */
  readonly stringLimit?: number;
  /** The level of the caller's pid namespace (0: initial), so that clone2's pids can be told apart. */
  readonly namespaceLevel?: number;
  /** The column of the `=`; 0 puts it right after the call. */
  readonly column?: number;
}

/** What it takes to print one argument. */
export interface Context {
  readonly row: Syscall;
  /** The arguments as the kernel decoded them. */
  readonly args: ArrayLike<number>;
  /** The six registers in full, where an address or flag word beyond 2^53 must print exactly. */
  readonly words: BigUint64Array | undefined;
  readonly reader: GuestReader;
  readonly stringLimit: number;
  readonly namespaceLevel: number | undefined;
  /** Undefined on entry; after the call its result, never an error. */
  readonly result: number | undefined;
}

export function argumentIndex(context: Context, name: string): number {
  return context.row.args.findIndex((arg) => arg.name === name);
}

export function argumentValue(context: Context, name: string): number {
  return context.args[argumentIndex(context, name)] ?? 0;
}
