/** What is particular to Unicorn; everything else is in emulator/contract. */
import { describe, expect, test } from "vitest";
import { CODE, TestMachine } from "../contract/test-machine.ts";
import { PAGE_SIZE, PhysicalMemory } from "../physical-memory.ts";
import { RAX, RBX, RCX, RDX, RIP } from "../registers.ts";
import { findProjectRoot, libraryCandidates } from "./find-library.ts";
import { createUnicornEngine } from "./unicorn-engine.ts";

describe("unicorn", () => {
  test("a path given by option or environment is the only one tried", () => {
    expect(libraryCandidates("/a/lib.so", { TRAPGATE_UNICORN: "/b/lib.so" })).toEqual(["/a/lib.so"]);
    expect(libraryCandidates(undefined, { TRAPGATE_UNICORN: "/b/lib.so" })).toEqual(["/b/lib.so"]);
    expect(libraryCandidates(undefined, {}).every((path) => /libunicorn/.test(path))).toBe(true);
  });

  test("the project root is found from a module and from the bundle in bin", () => {
    const root = findProjectRoot()!;
    expect(findProjectRoot(`file://${root}/bin/trapgate`)).toBe(root);
    expect(findProjectRoot("file:///nowhere/at/all.js")).toBeUndefined();
  });

  test("a library that cannot be loaded is an error that says how to get one, and costs no frames", () => {
    const memory = new PhysicalMemory(1 << 20);
    const before = memory.freeFrames;
    expect(() => createUnicornEngine(memory, { library: "/nowhere/libunicorn.so.2" })).toThrow(/setup-debian/);
    expect(() => createUnicornEngine(memory, { library: "libc.so.6" })).toThrow(/uc_version.*2\.1\.1 or newer/);
    expect(() => createUnicornEngine(memory, { addon: "/nowhere/addon.node" })).toThrow(/build-addon/);
    expect(memory.freeFrames).toBe(before);
  });

  test("too little RAM for the engine's tables is an error", () => {
    const memory = new PhysicalMemory(65536);
    for (let i = 0; i < 10; i++) memory.allocate();
    expect(() => createUnicornEngine(memory)).toThrow(/not enough RAM/);
    expect(memory.freeFrames).toBe(5);
  });

  test("five frames are taken and given back", () => {
    const memory = new PhysicalMemory(1 << 20);
    const before = memory.freeFrames;
    const engine = createUnicornEngine(memory);
    expect(before - memory.freeFrames).toBe(5);
    engine.dispose();
    expect(memory.freeFrames).toBe(before);
  });

  test("says what it is", () => {
    const engine = createUnicornEngine(new PhysicalMemory(1 << 20));
    expect(engine.capabilities).toMatchObject({ level: "x86-64-v2", budgetUnit: "basic block" });
    expect(engine.capabilities.name).toMatch(/^unicorn 2\.\d+\.\d+$/);
    engine.dispose();
  });

  test("one run may translate more than the buffer holds", () => {
    const machine = new TestMachine((memory) => createUnicornEngine(memory));
    const { engine, cpu } = machine;
    // Writes a new constant into its own second page, far enough to be a block of its own, and jumps there.
    machine.load(
      `again: mov [rip + constant + 1], cl
       jmp target
       .org 0x1000
       target: constant: mov eax, 0x11223300
       ${"add rax, rdx\n".repeat(400)}
       add rbx, rax
       dec ecx; jnz again
       syscall`,
      CODE,
      "rwx",
    );
    cpu.set(RCX, 6000);
    cpu.set(RDX, 1);
    expect(engine.run(2 ** 31 - 1)).toBe(0);
    let sum = 0;
    for (let i = 6000; i > 0; i--) sum += 0x11223300 + (i & 0xff) + 400;
    expect(cpu.get(RBX)).toBe(sum);
    engine.dispose();
  }, 60000);

  test("more code than the translation buffer holds is translated right", () => {
    const machine = new TestMachine((memory) => createUnicornEngine(memory));
    const code = machine.load(`mov eax, 0x11223344\n${"add rax, rbx\n".repeat(500)} syscall`);
    const { memory, engine, cpu } = machine;
    for (let i = 1; i <= 2500; i++) {
      memory.u8[code * PAGE_SIZE + 1] = i & 0xff;
      engine.invalidateFrame(code);
      cpu.set(RIP, CODE);
      cpu.set(3, 1);
      engine.run(1000);
      if (cpu.get(RAX) !== 0x11223300 + (i & 0xff) + 500) throw new Error(`round ${i} ended with rax ${cpu.get(RAX)}`);
    }
    engine.dispose();
  }, 30000);
});
