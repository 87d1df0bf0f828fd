/** How far each system call is supported, for people: the rows of abi/ with the marks of kernel/syscalls/table.ts. */
import { syscalls } from "../abi/syscalls.ts";
import { syscallTable } from "../kernel/syscalls/table.ts";
import { formatSupport, type Support, type SupportFormat } from "./syscalls-table.ts";

export function supportText(format: SupportFormat): string {
  const support = new Map<number, Support>();
  for (const { handler, status, note } of syscallTable) {
    support.set(handler.row.number, { status, ...(note !== undefined && { note }) });
  }
  return formatSupport(syscalls, support, format);
}

export const supportFormats = ["table", "csv", "json"] as const satisfies readonly SupportFormat[];
