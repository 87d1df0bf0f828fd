/** Instructions interrupted by a page fault start again as if nothing had happened. */
import { expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RBX, RCX, RDI, RFLAGS, RIP, RSI, RSP } from "../registers.ts";
import { describeEngines } from "./engines.ts";
import { CODE, DATA, pageFault, PTE_NX_HIGH, STACK_TOP, syscall, TestMachine } from "./test-machine.ts";

const OTHER = DATA + 0x100000;

describeEngines("restart after a fault", (create) => {
  test("push leaves RSP alone", () => {
    const machine = new TestMachine(create);
    machine.load("push rax; syscall");
    machine.cpu.set(RSP, STACK_TOP);
    machine.cpu.set(RAX, 99);
    expect(machine.run()).toEqual(pageFault(CODE, 6, STACK_TOP - 8));
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP);
    const pfn = machine.addStack();
    expect(machine.run()).toEqual(syscall(CODE + 3));
    expect(machine.memory.u32[pfn * 1024 + 1022]).toBe(99);
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP - 8);
  });

  test("call, with stack and target both absent", () => {
    const machine = new TestMachine(create);
    machine.load("call rdi");
    machine.cpu.set(RSP, STACK_TOP);
    machine.cpu.set(RDI, OTHER);
    expect(machine.run()).toEqual(pageFault(CODE, 6, STACK_TOP - 8));
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP);
    const stack = machine.addStack();
    expect(machine.run()).toEqual(pageFault(OTHER, 0x14, OTHER));
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP - 8);
    machine.load("syscall", OTHER);
    expect(machine.run()).toEqual(syscall(OTHER + 2));
    expect(machine.memory.u32[stack * 1024 + 1022]).toBe(CODE + 2);
  });

  test("rep movsb keeps its progress in RCX, RSI and RDI", () => {
    const machine = new TestMachine(create);
    machine.load("rep movsb; syscall");
    const size = 3 * PAGE_SIZE;
    const sources = [0, 1, 2].map((i) => machine.map(DATA + i * PAGE_SIZE, "r"));
    sources.forEach((pfn, i) => machine.memory.u8.fill(i + 1, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE));
    machine.unmap(DATA + PAGE_SIZE);
    machine.cpu.set(RSI, DATA);
    machine.cpu.set(RDI, OTHER + 100);
    machine.cpu.set(RCX, size);
    const progress = () => [RCX, RSI, RDI].map((register) => machine.cpu.get(register));
    expect(machine.run()).toEqual(pageFault(CODE, 6, OTHER + 100));
    expect(progress()).toEqual([size, DATA, OTHER + 100]);
    const first = machine.map(OTHER, "rw");
    const done = PAGE_SIZE - 100;
    expect(machine.run()).toEqual(pageFault(CODE, 6, OTHER + PAGE_SIZE));
    expect(progress()).toEqual([size - done, DATA + done, OTHER + PAGE_SIZE]);
    machine.map(OTHER + PAGE_SIZE, "rw");
    expect(machine.run()).toEqual(pageFault(CODE, 4, DATA + PAGE_SIZE));
    expect(progress()).toEqual([size - PAGE_SIZE, DATA + PAGE_SIZE, OTHER + PAGE_SIZE + 100]);
    machine.map(DATA + PAGE_SIZE, "r", sources[1]!);
    expect(machine.runOnDemand()).toEqual([OTHER + 2 * PAGE_SIZE, OTHER + 3 * PAGE_SIZE]);
    expect(progress()).toEqual([0, DATA + size, OTHER + 100 + size]);
    expect(machine.memory.u8[first * PAGE_SIZE + 100]).toBe(1);
    const last = machine.memory.u32[machine.entryIndex(OTHER + 3 * PAGE_SIZE)]! >>> 12;
    expect([...machine.memory.u8.subarray(last * PAGE_SIZE + 98, last * PAGE_SIZE + 102)]).toEqual([3, 3, 0, 0]);
  });

  test("a store over a page border writes nothing when the second page is absent", () => {
    const machine = new TestMachine(create);
    machine.load("mov [rdi], rax; syscall");
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA + PAGE_SIZE - 4);
    machine.cpu.u64[RAX] = 0x1122334455667788n;
    expect(machine.run()).toEqual(pageFault(CODE, 6, DATA + PAGE_SIZE));
    expect(machine.memory.u32[pfn * 1024 + 1023]).toBe(0);
    const second = machine.map(DATA + PAGE_SIZE, "rw");
    expect(machine.run()).toEqual(syscall(CODE + 5));
    expect(machine.memory.u32[pfn * 1024 + 1023]).toBe(0x55667788);
    expect(machine.memory.u32[second * 1024]).toBe(0x11223344);
  });

  test("an instruction over a page border reports its start as RIP and the second page as address", () => {
    const machine = new TestMachine(create);
    const start = CODE + PAGE_SIZE - 4;
    machine.load("movabs rax, 0x1122334455667788; syscall", start);
    const entry = machine.entryIndex(CODE + PAGE_SIZE);
    const present = machine.memory.u32[entry]!;
    machine.memory.u32[entry] = 0;
    expect(machine.run()).toEqual(pageFault(start, 0x14, CODE + PAGE_SIZE));
    machine.memory.u32[entry] = present;
    machine.memory.u32[entry + 1] = PTE_NX_HIGH;
    machine.engine.flushTlb();
    expect(machine.run()).toEqual(pageFault(start, 0x15, CODE + PAGE_SIZE));
    machine.memory.u32[entry + 1] = 0;
    machine.engine.flushTlb();
    expect(machine.run()).toEqual(syscall(start + 12));
    expect(machine.cpu.u64[RAX]).toBe(0x1122334455667788n);
  });

  test("code that runs into an absent page executes every instruction once", () => {
    const machine = new TestMachine(create);
    const source = `${"inc rax\n".repeat(1400)} syscall`;
    machine.load(source, CODE + 1);
    const entry = machine.entryIndex(CODE + PAGE_SIZE);
    const present = machine.memory.u32[entry]!;
    machine.memory.u32[entry] = 0;
    const outcome = machine.run();
    expect(outcome).toMatchObject({ stop: "fault", vector: 14, errorCode: 0x14, address: CODE + PAGE_SIZE });
    // RIP may lie before the border, at the start of a block, but registers must agree with it.
    expect(outcome.rip).toBe(CODE + 1 + machine.cpu.get(RAX) * 3);
    machine.memory.u32[entry] = present;
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe(1400);
  });

  test("copy on write: read-modify-write on a read-only page faults as a write and then happens once", () => {
    const machine = new TestMachine(create);
    machine.load("add qword ptr [rdi], 5; lock inc qword ptr [rdi]; xchg [rdi], rbx; syscall");
    const shared = machine.map(DATA, "r");
    machine.memory.u32[shared * 1024] = 10;
    machine.cpu.set(RDI, DATA);
    machine.cpu.set(RBX, 1);
    expect(machine.run()).toEqual(pageFault(CODE, 7, DATA));
    const copy = machine.memory.allocate();
    machine.memory.copyFrame(shared, copy);
    machine.map(DATA, "rw", copy);
    machine.engine.flushPage(DATA);
    expect(machine.run().stop).toBe("syscall");
    expect([machine.memory.u32[shared * 1024], machine.memory.u32[copy * 1024]]).toEqual([10, 1]);
    expect(machine.cpu.get(RBX)).toBe(16);
  });

  test("a faulting instruction leaves the flags as they were", () => {
    const machine = new TestMachine(create);
    machine.load("xor eax, eax; stc; adc rax, [rdi]; setc bl; syscall");
    machine.cpu.set(RDI, DATA);
    expect(machine.run().errorCode).toBe(4);
    expect(machine.cpu.get(RFLAGS) & 0x8d5).toBe(0x45);
    machine.map(DATA, "r");
    machine.run();
    expect([machine.cpu.get(RAX), machine.cpu.get(RBX)]).toEqual([1, 0]);
  });

  test("a fault in the middle of a block finds the registers of that point", () => {
    const machine = new TestMachine(create);
    machine.load("inc rax; inc rax; mov [rdi], rax; inc rax; inc rax; mov [rsi], rax; inc rax; syscall");
    machine.cpu.set(RDI, DATA);
    machine.cpu.set(RSI, OTHER);
    expect(machine.run()).toEqual(pageFault(CODE + 6, 6, DATA));
    expect(machine.cpu.get(RAX)).toBe(2);
    machine.map(DATA, "rw");
    expect(machine.run()).toEqual(pageFault(CODE + 15, 6, OTHER));
    expect(machine.cpu.get(RAX)).toBe(4);
  });

  test("a jump to address 0 reports RIP 0", () => {
    const machine = new TestMachine(create);
    machine.load("xor eax, eax; jmp rax");
    expect(machine.run()).toEqual(pageFault(0, 0x14, 0));
  });

  test("RIP set to a non-canonical address is a general protection fault", () => {
    const machine = new TestMachine(create);
    machine.cpu.u64[RIP] = 0x0000800000000000n;
    expect(machine.run()).toMatchObject({ stop: "fault", vector: 13 });
    expect(machine.cpu.u64[RIP]).toBe(0x0000800000000000n);
  });

  test("a hundred thousand faults in a row are all the same fault", () => {
    const machine = new TestMachine(create);
    machine.load("mov [rdi], rax; syscall");
    machine.cpu.set(RDI, DATA);
    const expected = pageFault(CODE, 6, DATA);
    const { engine, cpu } = machine;
    for (let i = 0; i < 100_000; i++) {
      const kind = engine.run(1000);
      if (kind !== 1 || engine.stop.vector !== 14 || engine.stop.errorCode !== 6 || cpu.get(RIP) !== CODE) {
        throw new Error(`fault ${i} was ${kind}, vector ${engine.stop.vector}`);
      }
    }
    expect(machine.run()).toEqual(expected);
    machine.map(DATA, "rw");
    expect(machine.run().stop).toBe("syscall");
  });
});
