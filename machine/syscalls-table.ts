import type { Syscall } from "../abi/syscalls.ts";

export type SupportStatus = "full" | "partial" | "absent";

export interface Support {
  readonly status: SupportStatus;
  readonly note?: string;
}

export type SupportFormat = "table" | "csv" | "json";

/**
 * The list behind `trapgate syscalls`: every call of the table with how far the kernel goes. A call that `support` does
 * not mention is absent, which for a guest is ENOSYS.
 */
export function formatSupport(
  rows: readonly Syscall[],
  support: ReadonlyMap<number, Support>,
  format: SupportFormat,
): string {
  const lines = rows.map((row) => describe(row, support.get(row.number) ?? { status: "absent" }));
  switch (format) {
    case "json":
      return `${JSON.stringify(lines, undefined, 2)}\n`;
    case "csv":
      return [columns, ...lines.map(cells)].map((line) => `${line.map(csvCell).join(",")}\n`).join("");
    case "table":
      return formatTable(lines);
  }
}

interface Line {
  readonly number: number;
  readonly name: string;
  readonly status: SupportStatus;
  readonly classes: readonly string[];
  readonly page: string;
  readonly note: string;
}

const columns = ["number", "name", "status", "classes", "page", "note"];

function describe(row: Syscall, support: Support): Line {
  const { number, name, classes, page } = row;
  return { number, name, status: support.status, classes, page, note: support.note ?? "" };
}

function cells(line: Line): string[] {
  return [String(line.number), line.name, line.status, line.classes.join(" "), line.page, line.note];
}

/** RFC 4180: quotes around what holds a comma, a quote or a line break. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function formatTable(lines: readonly Line[]): string {
  const rows = [columns, ...lines.map(cells)];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const body = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const count = (status: SupportStatus) => lines.filter((line) => line.status === status).length;
  const total = `${lines.length} system calls: ${count("full")} full, ${count("partial")} partial, ${count("absent")} absent`;
  return [...body, "", total, ""].join("\n");
}
