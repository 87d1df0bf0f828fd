/** Faults, traps and instructions that user code may not execute. */
import { describe, expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { CPU_GENERAL_SIZE, R11, RAX, RBX, RCX, RDI, RDX, RFLAGS, RIP, RSP } from "../registers.ts";
import { describeEngines } from "./engines.ts";
import { CODE, DATA, fault, pageFault, syscall, TestMachine, trap } from "./test-machine.ts";

const TF = 0x100;
const GP = 13;
const UD = 6;

/** Instructions that fault at CPL 3: source, vector, error code. */
const FORBIDDEN: [string, number, number][] = [
  ["hlt", GP, 0],
  ["cli", GP, 0],
  ["sti", GP, 0],
  ["mov rax, cr0", GP, 0],
  ["mov cr0, rax", GP, 0],
  ["mov cr3, rax", GP, 0],
  ["mov rax, cr3", GP, 0],
  ["mov cr4, rax", GP, 0],
  ["mov rax, dr7", GP, 0],
  ["rdmsr", GP, 0],
  ["wrmsr", GP, 0],
  ["rdtsc", GP, 0],
  ["invlpg [rdi]", GP, 0],
  ["invd", GP, 0],
  ["wbinvd", GP, 0],
  ["lgdt [rdi]", GP, 0],
  ["lidt [rdi]", GP, 0],
  ["lldt ax", GP, 0],
  ["ltr ax", GP, 0],
  ["lmsw ax", GP, 0],
  ["clts", GP, 0],
  ["swapgs", GP, 0],
  ["sysretq", GP, 0],
  ["in al, dx", GP, 0],
  ["in eax, 0x60", GP, 0],
  ["out dx, al", GP, 0],
  ["out 0x80, eax", GP, 0],
  ["ud2", UD, 0],
  [".byte 0x0f, 0xff", UD, 0],
  [".byte 0x06", UD, 0], // push es
  [".byte 0xf0, 0x90", UD, 0], // lock nop
  ["vaddps ymm0, ymm1, ymm2", UD, 0],
  ["sysenter", UD, 0],
  ["mov ds, eax", GP, 0x18],
  ["mov ss, eax", GP, 0x18],
];

describeEngines("exceptions", (create) => {
  test.each(FORBIDDEN)("%s is a fault with vector %i and error code %i", (source, vector, errorCode) => {
    const machine = new TestMachine(create);
    machine.load(`inc rbx; ${source}; inc rbx; syscall`);
    machine.map(DATA, "rw");
    machine.cpu.set(RAX, 0x18);
    machine.cpu.set(RDX, 0x70);
    machine.cpu.set(RDI, DATA);
    const outcome = machine.run();
    if (errorCode !== 0) outcome.errorCode! &= ~3;
    expect(outcome).toEqual(fault(CODE + 3, vector, errorCode));
    expect([RBX, RAX, RDX].map((register) => machine.cpu.get(register))).toEqual([1, 0x18, 0x70]);
    machine.cpu.set(RIP, CODE);
    expect(machine.run()).toMatchObject({ rip: CODE + 3, vector });
  });

  test("division by zero and division overflow are #DE at the instruction", () => {
    const machine = new TestMachine(create);
    machine.load("xor edx, edx; div ecx; syscall");
    machine.cpu.set(RCX, 0);
    expect(machine.run()).toEqual(fault(CODE + 2, 0));
    machine.load("mov edx, 5; div ecx; syscall");
    machine.engine.flushTlb();
    machine.cpu.set(RCX, 2);
    expect(machine.run()).toEqual(fault(CODE + 5, 0));
  });

  test("int3 and int n are traps with RIP behind them", () => {
    const machine = new TestMachine(create);
    machine.load("int3; int 0x80; int 3; int 13; int 14; int 0x21; syscall");
    expect(machine.run()).toEqual(trap(CODE + 1, 3));
    expect(machine.run()).toEqual(trap(CODE + 3, 0x80));
    const [three, thirteen, fourteen, last] = [machine.run(), machine.run(), machine.run(), machine.run()];
    expect(three).toMatchObject({ stop: "trap", vector: 3 });
    expect([thirteen.stop, thirteen.vector, thirteen.rip]).toEqual(["trap", 13, three.rip + 2]);
    expect([fourteen.stop, fourteen.vector, fourteen.rip]).toEqual(["trap", 14, three.rip + 4]);
    expect([last.stop, last.vector, last.rip]).toEqual(["trap", 0x21, three.rip + 6]);
    expect(machine.run().stop).toBe("syscall");
  });

  test("a fault after traps with the same vector is a fault again", () => {
    const machine = new TestMachine(create);
    machine.load("int 14; mov rax, [rdi]; syscall");
    machine.cpu.set(RDI, DATA);
    expect(machine.run()).toEqual(trap(CODE + 2, 14));
    expect(machine.run()).toEqual(pageFault(CODE + 2, 4, DATA));
  });

  test("int3 and int n leave registers and flags alone", () => {
    const machine = new TestMachine(create);
    machine.load("stc; int3; syscall");
    machine.cpu.set(RAX, 5);
    machine.run();
    expect(machine.cpu.get(RFLAGS) & 1).toBe(1);
    expect(machine.cpu.get(RAX)).toBe(5);
  });

  test("an unmasked x87 exception is #MF at the next x87 instruction", () => {
    const machine = new TestMachine(create);
    machine.load("push 0x37b; fldcw [rsp]; fld1; fldz; fdivp; nop; fwait; syscall");
    machine.addStack();
    expect(machine.run()).toMatchObject({ stop: "fault", vector: 16 });
  });

  test.each(["iretq", "retfq"])("%s with its stack absent is a fault of user code", (source) => {
    const machine = new TestMachine(create);
    machine.load(source);
    machine.cpu.set(RSP, DATA);
    expect(machine.run()).toEqual(pageFault(CODE, 4, DATA));
  });

  test.each(["iretq", "retfq"])("%s to kernel or absent segments is refused", (source) => {
    for (const selector of [0x08, 0x0b, 0x10, 0x23, 0x30]) {
      const machine = new TestMachine(create);
      machine.addStack();
      machine.load(`push 0x2b; push rsp; push 0x202; push ${selector}; lea rax, [rip]; push rax; ${source}`);
      expect(machine.run()).toMatchObject({ stop: "fault", vector: GP });
    }
  });

  describe("syscall", () => {
    test("leaves RCX and R11 to the kernel and stops behind itself", () => {
      const machine = new TestMachine(create);
      machine.load("nop; syscall; nop");
      machine.cpu.set(RCX, 11);
      machine.cpu.set(R11, 12);
      expect(machine.run()).toEqual(syscall(CODE + 3));
      expect([machine.cpu.get(RCX), machine.cpu.get(R11)]).toEqual([11, 12]);
    });

    test("values set by the kernel are seen by the program", () => {
      const machine = new TestMachine(create);
      machine.load("syscall; mov rbx, rax; add rbx, rcx; syscall");
      machine.run();
      machine.cpu.set(RAX, -14);
      machine.cpu.set(RCX, 20);
      machine.run();
      expect(machine.cpu.get(RBX)).toBe(6);
    });

    test("every register goes in and comes out unchanged", () => {
      const machine = new TestMachine(create);
      machine.load("syscall");
      machine.cpu.set(RFLAGS, 0x202);
      for (let i = 0; i < 16; i++) machine.cpu.u64[i] = 0x0101010101010101n * BigInt(i + 1) * 0xfn;
      machine.cpu.u64[18] = 0x1122334455n;
      machine.cpu.u64[19] = 0x6677889900n;
      const before = machine.cpu.bytes.slice(0, CPU_GENERAL_SIZE);
      machine.run();
      machine.cpu.set(RIP, CODE);
      expect(machine.cpu.bytes.slice(0, CPU_GENERAL_SIZE)).toEqual(before);
    });
  });

  describe("flags", () => {
    test("user code cannot turn off interrupts or raise IOPL", () => {
      const machine = new TestMachine(create);
      machine.addStack();
      machine.load("push 0x3000; popfq; pushfq; pop rax; syscall");
      machine.run();
      expect(machine.cpu.get(RAX)).toBe(0x202);
    });

    test("privileged bits in RFLAGS given by the kernel do not take effect", () => {
      const machine = new TestMachine(create);
      machine.addStack();
      machine.load("pushfq; pop rax; cli; syscall");
      machine.cpu.set(RFLAGS, 0x1a3000);
      expect(machine.run()).toMatchObject({ stop: "fault", vector: GP });
      expect(machine.cpu.get(RAX)).toBe(0x202);
    });

    test.each([0x1, 0x4, 0x10, 0x40, 0x80, 0x400, 0x800, 0xcd5])("status bits %i go in and come out", (bits) => {
      const machine = new TestMachine(create);
      machine.addStack();
      machine.load("pushfq; pop rax; syscall");
      machine.cpu.set(RFLAGS, bits);
      machine.run();
      expect([machine.cpu.get(RAX), machine.cpu.get(RFLAGS)]).toEqual([bits + 0x202, bits + 0x202]);
    });
  });

  describe("single step", () => {
    test("TF set by the kernel stops behind every instruction", () => {
      const machine = new TestMachine(create);
      machine.load("inc rax; inc rax; jmp next; ud2\n next: nop; syscall");
      machine.cpu.set(RFLAGS, 0x202 | TF);
      expect(machine.run()).toEqual(trap(CODE + 3, 1));
      expect(machine.cpu.get(RAX)).toBe(1);
      expect(machine.cpu.get(RFLAGS) & TF).toBe(TF);
      expect(machine.run()).toEqual(trap(CODE + 6, 1));
      expect(machine.run()).toEqual(trap(CODE + 10, 1));
      expect(machine.run()).toEqual(trap(CODE + 11, 1));
      machine.cpu.set(RFLAGS, 0x202);
      expect(machine.run().stop).toBe("syscall");
    });

    test("TF set by the program with popf traps behind the next instruction", () => {
      const machine = new TestMachine(create);
      machine.addStack();
      machine.load("push 0x302; popfq; inc rax; inc rax; syscall");
      expect(machine.run()).toMatchObject({ stop: "trap", vector: 1 });
      expect(machine.cpu.get(RAX)).toBe(1);
    });

    test("a fault under single step is the fault", () => {
      const machine = new TestMachine(create);
      machine.load("mov rax, [rdi]; syscall");
      machine.cpu.set(RDI, DATA);
      machine.cpu.set(RFLAGS, 0x202 | TF);
      expect(machine.run()).toEqual(pageFault(CODE, 4, DATA));
      machine.map(DATA, "r");
      expect(machine.run()).toEqual(trap(CODE + 3, 1));
    });

    test("a stepped program computes what a free one does", () => {
      const source = "mov ecx, 10\n again: lea rax, [rax + rcx * 2]; xor rax, rcx; dec ecx; jnz again; syscall";
      const free = new TestMachine(create);
      free.load(source);
      free.run();
      const stepped = new TestMachine(create);
      stepped.load(source);
      stepped.cpu.set(RFLAGS, 0x202 | TF);
      let steps = 0;
      while (stepped.run().stop === "trap") steps++;
      expect(steps).toBe(41);
      expect(stepped.cpu.get(RAX)).toBe(free.cpu.get(RAX));
    });
  });

  test("FS and GS bases are added to addresses and kept over stops", () => {
    const machine = new TestMachine(create);
    machine.load("mov rax, fs:[0x10]; mov rbx, gs:[0x20]; syscall; mov rax, gs:[0x20]; syscall");
    const pfn = machine.map(DATA, "r");
    machine.memory.u32[(pfn * PAGE_SIZE) / 4 + 4] = 111;
    machine.memory.u32[(pfn * PAGE_SIZE) / 4 + 0x108] = 222;
    machine.cpu.set(18, DATA);
    machine.cpu.set(19, DATA + 0x400);
    machine.run();
    expect([machine.cpu.get(RAX), machine.cpu.get(RBX)]).toEqual([111, 222]);
    expect([machine.cpu.get(18), machine.cpu.get(19)]).toEqual([DATA, DATA + 0x400]);
    machine.cpu.set(19, DATA + 0x400);
    machine.run();
    expect(machine.cpu.get(RAX)).toBe(222);
  });

  test("a fault through FS reports the linear address", () => {
    const machine = new TestMachine(create);
    machine.load("mov rax, fs:[0x28]; syscall");
    machine.cpu.set(18, DATA + 0x1000);
    expect(machine.run()).toEqual(pageFault(CODE, 4, DATA + 0x1028));
  });

  test("several engines with RAM of their own do not disturb each other", () => {
    const machines = [0, 1, 2, 3].map((i) => {
      const machine = new TestMachine(create, 1024 * 1024 * (1 + i));
      machine.load("again: inc qword ptr [rdi]; mov rax, [rdi]; syscall; jmp again");
      const pfn = machine.map(DATA, "rw");
      machine.memory.u32[pfn * 1024] = i * 100;
      machine.cpu.set(RDI, DATA);
      return machine;
    });
    for (let round = 1; round <= 20; round++) {
      machines.forEach((machine, i) => {
        expect(machine.run().stop).toBe("syscall");
        expect(machine.cpu.get(RAX)).toBe(i * 100 + round);
      });
    }
  });

  test("an engine that is disposed of refuses to run and gives its frames back", () => {
    const machine = new TestMachine(create);
    machine.load("syscall");
    const before = machine.memory.freeFrames;
    machine.engine.dispose();
    machine.engine.dispose();
    expect(() => machine.run()).toThrow(/disposed/);
    expect(machine.memory.freeFrames).toBeGreaterThanOrEqual(before);
  });

  test("engines come and go without using up the host", () => {
    for (let i = 0; i < 30; i++) {
      const machine = new TestMachine(create, 1024 * 1024);
      machine.load("syscall");
      expect(machine.run().stop).toBe("syscall");
      machine.engine.dispose();
    }
  });
});
