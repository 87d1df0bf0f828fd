#!/usr/bin/env node
/**
 * Makes bin/trapgate and the bundle it loads (bundle.mjs):
 *
 *     node scripts/build-bundle.mjs [--force]
 *
 * Does nothing when the result is newer than every source and was made by the same Node.
 */
import { bundle, isUpToDate } from "./bundle.mjs";

if (isUpToDate() && !process.argv.includes("--force")) {
  console.log("build-bundle: bin/trapgate is up to date");
} else {
  try {
    const size = await bundle();
    console.log(`build-bundle: built bin/trapgate (${Math.round(size / 1024)} KiB)`);
  } catch (error) {
    console.error(`build-bundle: bin/trapgate could not be built: ${error.message}`);
    process.exit(1);
  }
}
