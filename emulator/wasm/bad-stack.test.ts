/** Calls without end and returns to elsewhere: the guest's stack overflows, ours never does. */
import { expect, test } from "vitest";
import { CODE, DATA, fault, pageFault, STACK_TOP, syscall } from "../contract/test-machine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { R8, RAX, RBX, RCX, RDI, RIP, RSP } from "../registers.ts";
import { describeTiers, type TierMachine } from "./testing/bad-input-tiers.ts";

const PF_WRITE_ABSENT = 6;

function addStack(machine: TierMachine, pages: number): void {
  for (let page = 1; page <= pages; page++) machine.map(STACK_TOP - page * PAGE_SIZE, "rw");
  machine.cpu.set(RSP, STACK_TOP);
}

/** Instructions of many kinds, so that a compiled function needs a large frame on V8's stack. */
const LARGE_BODY = Array.from(
  { length: 30 },
  (_, i) => `lea r8, [r8 + ${i}]; add r9, [rdi + ${i * 8}]; adc r10, r9; pxor xmm${i % 16}, xmm${(i * 7) % 16}
    imul r11, r8, ${i + 3}; shld r12, r11, ${i + 1}; movdqu xmm${(i + 3) % 16}, [rdi + r14 + ${i}]; sbb r13, r12
    test r13b, ${i + 1}; jz .+2; paddq xmm${(i + 5) % 16}, xmm${i % 16}; bt r11, ${i}; rcl r15, 1`,
).join("\n");

/** What calls itself RCX times and comes back; RBX counts the ways in, RAX the ways out. */
const RECURSIONS: readonly (readonly [string, string])[] = [
  ["a function that calls itself", "f: inc rbx; dec rcx; jz out; call f; out: inc rax; ret"],
  [
    "two functions that call each other",
    "f: inc rbx; dec rcx; jz out; call g; out: inc rax; ret; g: inc rbx; dec rcx; jz end; call f; end: inc rax; ret",
  ],
  ["a function that calls itself through a pointer", "f: inc rbx; dec rcx; jz out; call rsi; out: inc rax; ret"],
  [
    "a function that calls itself in two places",
    "f: inc rbx; dec rcx; jz out; test cl, 3; jz other; call f; inc rax; ret; other: call f; out: inc rax; ret",
  ],
  ["a large function", `f: inc rbx; dec rcx; jz out; call f; ${LARGE_BODY}; out: inc rax; ret`],
  [
    "a function that calls a large one",
    `f: inc rbx; call g; dec rcx; jz out; call f; out: inc rax; ret; g: ${LARGE_BODY}; ret`,
  ],
];

describeTiers("deep recursion", (create) => {
  const start = (source: string, pages: number): TierMachine => {
    const machine = create(64 << 20);
    machine.load(`lea rsi, [rip + f]; call f; syscall; ${source}`);
    machine.map(DATA, "rw");
    machine.map(DATA + PAGE_SIZE, "rw");
    machine.cpu.set(RDI, DATA);
    addStack(machine, pages);
    return machine;
  };

  test.each(RECURSIONS)("of %s, hot and then 200,000 deep", (_, source) => {
    const DEPTH = 200_000;
    const machine = start(source, (DEPTH * 8) / PAGE_SIZE + 2);
    for (const depth of [...Array<number>(10).fill(20), 300, DEPTH]) {
      machine.cpu.set(RIP, CODE);
      machine.cpu.set(RSP, STACK_TOP);
      machine.cpu.set(RAX, 0);
      machine.cpu.set(RBX, 0);
      machine.cpu.set(RCX, depth);
      expect(machine.run(100 * DEPTH).stop).toBe("syscall");
      expect([machine.cpu.get(RBX), machine.cpu.get(RAX), machine.cpu.get(RSP)]).toEqual([depth, depth, STACK_TOP]);
    }
  });

  test.each(RECURSIONS)("of %s without end is a page fault below the stack", (_, source) => {
    const PAGES = 20;
    const machine = start(source, PAGES);
    machine.cpu.set(RCX, 0);
    const outcome = machine.run(1e7);
    const lowest = STACK_TOP - PAGES * PAGE_SIZE;
    expect(outcome).toEqual(pageFault(outcome.rip, PF_WRITE_ABSENT, lowest - 8));
    expect(machine.cpu.get(RSP)).toBe(lowest);
    expect(machine.cpu.get(RBX)).toBe((PAGES * PAGE_SIZE) / 8);
  });
});

describeTiers("returns to elsewhere", (create) => {
  const start = (source: string): TierMachine => {
    const machine = create();
    machine.load(source);
    addStack(machine, 64);
    return machine;
  };

  test("a return address changed on the stack, every other time", () => {
    const machine = start(
      `mov ecx, 60
       again: call f; add eax, 1; next: dec ecx; jnz again; syscall
       other: add eax, 100; jmp next
       f: test cl, 1; jz out; lea rdx, [rip + other]; mov [rsp], rdx; out: ret`,
    );
    expect(machine.run().stop).toBe("syscall");
    expect([machine.cpu.get(RAX), machine.cpu.get(RSP)]).toEqual([30 * 1 + 30 * 100, STACK_TOP]);
  });

  test("longjmp over many frames, to every depth", () => {
    const machine = start(
      `mov r8d, 50
       mov rbp, rsp
       again: mov ecx, r8d; call f; back: add eax, 1; mov rsp, rbp; dec r8d; jnz again; syscall
       f: dec ecx; jz jump; call f; inc ebx; ret
       jump: mov edx, r8d; shr edx, 1; lea rsp, [rsp + rdx * 8]; ret`,
    );
    expect(machine.run().stop).toBe("syscall");
    let returns = 0;
    for (let depth = 50; depth > 0; depth--) returns += depth - 1 - (depth >> 1);
    expect([machine.cpu.get(RAX), machine.cpu.get(RBX), machine.cpu.get(R8)]).toEqual([50, returns, 0]);
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP);
  });

  test("more calls than returns, and more returns than calls", () => {
    const machine = start(
      `mov ecx, 80
       again: call thunk; thunk: pop rdx; add eax, 1
       lea rdx, [rip + there]; push rdx; ret
       there: call drop; ud2
       drop: add rsp, 8; dec ecx; jnz again; syscall`,
    );
    expect(machine.run()).toMatchObject({ stop: "syscall" });
    expect([machine.cpu.get(RAX), machine.cpu.get(RSP)]).toEqual([80, STACK_TOP]);
  });

  test("calls that never return use up the stack, not ours", () => {
    const machine = start("again: call again");
    const lowest = STACK_TOP - 64 * PAGE_SIZE;
    expect(machine.run(1e6)).toEqual(pageFault(CODE, PF_WRITE_ABSENT, lowest - 8));
  });

  test("returns into data, into nothing and into the middle of an instruction", () => {
    const machine = start("push rdi; ret; .byte 0xb8; inc eax; syscall; nop");
    machine.map(DATA, "rw");
    const targets = [
      [DATA, pageFault(DATA, 0x15, DATA)],
      [DATA + PAGE_SIZE, pageFault(DATA + PAGE_SIZE, 0x14, DATA + PAGE_SIZE)],
      [CODE + 3, syscall(CODE + 7)],
      [0, pageFault(0, 0x14, 0)],
    ] as const;
    for (let run = 0; run < 40; run++) {
      const [target, outcome] = targets[run % targets.length]!;
      machine.cpu.set(RIP, CODE);
      machine.cpu.set(RDI, target);
      expect(machine.run()).toEqual(outcome);
    }
  });

  test("a stack pointer that leads nowhere", () => {
    const machine = start("call f; f: ret");
    for (let run = 0; run < 12; run++) {
      machine.cpu.set(RIP, CODE);
      machine.cpu.set(RSP, 16);
      expect(machine.run()).toEqual(pageFault(CODE, PF_WRITE_ABSENT, 8));
      machine.cpu.set(RSP, 2 ** 47 + 8);
      expect(machine.run()).toEqual(fault(CODE, 12));
      machine.cpu.set(RIP, CODE + 5);
      expect(machine.run()).toEqual(fault(CODE + 5, 12));
    }
  });
});
