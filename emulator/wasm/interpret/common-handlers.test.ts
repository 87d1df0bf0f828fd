/** Handlers made before anything runs: the same results, and none of them made again. */
import { expect, test } from "vitest";
import { DATA, TestMachine } from "../../contract/test-machine.ts";
import { RAX, RDI } from "../../registers.ts";
import { LITTLE_RAM } from "../layout.ts";
import { createWasmEngine, type InspectableEngine } from "../wasm-engine.ts";
import { putCommonHandlers } from "./common-handlers.ts";

const PROGRAM = `
  mov ecx, 300; xor eax, eax
  again: add rax, rcx; mov [rdi], rax; call twice; dec ecx; jnz again
  movzx edx, byte ptr [rdi]; sub rax, rdx
  syscall
  twice: push rbp; lea rax, [rax + rax * 2 + 8]; shr rax, 1; pop rbp; ret`;

function run(commonHandlers: ReadonlyMap<string, Uint8Array>): { rax: bigint; bytes: number } {
  const options = { commonHandlers, hotRuns: Infinity };
  const machine = new TestMachine((memory) => createWasmEngine(memory, options), LITTLE_RAM);
  const engine = machine.engine as InspectableEngine;
  const before = engine.translator.statistics.handlerBytes;
  machine.load(PROGRAM);
  machine.addStack();
  machine.map(DATA, "rw");
  machine.cpu.set(RDI, DATA);
  expect(machine.run(1e6).stop).toBe("syscall");
  return { rax: machine.cpu.u64[RAX]!, bytes: engine.translator.statistics.handlerBytes - before };
}

test("handlers that are there beforehand need not be made, and do the same", () => {
  const values = new Map<string, Uint8Array>();
  putCommonHandlers("x86-64-v2", { get: () => undefined, put: (key, value) => void values.set(key, value) });
  expect(values.size).toBe(1);
  const own = run(new Map());
  const given = run(values);
  expect(given.rax).toBe(own.rax);
  expect(own.bytes).toBeGreaterThan(1000);
  expect(given.bytes).toBe(0);
});
