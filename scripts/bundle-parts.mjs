/**
 * What lies beside the bundle for the wasm engine: a small decoder, and the handlers of common instructions, which the
 * first run of a program then need not make.
 */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import v8 from "node:v8";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { makeDecoder } from "./bundle-decoder.mjs";

const MODELS = ["x86-64-v2", "x86-64-v3"];

/**
 * The parts by file name, a word that stands for their contents, and the sources they were made from.
 *
 * @param esbuild the module
 * @param root the project's folder
 */
export async function makeParts(esbuild, root) {
  const { script, wasm } = await makeDecoder(esbuild, root, "decoder.wasm");
  const files = new Map([
    ["decoder.cjs", script],
    ["decoder.wasm", wasm],
  ]);
  const sources = await addHandlers(esbuild, root, files);
  const hash = createHash("sha256");
  for (const [name, content] of files) hash.update(name).update(content);
  return {
    files,
    word: hash.digest("hex").slice(0, 12),
    inputs: [...sources, "scripts/bundle-parts.mjs", "scripts/bundle-decoder.mjs", "emulator/wasm/decoder-parts.ts"],
  };
}

async function addHandlers(esbuild, root, files) {
  const maker = join(root, `build/handler-maker.${process.pid}.mjs`);
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["emulator/wasm/interpret/common-handlers.ts"],
    outfile: maker,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    metafile: true,
    logLevel: "warning",
  });
  const { putCommonHandlers, putMachineCode } = await import(pathToFileURL(maker));
  rmSync(maker);
  const store = { get: (key) => files.get(key), put: (key, bytes) => files.set(key, bytes) };
  for (const model of MODELS) {
    putCommonHandlers(model, store);
    const undo = optimizeAtOnce();
    putMachineCode(model, store, undo);
  }
  return Object.keys(metafile.inputs);
}

/** Makes V8 optimize WebAssembly when it compiles it; returns what makes it as before: code is kept for the same flags. */
function optimizeAtOnce() {
  for (const flag of ["no-liftoff", "no-wasm-lazy-compilation"]) v8.setFlagsFromString(`--${flag}`);
  return () => {
    for (const flag of ["liftoff", "wasm-lazy-compilation"]) v8.setFlagsFromString(`--${flag}`);
  };
}
