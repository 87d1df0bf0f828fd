/** What scripts/bench-browser.mjs needs of this folder. */
export { launch, missing } from "./chromium.ts";
export { runContract } from "./contract-report.ts";
export { openSite, runInPage, unbuilt } from "./site.ts";
