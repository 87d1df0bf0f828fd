/**
 * What the engine asks of V8 in Node, where nobody else sets it. In browsers nothing happens.
 *
 * Branch hints keep the miss of a TLB out of the hot path (notes/wasm-jit.md, section 2); Chromium has them without
 * asking.
 *
 * V8 11.3 puts moves that all ways into a block have in common into the block, and takes moves from one stack slot for
 * the same although one of them moves 32 bits and the other 64: pointers lost their upper halves in bash. Without this
 * step code is as fast. Generated code also avoids what leads there (`Assembler.extend`).
 */
const FLAGS = ["--experimental-wasm-branch-hinting", "--no-turbo-move-optimization"];
let done = false;

export function setV8Flags(): void {
  if (done) return;
  done = true;
  const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
  for (const flag of FLAGS) v8?.setFlagsFromString(flag);
}
