/** Regions against the interpreter: the same state, flags included, wherever a slice of the budget ends. */
import { describe, expect, test } from "vitest";
import { DATA, TestMachine } from "../../contract/test-machine.ts";
import { RBX, RCX, RDI, RFLAGS, RIP, RSI, RSP } from "../../registers.ts";
import { createWasmEngine, type InspectableEngine } from "../wasm-engine.ts";
import { choose } from "./choice.ts";
import { Assembler, I32, I64 } from "../emit/assembler.ts";
import { ModuleWriter } from "../emit/module-writer.ts";

const MAKERS = [
  "cmp rsi, rdi",
  "add rsi, rax",
  "sub edi, 3",
  "test rsi, rdi",
  "and sil, 0x7f",
  "xor edi, edi",
  "inc rsi",
];

/** Chooses a handler by a pseudo-random number, jumps there by a register, and meets again with flags of all makers. */
const DISPATCH = `
  mov ecx, 3000
 again:
  imul ebx, ebx, 1103515245
  add ebx, 12345
  mov eax, ebx
  shr eax, 16
  and eax, 7
  lea rdx, [rip + h7]
  ${MAKERS.map((_, i) => `cmp eax, ${i}\n lea r8, [rip + h${i}]\n cmove rdx, r8`).join("\n")}
  jmp rdx
  ${MAKERS.map((maker, i) => `h${i}: ${maker}\n jmp meet`).join("\n")}
 h7:
  mov r10d, 9
 count:
  add [r9], r10d
  sub r10d, 1
  jne count
 meet:
  mov [r9 + 8], rsi
  adc rdi, [r9]
  dec ecx
  jne again
  syscall`;

/** A call with a loop, entered in its middle as well, and fills of memory that cross pages. */
const CALLS = `
  mov ecx, 2000
 again:
  call function
  movups [r9 + 4088], xmm0
  movups xmm1, [r9 + 4090]
  paddd xmm0, xmm1
  push rcx
  and ecx, 3
  jne middle
 inner:
  add rsi, 5
 middle:
  cmp rsi, [r9 + 4093]
  mov [r9 + 4094], ecx
  sub ecx, 1
  jns inner
  pop rcx
  sub ecx, 1
  jne again
  syscall
 function:
  lea rdi, [rdi + rsi*4 + 1]
  movq xmm0, rdi
  test edi, 4
  je back
  xor rsi, rdi
 back:
  ret`;

function machineWith(hotRuns: number, source: string): TestMachine {
  const machine = new TestMachine((memory) => createWasmEngine(memory, { hotRuns }));
  machine.load(source);
  machine.addStack();
  machine.map(DATA, "rw");
  machine.map(DATA + 4096, "rw");
  machine.cpu.set(9, DATA);
  machine.cpu.set(RBX, 42);
  return machine;
}

describe.each([
  ["indirect jumps", DISPATCH],
  ["calls and crossing accesses", CALLS],
])("%s", (_name, source) => {
  test.each([1, 7, 1000])("slices of %i", (slice) => {
    const [interpreted, compiled] = [machineWith(Infinity, source), machineWith(2, source)];
    const registers = [RIP, RFLAGS, RBX, RCX, RSI, RDI, RSP, 0, 2, 10];
    const state = ({ cpu }: TestMachine): bigint[] => registers.map((register) => cpu.u64[register]!);
    for (;;) {
      const outcome = interpreted.run(slice);
      expect(compiled.run(slice)).toEqual(outcome);
      expect(state(compiled)).toEqual(state(interpreted));
      if (outcome.stop === "syscall") break;
    }
    const { statistics } = (compiled.engine as InspectableEngine).translator;
    expect(statistics.regions).toBeGreaterThan(0);
    expect((interpreted.engine as InspectableEngine).translator.statistics.regions).toBe(0);
  });
});

describe("a choice among addresses", () => {
  test.each([1, 3, 4, 40])("%i of them", (count) => {
    const addresses = Array.from({ length: count }, (_, i) => 0x7fff_0000_1000 + i * i * 24);
    const e = new Assembler(1);
    const miss = e.block();
    choose(e, 0, addresses, miss, (i) => e.i32(i).return());
    e.end();
    e.i32(-1);
    const module = new ModuleWriter();
    module.define({ parameters: [I64], results: [I32] }, e, "find");
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { env: { memory } });
    const find = exports.find as (address: bigint) => number;
    expect(addresses.map((address) => find(BigInt(address)))).toEqual(addresses.map((_, i) => i));
    for (const other of [0, 0x1000, addresses[0]! + 1]) expect(find(BigInt(other))).toBe(-1);
  });
});
