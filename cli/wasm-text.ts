/** The text form of a WebAssembly module, by the npm package wabt, which is optional. */
import { createRequire } from "node:module";
import type Wabt from "wabt";
import { CommandError, EXIT_FAILURE } from "./usage.ts";

/** What generated code may use. */
const FEATURES = { simd: true, relaxed_simd: true, tail_call: true, threads: true };

/** One instruction a line. @throws CommandError without wabt */
export async function wasmText(module: Uint8Array): Promise<string> {
  const wabt = await loadWabt()();
  const read = wabt.readWasm(module, FEATURES);
  try {
    return read.toText({ foldExprs: false, inlineExport: false });
  } finally {
    read.destroy();
  }
}

function loadWabt(): typeof Wabt {
  try {
    return createRequire(import.meta.url)("wabt") as typeof Wabt;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new CommandError(
      "WebAssembly is written as text by the npm package wabt, which is not installed: run `npm install wabt`",
      EXIT_FAILURE,
    );
  }
}
