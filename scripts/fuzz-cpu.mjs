#!/usr/bin/env node
/**
 * Random instruction sequences on this processor and on an engine, compared (docs/fuzz-cpu.md):
 *
 *     node scripts/fuzz-cpu.mjs [--count 20000] [--seed 1] [--forms REGEXP] [--coverage]
 *
 * Exit code 1 when they differ without a known reason.
 */
import { runTypeScript } from "./run-typescript.mjs";

await runTypeScript("emulator/fuzz/testing/main.ts");
