#!/usr/bin/env node
/**
 * Builds selftests of the Linux kernel, unmodified, and compares their results in the machine with the host's:
 *
 *     node scripts/selftests.mjs [--fast] [--only WORD] [--output]
 *
 * --fast leaves out those that sleep for long, --output shows what they print in the machine. Exit code 1 if a case
 * passes on the host only and is not listed in tests/selftests/known-differences.txt.
 */
import { runTypeScript } from "./run-typescript.mjs";

await runTypeScript("tests/selftests/main.ts");
