/** For tests: rows of what a processor computed, in text files beside them. */
import { readFileSync } from "node:fs";

/** The lines of a file in this folder, as words. */
export function hardwareRows(name: string): string[][] {
  const text = readFileSync(new URL(name, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

export const hexadecimal = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, "0");

/** Rows by their first word. */
export function rowsByName(rows: readonly string[][]): Map<string, string[][]> {
  const groups = new Map<string, string[][]>();
  for (const row of rows) groups.set(row[0]!, [...(groups.get(row[0]!) ?? []), row]);
  return groups;
}
