/** A report as JSON, with everything that is known of each run. */
import type { Report } from "./report.ts";

/** Changes when a reader of the JSON would have to. */
const FORMAT_VERSION = 1;

export function formatJson(report: Report): string {
  return `${JSON.stringify({ format: "trapgate-conformance", version: FORMAT_VERSION, ...report }, null, 2)}\n`;
}
