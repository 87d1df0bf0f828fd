/** For tests: many small pieces of code on an engine, each with its own place for results, compared case by case. */
import { expect } from "vitest";
import { CODE, DATA, TestMachine, type EngineFactory } from "../../contract/test-machine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { R15, RBX, RDI, RSI } from "../../registers.ts";

/**
 * Instructions that find numbers at [rdi] (`DATA_BYTES` of them, 16-byte aligned) and leave results at [rsi], 64 bytes;
 * rdi, rsi, rsp and rbx are not theirs to change.
 */
export type Case = string;

const RESULT_BYTES = 64;
const CASES_A_PROGRAM = 60;

/** A repeatable source of numbers below n. */
export function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** Results of all cases, as hexadecimal text. */
function results(create: EngineFactory, cases: readonly Case[], data: Uint8Array): string[] {
  const all: string[] = [];
  for (let first = 0; first < cases.length; first += CASES_A_PROGRAM) {
    const some = cases.slice(first, first + CASES_A_PROGRAM);
    const machine = new TestMachine(create);
    machine.load([...some.map((text) => `${text}\n add rsi, ${RESULT_BYTES}`), "syscall"].join("\n"), CODE);
    machine.addStack();
    const pfn = machine.map(DATA, "rw");
    const target = machine.map(DATA + 4 * PAGE_SIZE, "rw");
    machine.memory.u8.set(data, pfn * PAGE_SIZE);
    for (let i = 0; i < 16; i++) if (i !== 4) machine.cpu.u64[i] = 0x0123456789abcdefn * BigInt(i + 1);
    machine.cpu.set(RDI, DATA);
    machine.cpu.set(RBX, DATA);
    machine.cpu.set(RSI, DATA + 4 * PAGE_SIZE);
    machine.cpu.set(R15, 0);
    const outcome = machine.run();
    if (outcome.stop !== "syscall") throw new Error(`${JSON.stringify(outcome)} in ${some.join("; ")}`);
    some.forEach((_, i) => {
      const at = target * PAGE_SIZE + i * RESULT_BYTES;
      all.push(Buffer.from(machine.memory.u8.subarray(at, at + RESULT_BYTES)).toString("hex"));
    });
    machine.engine.dispose();
  }
  return all;
}

/** Fails with the first cases whose results differ. */
export function expectSameResults(
  reference: EngineFactory,
  tested: EngineFactory,
  cases: readonly Case[],
  data: Uint8Array,
): void {
  const [expected, actual] = [results(reference, cases, data), results(tested, cases, data)];
  const differing = cases.flatMap((text, i) =>
    expected[i] === actual[i] ? [] : [{ case: text, reference: expected[i], tested: actual[i] }],
  );
  expect(differing.slice(0, 5), `${differing.length} of ${cases.length} cases differ`).toEqual([]);
}
