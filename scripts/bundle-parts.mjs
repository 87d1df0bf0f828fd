/**
 * What lies beside the bundle for the wasm engine: a small decoder, and the handlers of common instructions, which the
 * first run of a program then need not make.
 */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
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
  const { putCommonHandlers } = await import(pathToFileURL(maker));
  rmSync(maker);
  const store = { get: () => undefined, put: (key, bytes) => files.set(key, bytes) };
  for (const model of MODELS) putCommonHandlers(model, store);
  return Object.keys(metafile.inputs);
}
