/** Conformance of a kernel: reading what test programs print, comparing with Linux, and reporting. */
export { judge, detectKind, describeEnding, type Judgement } from "./judge.ts";
export { KINDS, type CaseResult, type Ending, type Kind, type Outcome, type ProgramOutput } from "./result.ts";
export { KnownFailures, parseKnownFailures } from "./known-failures.ts";
export { makeReport, reportProgram } from "./report.ts";
export type { ProgramRun, Report, ReportedCase, ReportedProgram, ReportRules } from "./report.ts";
export { inShard, parseShard, select, sortedByName, type Selection, type Shard } from "./select.ts";
export { formatJson } from "./format-json.ts";
export { formatJunit } from "./format-junit.ts";
export { formatTable } from "./format-table.ts";
export { formatTap } from "./format-tap.ts";
export { programLines, summaryLines } from "./summary.ts";
