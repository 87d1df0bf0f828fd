/**
 * Reads TAP 13 and 14, with subtests, and what the kernel's selftests make of it. A case is named by the identifier in
 * brackets at the end of its sentence ("... with EINVAL [C7.87]"), by its sentence if that is a single word, and else by
 * its number.
 */
import type { CaseResult, Outcome } from "./result.ts";

export type TapCase = CaseResult;

export interface TapReport {
  /** How many cases were planned, 0 without a plan. */
  readonly planned: number;
  /** How many results there are, a subtest with all its cases being one. */
  readonly ran: number;
  readonly cases: readonly TapCase[];
  /** Why the program gave up, if it did. */
  readonly bailOut: string | null;
  /** Why a plan of no cases at all was made. */
  readonly skipAll: string | null;
  /** Whether the program ends with the totals of the kernel's selftests. */
  readonly hasTotals: boolean;
}

interface Draft {
  id: string;
  sentence: string;
  outcome: Outcome;
  details: string;
  /** Comments above and below the result. */
  before: string[];
  after: string[];
  children: Draft[];
}

/** The results of one level: the program's own, or those of a subtest. */
interface Level {
  cases: Draft[];
  /** Results of the subtest whose own result is still to come. */
  pending: Level | null;
  comments: string[];
}

const RESULT = /^(not )?ok\b *(\d*) *(?:- )?(.*?)(?:(?<!\\)# *(skip|todo|xfail|xpass|error)\w*\b:? *(.*))?$/i;
const PLAN = /^1\.\.(\d+)(?:\s*# *skip\w*\b:? *(.*))?/i;
const ID = /^(.*?) *\[([A-Za-z][\w.-]*\.\d+\w*)\]$/;
const TOTALS = /^# Totals: pass:\d/;
const MOST_COMMENTS = 40;

const newLevel = (): Level => ({ cases: [], pending: null, comments: [] });

export function parseTap(text: string): TapReport {
  const top = newLevel();
  let planned = 0;
  let bailOut: string | null = null;
  let skipAll: string | null = null;
  let hasTotals = false;
  let isYaml = false;
  for (const raw of text.split("\n")) {
    const [, indent, line] = /^((?: {4})*)(.*?)\r?$/.exec(raw)!;
    const depth = indent!.length / 4;
    if (isYaml || (depth === 0 && line!.startsWith("  "))) {
      const level = deepest(top);
      if (level.cases.length > 0) isYaml = readBlock(level.cases.at(-1)!, raw.trim(), isYaml);
      continue;
    }
    if (line!.startsWith("  ---")) {
      isYaml = true;
      continue;
    }
    const plan = PLAN.exec(line!);
    const result = RESULT.exec(line!);
    if (plan && depth === 0) {
      planned = Number(plan[1]);
      if (planned === 0) skipAll = plan[2] ?? "";
    } else if (line!.startsWith("Bail out!")) bailOut ??= line!.slice(9).trim();
    else if (result) addResult(levelAt(top, depth), result);
    else if (line!.startsWith("#")) {
      hasTotals ||= depth === 0 && TOTALS.test(line!);
      const { comments } = levelAt(top, depth);
      if (comments.length < MOST_COMMENTS) comments.push(line!.replace(/^#\s?/, ""));
    }
  }
  giveComments(top);
  const { length: ran } = top.cases;
  return { planned, ran, cases: uniqueCases(finish(top.cases, "", hasTotals)), bailOut, skipAll, hasTotals };
}

/** A line of the block below a result; whether the block goes on. */
function readBlock(draft: Draft, line: string, isYaml: boolean): boolean {
  if (line === "---") return true;
  if (line === "...") return false;
  draft.details += `${draft.details === "" ? "" : "\n"}${line}`;
  return isYaml;
}

function deepest(level: Level): Level {
  return level.pending ? deepest(level.pending) : level;
}

function levelAt(level: Level, depth: number): Level {
  return depth === 0 ? level : levelAt((level.pending ??= newLevel()), depth - 1);
}

/** Comments since the last result are below that one and above the next. */
function giveComments(level: Level, next?: Draft): void {
  const { comments, cases } = level;
  if (next) next.before = comments;
  const last = cases.at(-1);
  if (last) last.after = comments;
  level.comments = [];
}

function addResult(level: Level, result: RegExpExecArray): void {
  const [, not, number, description = "", directive, reason = ""] = result;
  const plain = unescape(description.trim());
  const [, sentence = plain, bracketed] = ID.exec(plain) ?? [];
  const isWord = /^[^\s\d][^\s]*$/.test(plain);
  const id = bracketed ?? (isWord ? plain : number || String(level.cases.length + 1));
  const outcome = outcomeOf(not !== undefined, directive?.toLowerCase());
  const draft: Draft = { id, sentence, outcome, details: reason, before: [], after: [], children: [] };
  // The kernel's selftests have the name of the case behind the directive.
  if (sentence === "" && reason !== "") draft.sentence = reason;
  if (level.pending) {
    giveComments(level.pending);
    draft.children = level.pending.cases;
    level.pending = null;
  }
  giveComments(level, draft);
  level.cases.push(draft);
}

function outcomeOf(isNotOk: boolean, directive: string | undefined): Outcome {
  switch (directive) {
    case "skip":
      return "skipped";
    case "todo":
      return isNotOk ? "xfailed" : "xpassed";
    case "xfail":
      return "xfailed";
    case "xpass":
      return "xpassed";
    case "error":
      return "failed";
    default:
      return isNotOk ? "failed" : "passed";
  }
}

function unescape(text: string): string {
  return text.replace(/\\([\\#])/g, "$1");
}

/** A subtest's cases stand for it, unless it failed and none of them did. */
function finish(drafts: readonly Draft[], prefix: string, commentsFirst: boolean): CaseResult[] {
  return drafts.flatMap((draft) => {
    const id = prefix + draft.id;
    const inner = finish(draft.children, `${id}/`, commentsFirst);
    const isExplained = draft.outcome !== "failed" || inner.some(({ outcome }) => outcome === "failed");
    if (inner.length > 0 && isExplained) return inner;
    const comments = draft.outcome === "failed" ? (commentsFirst ? draft.before : draft.after) : [];
    const details = [draft.details, ...comments].filter((line) => line !== "").join("\n");
    return [...inner, { id, sentence: draft.sentence, outcome: draft.outcome, details }];
  });
}

/** Later cases of the same name get a number. */
export function uniqueCases(cases: readonly CaseResult[]): CaseResult[] {
  const counts = new Map<string, number>();
  return cases.map((one) => {
    const count = (counts.get(one.id) ?? 0) + 1;
    counts.set(one.id, count);
    return count === 1 ? one : { ...one, id: `${one.id}#${count}` };
  });
}
