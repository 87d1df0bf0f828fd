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

/** A list that is asked about cases whose names may have more folders in front than the list has. */
export class KnownFailures {
  private readonly unseen: Map<string, string>;
  private readonly known: ReadonlyMap<string, string>;

  constructor(known: ReadonlyMap<string, string>) {
    this.known = known;
    this.unseen = new Map(known);
  }

  /** The reason listed for a case: the longest name in the list that is the case's own or the end of it after a slash. */
  reasonFor(name: string): string | undefined {
    for (let start = 0; ;) {
      const listed = name.slice(start);
      const reason = this.known.get(listed);
      if (reason !== undefined) {
        this.unseen.delete(listed);
        return reason;
      }
      const slash = listed.indexOf("/");
      if (slash < 0) return undefined;
      start += slash + 1;
    }
  }

  /** Listed names that nobody has asked for, except those of programs that were left out of the run. */
  stale(leftOut: readonly string[]): string[] {
    return [...this.unseen.keys()].filter((name) => !leftOut.some((title) => isOfProgram(name, title)));
  }
}

/** Whether a listed name may be a case of this program, or the program itself. */
function isOfProgram(name: string, title: string): boolean {
  const parts = title.split("/");
  return parts.some((_, start) => `${name}/`.startsWith(`${parts.slice(start).join("/")}/`));
}
