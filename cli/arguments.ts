/**
 * Options as people type them: `--name value`, `--name=value`, `-n value`, `-nvalue`. Reading stops at the first word
 * that is no option, or behind `--`, so that a guest's own arguments are never touched.
 */
import { UsageError } from "./usage.ts";

export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  /** Single letter. */
  readonly short?: string;
  /** What stands for the value in the help text; absent for a switch. */
  readonly value?: string;
  /** May be given more than once. */
  readonly many?: true;
  readonly help: string;
}

/** What was given: every value of an option in order, `""` for a switch. */
export interface ParsedArguments {
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

/**
 * @param anywhere options may also stand behind other words, for verbs without arguments of a guest
 * @throws UsageError
 */
export function parseArguments(
  command: string,
  specs: readonly OptionSpec[],
  words: readonly string[],
  anywhere = false,
): ParsedArguments {
  const given = new Map<string, string[]>();
  const others: string[] = [];
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (word === "-" || !word.startsWith("-")) {
      if (!anywhere) break;
      others.push(word);
      at++;
      continue;
    }
    at++;
    if (word === "--") break;
    const { spec, attached } = findOption(command, specs, word);
    let value = attached;
    if (spec.value === undefined) {
      if (value !== undefined) throw new UsageError(`${command}: option ${optionName(spec)} takes no value`);
    } else if (value === undefined) {
      value = words[at++];
      if (value === undefined)
        throw new UsageError(`${command}: option ${optionName(spec)} needs a value, ${spec.value}`);
    }
    const values = given.get(spec.name) ?? [];
    if (values.length > 0 && !spec.many && spec.value !== undefined) {
      throw new UsageError(`${command}: option ${optionName(spec)} is given twice`);
    }
    given.set(spec.name, [...values, value ?? ""]);
  }
  return { given, rest: [...others, ...words.slice(at)] };
}

function findOption(command: string, specs: readonly OptionSpec[], word: string) {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec) return { spec, attached: equals < 0 ? undefined : word.slice(equals + 1) };
  } else {
    const spec = specs.find((candidate) => candidate.short === word[1]);
    if (spec) return { spec, attached: word.length > 2 ? word.slice(2) : undefined };
  }
  throw new UsageError(`${command}: unknown option ${word.split("=")[0]}; \`${command} --help\` lists the known ones`);
}

function optionName(spec: OptionSpec): string {
  return spec.name.length > 1 ? `--${spec.name}` : `-${spec.name}`;
}

/** The option list of a help text. */
export function describeOptions(specs: readonly OptionSpec[]): string {
  const rows = specs.map((spec) => {
    const short = spec.short === undefined ? "    " : `-${spec.short}, `;
    const long = spec.name.length > 1 ? `--${spec.name}` : "";
    const names = spec.name.length > 1 ? short + long : `-${spec.name}`;
    return { names: spec.value === undefined ? names : `${names} ${spec.value}`, help: spec.help };
  });
  const width = Math.max(...rows.map(({ names }) => names.length)) + 2;
  return rows
    .map(({ names, help }) => `  ${names.padEnd(width)}${help.replaceAll("\n", `\n${" ".repeat(width + 2)}`)}`)
    .join("\n");
}
