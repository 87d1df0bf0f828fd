/** Faults of AVX instructions, and what the processor model has to do with them. */
import { describe, expect, onTestFinished, test } from "vitest";
import { CODE, DATA, fault, pageFault, syscall, TestMachine } from "../../contract/test-machine.ts";
import { PF_USER, PF_WRITE, VECTOR_GP, VECTOR_UD, VECTOR_XM } from "../../engine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { RDI, RSI } from "../../registers.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { createWasmEngine } from "../wasm-engine.ts";

const NEXT_PAGE = DATA + PAGE_SIZE;

function machine(source: string, cpu: CpuModel = "x86-64-v3"): TestMachine {
  const made = new TestMachine((memory) => createWasmEngine(memory, { cpu }));
  onTestFinished(() => made.engine.dispose());
  made.load(source);
  return made;
}

/** Sets the halves of YMM registers, by 32-bit lanes. */
function setYmm(m: TestMachine, index: number, lanes: readonly number[]): void {
  const bytes = new Uint8Array(Uint32Array.from(lanes).buffer);
  m.cpu.fxsave.set(bytes.subarray(0, 16), 160 + index * 16);
  m.cpu.ymmHigh.set(bytes.subarray(16, 32), index * 16);
}

function ymm(m: TestMachine, index: number): number[] {
  m.engine.storeFpu();
  const low = m.cpu.fxsave.slice(160 + index * 16, 176 + index * 16);
  const high = m.cpu.ymmHigh.slice(index * 16, index * 16 + 16);
  return [...new Uint32Array(low.buffer), ...new Uint32Array(high.buffer)];
}

const ON = 0x80000000;
const MASK = [ON, ON, 0, 0, 0, 0, 0, 0];

describe("processor models", () => {
  test.each(["vaddps ymm0, ymm1, ymm2", "andn eax, ebx, ecx", "movbe eax, [rdi]", "xgetbv", "aesenc xmm0, xmm1"])(
    "%s is #UD on x86-64-v2",
    (instruction) => {
      expect(machine(instruction, "x86-64-v2").run()).toEqual(fault(CODE, VECTOR_UD));
    },
  );

  test.each([".byte 0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2", ".byte 0xc4, 0xe2, 0x75, 0xdc, 0xc2"])(
    "AVX-512 and VAES (%s) are #UD on x86-64-v3",
    (bytes) => {
      expect(machine(bytes).run()).toEqual(fault(CODE, VECTOR_UD));
    },
  );

  test("a 128-bit form clears the upper half, a legacy form keeps it", () => {
    const m = machine("vpaddd xmm0, xmm1, xmm2; paddd xmm3, xmm4; syscall");
    for (const index of [0, 3]) setYmm(m, index, [1, 2, 3, 4, 5, 6, 7, 8]);
    m.engine.loadFpu();
    m.run();
    expect(ymm(m, 0).slice(4)).toEqual([0, 0, 0, 0]);
    expect(ymm(m, 3).slice(4)).toEqual([5, 6, 7, 8]);
  });
});

describe("alignment", () => {
  test.each(["vmovaps ymm0, [rdi + 16]", "vmovdqa [rdi + 16], ymm0", "vmovntdq [rdi + 16], ymm0"])(
    "%s needs 32 bytes",
    (instruction) => {
      const m = machine(instruction);
      m.map(DATA, "rw");
      m.cpu.set(RDI, DATA);
      expect(m.run()).toEqual(fault(CODE, VECTOR_GP));
    },
  );

  test("other VEX instructions need none", () => {
    const m = machine(
      "vaddps ymm0, ymm1, [rdi + 3]; vaddps xmm0, xmm1, [rdi + 3]; vpcmpistri xmm0, [rdi + 1], 0; syscall",
    );
    m.map(DATA, "rw");
    m.cpu.set(RDI, DATA);
    expect(m.run().stop).toBe("syscall");
  });
});

describe("masked moves", () => {
  /** The two lanes that are on lie before the end of the page, the others behind it. */
  const AT_END = NEXT_PAGE - 8;

  test("a load touches no memory for lanes that are off", () => {
    const m = machine("vmaskmovps ymm0, ymm1, [rdi]; syscall");
    const pfn = m.map(DATA, "rw");
    m.memory.u32.set([7, 8], (pfn * PAGE_SIZE + PAGE_SIZE - 8) / 4);
    setYmm(m, 1, MASK);
    m.engine.loadFpu();
    m.cpu.set(RDI, AT_END);
    expect(m.run().stop).toBe("syscall");
    expect(ymm(m, 0)).toEqual([7, 8, 0, 0, 0, 0, 0, 0]);
  });

  test("a store touches no memory for lanes that are off", () => {
    const m = machine("vpmaskmovd [rdi], ymm1, ymm2; syscall");
    const pfn = m.map(DATA, "rw");
    setYmm(m, 1, MASK);
    setYmm(m, 2, [7, 8, 9, 10, 11, 12, 13, 14]);
    m.engine.loadFpu();
    m.cpu.set(RDI, AT_END);
    expect(m.run().stop).toBe("syscall");
    const end = (pfn * PAGE_SIZE + PAGE_SIZE) / 4;
    expect([...m.memory.u32.subarray(end - 3, end)]).toEqual([0, 7, 8]);
  });

  test("a store that faults in a later lane has stored nothing", () => {
    const m = machine("vmaskmovps [rdi], ymm1, ymm2; syscall");
    const pfn = m.map(DATA, "rw");
    setYmm(m, 1, [ON, ON, ON, 0, 0, 0, 0, 0]);
    setYmm(m, 2, [7, 8, 9, 10, 11, 12, 13, 14]);
    m.engine.loadFpu();
    m.cpu.set(RDI, AT_END);
    expect(m.run()).toEqual(pageFault(CODE, PF_USER | PF_WRITE, NEXT_PAGE));
    const end = (pfn * PAGE_SIZE + PAGE_SIZE) / 4;
    expect([...m.memory.u32.subarray(end - 2, end)]).toEqual([0, 0]);
    m.map(NEXT_PAGE, "rw");
    expect(m.run().stop).toBe("syscall");
    expect([...m.memory.u32.subarray(end - 2, end)]).toEqual([7, 8]);
  });

  test("with all lanes off no memory is needed", () => {
    const m = machine("vmaskmovpd ymm0, ymm1, [rdi]; vmaskmovpd [rdi], ymm1, ymm2; syscall");
    m.cpu.set(RDI, DATA);
    expect(m.run().stop).toBe("syscall");
  });
});

describe("gathers", () => {
  test("a fault leaves the elements done, and a mask of those to do", () => {
    const m = machine("vpgatherdd ymm0, [rdi + ymm1 * 4], ymm2; syscall");
    const pfn = m.map(DATA, "rw");
    m.memory.u32.set([100, 101, 102, 103], (pfn * PAGE_SIZE) / 4);
    setYmm(m, 0, [9, 9, 9, 9, 9, 9, 9, 9]);
    setYmm(m, 1, [0, 3, 1, 1024, 2, 1025, 0, 0]);
    setYmm(m, 2, [ON, ON, 0, ON, ON, ON, 0, ON]);
    m.engine.loadFpu();
    m.cpu.set(RDI, DATA);
    expect(m.run()).toEqual(pageFault(CODE, PF_USER, NEXT_PAGE));
    expect(ymm(m, 0)).toEqual([100, 103, 9, 9, 9, 9, 9, 9]);
    expect(ymm(m, 2).map((lane) => lane >>> 31)).toEqual([0, 0, 0, 1, 1, 1, 0, 1]);
    const next = m.map(NEXT_PAGE, "rw");
    m.memory.u32.set([200, 201], (next * PAGE_SIZE) / 4);
    expect(m.run().stop).toBe("syscall");
    expect(ymm(m, 0)).toEqual([100, 103, 9, 200, 102, 201, 9, 100]);
    expect(ymm(m, 2)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("indexes are signed, and 32-bit addresses wrap", () => {
    const m = machine("vpgatherdd xmm0, [edi + xmm1 * 4], xmm2; syscall");
    const pfn = m.map(DATA, "rw");
    m.memory.u32.set([1, 2, 3, 4], (pfn * PAGE_SIZE) / 4);
    setYmm(m, 1, [0xffffffff, 0xfffffffe, 0, 0]);
    setYmm(m, 2, [ON, ON, ON, 0]);
    m.engine.loadFpu();
    m.cpu.set(RDI, DATA + 8 + 0x100000000);
    expect(m.run().stop).toBe("syscall");
    expect(ymm(m, 0).slice(0, 3)).toEqual([2, 1, 3]);
  });

  test("two operands in one register are #UD", () => {
    const m = machine(".byte 0xc4, 0xe2, 0x75, 0x90, 0x04, 0x07"); // index 0, destination 0
    m.cpu.set(RSI, 0);
    expect(["fault"]).toContain(m.run().stop);
    expect(m.engine.stop.vector).toBe(VECTOR_UD);
  });
});

test("MOVBE reverses in both directions", () => {
  const m = machine("movbe eax, [rdi]; movbe [rdi + 8], rax; movbe [rdi + 16], ax; syscall");
  const pfn = m.map(DATA, "rw");
  m.memory.u8.set([1, 2, 3, 4], pfn * PAGE_SIZE);
  m.cpu.set(RDI, DATA);
  expect(m.run()).toEqual(syscall(m.cpu.get(16)));
  expect(m.cpu.get(0)).toBe(0x01020304);
  const bytes = m.memory.u8.slice(pfn * PAGE_SIZE + 8, pfn * PAGE_SIZE + 18);
  expect([...bytes]).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 3, 4]);
});

describe("MXCSR where an instruction does not complete", () => {
  const mxcsr = (m: TestMachine): number => {
    m.engine.storeFpu();
    return new DataView(m.cpu.buffer, m.cpu.fxsave.byteOffset).getUint32(24, true);
  };

  function startWith(m: TestMachine, control: number, lanes: readonly number[]): void {
    new DataView(m.cpu.buffer, m.cpu.fxsave.byteOffset).setUint32(24, control, true);
    setYmm(m, 0, lanes);
    m.engine.loadFpu();
  }

  test("VCVTPS2PH that may not write has raised no flags", () => {
    const m = machine("vcvtps2ph [rdi], ymm0, 0; syscall");
    startWith(m, 0x1f81, new Array(8).fill(0x3f800001));
    m.cpu.set(RDI, DATA);
    expect(m.run()).toEqual(pageFault(CODE, PF_USER | PF_WRITE, DATA));
    expect(mxcsr(m)).toBe(0x1f81);
  });

  test.each([0, 7])("an unmasked exception of element %i alone is #XM", (element) => {
    const m = machine("vfmadd213ps ymm0, ymm1, ymm2; syscall");
    const lanes = [0, 0, 0, 0, 0, 0, 0, 0];
    lanes[element] = 0x7f800001;
    startWith(m, 0x1f00, lanes);
    expect(m.run()).toEqual(fault(CODE, VECTOR_XM));
    expect([mxcsr(m), ymm(m, 0)]).toEqual([0x1f01, lanes]);
  });
});
