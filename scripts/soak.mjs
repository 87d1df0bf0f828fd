#!/usr/bin/env node
/**
 * Runs mixed programs over and over in one machine on the wasm engine and watches for growth (docs/soak.md):
 *
 *     node scripts/soak.mjs [--minutes 60] [--memory 512] [--hot-runs N] [--only WORD] [--sample-seconds 60]
 *
 * Prints a row a minute. Exit code 1 for a wrong output, for a machine that ends before its time, and for growth above
 * the bounds of tests/soak/growth.ts.
 */
import { runTypeScript } from "./run-typescript.mjs";

await runTypeScript("tests/soak/main.ts");
