/** Fused multiply-add in WebAssembly, by the host's instruction and emulated, against exact arithmetic. */
import { describe, expect, test } from "vitest";
import { PhysicalMemory } from "../../physical-memory.ts";
import { Assembler, I32, V128 } from "../emit/assembler.ts";
import { ModuleWriter } from "../emit/module-writer.ts";
import { V } from "../emit/opcodes.ts";
import { AT_MXCSR } from "../layout.ts";
import { generator, type Below } from "../lower/testing/cases.ts";
import { fmaHelper, fusedMultiplyAdd, modeOf } from "./fma.ts";
import { writeFmaDoubles, writeFmaSingles } from "./fma-function.ts";
import { hostFuses } from "./fused-host.ts";
import { DOUBLE, SINGLE } from "./interchange.ts";

const AT = 8192;
const AT_RESULT = AT + 48;
const DEFAULT_MXCSR = 0x1f80;
const ROUNDS = 4000;

/** Makes the function work on vectors in memory; counts how often it asks the helper. */
function build(size: 4 | 8, fused: boolean) {
  const memory = new PhysicalMemory(1 << 20);
  memory.u32[AT_MXCSR / 4] = DEFAULT_MXCSR;
  const module = new ModuleWriter();
  const helper = module.import("helper", { parameters: [I32], results: [] });
  const e = new Assembler(0);
  const signature = { parameters: [V128, V128, V128, V128, V128], results: [V128] } as const;
  const body = new Assembler(5);
  (size === 4 ? writeFmaSingles : writeFmaDoubles)(body, helper, fused);
  const inner = module.define(signature, body, "inner");
  e.i32(0);
  for (let i = 0; i < 3; i++) e.loadAt(V.load, AT + i * 16);
  for (let i = 0; i < 2; i++) e.v128(new Uint8Array(16));
  e.call(inner).memory(V.store, AT_RESULT);
  module.define({ parameters: [], results: [] }, e, "run");
  const counts = { helped: 0 };
  const help = fmaHelper(memory);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), {
    env: {
      memory: memory.memory,
      helper: (n: number) => {
        counts.helped++;
        help(n);
      },
    },
  });
  return { view: memory.view, run: exports.run as () => void, counts };
}

/** Bits of a number: anything, near 1, or with a product near the addend's end of the range. */
function randomBits(below: Below, size: 4 | 8): bigint {
  const [fraction, bias, exponents] = size === 4 ? [23, 127, 256] : [52, 1023, 2048];
  const mantissa = (BigInt(below(2 ** 26)) << 26n) | BigInt(below(2 ** 26));
  const sparse = [0n, 1n, 1n << BigInt(fraction - 1), (1n << BigInt(fraction)) - 1n][below(4)]!;
  const part = BigInt.asUintN(fraction, below(3) === 0 ? sparse : mantissa);
  const exponent = [below(exponents), bias + below(60) - 30, bias, 0, bias + below(4)][below(5)]!;
  return (BigInt(below(2)) << BigInt(size * 8 - 1)) | (BigInt(exponent) << BigInt(fraction)) | part;
}

describe.each([
  ["emulated", false],
  ["fused by the host", true],
] as const)("%s", (_name, fused) => {
  test.skipIf(fused && !hostFuses()).each([4, 8] as const)("elements of %i bytes are rounded once", (size) => {
    const { view, run, counts } = build(size, fused);
    const below = generator(size + (fused ? 1 : 0));
    const put = (at: number, bits: bigint): void =>
      size === 4 ? view.setUint32(at, Number(bits), true) : view.setBigUint64(at, bits, true);
    const get = (at: number): bigint => (size === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true));
    const kind = size === 4 ? SINGLE : DOUBLE;
    for (let round = 0; round < ROUNDS; round++) {
      for (let at = 0; at < 48; at += size) put(AT + at, randomBits(below, size));
      run();
      for (let at = 0; at < 16; at += size) {
        const [x, y, z] = [0, 16, 32].map((vector) => get(AT + vector + at)) as [bigint, bigint, bigint];
        const expected = fusedMultiplyAdd(
          { x, y, z, negateProduct: false, negateAddend: false },
          kind,
          modeOf(DEFAULT_MXCSR),
        );
        const operands = [x, y, z].map((bits) => bits.toString(16)).join(" ");
        expect(`${operands}: ${get(AT_RESULT + at).toString(16)}`).toBe(`${operands}: ${expected.toString(16)}`);
      }
    }
    expect(counts.helped).toBeLessThan(ROUNDS);
    expect(counts.helped).toBeGreaterThan(0);
  });
});
