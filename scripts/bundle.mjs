/**
 * The command line as a bundle: cli/main.ts and all it imports become bin/trapgate.cjs, with V8's compiled form beside
 * it; bin/trapgate is the small script that loads both.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeParts } from "./bundle-parts.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "bin");
const output = join(bin, "trapgate.cjs");
const cache = join(bin, "trapgate.cache");
/** What runs the bundle. */
export const loader = join(bin, "trapgate");
const record = join(root, "build/bundle.json");

/** Loads the bundle with its code cache, or without where the cache is of another Node. */
const loaderSource = `#!/usr/bin/env node
"use strict";
const { readFileSync } = require("node:fs");
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
if (process.env.TRAPGATE_WRITE_CACHE) require("./write-cache.cjs")(script, process.env.TRAPGATE_WRITE_CACHE);
`;

/**
 * Writes the compiled form of all that has run. V8 takes it back only under the flags it was made with, so those that
 * the engine sets while it runs (emulator/wasm/v8-flags.ts) are taken back.
 */
const cacheWriterSource = `"use strict";
const v8 = require("node:v8");
module.exports = (script, path) => {
  v8.setFlagsFromString("--no-flush-bytecode");
  process.on("exit", () => {
    for (const flag of ["flush-bytecode", "no-experimental-wasm-branch-hinting", "turbo-move-optimization", "no-allow-natives-syntax"]) v8.setFlagsFromString("--" + flag);
    require("node:fs").writeFileSync(path, script.createCachedData());
  });
};
`;

/** Whether the bundle is newer than every source and was made by this Node. */
export function isUpToDate() {
  if (![output, cache, loader, record].every((path) => existsSync(path))) return false;
  const { node, inputs, parts } = JSON.parse(readFileSync(record, "utf8"));
  if (node !== process.version || !existsSync(partsFolder(parts))) return false;
  const built = statSync(output).mtimeMs;
  return inputs.every((path) => existsSync(join(root, path)) && statSync(join(root, path)).mtimeMs <= built);
}

/**
 * Runs the bundle on the simplest guest there is, so that the cache holds the functions that every run needs: on each
 * engine, and on one that finds translations. Every run adds to the cache of those before.
 */
function writeCache() {
  const hello = join(root, "build/guests/hello");
  const unfinished = `${cache}.${process.pid}`;
  const translations = `${cache}.translations.${process.pid}`;
  const wasm = ["run", "--engine=wasm", `--translations=${translations}`, hello];
  const runs = existsSync(hello) ? [["run", hello], wasm, wasm] : [["--version"]];
  const env = { ...process.env, TRAPGATE_WRITE_CACHE: unfinished };
  for (const args of runs) {
    spawnSync(process.execPath, [loader, ...args], { env, stdio: "ignore" });
    if (!existsSync(unfinished)) throw new Error("the bundle does not run");
    renameSync(unfinished, cache);
  }
  rmSync(translations, { recursive: true, force: true });
}

const partsFolder = (word) => join(bin, `parts-${word}`);

/** The parts have a folder of their own for each bundle, so that none meets those of another. */
function writeParts({ files, word }) {
  mkdirSync(partsFolder(word), { recursive: true });
  for (const [name, content] of files) replaceFile(join(partsFolder(word), name), content);
}

/** Machines that run may still ask for the parts of their bundle. */
const PARTS_KEPT_MS = 24 * 3600 * 1000;

function removeOldParts({ word }) {
  for (const folder of readdirSync(bin).filter((name) => name.startsWith("parts-"))) {
    const path = join(bin, folder);
    if (path === partsFolder(word) || Date.now() - statSync(path).mtimeMs < PARTS_KEPT_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
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
  const esbuild = await loadEsbuild();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  mkdirSync(dirname(output), { recursive: true });
  mkdirSync(dirname(record), { recursive: true });
  const parts = await makeParts(esbuild, root);
  const result = await esbuild.build({
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
    define: {
      TRAPGATE_VERSION: JSON.stringify(version),
      TRAPGATE_PARTS: JSON.stringify(`./parts-${parts.word}`),
      "import.meta.url": "moduleUrl",
    },
    banner: { js: `const moduleUrl = "file://" + encodeURI(__filename);` },
    logLevel: "warning",
  });
  const [{ contents }] = result.outputFiles;
  writeParts(parts);
  rmSync(cache, { force: true });
  replaceFile(output, contents);
  replaceFile(loader, loaderSource, 0o755);
  replaceFile(join(bin, "write-cache.cjs"), cacheWriterSource);
  // Whatever Node makes of a file without a suffix in a module package, here it is a script.
  replaceFile(join(bin, "package.json"), `{ "type": "commonjs" }\n`);
  writeCache();
  removeOldParts(parts);
  const others = [...parts.inputs, "scripts/bundle.mjs", "package.json", "package-lock.json"];
  const inputs = [...new Set([...Object.keys(result.metafile.inputs), ...others])];
  replaceFile(record, JSON.stringify({ node: process.version, inputs, parts: parts.word }));
  return contents.length;
}

/** Nobody ever sees half a file. */
function replaceFile(path, contents, mode = 0o644) {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents, { mode });
  renameSync(unfinished, path);
}
