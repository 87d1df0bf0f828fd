/** Modules with their machine code: found again under their names, compiled anew where anything is wrong with them. */
import { describe, expect, test } from "vitest";
import { Assembler, I32 } from "../emit/assembler.ts";
import { ModuleWriter } from "../emit/module-writer.ts";
import { W } from "../emit/opcodes.ts";
import { KeptModules } from "./kept-modules.ts";
import { machineCode } from "./machine-code.ts";
import type { TranslationStore } from "./translation-store.ts";

type Sum = (count: number) => number;

/** A function that adds `step` so many times. */
function summing(step: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const e = new Assembler(1);
  const sum = e.local(I32);
  const again = e.loop();
  e.get(sum).i32(step).op(W.i32_add).set(sum);
  e.get(0).i32(1).op(W.i32_sub).tee(0).brIf(again);
  e.end();
  e.get(sum);
  module.define({ parameters: [I32], results: [I32] }, e, "sum");
  return module.finish();
}

class MemoryStore implements TranslationStore {
  readonly values = new Map<string, Uint8Array>();
  puts = 0;

  get(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  put(key: string, value: Uint8Array): void {
    this.puts++;
    this.values.set(key, value.slice());
  }
}

const imports = { env: { memory: new WebAssembly.Memory({ initial: 1 }) } };
const open = (store: TranslationStore): KeptModules => new KeptModules(store, undefined);
const sumOf = (exports: WebAssembly.Exports | undefined): Sum => exports?.sum as Sum;

/** Runs a function until V8 has optimized it, which it does on a thread of its own. */
async function heat(sum: Sum): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end && !machineCode()!.isOptimized(sum);) {
    for (let i = 0; i < 200; i++) sum(10_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(machineCode()!.isOptimized(sum)).toBe(true);
}

test("a module that nothing was optimized of is found again, and nothing is written a second time", () => {
  const store = new MemoryStore();
  const first = open(store);
  expect(sumOf(first.add("one", summing(3), imports))(5)).toBe(15);
  first.save();
  const second = open(store);
  expect(sumOf(second.load("one", imports))(5)).toBe(15);
  second.save();
  expect(store.puts).toBe(1);
  expect(second.load("two", imports)).toBeUndefined();
});

test("a name that stands for other bytes by now is compiled", () => {
  const store = new MemoryStore();
  for (const step of [3, 4]) {
    const modules = open(store);
    expect(sumOf(modules.instantiate("one", summing(step), imports))(5)).toBe(5 * step);
    modules.save();
  }
});

describe.runIf(machineCode())("with a V8 that gives its machine code away", () => {
  async function storeWithCode(): Promise<MemoryStore> {
    const store = new MemoryStore();
    const modules = open(store);
    await heat(sumOf(modules.add("one", summing(3), imports)));
    modules.save();
    return store;
  }

  test("functions are optimized from the start", async () => {
    const store = await storeWithCode();
    const modules = open(store);
    const loaded = sumOf(modules.load("one", imports));
    expect(machineCode()!.isOptimized(loaded)).toBe(true);
    expect(loaded(7)).toBe(21);
    modules.save();
    expect(store.puts).toBe(1);
    const given = new KeptModules(undefined, store).instantiate("one", summing(3), imports);
    expect(machineCode()!.isOptimized(given.sum)).toBe(true);
    const other = new KeptModules(undefined, store).instantiate("one", summing(4), imports);
    expect(sumOf(other)(5)).toBe(20);
  });

  test("damage costs time and nothing else", async () => {
    const store = await storeWithCode();
    const [[key, whole]] = [...store.values] as [[string, Uint8Array]];
    for (let at = 0; at < whole.length; at += 13) {
      const damaged = whole.slice(0, at % 2 === 0 ? at : whole.length);
      if (at < damaged.length) damaged[at]! ^= 0x41;
      store.values.set(key, damaged);
      expect(open(store).load("one", imports)).toBeUndefined();
      expect(sumOf(open(store).instantiate("one", summing(3), imports))(5)).toBe(15);
    }
  });
});
