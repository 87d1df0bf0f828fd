/** Reads the lists of invocations that are compared with native runs; the format is described in busybox.list. */

export interface Rewrite {
  readonly pattern: RegExp;
  readonly text: string;
}

export interface Case {
  readonly name: string;
  readonly script: string;
  readonly rewrites: readonly Rewrite[];
}

export interface Group {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** @throws Error naming the line that makes no sense */
export function parseCaseList(text: string): Group[] {
  const groups: { name: string; cases: { name: string; script: string; rewrites: Rewrite[] }[] }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const cases = groups.at(-1)?.cases;
    const current = cases?.at(-1);
    const mark = line.slice(0, 2);
    if (mark === "= ") groups.push({ name: line.slice(2), cases: [] });
    else if (mark === "- " && cases) cases.push({ name: line.slice(2), script: "", rewrites: [] });
    else if (mark === "~ " && current) current.rewrites.push(parseRewrite(line, index + 1));
    else if (current) current.script += line === "" ? "" : `${line}\n`;
    else if (line !== "" && !line.startsWith("#")) throw new Error(`line ${index + 1} is outside of a case: ${line}`);
  }
  return groups;
}

function parseRewrite(line: string, number: number): Rewrite {
  const match = /^~ \/(.+)\/(.*)\/([a-z]*) because ./.exec(line);
  if (!match) throw new Error(`line ${number} must be "~ /REGEX/TEXT/ because REASON": ${line}`);
  return { pattern: new RegExp(match[1]!, `g${match[3]!}`), text: match[2]! };
}
