#!/usr/bin/env node
/**
 * The command `trapgate` behind `npm ci`, where there is no make: bin/trapgate, which is built first if it is not there
 * or older than the sources.
 *
 *     npx trapgate run PROGRAM
 */
import { createRequire } from "node:module";
import { bundle, isUpToDate, loader } from "./bundle.mjs";

const EXIT_FAILURE = 125;

if (!isUpToDate()) {
  try {
    await bundle();
  } catch (error) {
    console.error(`trapgate: the bundle bin/trapgate could not be built: ${error.message}`);
    process.exit(EXIT_FAILURE);
  }
}
createRequire(import.meta.url)(loader);
