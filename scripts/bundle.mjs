/**
 * The command line as a bundle: cli/main.ts and all it imports become bin/trapgate.cjs, with V8's compiled form beside
 * it; bin/trapgate is the small script that loads both.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, "bin/trapgate.cjs");
const cache = join(root, "bin/trapgate.cache");
/** What runs the bundle. */
export const loader = join(root, "bin/trapgate");
const record = join(root, "build/bundle.json");

/** Loads the bundle with its code cache, or without where the cache is of another Node. */
const loaderSource = `#!/usr/bin/env node
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const vm = require("node:vm");
const filename = __dirname + "/trapgate.cjs";
let cachedData;
try { cachedData = readFileSync(__dirname + "/trapgate.cache"); } catch {}
const script = new vm.Script(
  "(function (exports, require, module, __filename, __dirname) {" + readFileSync(filename, "latin1") + "\\n})",
  { filename, cachedData },
);
const loaded = { exports: {} };
script.runInThisContext()(loaded.exports, require, loaded, filename, __dirname);
if (process.env.TRAPGATE_WRITE_CACHE) {
  process.on("exit", () => writeFileSync(process.env.TRAPGATE_WRITE_CACHE, script.createCachedData()));
}
`;

/** Whether the bundle is newer than every source and was made by this Node. */
export function isUpToDate() {
  if (![output, cache, loader, record].every((path) => existsSync(path))) return false;
  const { node, inputs } = JSON.parse(readFileSync(record, "utf8"));
  if (node !== process.version) return false;
  const built = statSync(output).mtimeMs;
  return inputs.every((path) => existsSync(join(root, path)) && statSync(join(root, path)).mtimeMs <= built);
}

/** Runs the bundle on the simplest guest there is, so that the cache holds the functions that every run needs. */
function writeCache() {
  const hello = join(root, "build/guests/hello");
  const unfinished = `${cache}.${process.pid}`;
  const args = existsSync(hello) ? ["run", hello] : ["--version"];
  const env = { ...process.env, TRAPGATE_WRITE_CACHE: unfinished };
  spawnSync(process.execPath, [loader, ...args], { env, stdio: "ignore" });
  if (!existsSync(unfinished)) throw new Error("the bundle does not run");
  renameSync(unfinished, cache);
}

async function loadEsbuild() {
  try {
    return await import("esbuild");
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error("esbuild is not installed; `npm ci` without --omit=dev installs it", { cause: error });
  }
}

/** Makes the bundle; its size in bytes. Two may do so at the same time. */
export async function bundle() {
  const { build } = await loadEsbuild();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  mkdirSync(dirname(output), { recursive: true });
  mkdirSync(dirname(record), { recursive: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["cli/main.ts"],
    outfile: output,
    write: false,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // The loader's vm.Script has no import(): it becomes require().
    supported: { "dynamic-import": false },
    // Names stay: they are in stack traces and error messages.
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "ascii",
    metafile: true,
    legalComments: "none",
    define: { TRAPGATE_VERSION: JSON.stringify(version), "import.meta.url": "moduleUrl" },
    banner: { js: `const moduleUrl = "file://" + encodeURI(__filename);` },
    logLevel: "warning",
  });
  const [{ contents }] = result.outputFiles;
  replaceFile(output, contents);
  replaceFile(loader, loaderSource, 0o755);
  // Whatever Node makes of a file without a suffix in a module package, here it is a script.
  replaceFile(join(root, "bin/package.json"), `{ "type": "commonjs" }\n`);
  writeCache();
  const inputs = [...Object.keys(result.metafile.inputs), "scripts/bundle.mjs", "package.json"];
  replaceFile(record, JSON.stringify({ node: process.version, inputs }));
  return contents.length;
}

/** Nobody ever sees half a file. */
function replaceFile(path, contents, mode = 0o644) {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents, { mode });
  renameSync(unfinished, path);
}
