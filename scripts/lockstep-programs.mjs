#!/usr/bin/env node
/**
 * Runs real programs on two engines in lockstep and prints a table for docs/status.md:
 *
 *     node scripts/lockstep-programs.mjs [--only WORD] [--engines FIRST,SECOND] [--timeout SECONDS] [--short]
 *
 * --short leaves out what runs for more than a few seconds. A program that is not on this machine is left out, with the
 * reason. Exit code 1 if two engines differ anywhere or a program does not end as it should; the reports go to standard
 * error.
 */
import { runTypeScript } from "./run-typescript.mjs";

await runTypeScript("tests/lockstep/main.ts");
