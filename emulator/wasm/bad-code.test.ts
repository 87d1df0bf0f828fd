/** Code that nobody meant: random bytes, the middle of instructions, ends of pages. The tiers agree, and none throws. */
import { describe, expect, test } from "vitest";
import { assemble } from "../contract/assemble.ts";
import { CODE, DATA, fault, pageFault, STACK_TOP, syscall, type Outcome } from "../contract/test-machine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { CPU_GENERAL_SIZE, R15, RAX, RCX, RDI, RFLAGS, RIP, RSI, RSP } from "../registers.ts";
import { describeTiers, TierMachine, TIERS } from "./bad-input-tiers.ts";

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
  if (next() < 100) for (let i = 0; i < PAGE_SIZE; i++) page[i] = next();//TMP
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

function noSahf(p: Uint8Array){for(let i=0;i<p.length;i++)if(p[i]===0x9e)p[i]=0x90;}
describe("random bytes as code", () => {
  const PAGES = 500;
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
      noSahf(memory.u8.subarray(code * PAGE_SIZE, (code + 1) * PAGE_SIZE));
      engine.invalidateFrame(code);
      for (let start = 0; start < STARTS; start++) {
        for (let register = RAX; register <= R15; register++) {
          cpu.set(register, next() < 128 ? next() : DATA + 2 * PAGE_SIZE + next());
        }
        cpu.set(RSP, STACK_TOP - 256 - next());
        cpu.set(RDI, DATA + PAGE_SIZE - 128 + next());
        cpu.set(RSI, DATA + 3 * PAGE_SIZE - 128 + next());
        cpu.set(RFLAGS, 0x202);
        cpu.set(RIP, CODE + ((next() * 256 + next()) % PAGE_SIZE));
        for (let again = 0; again < 3; again++) {
          const outcome = machine.run(150);
          lines.push(`${page}.${start}.${again} ${JSON.stringify(outcome)} ${engine.stop.executed} ${registers.join()}`);
          if (outcome.stop === "fault") cpu.set(RIP, outcome.rip + 1);
        }
      }
      if (page % 16 === 0) for (const pfn of data) memory.u8.fill(next(), pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    }
    expect(machine.statistics.refused, String(engine.translator.refusal)).toBe(0);
    expect(machine.statistics.regions > 500).toBe(hotRuns === 1);
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
