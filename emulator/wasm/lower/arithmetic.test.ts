/** Integer instructions whose flags or registers are easily got wrong. */
import { expect, test } from "vitest";
import { TestMachine } from "../../contract/test-machine.ts";
import { R8, RAX, RBX, RCX, RDX } from "../../registers.ts";
import { createWasmEngine } from "../wasm-engine.ts";

function run(source: string, registers: Readonly<Record<number, bigint>>): TestMachine {
  const machine = new TestMachine((memory) => createWasmEngine(memory));
  machine.load(`${source}; syscall`);
  for (const [index, value] of Object.entries(registers)) machine.cpu.u64[Number(index)] = value;
  expect(machine.run().stop).toBe("syscall");
  return machine;
}

test.each([
  // AL - BL - borrow: carry, zero, signed less, unsigned below or equal
  [5n, 5n, 1, 0, 1, 1],
  [0n, 0xffn, 1, 1, 0, 1],
  [6n, 5n, 0, 1, 0, 1],
  [0x7fn, 0x80n, 1, 0, 0, 1],
])("conditions behind SBB of %d and %d mind the borrow", (a, b, carry, zero, less, belowOrEqual) => {
  const machine = run("stc; sbb al, bl; setc cl; sete ch; setl dl; setbe dh", {
    [RAX]: a,
    [RBX]: b,
    [RCX]: 0n,
    [RDX]: 0n,
  });
  const [c, d] = [machine.cpu.get(RCX), machine.cpu.get(RDX)];
  expect([c & 255, c >> 8, d & 255, d >> 8]).toEqual([carry, zero, less, belowOrEqual]);
});

test("a carry made by SBB outlives DEC", () => {
  const machine = run("stc; sbb sil, sil; dec rax; setc bl", { [RAX]: 7n, [RBX]: 0n });
  expect(machine.cpu.get(RBX)).toBe(1);
});

test("CMPXCHG of 32-bit registers clears upper halves only of what it changes", () => {
  const failed = run("cmpxchg r8d, edx", { [R8]: 0x5_0000_0001n, [RAX]: 0x9_0000_0002n, [RDX]: 3n });
  expect([failed.cpu.u64[R8], failed.cpu.u64[RAX]]).toEqual([0x5_0000_0001n, 1n]);
  const done = run("cmpxchg r8d, edx", { [R8]: 0x5_0000_0002n, [RAX]: 0x9_0000_0002n, [RDX]: 3n });
  expect([done.cpu.u64[R8], done.cpu.u64[RAX]]).toEqual([3n, 0x9_0000_0002n]);
});

test("a bit string in memory is reached in both directions, with a displacement", () => {
  const machine = new TestMachine((memory) => createWasmEngine(memory));
  machine.load(
    "lea rdi, [rip + data]; bt [rdi + 8], rax; setc bl; bt [rdi + 8], rcx; setc bh; syscall; data: .quad 1, 0, 2",
  );
  machine.cpu.u64[RAX] = BigInt.asUintN(64, -64n);
  machine.cpu.u64[RCX] = 65n;
  machine.cpu.u64[RBX] = 0n;
  expect(machine.run().stop).toBe("syscall");
  expect(machine.cpu.get(RBX)).toBe(0x101);
});
