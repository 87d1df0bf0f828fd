/** The list of cases that are known to fail; the reader is shared with `trapgate conformance`. */
export { compareWithKnown, parseKnownFailures, type News } from "../../machine/conformance/known-failures.ts";
