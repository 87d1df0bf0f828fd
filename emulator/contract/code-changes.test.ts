/** Changed code is executed as changed, whoever changes it. */
import { expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RCX, RDI, RIP } from "../registers.ts";
import { assemble } from "./assemble.ts";
import { describeEngines } from "./engines.ts";
import { CODE, DATA, pageFault, TestMachine } from "./test-machine.ts";

/** `mov eax, imm32`: the immediate stands one byte in. */
const CONSTANT = "mov eax, 1; syscall";

describeEngines("changes of code", (create) => {
  const run = (machine: TestMachine, address = CODE) => {
    machine.cpu.set(RIP, address);
    expect(machine.run().stop).toBe("syscall");
    return machine.cpu.get(RAX);
  };

  test("a program rewrites an instruction ahead of itself, in the same block", () => {
    const machine = new TestMachine(create);
    machine.load("mov byte ptr [rip + target + 1], 7\n target: mov eax, 1; syscall", CODE, "rwx");
    expect(run(machine)).toBe(7);
  });

  test("a program rewrites a loop body that has been executed often", () => {
    const machine = new TestMachine(create);
    machine.load(
      `mov ecx, 200
       again: body: add eax, 1
       cmp ecx, 100; jne skip
       mov byte ptr [rip + body + 2], 3
       skip: dec ecx; jnz again
       syscall`,
      CODE,
      "rwx",
    );
    machine.cpu.set(RAX, 0);
    expect(run(machine)).toBe(101 + 99 * 3);
  });

  test("a program rewrites code through another mapping of the frame", () => {
    const machine = new TestMachine(create);
    const pfn = machine.load(CONSTANT);
    machine.map(DATA, "rw", pfn);
    expect(run(machine)).toBe(1);
    machine.load("mov byte ptr [rdi + 1], 9; syscall", CODE + 0x10000);
    machine.cpu.set(RDI, DATA);
    machine.run();
    expect(run(machine)).toBe(9);
  });

  test("the kernel rewrites code and calls invalidateFrame", () => {
    const machine = new TestMachine(create);
    const pfn = machine.load(CONSTANT);
    for (let value = 1; value < 50; value++) {
      machine.memory.u8[pfn * PAGE_SIZE + 1] = value;
      machine.engine.invalidateFrame(pfn);
      expect(run(machine)).toBe(value);
    }
  });

  test("invalidateFrame reaches every alias and every address space", () => {
    const machine = new TestMachine(create);
    const pfn = machine.load(CONSTANT);
    machine.map(DATA, "rx", pfn);
    const first = machine.root;
    const second = machine.createRoot();
    machine.map(CODE + 0x5000, "rx", pfn, second);
    const all = () => {
      machine.activate(first);
      const results = [run(machine), run(machine, DATA)];
      machine.activate(second);
      return [...results, run(machine, CODE + 0x5000)];
    };
    expect(all()).toEqual([1, 1, 1]);
    machine.memory.u8[pfn * PAGE_SIZE + 1] = 2;
    machine.engine.invalidateFrame(pfn);
    expect(all()).toEqual([2, 2, 2]);
  });

  test("a block that spans two pages is dropped when its second page changes", () => {
    const machine = new TestMachine(create);
    machine.load(CONSTANT, CODE + PAGE_SIZE - 2);
    const second = machine.memory.u32[machine.entryIndex(CODE + PAGE_SIZE)]! >>> 12;
    const start = CODE + PAGE_SIZE - 2;
    expect(run(machine, start)).toBe(1);
    machine.memory.u8[second * PAGE_SIZE] = 1;
    machine.engine.invalidateFrame(second);
    expect(run(machine, start)).toBe(0x101);
  });

  test("a frame that changes its purpose does not run old code", () => {
    const machine = new TestMachine(create);
    const pfn = machine.load(CONSTANT);
    expect(run(machine)).toBe(1);
    machine.memory.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    machine.memory.u8.set(assemble("mov ecx, 5; syscall"), pfn * PAGE_SIZE);
    machine.engine.invalidateFrame(pfn);
    run(machine);
    expect(machine.cpu.get(RCX)).toBe(5);
  });

  test("mapping another frame at a code address needs a flush only", () => {
    const machine = new TestMachine(create);
    machine.load(CONSTANT);
    expect(run(machine)).toBe(1);
    machine.load("mov eax, 2; syscall");
    machine.engine.flushPage(CODE);
    expect(run(machine)).toBe(2);
  });

  test("invalidateFrame on frames without code, many times in a row, changes nothing else", () => {
    const machine = new TestMachine(create);
    machine.load("inc qword ptr [rdi]; syscall");
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    for (let i = 1; i < 1000; i++) {
      for (let frame = 1; frame < 4; frame++) machine.engine.invalidateFrame(pfn - frame);
      machine.engine.invalidateFrame(pfn);
      machine.cpu.set(RIP, CODE);
      expect(machine.run().stop).toBe("syscall");
      expect(machine.memory.u32[pfn * 1024]).toBe(i);
    }
    machine.unmap(DATA);
    machine.engine.flushTlb();
    machine.cpu.set(RIP, CODE);
    expect(machine.run()).toMatchObject(pageFault(CODE, machine.engine.stop.errorCode, DATA));
  });

  test("invalidateFrame works while the current root is gone", () => {
    const machine = new TestMachine(create);
    const pfn = machine.load(CONSTANT);
    const doomed = machine.createRoot();
    machine.map(CODE, "rx", pfn, doomed);
    const kept = machine.root;
    machine.activate(doomed);
    expect(run(machine)).toBe(1);
    machine.memory.u8.fill(0xff, doomed, doomed + PAGE_SIZE);
    machine.memory.u8[pfn * PAGE_SIZE + 1] = 2;
    machine.engine.invalidateFrame(pfn);
    machine.activate(kept);
    expect(run(machine)).toBe(2);
  });
});
