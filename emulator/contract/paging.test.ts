/** Address translation and protection: what is allowed, and RIP, CR2 and error code of what is not. */
import { expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { R8, RAX, RCX, RDI, RIP, RSP } from "../registers.ts";
import { assemble } from "./assemble.ts";
import { describeEngines } from "./engines.ts";
import { CODE, DATA, fault, pageFault, PTE_A, PTE_D, PTE_RW, STACK_TOP, syscall, TestMachine } from "./test-machine.ts";
import type { Access } from "./test-machine.ts";

const READ = "mov rax, [rdi]";
const WRITE = "mov [rdi], rax";
const JUMP = "jmp rdi";

/** Instruction, page it goes to (undefined: none), error code. Bits: 1 present, 2 write, 4 user, 16 fetch. */
const REFUSED: [string, Access | undefined, number][] = [
  [READ, undefined, 0x04],
  [READ, "rs", 0x05],
  [READ, "rws", 0x05],
  [READ, "rxs", 0x05],
  [WRITE, undefined, 0x06],
  [WRITE, "r", 0x07],
  [WRITE, "rx", 0x07],
  [WRITE, "rs", 0x07],
  [WRITE, "rws", 0x07],
  [WRITE, "rwxs", 0x07],
  [JUMP, undefined, 0x14],
  [JUMP, "r", 0x15],
  [JUMP, "rw", 0x15],
  [JUMP, "rxs", 0x15],
  [JUMP, "rws", 0x15],
];

const ALLOWED: [string, Access][] = [
  [READ, "r"],
  [READ, "rw"],
  [READ, "rx"],
  [READ, "rwx"],
  [WRITE, "rw"],
  [WRITE, "rwx"],
  [JUMP, "rx"],
  [JUMP, "rwx"],
];

describeEngines("paging", (create) => {
  test.each(REFUSED)("%s on a page that is %s: error code %i, exact RIP and CR2", (instruction, access, errorCode) => {
    const machine = new TestMachine(create);
    machine.load(`nop; nop; inc rcx; ${instruction}; syscall`);
    if (access) machine.map(DATA, access);
    machine.cpu.set(RDI, DATA + 0x123);
    machine.cpu.set(RAX, 77);
    const rip = instruction === JUMP ? DATA + 0x123 : CODE + 5;
    expect(machine.run()).toEqual(pageFault(rip, errorCode, DATA + 0x123));
    expect([machine.cpu.get(RCX), machine.cpu.get(RAX)]).toEqual([1, 77]);
  });

  test.each(ALLOWED)("%s on a page that is %s goes through", (instruction, access) => {
    const machine = new TestMachine(create);
    machine.load(`${instruction}; syscall`);
    const pfn = machine.map(DATA, access);
    machine.memory.u8.set(assemble("syscall"), pfn * PAGE_SIZE + 0x100);
    machine.cpu.set(RDI, DATA + 0x100);
    expect(machine.run().stop).toBe("syscall");
  });

  test("two virtual pages on one frame show the same bytes", () => {
    const machine = new TestMachine(create);
    machine.load("mov [rdi], r8; mov rax, [rdi + 0x1000]; syscall");
    const pfn = machine.map(DATA, "rw");
    machine.map(DATA + PAGE_SIZE, "r", pfn);
    machine.cpu.set(RDI, DATA);
    machine.cpu.set(R8, 0x1234567890);
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe(0x1234567890);
    expect(machine.memory.u32[pfn * 1024]).toBe(0x34567890);
  });

  test("accessed and dirty bits are set by use, not by mapping", () => {
    const machine = new TestMachine(create);
    machine.load(`${READ}; syscall; ${WRITE}; syscall`);
    machine.map(DATA, "rw");
    const entry = machine.entryIndex(DATA);
    const bits = () => machine.memory.u32[entry]! & (PTE_A | PTE_D);
    machine.cpu.set(RDI, DATA);
    expect(bits()).toBe(0);
    machine.run();
    expect(bits()).toBe(PTE_A);
    machine.run();
    expect(bits()).toBe(PTE_A | PTE_D);
  });

  test("a dirty bit cleared by the kernel is set again after a flush", () => {
    const machine = new TestMachine(create);
    machine.load(`again: ${WRITE}; syscall; jmp again`);
    machine.map(DATA, "rw");
    const entry = machine.entryIndex(DATA);
    machine.cpu.set(RDI, DATA);
    machine.run();
    machine.memory.u32[entry]! &= ~(PTE_A | PTE_D);
    machine.engine.flushPage(DATA);
    machine.run();
    expect(machine.memory.u32[entry]! & (PTE_A | PTE_D)).toBe(PTE_A | PTE_D);
  });

  test("a page taken away or made read-only is gone after flushPage and flushTlb", () => {
    const machine = new TestMachine(create);
    machine.load(`again: ${WRITE}; syscall; jmp again`);
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    expect(machine.run().stop).toBe("syscall");
    machine.map(DATA, "r", pfn);
    machine.engine.flushPage(DATA);
    expect(machine.run()).toEqual(pageFault(CODE, 7, DATA));
    machine.map(DATA, "rw", pfn);
    machine.engine.flushTlb();
    expect(machine.run().stop).toBe("syscall");
    machine.unmap(DATA);
    machine.engine.flushTlb();
    expect(machine.run()).toEqual(pageFault(CODE, 6, DATA));
  });

  test("an upper-level entry without write permission makes everything below it read-only", () => {
    const machine = new TestMachine(create);
    machine.load(`${READ}; ${WRITE}; syscall`);
    machine.map(DATA, "rw");
    const pml4Entry = machine.root / 4;
    machine.memory.u32[pml4Entry]! &= ~PTE_RW;
    machine.cpu.set(RDI, DATA);
    expect(machine.run()).toEqual(pageFault(CODE + 3, 7, DATA));
  });

  test("a non-canonical address is a general protection fault", () => {
    const machine = new TestMachine(create);
    machine.load(`nop; ${READ}; syscall`);
    machine.cpu.u64[RDI] = 0x0000800000000000n;
    expect(machine.run()).toEqual(fault(CODE + 1, 13));
    machine.cpu.u64[RDI] = 0xffff7fffffffffffn;
    expect(machine.run()).toEqual(fault(CODE + 1, 13));
  });

  test("an address of the kernel half is a page fault like any other", () => {
    const machine = new TestMachine(create);
    machine.load(`${READ}; syscall`);
    machine.cpu.u64[RDI] = 0xffff800000000000n;
    expect(machine.engine.run(100)).toBe(1);
    const { stop } = machine.engine;
    expect([stop.vector, stop.addressLow, stop.addressHigh]).toEqual([14, 0, 0xffff8000]);
    expect(stop.errorCode).toBe(4);
  });

  test("user code cannot see the engine's supervisor area", () => {
    const machine = new TestMachine(create);
    machine.load(`${READ}; syscall; ${WRITE}; syscall; ${JUMP}`);
    for (let page = 0; page < 512; page++) {
      machine.cpu.set(RIP, CODE);
      machine.cpu.u64[RDI] = 0xffffff8000000000n + BigInt(page * PAGE_SIZE);
      expect(machine.run()).toMatchObject({ stop: "fault", vector: 14, rip: CODE });
      machine.cpu.set(RIP, CODE + 5);
      expect(machine.run()).toMatchObject({ stop: "fault", vector: 14, rip: CODE + 5 });
      machine.cpu.set(RIP, CODE + 10);
      expect(machine.run()).toMatchObject({ stop: "fault", vector: 14 });
    }
  });

  test("a page-crossing access faults on the page that is missing", () => {
    const machine = new TestMachine(create);
    machine.load(`${READ}; syscall`);
    machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA + PAGE_SIZE - 3);
    expect(machine.run()).toEqual(pageFault(CODE, 4, DATA + PAGE_SIZE));
    machine.cpu.set(RDI, DATA - 3);
    expect(machine.run()).toEqual(pageFault(CODE, 4, DATA - 3));
  });

  test("a thousand address spaces stay apart", () => {
    const machine = new TestMachine(create, 64 * 1024 * 1024);
    machine.load("again: inc qword ptr [rdi]; mov rax, [rdi]; syscall; jmp again");
    const code = machine.memory.u32[machine.entryIndex(CODE)]! >>> 12;
    const roots = Array.from({ length: 1000 }, (_, i) => {
      const root = machine.createRoot();
      machine.map(CODE, "rx", code, root);
      const pfn = machine.map(DATA, "rw", undefined, root);
      machine.memory.u32[pfn * 1024] = i * 1000;
      return root;
    });
    machine.cpu.set(RDI, DATA);
    for (let round = 1; round <= 3; round++) {
      roots.forEach((root, i) => {
        machine.activate(root);
        machine.run();
        expect(machine.cpu.get(RAX)).toBe(i * 1000 + round);
      });
    }
  });

  test("a table entry that points outside RAM is an error of the kernel, and the engine lives on", () => {
    const machine = new TestMachine(create);
    machine.addStack();
    machine.load(`${READ}; syscall; ${WRITE}; syscall; ${JUMP}`);
    const outside = machine.memory.frameCount + 5;
    machine.map(DATA, "rwx", outside);
    machine.cpu.set(RDI, DATA);
    for (const offset of [0, 5, 10]) {
      machine.cpu.set(RIP, CODE + offset);
      expect(() => machine.run()).toThrow(/outside RAM/);
      machine.engine.flushTlb();
    }
    const pfn = machine.map(DATA, "rw");
    machine.memory.u32[pfn * 1024] = 42;
    machine.cpu.set(RIP, CODE);
    expect(machine.run()).toEqual(syscall(CODE + 5));
    expect([machine.cpu.get(RAX), machine.cpu.get(RSP)]).toEqual([42, STACK_TOP]);
  });

  test.each([0, 1, 2])("an upper-level entry (level %i) that points outside RAM does not end the process", (level) => {
    const machine = new TestMachine(create);
    machine.load(`${READ}; syscall`);
    machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    let table = machine.root / PAGE_SIZE;
    const shifts = [2 ** 39, 2 ** 30, 2 ** 21];
    for (let i = 0; i < level; i++) {
      table = machine.memory.u32[table * 1024 + (Math.floor(DATA / shifts[i]!) % 512) * 2]! >>> 12;
    }
    const index = table * 1024 + (Math.floor(DATA / shifts[level]!) % 512) * 2;
    const good = machine.memory.u32[index]!;
    machine.memory.u32[index] = (machine.memory.frameCount + 7) * PAGE_SIZE + 7;
    machine.memory.u32[index + 1] = 0x000f0000;
    try {
      machine.run();
    } catch (error) {
      expect(String(error)).toMatch(/outside RAM/);
    }
    machine.memory.u32[index] = good;
    machine.memory.u32[index + 1] = 0;
    machine.engine.flushTlb();
    machine.cpu.set(RIP, CODE);
    expect(machine.run()).toEqual(syscall(CODE + 5));
  });
});
