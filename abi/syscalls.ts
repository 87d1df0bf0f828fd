import type { Arg } from "./syscalls/kinds.ts";
import { rows0 } from "./syscalls/rows-0.ts";
import { rows100 } from "./syscalls/rows-100.ts";
import { rows200 } from "./syscalls/rows-200.ts";
import { rows300 } from "./syscalls/rows-300.ts";
import type { Syscall } from "./syscalls/row.ts";

export { decodeClass, isPointer } from "./syscalls/kinds.ts";
export type * from "./syscalls/kinds.ts";
export { syscallClasses } from "./syscalls/row.ts";
export type { Syscall, SyscallClass } from "./syscalls/row.ts";

const rows = [...rows0, ...rows100, ...rows200, ...rows300] as const;

/** The type of each row, names and argument kinds included. */
export type SyscallRow = (typeof rows)[number];
/** Every call's name as a literal type. */
export type SyscallName = SyscallRow["name"];
/** The row of one call: `RowOf<"pipe2">`. */
export type RowOf<Name extends SyscallName> = Extract<SyscallRow, { name: Name }>;
/** The argument descriptors of one call by argument name: `ArgsOf<"pipe2">["flags"]`. */
export type ArgsOf<Name extends SyscallName> = {
  readonly [A in Extract<RowOf<Name>["args"][number], Arg> as A["name"]]: A;
};

/** All system calls of x86-64 in ascending order of their numbers, clone2 last. */
export const syscalls: readonly Syscall<SyscallName>[] = rows;

/** A sparse array: `syscallByNumber[2]` is open, an unassigned number gives undefined. */
export const syscallByNumber: readonly (Syscall<SyscallName> | undefined)[] = byNumber();
export const syscallByName: ReadonlyMap<string, Syscall<SyscallName>> = new Map(
  syscalls.map((syscall) => [syscall.name, syscall]),
);

function byNumber(): (Syscall<SyscallName> | undefined)[] {
  const table: (Syscall<SyscallName> | undefined)[] = [];
  for (const syscall of syscalls) table[syscall.number] = syscall;
  return table;
}
