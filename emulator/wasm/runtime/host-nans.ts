/**
 * Whether this machine's WebAssembly gives the NaNs that x86 gives. The specification leaves payload and sign open (WebAssembly
 * core specification, 4.3.3, "NaN propagation"); engines on x86 hosts pass on what ADDSD and its like give.
 */
import { Assembler, I64, type ValueType } from "../emit/assembler.ts";
import { ModuleWriter } from "../emit/module-writer.ts";
import { W } from "../emit/opcodes.ts";

const QUIET = 0x7ff8000000000000n;
const [A, B] = [QUIET | 0x111n, QUIET | 0x222n];
const SIGNALING = 0x7ff0000000000333n;
const INDEFINITE = 0xfff8000000000000n;
const INFINITY = 0x7ff0000000000000n;
const ONE = 0x3ff0000000000000n;

/** Operation, operands, what x86 gives: the first NaN, quieted; without one, the negative default. */
const CASES: readonly (readonly [opcode: number, a: bigint, b: bigint, expected: bigint])[] = [
  ...[W.f64_add, W.f64_sub, W.f64_mul, W.f64_div].flatMap((opcode): [number, bigint, bigint, bigint][] => [
    [opcode, A, B, A],
    [opcode, B, A, B],
    [opcode, A, SIGNALING, A],
    [opcode, ONE, SIGNALING, SIGNALING | QUIET],
  ]),
  [W.f64_sub, INFINITY, INFINITY, INDEFINITE],
  [W.f64_mul, INFINITY, 0n, INDEFINITE],
];

let answer: boolean | undefined;

/** Asked once: a small module tries it out. */
export function hostNaNsAreX86(): boolean {
  answer ??= measure();
  return answer;
}

function measure(): boolean {
  const module = new ModuleWriter();
  CASES.forEach(([opcode], i) =>
    define(module, `case${i}`, [I64, I64], (e) => {
      e.get(0).op(W.f64_reinterpret_i64).get(1).op(W.f64_reinterpret_i64, opcode, W.i64_reinterpret_f64);
    }),
  );
  define(module, "narrow", [I64], (e) => {
    e.get(0).op(W.f64_reinterpret_i64, W.f32_demote_f64, W.f64_promote_f32, W.i64_reinterpret_f64);
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), {
    env: { memory: new WebAssembly.Memory({ initial: 1 }) },
  });
  const functions = exports as Record<string, (...operands: bigint[]) => bigint>;
  const narrowed = BigInt.asUintN(64, functions.narrow!(SIGNALING | (0x123n << 40n)));
  return (
    narrowed === (QUIET | (0x123n << 40n)) &&
    CASES.every(([, a, b, expected], i) => BigInt.asUintN(64, functions[`case${i}`]!(a, b)) === expected)
  );
}

function define(module: ModuleWriter, name: string, parameters: ValueType[], write: (e: Assembler) => void): void {
  const e = new Assembler(parameters.length);
  write(e);
  module.define({ parameters, results: [I64] }, e, name);
}
