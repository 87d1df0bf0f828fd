import { type Syscall, syscallByName, syscallClasses, syscalls } from "../../abi/syscalls.ts";

/** Decides by number whether a call is traced. */
export type TraceFilter = (number: number) => boolean;

/**
 * Reads the expression of `-e trace=...` as strace(1) has it: `all`, `none`, or a list of names, `%class`es, numbers
 * and `/regular expressions/` separated by commas; a leading `!` traces everything but the list, a leading `?` makes an
 * unknown name no error. The words `trace=` in front are optional.
 *
 * @throws Error that names what is unknown and what would be close.
 */
export function parseTraceFilter(expression: string): TraceFilter {
  const text = expression.replace(/^trace=/, "").trim();
  const negated = text.startsWith("!");
  const list = negated ? text.slice(1) : text;
  if (list === "") throw new Error(`-e trace=${text}: names no system call; use trace=none to trace none`);
  const chosen = new Set<number>();
  let all = false;
  for (const item of list.split(",")) {
    const word = item.trim();
    if (word === "all") all = true;
    else if (word !== "none") for (const syscall of select(word)) chosen.add(syscall.number);
  }
  return (number) => (all || chosen.has(number)) !== negated;
}

function select(item: string): readonly Pick<Syscall, "number">[] {
  const isOptional = item.startsWith("?");
  const word = isOptional ? item.slice(1) : item;
  if (word.startsWith("%")) return selectClass(word.slice(1));
  if (/^\/.+\/?$/.test(word)) return selectPattern(word.replace(/^\/|\/$/g, ""));
  if (/^[0-9]+$/.test(word)) return [{ number: Number(word) }];
  const found = syscallByName.get(word);
  if (found) return [found];
  if (isOptional) return [];
  throw new Error(`unknown system call ${JSON.stringify(word)}${suggestion(word)}`);
}

function selectClass(word: string): readonly Syscall[] {
  const name = syscallClasses.find((known) => known === (word === "net" ? "network" : word));
  if (name === undefined) {
    const known = syscallClasses.map((each) => `%${each}`).join(" ");
    throw new Error(`unknown class of system calls ${JSON.stringify(`%${word}`)}; known are ${known}`);
  }
  return syscalls.filter((syscall) => syscall.classes.includes(name));
}

function selectPattern(source: string): readonly Syscall[] {
  let pattern: RegExp;
  try {
    pattern = new RegExp(source);
  } catch (error) {
    throw new Error(`/${source}/ is no regular expression: ${(error as Error).message}`, { cause: error });
  }
  const found = syscalls.filter((syscall) => pattern.test(syscall.name));
  if (found.length === 0) throw new Error(`no system call matches /${source}/`);
  return found;
}

/** `; did you mean openat?` if a name is near enough. */
function suggestion(word: string): string {
  if (syscallClasses.some((known) => known === word)) return `; the class is written %${word}`;
  const near = syscalls
    .map(({ name }) => ({ name, distance: editDistance(word, name) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3);
  return near.length > 0 ? `; did you mean ${near.map(({ name }) => name).join(", ")}?` : "";
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
