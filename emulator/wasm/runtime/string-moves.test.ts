/** REP MOVS and REP STOS against Unicorn: sizes, overlaps and pages. */
import { expect, test } from "vitest";
import { CODE, DATA, TestMachine, type EngineFactory } from "../../contract/test-machine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { RAX, RCX, RDI, RIP, RSI } from "../../registers.ts";
import { createUnicornEngine } from "../../unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../wasm-engine.ts";

const PAGES = 3;
const INSTRUCTIONS = ["rep movsb", "rep movsw", "rep movsd", "rep movsq", "rep stosb", "rep stosd", "rep stosq"];
/** Source, destination and count. */
const PLACES = [
  [0, 2048, 100],
  [0, 2048, 0],
  [100, 101, 50],
  [101, 100, 50],
  [100, 100, 9],
  [100, 108, 60],
  [200, 4000, 96],
  [200, 4001, 96],
  [4090, 300, 20],
  [0, 4096, 4096],
  [8, 4097, 1024],
  [0, 4096, 4097],
] as const;

function results(create: EngineFactory): string[] {
  const machine = new TestMachine(create);
  machine.load([...INSTRUCTIONS].map((text) => `${text}\n syscall`).join("\n"), CODE);
  const frames = Array.from({ length: PAGES }, (_, i) => machine.map(DATA + i * PAGE_SIZE, "rw"));
  const { cpu, memory } = machine;
  let address = CODE;
  return INSTRUCTIONS.flatMap((text) => {
    const all = PLACES.flatMap(([from, to, count]) =>
      [0n, 0x1122334455667788n].map((value) => {
        frames.forEach((pfn, page) => {
          for (let i = 0; i < PAGE_SIZE; i++) memory.u8[pfn * PAGE_SIZE + i] = (i * 7 + (i >> 8) + page) & 255;
        });
        cpu.set(RIP, address);
        cpu.set(RSI, DATA + from);
        cpu.set(RDI, DATA + to);
        cpu.set(RCX, Math.floor(count / (/[wdq]$/.test(text) ? 8 : 1)));
        cpu.u64[RAX] = value;
        const { stop } = machine.run();
        const bytes = frames.map((pfn) => sum(memory.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE)));
        return `${text} ${from} ${to} ${count}: ${stop} ${cpu.get(RSI)} ${cpu.get(RDI)} ${cpu.get(RCX)} ${bytes.join()}`;
      }),
    );
    address = cpu.get(RIP);
    return all;
  });
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (Math.imul(total, 31) + byte) | 0, 0);

test("moves and fills leave what they leave on Unicorn, registers included", () => {
  const expected = results((memory) => createUnicornEngine(memory));
  for (const hotRuns of [Infinity, 2]) {
    expect(results((memory) => createWasmEngine(memory, { hotRuns }))).toEqual(expected);
  }
});
