/** `trapgate syscalls [--format table|csv|json]` */
import { writeFully, supportFormats, supportText } from "../machine/node/index.ts";
import { describeOptions, parseArguments, type OptionSpec } from "./arguments.ts";
import { UsageError } from "./usage.ts";

const specs: readonly OptionSpec[] = [
  { name: "format", value: "table|csv|json", help: "how the list is written (default table)" },
];

export const help = `Usage: trapgate syscalls [options]

Lists every system call of x86-64 Linux, and clone2, with how far the kernel supports it.

${describeOptions(specs)}
`;

export function main(words: readonly string[]): number {
  const { given, rest } = parseArguments("trapgate syscalls", specs, words);
  if (rest.length > 0) throw new UsageError(`trapgate syscalls: "${rest[0]}" is one word too many`);
  const wanted = given.get("format")?.at(-1) ?? "table";
  const format = supportFormats.find((name) => name === wanted);
  if (!format) throw new UsageError(`trapgate syscalls: --format must be table, csv or json, not "${wanted}"`);
  writeFully(1, new TextEncoder().encode(supportText(format)));
  return 0;
}
