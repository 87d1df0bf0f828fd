/** The table of docs/status.md: cases, passes and agreement with Linux for each folder. */
import { countCases, percent, type Counts, type Report, type ReportedProgram } from "./report.ts";
import { sortedByName } from "./select.ts";

export function formatTable(report: Report): string {
  const folders = byFolder(report.programs);
  const rows = sortedByName([...folders], ([folder]) => folder).map(([folder, programs]) =>
    row(`\`${folder}\``, programs, report.isCompared),
  );
  const heads = ["Folder", "Programs", "Cases", "Passed", "Skipped", ...(report.isCompared ? COMPARED_HEADS : [])];
  const all = [heads, ...rows, ...(rows.length > 1 ? [row("all", report.programs, report.isCompared)] : [])];
  const widths = heads.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return `${[line(heads), rule, ...all.slice(1).map(line)].join("\n")}\n`;
}

const COMPARED_HEADS = ["Compared with Linux", "Same", "Agreement"];

function byFolder(programs: readonly ReportedProgram[]): Map<string, ReportedProgram[]> {
  const folders = new Map<string, ReportedProgram[]>();
  for (const program of programs) {
    const folder = folderOf(program.title);
    folders.set(folder, [...(folders.get(folder) ?? []), program]);
  }
  return folders;
}

function folderOf(title: string): string {
  const slash = title.lastIndexOf("/");
  return slash < 0 ? "." : title.slice(0, slash);
}

function row(name: string, programs: readonly ReportedProgram[], isCompared: boolean): string[] {
  const counts: Counts = countCases(programs.flatMap(({ cases }) => cases));
  const { cases, passed, skipped, compared, agreeing } = counts;
  const comparison = isCompared ? [compared, agreeing, percent(agreeing, compared)] : [];
  return [name, programs.length, cases, passed, skipped, ...comparison].map(String);
}
