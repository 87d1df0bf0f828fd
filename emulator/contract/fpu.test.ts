/** The x87, MMX and SSE state between the processor and `cpu.fxsave`. */
import { expect, test } from "vitest";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RDI, RIP } from "../registers.ts";
import { describeEngines } from "./engines.ts";
import { CODE, DATA, STACK_TOP, TestMachine } from "./test-machine.ts";

const AT_ST = 32;
const AT_XMM = 160;

describeEngines("floating-point state", (create) => {
  const view = (machine: TestMachine) =>
    new DataView(machine.cpu.buffer, machine.cpu.fxsave.byteOffset, machine.cpu.fxsave.byteLength);

  const start = (source: string) => {
    const machine = new TestMachine(create);
    machine.load(source);
    machine.addStack();
    return machine;
  };

  test("a new engine has Linux's initial state", () => {
    const machine = start("syscall");
    machine.engine.storeFpu();
    const image = view(machine);
    expect([image.getUint16(0, true), image.getUint16(2, true), image.getUint8(4)]).toEqual([0x37f, 0, 0]);
    expect([image.getUint32(24, true), image.getUint32(28, true)]).toEqual([0x1f80, 0xffff]);
    expect(machine.cpu.fxsave.subarray(AT_XMM, AT_XMM + 256).every((byte) => byte === 0)).toBe(true);
  });

  test("the image is the one the FXSAVE instruction writes", () => {
    const machine = start(`
      fld1; fldpi; fldz; fldl2e; fstp st(0)
      push 0x3f; fldcw [rsp]; mov dword ptr [rsp], 0x3fa0; ldmxcsr [rsp]
      pcmpeqd xmm3, xmm3; movq xmm15, rsp; movdqa xmm7, xmm3; psrldq xmm7, 5
      fxsave64 [rdi]; syscall`);
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    expect(machine.run().stop).toBe("syscall");
    machine.engine.storeFpu();
    const saved = machine.memory.u8.slice(pfn * PAGE_SIZE, pfn * PAGE_SIZE + 416);
    const image = machine.cpu.fxsave.slice(0, 416);
    for (const bytes of [saved, image]) bytes.fill(0, 6, 24); // last opcode and pointers: not kept by every engine
    expect([...image]).toEqual([...saved]);
    expect(image[4]).toBe(0b11100000);
  });

  test("the image loaded is the state the program sees", () => {
    const machine = start(
      "fstp qword ptr [rdi]; movsd [rdi + 8], xmm5; fnstcw [rdi + 16]; stmxcsr [rdi + 20]; fnstsw ax; syscall",
    );
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    const image = view(machine);
    image.setUint16(0, 0x27f, true);
    image.setUint16(2, 5 << 11, true);
    image.setUint8(4, 1 << 5);
    image.setBigUint64(AT_ST, 0xc000000000000000n, true); // 3.0: mantissa 1.5, exponent 1
    image.setUint16(AT_ST + 8, 0x4000, true);
    image.setFloat64(AT_XMM + 5 * 16, -12.5, true);
    image.setUint32(24, 0x9fc0, true);
    machine.engine.loadFpu();
    expect(machine.run().stop).toBe("syscall");
    const data = new DataView(machine.memory.buffer, pfn * PAGE_SIZE);
    expect([data.getFloat64(0, true), data.getFloat64(8, true)]).toEqual([3, -12.5]);
    expect([data.getUint16(16, true), data.getUint32(20, true)]).toEqual([0x27f, 0x9fc0]);
    expect((machine.cpu.get(RAX) >> 11) & 7).toBe(6);
  });

  test("store and load give back every bit, with the x87 stack at any depth", () => {
    for (let depth = 0; depth <= 8; depth++) {
      const machine = start(`${"fldpi\n".repeat(depth)} fadd st(0), st(0); pcmpeqb xmm9, xmm9; syscall`);
      machine.run();
      machine.engine.storeFpu();
      const first = machine.cpu.fxsave.slice();
      machine.cpu.fxsave.fill(0);
      machine.engine.loadFpu();
      machine.cpu.fxsave.set(first);
      machine.engine.loadFpu();
      machine.cpu.fxsave.fill(0x55, 0, 416);
      machine.engine.storeFpu();
      expect([...machine.cpu.fxsave.subarray(0, 416)]).toEqual([...first.subarray(0, 416)]);
    }
  });

  test("MMX registers are kept", () => {
    const machine = start(
      "mov rax, 0x1122334455667788; movq mm6, rax; syscall; movq rbx, mm6; movq [rdi], mm6; syscall",
    );
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    machine.run();
    machine.engine.storeFpu();
    const mine = machine.cpu.fxsave.slice();
    expect(view(machine).getBigUint64(AT_ST + 6 * 16, true)).toBe(0x1122334455667788n);
    machine.cpu.fxsave.fill(0);
    machine.engine.loadFpu();
    machine.cpu.fxsave.set(mine);
    machine.engine.loadFpu();
    machine.run();
    expect(new DataView(machine.memory.buffer).getBigUint64(pfn * PAGE_SIZE, true)).toBe(0x1122334455667788n);
  });

  test("rounding set by the image is used by the program", () => {
    const machine = start("cvtsd2si rax, xmm0; syscall");
    const round = (mode: number) => {
      view(machine).setFloat64(AT_XMM, 2.5, true);
      view(machine).setUint32(24, 0x1f80 | (mode << 13), true);
      machine.engine.loadFpu();
      machine.cpu.set(RIP, CODE);
      machine.run();
      return machine.cpu.get(RAX);
    };
    expect([round(0), round(1), round(2), round(3)]).toEqual([2, 2, 3, 2]);
  });

  test("x87 precision and rounding set by the image are used by the program", () => {
    const machine = start("fld1; fild dword ptr [rip + three]; fdivp; fstp tbyte ptr [rdi]; syscall\n three: .long 3");
    const pfn = machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    const third = (control: number) => {
      view(machine).setUint16(0, control, true);
      machine.engine.loadFpu();
      machine.cpu.set(RIP, CODE);
      machine.run();
      return new DataView(machine.memory.buffer).getBigUint64(pfn * PAGE_SIZE, true);
    };
    expect(third(0x37f)).toBe(0xaaaaaaaaaaaaaaabn);
    expect(third(0x27f)).toBe(0xaaaaaaaaaaaaa800n);
    expect(third(0xf7f)).toBe(0xaaaaaaaaaaaaaaaan);
  });

  test("bits a processor refuses in MXCSR are dropped", () => {
    const machine = start("stmxcsr [rsp - 8]; mov eax, [rsp - 8]; syscall");
    view(machine).setUint32(24, 0xffff1f80, true);
    machine.engine.loadFpu();
    machine.run();
    expect(machine.cpu.get(RAX)).toBe(0x1f80);
    expect(machine.cpu.get(4)).toBe(STACK_TOP);
  });

  test("two threads with x87 and SSE state of their own are switched in small slices", () => {
    const source = `
      fninit; fld1; fld1; cvtsi2sd xmm0, rdi; xorpd xmm1, xmm1; mov ecx, 200
      again: fadd st(1), st(0); addsd xmm1, xmm0; dec ecx; jnz again
      fxch; fistp qword ptr [rsi]; cvtsd2si rax, xmm1; syscall`;
    const machine = start(source);
    const results = machine.map(DATA, "rw");
    const threads = [3, 5].map((step, i) => {
      machine.cpu.set(RIP, CODE);
      machine.cpu.set(RDI, step);
      machine.cpu.set(6, DATA + i * 8);
      return { general: machine.cpu.general.slice(), fxsave: machine.cpu.fxsave.slice(), done: false, sum: 0 };
    });
    while (threads.some((thread) => !thread.done)) {
      for (const thread of threads) {
        if (thread.done) continue;
        machine.cpu.general.set(thread.general);
        machine.cpu.fxsave.set(thread.fxsave);
        machine.engine.loadFpu();
        thread.done = machine.run(3).stop === "syscall";
        machine.engine.storeFpu();
        thread.general.set(machine.cpu.general);
        thread.fxsave.set(machine.cpu.fxsave);
        thread.sum = machine.cpu.get(RAX);
      }
    }
    expect(threads.map((thread) => thread.sum)).toEqual([600, 1000]);
    expect([machine.memory.u32[results * 1024], machine.memory.u32[results * 1024 + 2]]).toEqual([201, 201]);
  });
});
