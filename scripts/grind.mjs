#!/usr/bin/env node
/**
 * Random process-related system calls with hostile arguments from many tasks, in a machine of their own:
 *
 *     node scripts/grind.mjs [--calls 1000000] [--seed 1] [--tallies]
 *
 * Exit code 1 for a kernel report, or if the kernel holds anything afterwards that it did not hold before. --tallies
 * prints how often each call was made and did something.
 */
import { runTypeScript } from "./run-typescript.mjs";

await runTypeScript("tests/grinder/main.ts");
