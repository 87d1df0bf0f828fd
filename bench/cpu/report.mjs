/** The tables of `make bench-cpu`, in markdown. */
import { median } from "../turns.mjs";

/** What is wanted of the wasm engine: the geometric mean of a group against a system. */
const GOALS = [
  { group: "start-up", system: "unicorn", most: 1.3 },
  { group: "kernels", system: "native", most: 2 },
  { group: "kernels", system: "qemu-user", most: 0.6 },
  { group: "programs", system: "qemu-user", most: 1 },
];
const UNITS = {
  "start-up": { name: "ms", ns: 1e6 },
  kernels: { name: "ms", ns: 1e6 },
  programs: { name: "s", ns: 1e9 },
};

const digits = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3);
const geomean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** The median time of a row on a system (ns); undefined when there is none. */
function timeOf(row, system, cells) {
  const { samples = [], problem } = cells.get(row)?.get(system) ?? {};
  return problem || samples.length === 0 ? undefined : median(samples.map(({ ns }) => ns));
}

function cellText(row, system, cells, limit) {
  const cell = cells.get(row)?.get(system);
  if (!cell) return "-";
  if (cell.problem) return cell.isWrong ? "wrong" : "failed";
  if (cell.isLate) return `> ${limit} s`;
  const ns = timeOf(row, system, cells);
  return ns === undefined ? "-" : digits(ns / UNITS[row.group].ns);
}

function ratio(row, subject, other, cells) {
  const [ours, theirs] = [timeOf(row, subject, cells), timeOf(row, other, cells)];
  return ours !== undefined && theirs !== undefined ? ours / theirs : undefined;
}

const ratiosOf = (rows, subject, other, cells) =>
  rows.map((row) => ratio(row, subject, other, cells)).filter((value) => value !== undefined);

function groupTable(group, { rows, systems, subject, cells, limit }) {
  const mine = rows.filter((row) => row.group === group && !row.missing);
  if (mine.length === 0) return [];
  const others = systems.filter((system) => system !== subject);
  const names = [...systems.map((system) => `${system}, ${UNITS[group].name}`), ...others.map((name) => `to ${name}`)];
  const lines = [`| ${group} | ${names.join(" | ")} |`, `| --- | ${names.map(() => "---: |").join(" ")}`];
  const times = (value) => (value === undefined ? "-" : `${digits(value)}x`);
  for (const row of mine) {
    const cellsOfRow = systems.map((system) => cellText(row, system, cells, limit));
    const ratios = others.map((other) => times(ratio(row, subject, other, cells)));
    lines.push(`| ${row.what ? `${row.name}: ${row.what}` : row.name} | ${[...cellsOfRow, ...ratios].join(" | ")} |`);
  }
  const meanLine = (title, some) => {
    const means = others.map((other) => {
      const values = ratiosOf(some, subject, other, cells);
      return values.length > 0 ? `**${digits(geomean(values))}x** of ${values.length}` : "-";
    });
    return `| **${title}** | ${[...systems.map(() => ""), ...means].join(" | ")} |`;
  };
  if (others.length > 0 && mine.length > 1) lines.push(meanLine("geometric mean", mine));
  // The other emulators are so slow on floats and packed bytes that these few rows would decide the mean.
  const scalar = mine.filter(({ isVector }) => !isVector);
  if (others.length > 0 && scalar.length > 1 && scalar.length < mine.length)
    lines.push(meanLine("without floats and packed", scalar));
  return [...lines, ""];
}

function goalLines({ rows, subject, cells }) {
  if (subject !== "wasm") return [];
  return GOALS.flatMap(({ group, system, most }) => {
    const mine = rows.filter((row) => row.group === group && !row.missing);
    const values = ratiosOf(mine, subject, system, cells);
    if (values.length === 0) return [];
    const mean = geomean(values);
    const without = mine.length - values.length;
    const rest = without > 0 ? `, ${without} of ${mine.length} rows without a ratio` : "";
    // A mean without the rows that our engine cannot do, or not in time, proves nothing.
    const isWhole = mine.every((row) => timeOf(row, subject, cells) !== undefined);
    const verdict = mean > most ? "missed" : isWhole ? "reached" : "not shown, as rows fail or take too long";
    return [`- ${group} to ${system}: ${digits(mean)}x, goal ${most}x: ${verdict}${rest}`];
  });
}

function remarks({ rows, systems, cells }) {
  const lines = [];
  for (const row of rows) {
    if (row.hadNoTime) lines.push(`- ${row.name} was not run: the time was over.`);
    if (row.missing) lines.push(`- ${row.name} is left out: ${row.missing}.`);
    for (const [system, why] of Object.entries(row.lacks ?? {}))
      if (systems.includes(system)) lines.push(`- ${row.name} is not run on ${system}: ${why}.`);
    for (const [system, { problem }] of cells.get(row) ?? [])
      if (problem) lines.push(`- ${row.name} on ${system}: ${problem}`);
  }
  return lines;
}

/** The system whose times are divided by those of the others. */
export function subjectOf(systems) {
  return ["wasm", "unicorn", "qemu-user"].find((name) => systems.includes(name)) ?? systems[0];
}

/** @param outcome rows, names of systems, and for each row a map from system to { samples, problem, isWrong, isLate } */
export function report(outcome) {
  const whole = { ...outcome, subject: subjectOf(outcome.systems) };
  const tables = ["start-up", "kernels", "programs"].flatMap((group) => groupTable(group, whole));
  const notes = [goalLines(whole), remarks(whole)].filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return [tables.join("\n").trimEnd(), ...notes].join("\n\n");
}
