/**
 * What the engine asks of V8 in Node, where nobody else sets it: branch hints, which keep the miss of a TLB out of the
 * hot path (notes/wasm-jit.md, section 2). Chromium has them without asking; elsewhere nothing happens.
 */
let done = false;

export function setV8Flags(): void {
  if (done) return;
  done = true;
  const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
  v8?.setFlagsFromString("--experimental-wasm-branch-hinting");
}
