/** Blocks of random accesses side by side, near the ends of pages with all kinds of rights: compiled as interpreted. */
import { expect, test } from "vitest";
import { assemble } from "../../contract/assemble.ts";
import { CODE, DATA, TestMachine, type Access } from "../../contract/test-machine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { RBP, RIP, RSP } from "../../registers.ts";
import { createWasmEngine } from "../wasm-engine.ts";

const BLOCKS = 120;
const BLOCK_BYTES = 256;
const ROUNDS = 6;
/** Pages in a row, some of them neighbours in RAM. */
const RIGHTS: readonly (Access | undefined)[] = ["rw", "rw", "r", "rw", undefined, "rw", "rw", "rwx"];

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomBlock(random: (below: number) => number): string {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const base = pick(["rsp", "rbp", "r9"]);
  const at = (): string => `[${pick([base, base, base, "r9", "rsp"])} + ${random(14) * pick([8, 8, 4, 1])}]`;
  const even = (): string => `[${base} + ${random(8) * 16}]`;
  const one = (): string =>
    pick([
      () => `mov ${pick(["rax", "rcx", "rdx"])}, ${at()}`,
      () => `mov ${at()}, ${pick(["rax", "ecx", "dl"])}`,
      () => `add ${pick(["rax", "ecx"])}, ${at()}`,
      () => `add ${pick(["dword", "qword"])} ptr ${at()}, ${random(100)}`,
      () => `cmp qword ptr ${at()}, rcx`,
      () => `push ${pick(["rax", "rcx", "r9"])}`,
      () => `pop ${pick(["rax", "rdx"])}`,
      () => `add ${base}, ${random(4) * 8}`,
      () => `lea ${pick([base, "r10"])}, [${base} - ${random(3) * 8}]`,
      () => `mov qword ptr [r10 + ${random(5) * 8}], rdx`,
      () => `movups xmm${random(3)}, ${at()}`,
      () => `movups ${at()}, xmm${random(3)}`,
      () => `movaps xmm${random(3)}, ${even()}`,
      () => `movaps ${even()}, xmm${random(3)}`,
      () => `addsd xmm${random(3)}, qword ptr ${at()}`,
      () => `paddd xmm${random(3)}, ${even()}`,
      () => `cmovs rax, ${at()}`,
      () => `xchg rax, rcx`,
    ])();
  return `${Array.from({ length: 4 + random(10) }, one).join("\n")}\nsyscall\n.balign ${BLOCK_BYTES}\n`;
}

function machineWith(hotRuns: number, source: string): TestMachine {
  const machine = new TestMachine((memory) => createWasmEngine(memory, { hotRuns }));
  machine.load(source);
  RIGHTS.forEach((access, page) => {
    if (page === 1 || page === 3) machine.memory.allocate();
    if (!access) return;
    const pfn = machine.map(DATA + page * PAGE_SIZE, access);
    machine.memory.u32.fill(0x3ff00000 + page, pfn * 1024, pfn * 1024 + 1024);
    // syscall
    if (access === "rwx") machine.memory.u8.set([0x0f, 0x05], (pfn + 1) * PAGE_SIZE - 2);
  });
  return machine;
}

test.each([1, 2, 3])("random blocks, seed %i", (seed) => {
  const random = generator(seed);
  const source = Array.from({ length: BLOCKS }, () => randomBlock(random)).join("");
  expect(assemble(source).length).toBe(BLOCKS * BLOCK_BYTES);
  const machines = [machineWith(Infinity, source), machineWith(1, source)];
  for (const machine of machines) {
    machine.cpu.set(RIP, DATA + 8 * PAGE_SIZE - 2);
    expect(machine.run().stop).toBe("syscall");
  }
  const stops = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (let block = 0; block < BLOCKS; block++) {
      const pointers = [RSP, RBP, 9, 10].map(
        () => DATA + random(9) * PAGE_SIZE + (random(2) === 0 ? 2048 : -64) + random(8) * [16, 8, 1][random(3)]!,
      );
      const [expected, got] = machines.map((machine) => {
        const { cpu } = machine;
        [RSP, RBP, 9, 10].forEach((register, i) => cpu.set(register, pointers[i]!));
        cpu.set(RIP, CODE + block * BLOCK_BYTES);
        const outcome = machine.run();
        const entries = RIGHTS.map((_, page) => machine.memory.u32[machine.entryIndex(DATA + page * PAGE_SIZE)]);
        return { block, outcome, registers: [...cpu.u64.slice(0, 18)], entries };
      });
      expect(got).toEqual(expected);
      const { stop, vector } = got!.outcome;
      stops.set(`${stop} ${vector}`, (stops.get(`${stop} ${vector}`) ?? 0) + 1);
    }
    const [expected, got] = machines.map((machine) => {
      const mapped = RIGHTS.map((access, page) => (access ? DATA + page * PAGE_SIZE : undefined));
      return mapped.map((page) => {
        const pfn = page === undefined ? 0 : machine.memory.u32[machine.entryIndex(page)]! >>> 12;
        return pfn === 0
          ? ""
          : Buffer.from(machine.memory.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE)).toString("hex");
      });
    });
    expect(got).toEqual(expected);
  }
  for (const kind of ["syscall undefined", "fault 13", "fault 14"]) expect(stops.get(kind)).toBeGreaterThan(50);
});
