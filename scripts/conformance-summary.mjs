#!/usr/bin/env node
/**
 * Runs the conformance programs of clone2 and clone3 and prints the cases that do not pass and, for each list of the
 * specification, how many do:
 *
 *     node scripts/conformance-summary.mjs
 *
 * Exit code 1 if anything differs from tests/conformance/known-failures.txt.
 */
import { build } from "esbuild";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
if (!existsSync(join(root, "build/guests/conformance"))) {
  console.error('conformance-summary: the programs are not built; run "make guests" first');
  process.exit(2);
}
const outfile = join(root, "build/tests/conformance/summary.mjs");
await build({
  absWorkingDir: root,
  entryPoints: ["tests/conformance/summary.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // Files are found from where the sources are.
  define: { "import.meta.dirname": JSON.stringify(join(root, "tests/conformance")) },
  logLevel: "warning",
});
await import(pathToFileURL(outfile).href);
