/** The list of cases that are known to fail: `program/case  reason`, one a line. */

/** Case by full name, such as clone2/d-flag-effects/C7.98, with the reason. Throws for a line without a reason. */
export function parseKnownFailures(text: string): Map<string, string> {
  const known = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, reason] = /^(\S+)\s+(\S.*)$/.exec(line) ?? [];
    if (name === undefined || reason === undefined) throw new Error(`line ${index + 1}: "${line}" has no reason`);
    if (known.has(name)) throw new Error(`line ${index + 1}: ${name} is listed twice`);
    known.set(name, reason);
  }
  return known;
}

export interface News {
  /** Cases that fail and are not listed. */
  readonly failures: string[];
  /** Cases that are listed and pass. */
  readonly passes: string[];
}

/** What differs from the list. `outcomes` says for each case by full name whether it has passed. */
export function compareWithKnown(outcomes: ReadonlyMap<string, boolean>, known: ReadonlyMap<string, string>): News {
  const failures: string[] = [];
  const passes: string[] = [];
  for (const [name, passed] of outcomes) {
    if (passed && known.has(name)) passes.push(name);
    if (!passed && !known.has(name)) failures.push(name);
  }
  return { failures, passes };
}
