/** Code that nobody meant: random bytes, the middle of instructions, ends of pages. The tiers agree, and none throws. */
import { describe, expect, test } from "vitest";
import { assemble } from "../contract/assemble.ts";
import { CODE, DATA, fault, pageFault, STACK_TOP, syscall, type Outcome } from "../contract/test-machine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { CPU_GENERAL_SIZE, R15, RAX, RCX, RDI, RFLAGS, RIP, RSI, RSP } from "../registers.ts";
import { describeTiers, TierMachine } from "./testing/bad-input-tiers.ts";

const GP = 13;
const UD = 6;
/** Repeats a snippet until every tier has done with it what it does with code that runs often. */
const OFTEN = 12;

/** Numerical Recipes' linear congruential generator: the high bits of each state. */
function randomBytes(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
}

/** Instructions whose bytes, put side by side and damaged, run longer than bytes without any sense. */
const SOUP = assemble(`
  add rax, rcx; sub [rdi], eax; lea rsi, [rsi + rcx * 2 + 5]; imul rdx, rax, 77; adc r8b, [rsi]; shld rbx, rax, 3
  push rax; pop rbx; call .+11; jmp .+4; jnz .-9; jb .+2; loop .-5; ret; xchg [rdi + 8], ax; bsf rcx, rdx
  movdqu xmm1, [rsi]; paddw xmm2, xmm1; cvttsd2si eax, xmm2; pshufb xmm3, xmm1; ucomisd xmm1, xmm2
  fld qword ptr [rdi]; fadd st(1), st; fstp tbyte ptr [rsi]; rep stosb; repne scasb; lock xadd [rdi], rax
  cmpxchg16b [rdi]; div cl; idiv r9; pushf; popf; bt [rdi], rcx; rcl dword ptr [rsi], cl; enter 16, 0; leave
  cmovl rax, rcx; setp dl; bswap r10; xlatb; movbe eax, [rdi]; cpuid; mul qword ptr [rsi]; fxsave [rdi]
`);

function fillPage(page: Uint8Array, next: () => number): void {
  if (next() < 100) for (let i = 0; i < PAGE_SIZE; i++) page[i] = next();
  else {
    for (let i = 0; i < PAGE_SIZE;) {
      const from = (next() * 256 + next()) % SOUP.length;
      for (let n = 1 + (next() % 24); n > 0 && i < PAGE_SIZE; n--) page[i] = SOUP[(from + n) % SOUP.length]!;
      for (const end = i + 1 + (next() % 24); i < end && i < PAGE_SIZE; i++) {
        page[i] = next() < 8 ? next() : SOUP[(from + i) % SOUP.length]!;
      }
    }
  }
}

describe("random bytes as code", () => {
  const PAGES = 60;
  const STARTS = 4;

  /** Everything that can be seen of executing random pages: stops and registers, one line for every run. */
  function trace(hotRuns: number, seed: number): string[] {
    const machine = new TierMachine(hotRuns);
    const { engine, cpu, memory } = machine;
    const next = randomBytes(seed);
    const code = machine.map(CODE, seed % 2 === 0 ? "rx" : "rwx");
    const data = [0, 1, 2, 3].map((i) => machine.map(DATA + i * PAGE_SIZE, "rw"));
    data.push(machine.addStack());
    const registers = new BigUint64Array(cpu.buffer, 0, CPU_GENERAL_SIZE / 8);
    const lines: string[] = [];
    for (let page = 0; page < PAGES; page++) {
      fillPage(memory.u8.subarray(code * PAGE_SIZE, (code + 1) * PAGE_SIZE), next);
      engine.invalidateFrame(code);
      for (let start = 0; start < STARTS; start++) {
        for (let register = RAX; register <= R15; register++) {
          cpu.set(register, next() < 128 ? next() : DATA + 2 * PAGE_SIZE + next());
        }
        cpu.set(RSP, STACK_TOP - 256 - next());
        cpu.set(RDI, DATA + PAGE_SIZE - 128 + next());
        cpu.set(RSI, DATA + 3 * PAGE_SIZE - 128 + next());
        cpu.set(RFLAGS, 0x202);
        cpu.set(RCX, next());
        cpu.set(RIP, CODE + ((next() * 256 + next()) % PAGE_SIZE));
        for (let again = 0; again < 3; again++) {
          const outcome = machine.run(150);
          lines.push(
            `${page}.${start}.${again} ${JSON.stringify(outcome)} ${engine.stop.executed} ${registers.join()}`,
          );
          if (outcome.stop === "fault") cpu.set(RIP, outcome.rip + 1);
        }
      }
      if (page % 16 === 0) for (const pfn of data) memory.u8.fill(next(), pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    }
    expect(machine.statistics.refused, String(engine.translator.refusal)).toBe(0);
    expect(machine.statistics.regions > 50).toBe(hotRuns === 1);
    return lines;
  }

  test.each([1, 2, 3, 4])("stops as it does in the interpreter when compiled: seed %i", (seed) => {
    const interpreted = trace(Infinity, seed);
    const compiled = trace(1, seed);
    const different = interpreted.findIndex((line, i) => line !== compiled[i]);
    expect(compiled[different]).toBe(interpreted[different]);
    const stops = new Set(interpreted.map((line) => /"stop":"(\w+)"/.exec(line)![1]));
    for (const stop of ["fault", "trap", "budget"]) expect(stops).toContain(stop);
  });
});

describeTiers("where code begins and ends", (create) => {
  /** Loads bytes at an address and runs them often, always with the same registers; every run must end the same way. */
  const runOften = (machine: TierMachine, address: number, budget = 1000): Outcome => {
    let first: Outcome | undefined;
    for (let run = 0; run < OFTEN; run++) {
      machine.cpu.set(RIP, address);
      machine.cpu.set(RSP, STACK_TOP);
      machine.cpu.set(RAX, 0);
      const outcome = machine.run(budget);
      first ??= outcome;
      expect(outcome).toEqual(first);
    }
    return first!;
  };
  const bytes = (...all: number[]): string => `.byte ${all.join(", ")}`;

  test("a jump into an immediate executes what stands there, and the instruction around it stays what it was", () => {
    const machine = create();
    // mov eax, imm32 whose immediate is inc eax; syscall
    machine.load(bytes(0xb8, 0xff, 0xc0, 0x0f, 0x05, 0x0f, 0x05));
    for (let round = 0; round < 3; round++) {
      expect(runOften(machine, CODE)).toEqual(syscall(CODE + 7));
      expect(machine.cpu.get(RAX)).toBe(0x050fc0ff);
      expect(runOften(machine, CODE + 1)).toEqual(syscall(CODE + 5));
      expect(machine.cpu.get(RAX)).toBe(1);
    }
  });

  test("a loop through the middle of its own instructions", () => {
    const machine = create();
    // again: mov eax, 0x05ebc0ff (inc eax; jmp out); dec ecx; jnz again + 1; syscall; out: add edx, eax; jmp back
    machine.load(
      "mov ecx, 40; jmp again + 1; again: .byte 0xb8, 0xff, 0xc0, 0xeb, 0x06; back: dec ecx; jnz again + 1; syscall; out: add edx, eax; jmp back",
    );
    machine.cpu.set(2, 0);
    expect(machine.run().stop).toBe("syscall");
    expect([machine.cpu.get(RAX), machine.cpu.get(2)]).toEqual([40, 820]);
  });

  test.each([
    ["segment overrides", 0x2e],
    ["operand size", 0x66],
    ["repeat", 0xf3],
  ])("15 bytes are an instruction, 16 are #GP: prefixes of %s", (_, prefix) => {
    const machine = create();
    const prefixes = (count: number): number[] => Array.from({ length: count }, () => prefix);
    machine.load(`inc eax; ${bytes(...prefixes(13), 0x89, 0xc2)}; syscall`);
    expect(runOften(machine, CODE)).toEqual(syscall(CODE + 19));
    machine.load(`inc eax; ${bytes(...prefixes(14), 0x89, 0xc2)}; syscall`, CODE + PAGE_SIZE);
    expect(runOften(machine, CODE + PAGE_SIZE)).toEqual(fault(CODE + PAGE_SIZE + 2, GP));
    machine.load(`inc eax; ${bytes(...prefixes(40))}; syscall`, CODE + 2 * PAGE_SIZE);
    expect(runOften(machine, CODE + 2 * PAGE_SIZE)).toEqual(fault(CODE + 2 * PAGE_SIZE + 2, GP));
  });

  const END = CODE + PAGE_SIZE;

  test("code that runs off the end of its page faults at the first absent byte", () => {
    const machine = create();
    machine.load("inc eax; inc eax", END - 4);
    expect(runOften(machine, END - 4)).toEqual(pageFault(END, 0x14, END));
    expect(machine.cpu.get(RAX)).toBe(2);
  });

  test.each([1, 2, 3, 4, 9])("an instruction of 10 bytes with %i on the first page faults at the second", (first) => {
    const machine = create();
    machine.load("inc eax; movabs rcx, 0x1122334455667788; syscall", END - 2 - first);
    const second = machine.frameOf(END);
    const at = END - 2 - first;
    const flush = (): void => machine.engine.flushPage(END);
    for (let round = 0; round < 3; round++) {
      expect(runOften(machine, at)).toEqual(syscall(at + 14));
      expect(machine.cpu.u64[RCX]).toBe(0x1122334455667788n);
      machine.unmap(END);
      flush();
      expect(runOften(machine, at)).toEqual(pageFault(END - first, 0x14, END));
      machine.map(END, "rw", second);
      flush();
      expect(runOften(machine, at)).toEqual(pageFault(END - first, 0x15, END));
      machine.map(END, "rxs", second);
      flush();
      expect(runOften(machine, at)).toEqual(pageFault(END - first, 0x15, END));
      machine.map(END, "rx", second);
      flush();
    }
  });

  test.each([
    ["an invalid opcode", bytes(0x06), UD],
    ["two bytes that are invalid", bytes(0x0f, 0x04), UD],
    ["a privileged instruction", "hlt", GP],
  ])("%s at the very end of a page does not look at the next one", (_, source, vector) => {
    const machine = create();
    const size = assemble(source).length;
    machine.load(`inc eax; ${source}`, END - 2 - size);
    expect(runOften(machine, END - 2 - size)).toEqual(fault(END - size, vector));
  });

  test.each([
    ["above all addresses", "0x6b5f3c2a19e48000"],
    ["just behind user space", "0x800000000000"],
  ])("a jump, a call and a return %s are #GP where they stand", (_, target) => {
    const machine = create();
    machine.addStack();
    machine.load(`movabs rbx, ${target}; jmp rbx`);
    expect(runOften(machine, CODE)).toEqual(fault(CODE + 10, GP));
    machine.load(`movabs rbx, ${target}; call rbx`, END);
    expect(runOften(machine, END)).toEqual(fault(END + 10, GP));
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP);
    machine.load(`movabs rbx, ${target}; push rbx; ret`, END + PAGE_SIZE);
    expect(runOften(machine, END + PAGE_SIZE)).toEqual(fault(END + PAGE_SIZE + 11, GP));
    expect(machine.cpu.get(RSP)).toBe(STACK_TOP - 8);
  });

  test("a direct jump below address 0 faults at the exact address", () => {
    const machine = create();
    machine.load("test al, al; jz .-0x70000003; syscall");
    runOften(machine, CODE);
    expect(machine.engine.stop).toMatchObject({ vector: 14, addressHigh: 0xffffffff, addressLow: 0x903fffff });
    expect(machine.cpu.u64[RIP]).toBe(0xffffffff903fffffn);
    expect(machine.statistics.refused, String(machine.engine.translator.refusal)).toBe(0);
  });

  test("SAHF", () => {
    const machine = create();
    machine.load("mov ah, 0xd7; sahf; setc bl; setz bh; jmp .+2; syscall");
    expect(runOften(machine, CODE).stop).toBe("syscall");
    expect(machine.cpu.get(3) & 0xffff).toBe(0x101);
  });

  test("a jump to itself takes the whole budget, to the unit", () => {
    const machine = create();
    machine.load("inc rax; here: jmp here");
    for (const budget of [1, 2, 100, 19_999, 20_000, 20_001, 50_000]) {
      machine.cpu.set(RIP, CODE);
      expect(machine.run(budget)).toEqual({ stop: "budget", rip: CODE + 3 });
      expect(machine.engine.stop.executed).toBe(budget);
    }
  });

  test("an access to an address that is nowhere is #GP, whatever stands in the engine's tables", () => {
    const machine = create();
    machine.addStack();
    machine.load("movabs rbx, 0x6b5f3c2a19e48000; mov rax, [rbx]; syscall");
    expect(runOften(machine, CODE)).toEqual(fault(CODE + 10, GP));
    machine.load("movabs rbx, 0x6b5f3c2a19e48000; mov [rbx + 8], rax; mov rax, [rbx + 16]; syscall", END);
    expect(runOften(machine, END)).toEqual(fault(END + 10, GP));
  });
});
