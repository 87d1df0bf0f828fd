/** Reads what a conformance program prints; the parser is shared with `trapgate conformance`. */
export { parseTap, type TapCase, type TapReport } from "../../machine/conformance/tap-parser.ts";
