/** Programs on two engines at once: what is the same passes, what is not is found, and said where. */
import { describe, expect, onTestFinished, test } from "vitest";
import { CODE, DATA, TestMachine, pageFault, syscall } from "../contract/test-machine.ts";
import type { Engine } from "../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { RAX, RBX, RCX, RDI, RDX, RFLAGS, RIP, RSI } from "../registers.ts";
import { createUnicornEngine } from "../unicorn/unicorn-engine.ts";
import { createWasmEngine } from "../wasm/wasm-engine.ts";
import { GRANULARITIES, LockstepEngine, type LockstepEngineOptions } from "./lockstep-engine.ts";
import { FaultyEngine, type Mistake } from "./testing/faulty-engine.ts";

type Make = (memory: PhysicalMemory) => Engine;
const unicorn: Make = (memory) => createUnicornEngine(memory);
const wasm: Make = (memory) => createWasmEngine(memory);
const faulty =
  (mistake: Mistake): Make =>
  (memory) =>
    new FaultyEngine(createUnicornEngine(memory), mistake);

interface Bench {
  readonly machine: TestMachine;
  readonly engine: LockstepEngine;
  /** The bytes at DATA as the kernel sees them. */
  readonly data: () => Uint8Array;
}

/** A program and a page of data in a machine of two engines. */
function bench(source: string, second: Make = wasm, options: LockstepEngineOptions = {}, first = unicorn): Bench {
  let engine!: LockstepEngine;
  const machine = new TestMachine(
    (memory) => (engine = new LockstepEngine(memory, first(memory), second(memory), options)),
  );
  onTestFinished(() => engine.dispose());
  machine.load(source);
  const pfn = machine.map(DATA, "rw");
  machine.cpu.set(RDI, DATA);
  return { machine, engine, data: () => machine.memory.u8.slice(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE) };
}

/** What the engines are caught with. */
function caught({ machine }: Bench): string {
  try {
    machine.run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing";
}

const SUM = "mov ecx, 100; xor eax, eax; again: add eax, ecx; mov [rdi + rcx * 4], eax; loop again; syscall";

describe("engines that agree", () => {
  test.each([
    ["unicorn and wasm", unicorn, wasm],
    ["wasm and unicorn", wasm, unicorn],
    ["unicorn twice", unicorn, unicorn],
  ])("%s run a program to its system call, and the kernel sees its registers and memory", (_, first, second) => {
    const it = bench(SUM, second, {}, first);
    expect(it.machine.run().stop).toBe("syscall");
    expect(it.machine.cpu.get(RAX)).toBe(5050);
    expect(new Uint32Array(it.data().buffer)[1]).toBe(5050);
    expect(it.engine.statistics).toMatchObject({ pieces: 1, repeated: 0, unchecked: 0 });
  });

  test.each(GRANULARITIES)("compared at every %s they come to the same end", (granularity) => {
    const it = bench(SUM, wasm, { granularity });
    expect(it.machine.run().stop).toBe("syscall");
    expect(it.machine.cpu.get(RAX)).toBe(5050);
    expect(it.machine.cpu.get(RFLAGS) & 0x100).toBe(0);
    expect(it.engine.statistics.pieces).toBeGreaterThan(granularity === "syscall" ? 0 : 50);
  });

  test("neither has written anything that the other sees: each reads its own counter", () => {
    const it = bench("inc dword ptr [rdi]; mov eax, [rdi]; inc dword ptr [rdi]; mov ebx, [rdi]; syscall");
    it.machine.run();
    it.machine.cpu.set(RIP, CODE);
    it.machine.run();
    expect([it.machine.cpu.get(RAX), it.machine.cpu.get(RBX), it.data()[0]]).toEqual([3, 4, 4]);
  });

  test("a frame mapped twice shows at one address what was written at the other", () => {
    const it = bench(
      "mov eax, [rsi]; mov dword ptr [rdi], 7; mov ebx, [rsi]; mov dword ptr [rsi], 9; mov edx, [rdi]; syscall",
    );
    it.machine.map(DATA + PAGE_SIZE, "rw", it.machine.map(DATA, "rw"));
    it.machine.cpu.set(RSI, DATA + PAGE_SIZE);
    it.machine.run();
    expect([RAX, RBX, RDX].map((register) => it.machine.cpu.get(register))).toEqual([0, 7, 9]);
  });

  test("a fault is the one of the kernel's tables, not of the shadow ones", () => {
    const it = bench("mov byte ptr [rdi + 1], 1; syscall");
    it.machine.map(DATA, "r");
    expect(it.machine.run()).toEqual(pageFault(CODE, 7, DATA + 1));
    it.machine.map(DATA, "rw");
    it.engine.flushPage(DATA);
    expect(it.machine.run()).toEqual(syscall(CODE + 6));
  });

  test("falling into an absent page is reported where it happens, on engines that report the block", () => {
    const code = CODE + PAGE_SIZE - 3;
    const it = bench("nop");
    it.machine.load("inc eax; nop; syscall", code);
    it.machine.unmap(CODE + PAGE_SIZE);
    it.machine.cpu.set(RIP, code);
    expect(it.machine.run()).toEqual(pageFault(CODE + PAGE_SIZE, 0x14, CODE + PAGE_SIZE));
    expect(it.machine.cpu.get(RAX)).toBe(1);
  });

  test("code that the program has written is executed by both", () => {
    const it = bench("mov dword ptr [rdi], 0x07b8; mov dword ptr [rdi + 4], 0x050f00; call rdi");
    it.machine.map(DATA, "rwx");
    it.machine.addStack();
    expect(it.machine.run()).toEqual(syscall(DATA + 7));
    expect(it.machine.cpu.get(RAX)).toBe(7);
  });

  test("PUSHF and POPF in steps know nothing of the trap flag", () => {
    const it = bench("pushf; pop rax; push rax; popf; pushf; pop rbx; syscall", wasm, { granularity: "step" });
    it.machine.addStack();
    expect(it.machine.run().stop).toBe("syscall");
    expect([it.machine.cpu.get(RAX), it.machine.cpu.get(RBX)]).toEqual([0x202, 0x202]);
  });

  test("SETcc to memory does not suffer from the faults of shadow page tables", () => {
    const it = bench("mov eax, 1; test eax, eax; setg [rdi]; syscall");
    expect(it.machine.run().stop).toBe("syscall");
    expect(it.data()[0]).toBe(1);
    expect(it.engine.statistics.repeated).toBe(0);
  });

  test("flags at a page fault of SETcc are those of single steps", () => {
    const it = bench("mov eax, 1; test eax, eax; setg [rdi]; syscall");
    it.machine.map(DATA, "r");
    expect(it.machine.run()).toEqual(pageFault(CODE + 7, 7, DATA));
    expect(it.machine.cpu.get(RFLAGS) & 0x40).toBe(0);
    expect(it.engine.statistics.excuses.setcc).toBe(1);
  });

  test("a program that only waits gives the processor back, compared", () => {
    const it = bench("xor ecx, ecx; again: inc ecx; and ecx, 7; jmp again", wasm, { longPiece: 1000 });
    expect(it.machine.run(5000).stop).toBe("budget");
    expect(it.engine.statistics).toMatchObject({ unchecked: 0, repeated: 0 });
    expect(it.engine.statistics.units).toBeGreaterThanOrEqual(5000);
  });

  test("a program that cannot be stopped at the same place on both is cut and counted as not compared", () => {
    // Unicorn counts a string instruction by its iterations, the wasm engine does not: they are far apart soon.
    const it = bench("mov r8, rdi; again: inc rbx; mov rdi, r8; mov ecx, 500; rep stosb; jmp again", wasm, {
      longPiece: 20_000,
      patience: 60_000,
    });
    expect(it.machine.run(10_000).stop).toBe("budget");
    expect(it.engine.statistics.unchecked).toBe(1);
    expect(it.machine.cpu.get(RBX)).toBeGreaterThan(1);
  });
});

describe("engines that do not agree", () => {
  const at = (offset: number): number => CODE + offset;

  test("a wrong bit in a register is found with its instruction, in both syntaxes", () => {
    // The fifth instruction: mov ecx, eax.
    const it = bench(
      "mov ecx, 9; nop; add ecx, 3; mov ecx, eax; inc edx; syscall",
      faulty({ at: at(9), make: ({ cpu }) => (cpu.u32[RCX * 2]! ^= 0x40) }),
    );
    const report = caught(it);
    expect(report).toContain("000000400009  89 c1                     mov ecx,eax");
    expect(report).toContain("mov %eax,%ecx");
    expect(report).toContain("rcx: 0 (first), 40 (second)");
    expect(report).toContain("* rcx     0000000000000000  0000000000000040");
    expect(report).toContain("    rdx     0000000000000000\n");
  });

  test("a wrong byte in memory is found with the instruction that wrote it, and shown", () => {
    const it = bench(
      `${"inc eax; ".repeat(300)} mov [rdi + 16], eax; ${"inc eax; ".repeat(300)} syscall`,
      faulty({ at: at(600), make: (engine) => engine.poke(DATA + 18, 0xee) }),
    );
    const report = caught(it);
    expect(report).toContain("mov [rdi+10h],eax");
    expect(report).toContain("000010000010 first   2c 01*00 00");
    expect(report).toContain("second  2c 01*ee 00");
  });

  test("a mistake made only at speed is reported with its piece", () => {
    const it = bench(
      "mov eax, 1; nop; syscall",
      faulty({ at: at(5), whenStepped: false, make: ({ cpu }) => cpu.set(RAX, 2) }),
    );
    const report = caught(it);
    expect(report).toContain("they differ when they run at speed");
    expect(report).toContain("from 000000400000 to 000000400008: system call (first), system call (second)");
    expect(report).toContain("rax: 1 (first), 2 (second)");
  });

  test("a wrong flag is found; one that is undefined is excused, and then the same for both", () => {
    const flip =
      (flag: number) =>
      ({ cpu }: Engine) =>
        (cpu.u32[RFLAGS * 2]! ^= flag);
    const wrong = bench("mov eax, 3; imul eax, eax, 5; syscall", faulty({ at: at(5), make: flip(1) }));
    expect(caught(wrong)).toContain("rflags: 0 (first), 1 (second)");
    const fine = bench("mov eax, 3; imul eax, eax, 5; syscall", faulty({ at: at(5), make: flip(0x40) }));
    expect(fine.machine.run().stop).toBe("syscall");
    expect(fine.engine.statistics).toMatchObject({ repeated: 1, excuses: { flags: 1 } });
  });

  test("what CPUID says may differ; the first one's answer holds for both", () => {
    const it = bench(
      "xor eax, eax; cpuid; mov [rdi], ebx; syscall",
      faulty({ at: at(2), make: ({ cpu }) => cpu.set(RBX, 77) }),
    );
    expect(it.machine.run().stop).toBe("syscall");
    expect(it.machine.cpu.get(RBX)).not.toBe(77);
    expect(it.engine.statistics.excuses.cpuid).toBe(1);
  });

  test("a stop of another kind is a difference", () => {
    const it = bench("nop; mov eax, [rsi]; syscall", faulty({ at: at(0), make: ({ cpu }) => cpu.set(RSI, DATA) }), {});
    const report = caught(it);
    expect(report).toContain("rsi: 0 (first), 10000000 (second)");
    expect(report).toContain("nop");
  });

  test("the report tells the last system calls", () => {
    const it = bench(
      "mov eax, 39; syscall; mov ebx, 1; syscall",
      faulty({ at: at(7), make: ({ cpu }) => cpu.set(RBX, 2) }),
    );
    it.machine.run();
    it.machine.cpu.set(RAX, 1234);
    expect(caught(it)).toContain("000000400007  getpid() = 1234");
  });
});

test("a disposed lockstep engine has given its frames back and refuses to run", () => {
  const it = bench(SUM);
  it.machine.run();
  const before = it.machine.memory.freeFrames;
  it.engine.dispose();
  it.engine.dispose();
  expect(it.machine.memory.freeFrames).toBeGreaterThan(before + 16);
  expect(() => it.machine.run()).toThrow("disposed");
});
