/** Translations of one run in the next: the same results, nothing decoded again, and damage does no harm. */
import { describe, expect, test } from "vitest";
import { DATA, TestMachine } from "../../contract/test-machine.ts";
import { RAX, RDI } from "../../registers.ts";
import { createWasmEngine, type InspectableEngine } from "../wasm-engine.ts";
import type { TranslationStore } from "./translation-store.ts";

/** Loops, calls, stores, and a jump through a table of two targets. */
const PROGRAM = `
  mov ecx, 3000
  again: call add_one
  mov [rdi], rax; lea rbx, [rip + table]; mov rdx, rcx; and edx, 1
  movsxd rdx, dword ptr [rbx + rdx * 4]; add rdx, rbx; jmp rdx
  odd: add rax, 3
  even: dec ecx; jnz again
  syscall
  add_one: inc rax; ret
  .balign 4
  table: .long even - table, odd - table`;

class MemoryStore implements TranslationStore {
  readonly values = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  put(key: string, value: Uint8Array): void {
    this.values.set(key, value.slice());
  }
}

interface Run {
  readonly rax: bigint;
  readonly statistics: InspectableEngine["translator"]["statistics"];
}

function run(store: TranslationStore, hotRuns: number, program = PROGRAM): Run {
  const machine = new TestMachine((memory) => createWasmEngine(memory, { store, hotRuns }));
  const engine = machine.engine as InspectableEngine;
  machine.load(program);
  machine.addStack();
  machine.map(DATA, "rw");
  machine.cpu.set(RDI, DATA);
  expect(machine.run(1e6).stop).toBe("syscall");
  const rax = machine.cpu.u64[RAX]!;
  const { statistics } = engine.translator;
  engine.dispose();
  return { rax, statistics };
}

describe.each([
  ["interpreted", Infinity],
  ["compiled", 20],
])("what is kept of a run that was %s", (_, hotRuns) => {
  test("is used by the next, which decodes nothing again", () => {
    const store = new MemoryStore();
    const first = run(store, hotRuns);
    const second = run(store, hotRuns);
    expect(second.rax).toBe(first.rax);
    expect(first.statistics.interpreted).toBeGreaterThan(10);
    expect(second.statistics).toMatchObject({ interpreted: 0, regions: 0, refused: 0 });
    expect(second.statistics.restored > 0).toBe(hotRuns !== Infinity);
  });

  test("is worth nothing for other code at the same addresses", () => {
    const store = new MemoryStore();
    run(store, hotRuns);
    const other = run(store, hotRuns, PROGRAM.replace("add rax, 3", "add rax, 5"));
    expect(other.rax).toBe(run(new MemoryStore(), hotRuns, PROGRAM.replace("add rax, 3", "add rax, 5")).rax);
    expect(other.statistics.interpreted).toBeGreaterThan(10);
  });

  test("is made again where it is damaged, wherever that is", () => {
    const store = new MemoryStore();
    const right = run(store, hotRuns).rax;
    for (let at = 0; at < 400; at += 7) {
      const damaged = new MemoryStore();
      for (const [key, value] of store.values) {
        const bytes = value.slice(0, at % 3 === 0 ? at : value.length);
        if (at < bytes.length) bytes[at]! ^= 0x41;
        damaged.values.set(key, bytes);
      }
      expect(run(damaged, hotRuns).rax).toBe(right);
    }
  });
});
