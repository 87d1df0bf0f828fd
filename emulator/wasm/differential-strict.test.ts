/** The same floating-point cases with every instruction going by the helper that minds MXCSR. */
import { expect, test, vi } from "vitest";
import { CODE, DATA, fault, TestMachine } from "../contract/test-machine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RDI } from "../registers.ts";
import { createUnicornEngine } from "../unicorn/unicorn-engine.ts";
import type * as ContextModule from "./context.ts";
import { expectSameResults, generator } from "./testing/differential.ts";
import { dataPage, sseFloatCases } from "./testing/differential-cases.ts";
import { createWasmEngine } from "./wasm-engine.ts";

vi.mock("./context.ts", async (original) => {
  const module = await original<typeof ContextModule>();
  abstract class StrictContext extends module.Context {
    override readonly strictFloat = true;
  }
  return { ...module, Context: StrictContext };
});

test("strict SSE floating-point instructions give the same results as plain ones", { timeout: 60_000 }, () => {
  const random = generator(3);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
  const cases = sseFloatCases(3, pick, random);
  expectSameResults(
    (memory) => createUnicornEngine(memory),
    (memory) => createWasmEngine(memory),
    cases,
    dataPage(random),
  );
});

/** A machine with MXCSR set and two doubles in XMM0 and XMM1. */
function start(source: string, mxcsr: number, a: number, b: number): TestMachine {
  const machine = new TestMachine((memory) => createWasmEngine(memory));
  machine.load(source);
  machine.addStack();
  const view = new DataView(machine.cpu.buffer, machine.cpu.fxsave.byteOffset, 512);
  view.setUint32(24, mxcsr, true);
  view.setFloat64(160, a, true);
  view.setFloat64(176, b, true);
  machine.engine.loadFpu();
  return machine;
}

const mxcsrOf = (machine: TestMachine): number => {
  machine.engine.storeFpu();
  return new DataView(machine.cpu.buffer, machine.cpu.fxsave.byteOffset, 512).getUint32(24, true);
};

const doubleOf = (machine: TestMachine): number => {
  machine.engine.storeFpu();
  return new DataView(machine.cpu.buffer, machine.cpu.fxsave.byteOffset, 512).getFloat64(160, true);
};

test.each([
  ["addsd", 0x1f80, 1, 2, 3, 0],
  ["addsd", 0x1f80, 1, 2 ** -60, 1, 0x20],
  ["addsd", 0x5f80, 1, 2 ** -60, 1 + 2 ** -52, 0x20],
  ["divsd", 0x1f80, 1, 0, Infinity, 0x04],
  ["mulsd", 0x1f80, 1e200, 1e200, Infinity, 0x28],
  ["mulsd", 0x7f80, 1e200, 1e200, Number.MAX_VALUE, 0x28],
  ["mulsd", 0x9f80, 1e-200, 1e-200, 0, 0x30],
  ["mulsd", 0x1fc0, 5e-324, 2 ** 60, 0, 0],
  ["mulsd", 0x1f80, 5e-324, 2 ** 60, 2 ** -1014, 0x02],
  ["sqrtsd", 0x1f80, 0, -1, NaN, 0x01],
])("%s with MXCSR %i of %d and %d is %d and sets flags %i", (name, mxcsr, a, b, result, flags) => {
  const machine = start(`${name} xmm0, xmm1; syscall`, mxcsr, a, b);
  expect(machine.run().stop).toBe("syscall");
  expect([doubleOf(machine), mxcsrOf(machine)]).toEqual([result, mxcsr | flags]);
});

test("an unmasked exception is #XM at the instruction, which changes nothing but the flags", () => {
  const machine = start("nop; divsd xmm0, xmm1; syscall", 0x1f80 & ~0x200, 1, 0);
  expect(machine.run()).toEqual(fault(CODE + 1, 19));
  expect([doubleOf(machine), mxcsrOf(machine)]).toEqual([1, 0x1d84]);
});

test("flags set by a program are seen by STMXCSR", () => {
  const machine = start("divsd xmm0, xmm1; stmxcsr [rdi]; mov eax, [rdi]; syscall", 0x1f80, 1, 3);
  const pfn = machine.map(DATA, "rw");
  machine.cpu.set(RDI, DATA);
  expect(machine.run().stop).toBe("syscall");
  expect([machine.cpu.get(RAX), machine.memory.u32[(pfn * PAGE_SIZE) / 4]]).toEqual([0x1fa0, 0x1fa0]);
});
