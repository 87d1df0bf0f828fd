/** Code that changes while it runs: by itself, through other mappings, by others between two instructions. */
import { expect, test } from "vitest";
import { assemble } from "../contract/assemble.ts";
import { CODE, DATA, fault, pageFault, STACK_TOP, syscall } from "../contract/test-machine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RBX, RCX, RDI, RIP, RSP } from "../registers.ts";
import { describeTiers, type TierMachine } from "./testing/bad-input-tiers.ts";

const UD = 6;
const ROUNDS = 40;

const runFrom = (machine: TierMachine, address: number): ReturnType<TierMachine["run"]> => {
  machine.cpu.set(RIP, address);
  return machine.run();
};

describeTiers("a program that rewrites itself", (create) => {
  test("the very next instruction, every time round a hot loop", () => {
    const machine = create();
    machine.load(
      `mov ecx, ${ROUNDS}
       again: mov [rip + next + 1], cl
       next: mov bl, 0
       add eax, ebx
       dec ecx; jnz again
       syscall`,
      CODE,
      "rwx",
    );
    expect(machine.run()).toMatchObject({ stop: "syscall" });
    expect(machine.cpu.get(RAX)).toBe((ROUNDS * (ROUNDS + 1)) / 2);
  });

  test("an instruction behind a branch in the same loop, rarely", () => {
    const machine = create();
    machine.load(
      `mov ecx, 200
       again: test cl, 31; jnz skip
       inc byte ptr [rip + there + 2]
       skip: nop
       there: add eax, 1
       dec ecx; jnz again
       syscall`,
      CODE,
      "rwx",
    );
    expect(machine.run().stop).toBe("syscall");
    let [expected, step] = [0, 1];
    for (let ecx = 200; ecx > 0; ecx--) expected += ecx % 32 === 0 ? ++step : step;
    expect(machine.cpu.get(RAX)).toBe(expected);
  });

  test("through another mapping of the frame, within the loop that is running", () => {
    const machine = create();
    const pfn = machine.load(
      `mov ecx, ${ROUNDS}
       again: mov [rdi + 9], cl
       value: mov bl, 0
       add eax, ebx
       dec ecx; jnz again
       syscall`,
    );
    machine.map(DATA, "rw", pfn);
    machine.cpu.set(RDI, DATA);
    expect(machine.run().stop).toBe("syscall");
    expect(machine.cpu.get(RAX)).toBe((ROUNDS * (ROUNDS + 1)) / 2);
  });

  test("by a store that crosses from data into code", () => {
    const machine = create();
    machine.load("mov eax, 1; syscall", CODE + PAGE_SIZE, "rwx");
    machine.map(CODE, "rw");
    machine.load("movabs rbx, 0x0709b80000000000; mov [rdi - 5], rbx; jmp rdi", DATA);
    for (let run = 0; run < 12; run++) {
      machine.cpu.set(RDI, CODE + PAGE_SIZE);
      expect(runFrom(machine, DATA)).toEqual(syscall(CODE + PAGE_SIZE + 7));
      expect(machine.cpu.get(RAX)).toBe(0x00000709);
      machine.cpu.set(RIP, CODE + PAGE_SIZE);
    }
  });

  test("with a string instruction that goes over itself", () => {
    const machine = create();
    machine.load(
      "mov ecx, 64; lea rdi, [rip + end]; mov al, 0x90; rep stosb; end: .skip 64, 0x06; syscall",
      CODE,
      "rwx",
    );
    for (let run = 0; run < 12; run++) expect(runFrom(machine, CODE).stop).toBe("syscall");
  });

  test("the callee it is in, and the code it returns to", () => {
    const machine = create();
    machine.addStack();
    machine.load(
      `mov ecx, ${ROUNDS}
       again: call function
       back: mov bl, 0
       add eax, ebx
       dec ecx; jnz again
       syscall
       function: mov [rip + back + 1], cl
       mov [rip + inner + 1], cl
       inner: mov dl, 0
       add esi, edx
       ret`,
      CODE,
      "rwx",
    );
    machine.cpu.set(2, 0);
    expect(machine.run().stop).toBe("syscall");
    const sum = (ROUNDS * (ROUNDS + 1)) / 2;
    expect([machine.cpu.get(RAX), machine.cpu.get(6)]).toEqual([sum, sum]);
  });
});

describeTiers("code that others change", (create) => {
  test("by another thread, between any two instructions", () => {
    const machine = create();
    const pfn = machine.load("again: mov eax, 1; jmp middle; middle: mov ebx, 2; jmp again");
    const bytes = machine.memory.u8;
    for (let value = 3; value < 60; value++) {
      machine.run(1);
      bytes[pfn * PAGE_SIZE + 1] = value;
      bytes[pfn * PAGE_SIZE + 8] = value + 1;
      machine.engine.invalidateFrame(pfn);
      machine.run(2);
      expect([machine.cpu.get(RAX), machine.cpu.get(RBX)]).toEqual([value, value + 1]);
    }
  });

  test("by a guest thread with registers of its own, in turns", () => {
    const machine = create();
    const pfn = machine.load("again: mov eax, 1; jmp again");
    machine.map(DATA, "rw", pfn);
    machine.load("again: inc byte ptr [rdi + 1]; jmp again", CODE + 0x10000);
    const places = [CODE, CODE + 0x10000];
    machine.cpu.set(RDI, DATA);
    for (let turn = 0; turn < 80; turn++) {
      machine.cpu.set(RIP, places[turn % 2]!);
      machine.run(3);
      places[turn % 2] = machine.cpu.get(RIP);
      if (turn % 2 === 0) expect(machine.cpu.get(RAX)).toBe(1 + (turn / 2) * 3);
    }
  });

  test("by another process that maps the frame elsewhere", () => {
    const machine = create();
    const pfn = machine.load("mov eax, 1; syscall");
    const first = machine.root;
    const second = machine.createRoot();
    machine.map(DATA, "rw", pfn, second);
    const code = machine.map(CODE, "rx", undefined, second);
    machine.memory.u8.set(assemble("inc byte ptr [rdi + 1]; syscall"), code * PAGE_SIZE);
    for (let value = 1; value < 30; value++) {
      machine.activate(first);
      expect(runFrom(machine, CODE)).toEqual(syscall(CODE + 7));
      expect(machine.cpu.get(RAX)).toBe(value);
      machine.activate(second);
      machine.cpu.set(RDI, DATA);
      expect(runFrom(machine, CODE).stop).toBe("syscall");
    }
  });

  test("what was invalid becomes valid, though its first byte stays", () => {
    const machine = create();
    const pfn = machine.load(".byte 0x0f, 0x04, 0x0f, 0x05");
    const at = pfn * PAGE_SIZE + 1;
    for (let round = 0; round < 8; round++) {
      machine.memory.u8[at] = 0x04;
      machine.engine.invalidateFrame(pfn);
      for (let run = 0; run < 8; run++) expect(runFrom(machine, CODE)).toEqual(fault(CODE, UD));
      machine.memory.u8[at] = 0x05;
      machine.engine.invalidateFrame(pfn);
      for (let run = 0; run < 8; run++) expect(runFrom(machine, CODE)).toEqual(syscall(CODE + 2));
    }
  });

  test("an instruction whose second page is mapped to another frame", () => {
    const machine = create();
    const at = CODE + PAGE_SIZE - 2;
    machine.load("mov eax, 0x11223344; syscall", at);
    const frames = [machine.frameOf(CODE + PAGE_SIZE), machine.memory.allocateZeroed()];
    machine.memory.u8.set([5, 0, 0, 0x0f, 0x05], frames[1]! * PAGE_SIZE);
    for (let run = 0; run < 30; run++) {
      machine.map(CODE + PAGE_SIZE, "rx", frames[run % 2]);
      machine.engine.flushPage(CODE + PAGE_SIZE);
      expect(runFrom(machine, at)).toEqual(syscall(at + 7));
      expect(machine.cpu.get(RAX)).toBe(run % 2 === 0 ? 0x11223344 : 0x544);
    }
  });

  test("a callee that is unmapped or rewritten while its caller waits on the stack", () => {
    const machine = create();
    machine.addStack();
    const FUNCTION = CODE + 0x5000;
    machine.load("mov edi, 0; again: call function; inc edi; jmp again; .org 0x5000; function: syscall; ret");
    const pfn = machine.frameOf(FUNCTION);
    const inside = syscall(FUNCTION + 2);
    for (let run = 1; run < 30; run++) expect(machine.run()).toEqual(inside);
    machine.unmap(FUNCTION);
    machine.engine.flushPage(FUNCTION);
    expect(machine.run()).toEqual(pageFault(FUNCTION + 2, 0x14, FUNCTION + 2));
    machine.map(FUNCTION, "rx", pfn);
    machine.engine.flushPage(FUNCTION);
    expect(machine.run()).toEqual(inside);
    machine.memory.u8[pfn * PAGE_SIZE + 2] = 0x06;
    machine.engine.invalidateFrame(pfn);
    expect(machine.run()).toEqual(fault(FUNCTION + 2, UD));
    machine.memory.u8[pfn * PAGE_SIZE + 2] = 0xc3;
    machine.engine.invalidateFrame(pfn);
    expect(machine.run()).toEqual(inside);
    expect([machine.cpu.get(RSP), machine.cpu.get(RDI), machine.cpu.get(RCX)]).toEqual([STACK_TOP - 8, 30, 0]);
  });

  test("a caller that is rewritten while its callee runs", () => {
    const machine = create();
    machine.addStack();
    const pfn = machine.load("again: call function; mov eax, 1; jmp again; function: nop; syscall; ret");
    for (let value = 1; value < 40; value++) {
      expect(machine.run().stop).toBe("syscall");
      expect(machine.cpu.get(RAX)).toBe(value === 1 ? 0 : value);
      machine.memory.u8[pfn * PAGE_SIZE + 6] = value + 1;
      machine.engine.invalidateFrame(pfn);
    }
  });
});
