/**
 * Whether f32x4.relaxed_madd and f64x2.relaxed_madd are there and round once: with relaxed SIMD on a processor that has
 * the instruction (WebAssembly relaxed SIMD proposal). V8 11.3, of Node 20, wants a flag for it.
 */
import { Assembler, F64 } from "../emit/assembler.ts";
import { ModuleWriter } from "../emit/module-writer.ts";
import { Relaxed, simd, V, W } from "../emit/opcodes.ts";

let answer: boolean | undefined;

/** Asked once: a small module tries it out. */
export function hostFuses(): boolean {
  answer ??= measure() ?? (allowRelaxedSimd() && measure() === true);
  return answer;
}

/** Undefined: this V8 does not know the instructions. */
function measure(): boolean | undefined {
  const module = new ModuleWriter();
  for (const [name, opcode, narrow] of [
    ["doubles", Relaxed.f64x2_madd, false],
    ["singles", Relaxed.f32x4_madd, true],
  ] as const) {
    const e = new Assembler(3);
    for (const operand of [0, 1, 2]) {
      e.get(operand);
      if (narrow) e.op(W.f32_demote_f64, V.f32x4_splat);
      else e.op(V.f64x2_splat);
    }
    e.op(opcode);
    if (narrow) e.op(simd("f64x2_promote_low_f32x4"));
    e.lane(V.f64x2_extract_lane, 1);
    module.define({ parameters: [F64, F64, F64], results: [F64] }, e, name);
  }
  const binary = module.finish();
  if (!WebAssembly.validate(binary)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), {
    env: { memory: new WebAssembly.Memory({ initial: 1 }) },
  });
  const { doubles, singles } = exports as Record<"doubles" | "singles", (a: number, b: number, c: number) => number>;
  // (1 + d)^2 - (1 + 2d) is d^2, which is lost where the product is rounded.
  const survives = (f: typeof doubles, d: number): boolean => f(1 + d, 1 + d, -1 - 2 * d) === d * d;
  return survives(doubles, 2 ** -30) && survives(singles, 2 ** -15);
}

function allowRelaxedSimd(): boolean {
  const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
  v8?.setFlagsFromString("--experimental-wasm-relaxed-simd");
  return v8 !== undefined;
}
