/** CPUID leaf by leaf against Unicorn, whose Nehalem is the model for ours. */
import { expect, test } from "vitest";
import { CODE, TestMachine, type EngineFactory } from "../../contract/test-machine.ts";
import { RAX, RBX, RCX, RDX, RIP } from "../../registers.ts";
import { createUnicornEngine } from "../../unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../wasm-engine.ts";

/** Differences that are meant: leaves and why. */
const EXPLAINED: readonly { readonly leaves: readonly number[]; readonly reason: string }[] = [
  { leaves: [0x80000002, 0x80000003, 0x80000004], reason: "the brand string says which model of ours it is" },
];

/** The basic, hypervisor and extended ranges, beyond their ends, and some that no processor has. */
const RANGES = [0, 0x40000000, 0x80000000, 0x8ffffff0, 0xc0000000];
const LEAVES = RANGES.flatMap((first) => Array.from({ length: 36 }, (_, i) => first + i));
const SUBLEAVES = [0, 1, 2, 3, 4, 5, 0xffffffff];

function answers(create: EngineFactory): Map<string, readonly string[]> {
  const machine = new TestMachine(create);
  machine.load("cpuid; syscall");
  const all = new Map<string, readonly string[]>();
  for (const leaf of LEAVES) {
    for (const subleaf of SUBLEAVES) {
      machine.cpu.u64[RAX] = BigInt(leaf) | (0xdeadn << 32n);
      machine.cpu.u64[RCX] = BigInt(subleaf) | (0xbeefn << 32n);
      machine.cpu.set(RIP, CODE);
      machine.run();
      const registers = [RAX, RBX, RCX, RDX].map((register) => machine.cpu.u64[register]!.toString(16));
      all.set(`${leaf.toString(16)}/${subleaf}`, registers);
    }
  }
  machine.engine.dispose();
  return all;
}

test("every leaf of CPUID is Unicorn's, but for the explained ones", () => {
  const unicorn = answers((memory) => createUnicornEngine(memory));
  const wasm = answers((memory) => createWasmEngine(memory));
  const explained = new Set(EXPLAINED.flatMap(({ leaves }) => leaves.map((leaf) => leaf.toString(16))));
  const differing = new Set<string>();
  for (const [key, values] of unicorn) {
    const leaf = key.split("/")[0]!;
    if (values.join() === wasm.get(key)!.join()) continue;
    differing.add(leaf);
    if (!explained.has(leaf)) expect({ leaf: key, values: wasm.get(key) }).toEqual({ leaf: key, values });
  }
  expect(differing, "differences that are on the list and no longer there").toEqual(explained);
});
