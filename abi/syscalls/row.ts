import type { Arg, ResultKind } from "./kinds.ts";

/** Groups of calls as `-e trace=%class` names them; strace(1). */
export const syscallClasses = [
  "file",
  "desc",
  "memory",
  "process",
  "signal",
  "ipc",
  "network",
  "creds",
  "clock",
  "pure",
] as const;
export type SyscallClass = (typeof syscallClasses)[number];

/** One system call: everything that dispatch, traces, docs and tests need to know about its interface. */
export interface Syscall<Name extends string = string, Args extends readonly Arg[] = readonly Arg[]> {
  readonly number: number;
  readonly name: Name;
  readonly args: Args;
  readonly classes: readonly SyscallClass[];
  readonly result: ResultKind;
  readonly page: string;
}

export function row<const Name extends string, const Args extends readonly Arg[]>(
  number: number,
  name: Name,
  args: Args,
  classes: readonly SyscallClass[] = [],
  result: ResultKind = "zero",
  page = `${name}(2)`,
): Syscall<Name, Args> {
  return { number, name, args, classes, result, page };
}
