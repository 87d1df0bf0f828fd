/** Instructions that are rare in programs: their results and faults, as the architecture and Linux have them. */
import { describe, expect, test } from "vitest";
import { CODE, DATA, fault, pageFault, STACK_TOP, syscall, TestMachine, trap } from "../../contract/test-machine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { R8, RAX, RBP, RBX, RCX, RDI, RDX, RFLAGS, RIP, RSI, RSP } from "../../registers.ts";
import { createWasmEngine } from "../wasm-engine.ts";

const ZF = 0x40;
const NON_CANONICAL = 0x800000000000n;

function start(source: string): TestMachine & { data: number } {
  const machine = new TestMachine((memory) => createWasmEngine(memory));
  machine.load(source);
  machine.addStack();
  const data = machine.map(DATA, "rw") * PAGE_SIZE;
  machine.cpu.set(RDI, DATA);
  return Object.assign(machine, { data });
}

describe("descriptors are those a 64-bit Linux shows", () => {
  const rows = [
    // selector, access rights, limit, readable, writable
    [0x23, 0xcffb00, 0xffffffff, true, false],
    [0x2b, 0xcff300, 0xffffffff, true, true],
    [0x33, 0xaffb00, 0xffffffff, true, false],
    [0x7b, 0x40f500, 0, true, false],
    [0x10, undefined, undefined, false, false],
    [0, undefined, undefined, false, false],
  ] as const;
  test.each(rows)("selector %i: LAR %s, LSL %s, VERR %s, VERW %s", (selector, access, limit, readable, writable) => {
    const machine = start(`
      mov ecx, ${selector}; mov rax, -1; mov rbx, -1
      lar eax, ecx; setz dl; lsl ebx, ecx; setz dh
      verr cx; setz cl; verw cx
      mov ecx, ${selector}; verr cx; setz sil; verw cx; setz bpl; syscall`);
    expect(machine.run().stop).toBe("syscall");
    const { cpu } = machine;
    const visible = access !== undefined;
    expect([cpu.get(RDX) & 0xff, (cpu.get(RDX) >> 8) & 0xff]).toEqual([Number(visible), Number(visible)]);
    expect([cpu.u64[RAX], cpu.u64[RBX]]).toEqual(
      [access, limit].map((value) => (value === undefined ? 0xffffffffffffffffn : BigInt(value))),
    );
    expect([cpu.get(RSI) & 1, cpu.get(RBP) & 1]).toEqual([Number(readable), Number(writable)]);
  });
});

test("SLDT, STR, SMSW, SGDT and SIDT give what Linux gives under UMIP", () => {
  const machine = start("sldt eax; str ebx; smsw ecx; smsw word ptr [rdi]; sgdt [rdi + 16]; sidt [rdi + 32]; syscall");
  expect(machine.run().stop).toBe("syscall");
  const { cpu, memory, data } = machine;
  expect([cpu.get(RAX), cpu.get(RBX), cpu.get(RCX)]).toEqual([0, 0x40, 0x80050033]);
  expect([memory.view.getUint32(data, true), memory.view.getUint16(data + 16, true)]).toEqual([0x33, 0]);
  expect(memory.view.getBigUint64(data + 18, true)).toBe(0xfffffffffffe0000n);
  expect(memory.view.getBigUint64(data + 34, true)).toBe(0xffffffffffff0000n);
});

describe("segment registers", () => {
  test("LFS takes offset and selector, and the base becomes 0", () => {
    const machine = start(".byte 0x48, 0x0f, 0xb4, 0x07; mov ebx, fs:[rdi + 16]; syscall");
    machine.memory.view.setBigUint64(machine.data, 0x1122334455667788n, true);
    machine.memory.view.setUint16(machine.data + 8, 0x2b, true);
    machine.memory.view.setUint32(machine.data + 16, 77, true);
    machine.cpu.u64[18] = 0x1234n;
    expect(machine.run().stop).toBe("syscall");
    expect([machine.cpu.u64[RAX], machine.cpu.get(RBX), machine.cpu.u64[18]]).toEqual([0x1122334455667788n, 77, 0n]);
  });

  test.each([
    ["lss eax, [rdi]", 0x2b, "syscall"],
    ["lss eax, [rdi]", 0, fault(CODE, 13)],
    ["lgs eax, [rdi]", 0x18, fault(CODE, 13, 0x18)],
    ["mov ds, [rdi + 4]", 0x13, fault(CODE, 13, 0x10)],
    ["mov es, [rdi + 4]", 0x33, "syscall"],
  ])("%s with selector %i: %o", (source, selector, expected) => {
    const machine = start(`${source}; syscall`);
    machine.memory.view.setUint16(machine.data + 4, selector, true);
    const outcome = machine.run();
    if (typeof expected === "string") expect(outcome.stop).toBe(expected);
    else expect(outcome).toEqual(expected);
  });
});

describe("far jumps and calls", () => {
  const far = (selector: number, source: string): TestMachine => {
    const machine = start(`${source}; ud2\n there: syscall`);
    machine.memory.view.setUint32(machine.data, CODE + 0x40, true);
    machine.memory.view.setUint16(machine.data + 4, selector, true);
    return machine;
  };

  test("a far jump to the user's own code segment goes there", () => {
    const machine = far(0x33, ".org 0; jmp fword ptr [rdi]; .org 0x40; nop");
    expect(machine.run()).toEqual(fault(CODE + 0x41, 6));
  });

  test("a far call pushes CS and the return address, which RETF takes back", () => {
    const source =
      "call fword ptr [rdi]; mov ebx, 5; syscall; .org 0x40; mov eax, [rsp]; mov ecx, [rsp + 4]; .byte 0xcb";
    const machine = far(0x33, source);
    expect(machine.run()).toEqual(syscall(CODE + 9));
    const { cpu } = machine;
    expect([cpu.get(RAX), cpu.get(RCX), cpu.get(RBX), cpu.get(RSP)]).toEqual([CODE + 2, 0x33, 5, STACK_TOP]);
  });

  test.each([
    [0x2b, 0x28],
    [0, 0],
    [0x10, 0x10],
  ])("a far jump with selector %i is #GP with error code %i", (selector, errorCode) => {
    expect(far(selector, "nop; jmp fword ptr [rdi]").run()).toEqual(fault(CODE + 1, 13, errorCode));
  });
});

describe("ENTER", () => {
  test("copies the frame pointers of the enclosing levels", () => {
    const machine = start("mov rbp, rsp; sub rsp, 64; enter 24, 3; syscall");
    const top = STACK_TOP;
    const stack = machine.entryIndex(STACK_TOP - PAGE_SIZE);
    const pfn = machine.memory.u32[stack]! >>> 12;
    const at = (address: number): number => pfn * PAGE_SIZE + (address % PAGE_SIZE);
    machine.memory.view.setBigUint64(at(top - 8), 0x111n, true);
    machine.memory.view.setBigUint64(at(top - 16), 0x222n, true);
    expect(machine.run().stop).toBe("syscall");
    const word = (i: number): bigint => machine.memory.view.getBigUint64(at(top - 64 - 8 * i), true);
    const frame = top - 64 - 8;
    expect([word(1), word(2), word(3), word(4)]).toEqual([BigInt(top), 0x111n, 0x222n, BigInt(frame)]);
    expect([machine.cpu.get(RBP), machine.cpu.get(RSP)]).toEqual([frame, frame - 24 - 24]);
  });

  test("that reaches below the stack faults with registers unchanged", () => {
    const machine = start("enter 0, 31; syscall");
    machine.cpu.set(RSP, STACK_TOP - PAGE_SIZE + 16);
    machine.cpu.set(RBP, STACK_TOP - 64);
    expect(machine.run()).toEqual(pageFault(CODE, 6, STACK_TOP - PAGE_SIZE - 8));
    expect([machine.cpu.get(RSP), machine.cpu.get(RBP)]).toEqual([STACK_TOP - PAGE_SIZE + 16, STACK_TOP - 64]);
  });
});

describe("jumps to non-canonical addresses are #GP where they stand", () => {
  test.each(["jmp rax", "call rax", "jmp [rdi]", "call [rdi]", "push rax; ret"])("%s", (source) => {
    const machine = start(`nop; ${source}`);
    machine.cpu.u64[RAX] = NON_CANONICAL;
    machine.memory.view.setBigUint64(machine.data, NON_CANONICAL, true);
    const outcome = machine.run();
    expect(outcome).toEqual(fault(source.startsWith("push") ? CODE + 2 : CODE + 1, 13));
    expect(machine.cpu.get(RSP)).toBe(source.startsWith("push") ? STACK_TOP - 8 : STACK_TOP);
  });

  test("to canonical addresses of the kernel they are page faults at the target", () => {
    const machine = start("jmp rax");
    machine.cpu.u64[RAX] = 0xffff800000000000n;
    const { stop, vector, errorCode } = machine.run();
    expect([stop, vector, errorCode! & 4]).toEqual(["fault", 14, 4]);
    expect(machine.cpu.u64[RIP]).toBe(0xffff800000000000n);
  });
});

describe("an access over the last canonical address", () => {
  test.each([
    ["mov [rax], rbx", 13],
    ["mov rbx, [rax]", 13],
    ["movups xmm0, [rbp - 8]", 12],
    ["add [rbp], rbx", 12],
    ["leave", 12],
    ["xchg rax, rsp; pop rbx", 12],
    ["xchg rax, rdi; rep stosq", 13],
    ["xchg rax, rdi; scasd", 13],
  ])("%s: vector %i, not the page fault of its first bytes", (source, vector) => {
    const machine = start(`${source}; syscall`);
    for (const register of [RAX, RBP]) machine.cpu.u64[register] = NON_CANONICAL - 1n;
    machine.cpu.set(RCX, 1);
    expect(machine.run()).toMatchObject({ stop: "fault", vector, errorCode: 0 });
  });

  test("over the highest one it is a page fault", () => {
    const machine = start("mov rbx, [rax]; syscall");
    machine.cpu.u64[RAX] = 0xfffffffffffffffcn;
    expect(machine.run()).toMatchObject({ stop: "fault", vector: 14 });
  });
});

describe("F3 and REX.B in front of 90 exchange RAX and R8", () => {
  test.each([
    [".byte 0xf3, 0x49, 0x90", 0x5555666677778888n, 0x1111222233334444n],
    [".byte 0xf3, 0x41, 0x90", 0x77778888n, 0x33334444n],
    [".byte 0x66, 0xf3, 0x41, 0x90", 0x1111222233338888n, 0x5555666677774444n],
    [".byte 0xf3, 0x48, 0x90", 0x1111222233334444n, 0x5555666677778888n],
    ["pause", 0x1111222233334444n, 0x5555666677778888n],
  ])("%s", (source, rax, r8) => {
    const machine = start(`${source}; syscall`);
    machine.cpu.u64[RAX] = 0x1111222233334444n;
    machine.cpu.u64[R8] = 0x5555666677778888n;
    expect(machine.run().stop).toBe("syscall");
    expect([machine.cpu.u64[RAX], machine.cpu.u64[R8]]).toEqual([rax, r8]);
  });
});

test("a program that looks at exception flags still does behind an FXRSTOR", () => {
  const machine = start(`
    stmxcsr [rdi]; ldmxcsr [rdi]
    fxsave [rdi + 64]; fxrstor [rdi + 64]
    cvtsi2sd xmm0, eax; divsd xmm0, xmm1; stmxcsr [rdi]; mov eax, [rdi]; syscall`);
  machine.cpu.set(RAX, 1);
  expect(machine.run().stop).toBe("syscall");
  expect(machine.cpu.get(RAX)).toBe(0x1f84);
});

describe("invalid and too long instructions", () => {
  test.each([
    ["ud2", 6],
    ["ud1 eax, ecx", 6],
    [".byte 0x0f, 0xff, 0xc0", 6],
    ["rdtscp", 6],
    ["rdrand eax", 6],
    ["rdtsc", 13],
    [".fill 15, 1, 0x66; nop", 13],
    [".fill 30, 1, 0x66; nop", 13],
    [".fill 14, 1, 0x66; nop", undefined],
  ])("%s", (source, vector) => {
    const machine = start(`${source}; syscall`);
    if (vector === undefined) expect(machine.run().stop).toBe("syscall");
    else expect(machine.run()).toEqual(fault(CODE, vector));
  });
});

describe("single steps", () => {
  test("a repeated string instruction traps behind each iteration", () => {
    const machine = start("rep movsb; syscall");
    machine.cpu.set(RCX, 3);
    machine.cpu.set(RSI, DATA);
    machine.cpu.set(RDI, DATA + 100);
    const steps = [CODE, CODE, CODE + 2].map((rip) => {
      machine.cpu.u64[RFLAGS]! |= 0x100n;
      expect(machine.run()).toEqual(trap(rip, 1));
      return machine.cpu.get(RCX);
    });
    expect([steps, machine.cpu.get(RDI)]).toEqual([[2, 1, 0], DATA + 103]);
    machine.cpu.u64[RFLAGS]! &= ~0x100n;
    expect(machine.run()).toEqual(syscall(CODE + 4));
  });

  test("REPNE SCAS that finds its byte traps behind the instruction", () => {
    const machine = start("repne scasb; syscall");
    machine.cpu.set(RCX, 9);
    machine.cpu.u64[RFLAGS]! |= 0x100n;
    machine.cpu.set(RAX, 0);
    expect(machine.run()).toEqual(trap(CODE + 2, 1));
    expect([machine.cpu.get(RCX), machine.cpu.u32[RFLAGS * 2]! & ZF]).toEqual([8, ZF]);
  });
});

describe("x87 and MMX exceptions", () => {
  const pending = "push 0x37e; fldcw [rsp]; fldz; fldz; fdivp; ";

  test.each(["fld1", "wait", "paddb mm0, mm1", "emms", "movq [rdi], mm0", "fld qword ptr [rbx]"])(
    "a pending exception is #MF at %s, before memory is looked at",
    (source) => {
      const machine = start(`${pending}${source}; syscall`);
      machine.cpu.set(RBX, 0x666000);
      const length = pending.length;
      expect(length).toBeGreaterThan(0);
      const { stop, vector, rip } = machine.run();
      expect([stop, vector]).toEqual(["fault", 16]);
      expect(rip).toBe(CODE + 5 + 3 + 2 + 2 + 2);
    },
  );

  test("an MMX instruction that faults leaves the x87 stack alone", () => {
    const machine = start("fld1; paddb mm1, [rbx]; syscall");
    machine.cpu.set(RBX, 0x666000);
    expect(machine.run()).toEqual(pageFault(CODE + 2, 4, 0x666000));
    machine.engine.storeFpu();
    expect([machine.cpu.fxsave[3]! & 0x38, machine.cpu.fxsave[4]]).toEqual([7 << 3, 0x80]);
  });

  test("FXSAVE64 has the last instruction's address, its operand's, and the opcode of the one that raised an exception", () => {
    const machine = start(
      "push 0x37b; fldcw [rsp]; fld1; fdiv dword ptr [rdi + 4]; fnstcw [rdi + 900]; fxsave64 [rdi + 16]; syscall",
    );
    expect(machine.run().stop).toBe("syscall");
    const { view } = machine.memory;
    const image = machine.data + 16;
    expect(view.getUint16(image + 6, true)).toBe(0x077); // D8 77: FDIV m32 by [RDI + disp8]
    expect(view.getBigUint64(image + 8, true)).toBe(BigInt(CODE + 10));
    expect(view.getBigUint64(image + 16, true)).toBe(BigInt(DATA + 4));
  });
});
