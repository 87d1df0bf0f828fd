/** Random straight-line programs on both engines. The reference is Unicorn, whose known deviations are avoided. */
import { expect, test } from "vitest";
import { CODE, DATA, TestMachine, type EngineFactory } from "./contract/test-machine.ts";
import { COMPARED_FLAGS, firstDifference } from "./lockstep.ts";
import { createUnicornEngine } from "./unicorn/unicorn-engine.ts";
import { createWasmEngine } from "./wasm/wasm-engine.ts";
import { STOP_SYSCALL } from "./engine.ts";
import { PAGE_SIZE } from "./physical-memory.ts";
import { RDI } from "./registers.ts";

/** A repeatable source of numbers below n. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const SIZES = [8, 16, 32, 64] as const;
const REGISTERS: Readonly<Record<number, readonly string[]>> = {
  8: "al cl dl bl sil bpl r8b r9b ah ch".split(" "),
  16: "ax cx dx bx si bp r8w r9w".split(" "),
  32: "eax ecx edx ebx esi ebp r8d r9d".split(" "),
  64: "rax rcx rdx rbx rsi rbp r8 r9".split(" "),
};
const POINTER: Readonly<Record<number, string>> = { 8: "byte", 16: "word", 32: "dword", 64: "qword" };
const PACKED =
  `paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw psubusb psubusw pmullw
   pmulld pmaddwd pmulhw pmulhuw pmuludq pmuldq psadbw pand por pxor pandn pcmpeqb pcmpeqw pcmpeqd pcmpeqq pcmpgtb
   pcmpgtw pcmpgtd pcmpgtq pminsb pminsw pminsd pminub pminuw pminud pmaxsb pmaxsw pmaxsd pmaxub pmaxuw pmaxud pavgb
   pavgw packsswb packuswb packssdw packusdw punpcklbw punpckhbw punpcklwd punpckhwd punpckldq punpckhdq punpcklqdq
   punpckhqdq pabsb pabsw pabsd psignb psignw psignd phaddw phaddd phaddsw phsubw phsubd phsubsw pshufb pmaddubsw
   pmulhrsw pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq
   pmovzxdq ptest psllw pslld psllq psrlw psrld psrlq psraw psrad phminposuw movss movsd movhlps movlhps movddup
   movshdup movsldup cvtdq2ps cvtdq2pd movq unpcklps unpckhpd`.split(/\s+/);
const WITH_CONTROL =
  "pshufd pshuflw pshufhw palignr pblendw blendps shufps shufpd mpsadbw pcmpistri pcmpistrm insertps".split(" ");

function randomInstruction(pick: <T>(from: readonly T[]) => T, below: (n: number) => number): string {
  const size = pick(SIZES);
  const register = (bits: number = size): string => pick(REGISTERS[bits]!);
  // AH to BH cannot stand beside registers that need a REX prefix.
  const plain = (bits: number = size): string => pick(REGISTERS[bits]!.slice(0, 8));
  const memory = (bits: number = size): string => `${POINTER[bits]!} ptr [rdi + ${below(64) * 8}]`;
  const wide = pick([16, 32, 64]);
  const xmm = (): string => `xmm${below(16)}`;
  const xmmOrMemory = (): string => (below(3) === 0 ? `[rdi + ${below(16) * 16}]` : xmm());
  switch (below(14)) {
    case 0:
    case 1:
      return `${pick("add adc sub sbb cmp and or xor test".split(" "))} ${pick([plain(), memory()])}, ${plain()}`;
    case 2:
      return `${pick("add adc sub sbb cmp and or xor".split(" "))} ${register()}, ${below(256) - 128}`;
    case 3:
      return `${pick("inc dec neg not".split(" "))} ${pick([register(), memory()])}`;
    case 4:
      return `${pick("shl shr sar rol ror rcl rcr".split(" "))} ${pick([register(), memory()])}, ${pick(["cl", "1", `${below(size)}`])}`;
    case 5:
      return `${pick(["shld", "shrd"])} ${pick([plain(wide), memory(wide)])}, ${plain(wide)}, ${below(15) + 1}`;
    case 6:
      return `imul ${plain(wide)}, ${pick([plain(wide), memory(wide)])}, ${below(100) - 50}`;
    case 7:
      return `${pick(["mul", "imul"])} ${pick([plain(), memory()])}`;
    case 8:
      return `${pick("bt bts btr btc".split(" "))} ${plain(wide)}, ${pick([plain(wide), `${below(wide)}`])}`;
    case 9:
      return pick([
        `cmov${pick("o no b ae e ne be a s ns p np l ge le g".split(" "))} ${plain(wide)}, ${plain(wide)}`,
        `set${pick("o no b ae e ne be a s ns p np l ge le g".split(" "))} ${register(8)}`,
        `movsx ${plain(32)}, ${plain(8)}`,
        `movzx ${plain(64)}, ${plain(16)}`,
        `bswap ${plain(64)}`,
        `popcnt ${plain(wide)}, ${plain(wide)}`,
        `xadd ${pick([plain(), memory()])}, ${plain()}`,
        `cmpxchg ${pick([plain(), memory()])}, ${plain()}`,
        `lea ${plain(wide)}, [${plain(64)} + ${plain(64)} * 4 + 77]`,
        `crc32 ${plain(32)}, ${plain(32)}`,
        "cdqe",
        "cqo",
        "lahf",
      ]);
    case 10:
      return `movdqu ${xmm()}, [rdi + ${below(500)}]`;
    case 11:
      return `movdqu [rdi + ${below(500)}], ${xmm()}`;
    case 12: {
      const name = pick(PACKED);
      return `${name} ${xmm()}, ${/^(mov[sdhl]|pmov)/.test(name) ? xmm() : xmmOrMemory()}`;
    }
    default:
      return `${pick(WITH_CONTROL)} ${xmm()}, ${xmm()}, ${below(128)}`;
  }
}

/** Flags that are defined behind an instruction. */
function definedFlags(instruction: string): bigint {
  if (/^i?mul/.test(instruction)) return 0x801n;
  if (/^(shl|shr|sar|shld|shrd)/.test(instruction)) return COMPARED_FLAGS & ~0x801n;
  if (/^(rol|ror|rcl|rcr)/.test(instruction)) return COMPARED_FLAGS & ~0x800n;
  if (/^bt/.test(instruction)) return COMPARED_FLAGS & ~0x884n;
  return COMPARED_FLAGS;
}

test.each([1, 2, 3])("random instructions do the same on both engines, seed %i", (seed) => {
  const below = generator(seed);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const lines = Array.from({ length: 300 }, () => randomInstruction(pick, below));
  const labelled = lines.map((line, i) => `l${i}: ${line}`).join("\n");
  const make = (create: EngineFactory): { machine: TestMachine; pfn: number } => {
    const machine = new TestMachine(create);
    machine.load(`${labelled}\nend: syscall\n.balign 8\n${lines.map((_, i) => `.long l${i} - l0`).join("\n")}`);
    const pfn = machine.map(DATA, "rw");
    const random = generator(seed + 100);
    for (let i = 0; i < PAGE_SIZE; i++) machine.memory.u8[pfn * PAGE_SIZE + i] = random(256);
    for (let i = 0; i < 16; i++) machine.cpu.u64[i] = BigInt(random(2 ** 31)) * 0x1_0001_0003n;
    for (let i = 160; i < 416; i++) machine.cpu.fxsave[i] = random(256);
    machine.cpu.set(RDI, DATA);
    machine.engine.loadFpu();
    return { machine, pfn };
  };
  const [a, b] = [make((memory) => createUnicornEngine(memory)), make((memory) => createWasmEngine(memory))];
  let index = -1;
  const difference = firstDifference(a.machine.engine, b.machine.engine, {
    steps: lines.length + 1,
    flagsAt: (rip) => {
      index++;
      expect(rip).toBeGreaterThanOrEqual(BigInt(CODE));
      return definedFlags(lines[index] ?? "");
    },
  });
  expect({ instruction: difference && lines[Math.max(index, 0)], difference }).toEqual({
    instruction: undefined,
    difference: undefined,
  });
  expect(index).toBe(lines.length);
  expect(a.machine.engine.stop.kind).toBe(STOP_SYSCALL);
  const page = ({ machine, pfn }: typeof a) => machine.memory.u8.slice(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
  expect(page(b)).toEqual(page(a));
  a.machine.engine.dispose();
  b.machine.engine.dispose();
});
