/** Pages that follow each other in RAM are accessed as one; what was one window does not outlive a page's rights. */
import { expect, test } from "vitest";
import { CODE, DATA, fault, pageFault, PTE_RW, STACK_TOP, syscall } from "../contract/test-machine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RBX, RCX, RDI, RDX, RIP, RSI, RSP } from "../registers.ts";
import { describeTiers, type TierMachine } from "./testing/bad-input-tiers.ts";

const PAGES = 5;
const GP = 13;

const runFrom = (machine: TierMachine, address: number): ReturnType<TierMachine["run"]> => {
  machine.cpu.set(RIP, address);
  return machine.run();
};

/** Goes through all pages in steps of 64 bytes, adding one to what is there; RAX is the sum before. */
const WALK = `
  mov rdi, r9
  xor eax, eax
  mov ecx, ${(PAGES * PAGE_SIZE) / 64}
 again:
  add rax, [rdi]
  inc qword ptr [rdi]
  add rdi, 64
  dec ecx
  jnz again
  syscall`;
const AFTER_WALK = syscall(0x400018);

describeTiers("a window of pages", (create) => {
  const walker = (): TierMachine => {
    const machine = create();
    machine.load(WALK);
    for (let page = 0; page < PAGES; page++) machine.map(DATA + page * PAGE_SIZE, "rw");
    machine.cpu.set(9, DATA);
    for (let round = 0; round < 8; round++) {
      expect(runFrom(machine, CODE).stop).toBe("syscall");
      expect(machine.cpu.get(RAX)).toBe((round * PAGES * PAGE_SIZE) / 64);
    }
    return machine;
  };
  const middle = DATA + 2 * PAGE_SIZE;

  test("ends where a page in its middle is unmapped", () => {
    const machine = walker();
    machine.unmap(middle);
    machine.engine.flushPage(middle);
    expect(runFrom(machine, CODE)).toMatchObject({ stop: "fault", address: middle, errorCode: 4 });
    expect(machine.cpu.get(RAX)).toBe((8 * 2 * PAGE_SIZE) / 64);
    machine.map(middle, "rw");
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe((8 * 4 * PAGE_SIZE) / 64);
  });

  test("ends where a page in its middle is made read-only, or moves to a copy", () => {
    const machine = walker();
    const frame = machine.frameOf(middle);
    machine.map(middle, "r", frame);
    machine.engine.flushPage(middle);
    expect(runFrom(machine, CODE)).toMatchObject({ stop: "fault", address: middle, errorCode: 7 });
    const copy = machine.memory.allocate();
    machine.memory.copyFrame(frame, copy);
    machine.map(middle, "rw", copy);
    machine.engine.flushPage(middle);
    expect(machine.run().stop).toBe("syscall");
    expect(machine.memory.u32[frame * 1024]).toBe(8);
    expect(machine.memory.u32[copy * 1024]).toBe(9);
  });

  test("is another one in another address space", () => {
    const machine = walker();
    const { root } = machine;
    machine.activate(machine.createRoot());
    machine.load(WALK);
    for (let page = 0; page < PAGES; page++) machine.map(DATA + page * PAGE_SIZE, "rw");
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe(0);
    machine.activate(root);
    expect(runFrom(machine, CODE).stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe((8 * PAGES * PAGE_SIZE) / 64);
  });

  test("says no to writing where a page in its middle has code", () => {
    const machine = walker();
    const frame = machine.frameOf(middle);
    machine.map(middle, "rwx", frame);
    machine.engine.flushPage(middle);
    // mov eax, 0; syscall: what the walk adds to is the constant.
    machine.memory.u8.set([0x90, 0x90, 0x90, 0xb8, 0, 0, 0, 0, 0x0f, 0x05], frame * PAGE_SIZE + 64 - 4);
    for (let round = 1; round <= 8; round++) {
      expect(runFrom(machine, middle + 63).stop).toBe("syscall");
      expect(machine.cpu.get(RAX)).toBe(round - 1);
      expect(runFrom(machine, CODE)).toEqual({ ...AFTER_WALK, rip: machine.cpu.get(RIP) });
    }
  });

  test("sets A and D bits of the pages that are accessed, no others", () => {
    const machine = create();
    machine.load(WALK);
    const entries = Array.from({ length: PAGES }, (_, page) => {
      machine.map(DATA + page * PAGE_SIZE, "rw");
      return machine.entryIndex(DATA + page * PAGE_SIZE);
    });
    const bits = (): number[] => entries.map((entry) => machine.memory.u32[entry]! & 0x60);
    machine.cpu.set(9, DATA + PAGE_SIZE);
    expect(machine.run()).toMatchObject({ stop: "fault", address: DATA + PAGES * PAGE_SIZE });
    expect(bits()).toEqual([0, 0x60, 0x60, 0x60, 0x60]);
  });

  test("that could grow since is found", () => {
    const machine = create();
    machine.load(WALK);
    machine.cpu.set(9, DATA);
    expect(machine.runOnDemand()).toEqual(Array.from({ length: PAGES }, (_, page) => DATA + page * PAGE_SIZE));
    expect(runFrom(machine, CODE).stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe((PAGES * PAGE_SIZE) / 64);
  });
});

/** Stores four times from R9 on, loads once, adds up; then pushes and pops. */
const GROUP = `
  mov ecx, 10
 again:
  mov rbx, rcx
  mov [r9], rbx
  add rbx, 1
  mov [r9 + 8], rbx
  add rbx, 1
  mov [r9 + 16], rbx
  lea r10, [r9 + 24]
  add rbx, 1
  mov [r10], rbx
  add rax, [r9 + 8]
  push rbx
  push rax
  add qword ptr [rsp + 8], 1
  mov rdx, [rsp]
  pop rsi
  pop rdi
  dec ecx
  jnz again
  syscall`;

describeTiers("accesses side by side", (create) => {
  const grouped = (address: number): TierMachine => {
    const machine = create();
    machine.load(GROUP);
    machine.addStack();
    machine.map(DATA, "rw");
    machine.cpu.set(9, address);
    return machine;
  };

  test("are made as if alone", () => {
    const machine = grouped(DATA);
    for (let round = 1; round <= 8; round++) {
      expect(runFrom(machine, CODE).stop).toBe("syscall");
      expect([RAX, RDX, RSI, RDI, RSP].map((register) => machine.cpu.get(register))).toEqual([
        65 * round,
        65 * round,
        65 * round,
        5,
        STACK_TOP,
      ]);
    }
  });

  test.each([8, 16, 24])("fault at the one that leaves the mapping after %i bytes", (inside) => {
    const machine = grouped(DATA);
    for (let round = 0; round < 8; round++) expect(runFrom(machine, CODE).stop).toBe("syscall");
    machine.cpu.set(9, DATA + PAGE_SIZE - inside);
    machine.cpu.set(RAX, 77);
    const outcome = runFrom(machine, CODE);
    expect(outcome).toEqual(pageFault(outcome.rip, 6, DATA + PAGE_SIZE));
    expect([RAX, RBX, RCX].map((register) => machine.cpu.get(register))).toEqual([77, 10 + inside / 8, 10]);
    const words = new BigUint64Array(
      machine.memory.buffer,
      (machine.frameOf(DATA) + 1) * PAGE_SIZE - inside,
      inside / 8,
    );
    expect([...words]).toEqual([10n, 11n, 12n].slice(0, inside / 8));
    // Somewhere else in RAM.
    machine.memory.allocate();
    machine.map(DATA + PAGE_SIZE, "rw");
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe(77 + 65);
  });

  test("go over the end of a page whose neighbour is elsewhere in RAM", () => {
    const machine = grouped(DATA + PAGE_SIZE - 12);
    machine.memory.allocate();
    machine.map(DATA + PAGE_SIZE, "rw");
    for (let round = 1; round <= 8; round++) {
      expect(runFrom(machine, CODE).stop).toBe("syscall");
      expect(machine.cpu.get(RAX)).toBe(65 * round);
    }
  });

  test("stop before the one that writes to a page made read-only, which reading does not mind", () => {
    const machine = create();
    machine.load("mov rbx, [r9 + 8]\n mov rcx, [r9 + 16]\n there: mov [r9], rbx\n add rax, 1\n syscall");
    const frame = machine.map(DATA, "rw");
    machine.cpu.set(9, DATA);
    for (let round = 0; round < 8; round++) expect(runFrom(machine, CODE).stop).toBe("syscall");
    machine.memory.u32[frame * 1024 + 2] = 5;
    machine.memory.u32[machine.entryIndex(DATA)]! &= ~PTE_RW;
    machine.engine.flushPage(DATA);
    expect(runFrom(machine, CODE)).toEqual(pageFault(CODE + 8, 7, DATA));
    expect([RAX, RBX].map((register) => machine.cpu.get(register))).toEqual([8, 5]);
  });

  test("in a page with code: what is written is what is executed", () => {
    const machine = create();
    machine.load(
      `mov ecx, 40
       again: mov eax, [rdi + 4]
       mov [rdi], cl
       mov bl, [rdi]
       call function
       dec ecx
       jnz again
       syscall
       .balign 64
       function: mov dl, 0
       add esi, edx
       ret`,
      CODE,
      "rwx",
    );
    machine.addStack();
    machine.cpu.set(RDI, CODE + 65);
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RSI)).toBe((40 * 41) / 2);
  });

  test("that must be aligned are #GP, each by itself", () => {
    const machine = create();
    machine.load(
      `mov [r9 + 4], eax
       movaps [r9 + 8], xmm0
       mov [r9 + 32], eax
       movaps xmm1, [r9 + 24]
       add eax, 1
       syscall`,
    );
    machine.map(DATA, "rw");
    machine.cpu.set(9, DATA + 8);
    for (let round = 1; round <= 8; round++) {
      expect(runFrom(machine, CODE)).toMatchObject({ stop: "syscall" });
      expect(machine.cpu.get(RAX)).toBe(round);
    }
    machine.cpu.set(9, DATA + 4);
    expect(runFrom(machine, CODE)).toEqual(fault(CODE + 4, GP));
    expect(machine.memory.u32[machine.frameOf(DATA) * 1024 + 2]).toBe(8);
  });

  test("of which two must be aligned but cannot both be", () => {
    const machine = create();
    machine.load("movups xmm0, [r9]\n movaps xmm1, [r9 + 16]\n movaps xmm2, [r9 + 40]\n syscall");
    machine.map(DATA, "rw");
    machine.cpu.set(9, DATA);
    for (let round = 0; round < 8; round++) expect(runFrom(machine, CODE)).toEqual(fault(CODE + 9, GP));
    machine.cpu.set(9, DATA + 8);
    expect(runFrom(machine, CODE)).toEqual(fault(CODE + 4, GP));
  });
});
