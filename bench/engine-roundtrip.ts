/**
 * What the kernel pays for each use of the engine, in nanoseconds.
 *
 *     npx esbuild bench/engine-roundtrip.ts --bundle --platform=node --format=esm --outfile=build/bench/engine-roundtrip.mjs
 *     node build/bench/engine-roundtrip.mjs
 */
import { CODE, DATA, TestMachine } from "../emulator/contract/test-machine.ts";
import { STOP_BUDGET } from "../emulator/engine.ts";
import { RAX, RCX, RDI, RIP } from "../emulator/registers.ts";
import { createUnicornEngine } from "../emulator/unicorn/unicorn-engine.ts";

const ROUNDS = 5;

/** Prints the best of several rounds, in ns for each of the `count` things that `round` does. */
function measureRound(name: string, count: number, round: () => void): void {
  let best = Infinity;
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint();
    round();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / count);
  }
  console.log(`${name.padEnd(48)}${best.toFixed(best < 10 ? 2 : 0).padStart(8)} ns`);
}

function measure(name: string, count: number, call: (i: number) => void): void {
  measureRound(name, count, () => {
    for (let i = 0; i < count; i++) call(i);
  });
}

function bench(direct: boolean): void {
  const machine = new TestMachine((memory) => createUnicornEngine(memory, { direct }), 64 * 1024 * 1024);
  const { engine, cpu } = machine;
  console.log(`${engine.capabilities.name}, registers ${direct ? "in memory" : "by functions"}`);

  const code = machine.load("again: syscall; jmp again");
  measure("run to the next syscall and back", 300_000, (i) => {
    engine.run(1000);
    cpu.u32[RAX * 2] = i;
    cpu.u32[RCX * 2] = i;
  });
  measure("activate and run", 100_000, () => {
    engine.activate(machine.root);
    engine.run(1000);
  });
  const spare = machine.memory.allocateZeroed();
  measure("invalidateFrame in a row", 100_000, () => engine.invalidateFrame(spare));
  measure("invalidateFrame and run", 100_000, () => {
    engine.invalidateFrame(code);
    engine.run(1000);
  });
  measure("storeFpu", 200_000, () => engine.storeFpu());
  measure("loadFpu", 200_000, () => engine.loadFpu());

  machine.load("mov [rdi], rax; syscall");
  engine.flushTlb();
  cpu.set(RDI, DATA);
  cpu.set(RIP, CODE);
  measure("page fault", 200_000, () => engine.run(1000));

  const pages = 4096;
  machine.load("again: mov [rdi], rax; add rdi, 4096; jmp again");
  const pfn = machine.memory.allocateZeroed();
  const entries = Array.from({ length: pages }, (_, i) => machine.entryIndex(DATA + i * 4096));
  measureRound("demand fault: fault, map, restart", pages, () => {
    for (const entry of entries) machine.memory.u32[entry] = 0;
    engine.flushTlb();
    cpu.set(RDI, DATA);
    cpu.set(RIP, CODE);
    for (let i = 0; i < pages; i++) {
      engine.run(1_000_000);
      machine.memory.u32[entries[i]!] = pfn * 4096 + 7;
    }
  });

  const blocks = 20_000_000;
  machine.load(`mov ecx, ${blocks}; again: dec ecx; jnz again; syscall`);
  engine.flushTlb();
  for (const slice of [1000, 100_000, 2_000_000_000]) {
    measureRound(`a block of a loop, in slices of ${slice}`, blocks, () => {
      cpu.set(RIP, CODE);
      while (engine.run(slice) === STOP_BUDGET);
    });
  }
  engine.dispose();
}

bench(true);
bench(false);
