/** XSAVE, XSAVEC, XRSTOR, XGETBV and CPUID of x86-64-v3 (Intel SDM volume 1, chapter 13). */
import { describe, expect, onTestFinished, test } from "vitest";
import { CODE, DATA, fault, TestMachine } from "../../contract/test-machine.ts";
import { VECTOR_GP } from "../../engine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { RAX, RBX, RCX, RDI, RDX } from "../../registers.ts";
import { cpuid } from "../runtime/cpuid.ts";
import { createWasmEngine } from "../wasm-engine.ts";

const XSTATE_BV = 512;
const XCOMP_BV = 520;
const YMM = 576;

function machine(source: string): { m: TestMachine; area: Uint8Array; view: DataView } {
  const m = new TestMachine((memory) => createWasmEngine(memory, { cpu: "x86-64-v3" }));
  onTestFinished(() => m.engine.dispose());
  m.load(source);
  const pfn = m.map(DATA, "rw");
  m.cpu.set(RDI, DATA);
  m.cpu.set(RAX, 7);
  const area = m.memory.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
  return { m, area, view: new DataView(area.buffer, area.byteOffset, area.length) };
}

/** XMM1 and the upper half of YMM2 hold something; the x87 is untouched. */
function fill(m: TestMachine): void {
  m.cpu.fxsave.fill(0x11, 176, 192);
  m.cpu.ymmHigh.fill(0x22, 32, 48);
  m.engine.loadFpu();
}

describe("saving", () => {
  test("XSAVE writes what is asked for and says what is in use", () => {
    const { m, area, view } = machine("xsave [rdi]; syscall");
    fill(m);
    area.fill(0xaa, 0, XSTATE_BV);
    m.run();
    expect(view.getUint32(XSTATE_BV, true)).toBe(6);
    expect(view.getUint16(0, true)).toBe(0x37f);
    expect(area.slice(176, 192)).toEqual(new Uint8Array(16).fill(0x11));
    expect(area.slice(YMM + 32, YMM + 48)).toEqual(new Uint8Array(16).fill(0x22));
    expect(area[500]).toBe(0xaa);
  });

  test("XSAVE leaves components alone that are not asked for", () => {
    const { m, area, view } = machine("mov eax, 4; xsave [rdi]; syscall");
    fill(m);
    area.fill(0xaa, 0, XSTATE_BV);
    view.setUint32(XSTATE_BV, 1, true);
    m.run();
    expect(view.getUint32(XSTATE_BV, true)).toBe(5);
    expect(area[176]).toBe(0xaa);
    expect(view.getUint32(24, true)).toBe(0x1f80);
    expect(area[YMM + 32]).toBe(0x22);
  });

  test("XSAVEC writes only what is in use, and the compacted header", () => {
    const { m, area, view } = machine("xsavec [rdi]; syscall");
    fill(m);
    area.fill(0xaa, 0, YMM);
    m.run();
    expect(view.getBigUint64(XSTATE_BV, true)).toBe(6n);
    expect(view.getBigUint64(XCOMP_BV, true)).toBe(0x8000000000000007n);
    expect(area[0]).toBe(0xaa);
    expect(area[176]).toBe(0x11);
  });

  test("the area must be a multiple of 64", () => {
    const { m } = machine("xsave [rdi + 16]");
    expect(m.run()).toEqual(fault(CODE, VECTOR_GP));
  });

  test("an area over a page border arrives whole", () => {
    const { m, area } = machine("xsave [rdi]; xrstor [rdi]; syscall");
    const next = m.map(DATA + PAGE_SIZE, "rw");
    m.cpu.set(RDI, DATA + PAGE_SIZE - 192);
    fill(m);
    m.run();
    expect(area[PAGE_SIZE - 192 + 176]).toBe(0x11);
    expect(m.memory.u8[next * PAGE_SIZE + YMM + 32 - 192]).toBe(0x22);
  });
});

describe("restoring", () => {
  test.each(["xsave", "xsavec", "xsaveopt"])("what %s saved comes back", (name) => {
    const { m } = machine(`${name} [rdi]; vzeroall; fninit; xrstor [rdi]; syscall`);
    fill(m);
    m.run();
    m.engine.storeFpu();
    expect(m.cpu.fxsave.slice(176, 192)).toEqual(new Uint8Array(16).fill(0x11));
    expect(m.cpu.ymmHigh.slice(32, 48)).toEqual(new Uint8Array(16).fill(0x22));
  });

  test("components that are not present become initial", () => {
    const { m, view } = machine("xrstor [rdi]; syscall");
    fill(m);
    view.setUint32(24, 0x1f80, true);
    m.run();
    m.engine.storeFpu();
    expect(m.cpu.fxsave.slice(160, 416).every((byte) => byte === 0)).toBe(true);
    expect(m.cpu.ymmHigh.every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    ["a component that does not exist", XSTATE_BV, 8],
    ["reserved header bytes", XSTATE_BV + 16, 1],
    ["a compacted component that does not exist", XCOMP_BV, 8],
    ["reserved bits of MXCSR", 26, 1],
  ])("%s is #GP", (_name, at, value) => {
    const { m, area } = machine("xrstor [rdi]");
    area[at] = value;
    expect(m.run()).toEqual(fault(CODE, VECTOR_GP));
  });
});

test("XGETBV tells XCR0, and by ECX = 1 what is in use", () => {
  const { m } = machine("xor ecx, ecx; xgetbv; mov ebx, eax; mov ecx, 1; xgetbv; syscall");
  fill(m);
  m.run();
  expect([m.cpu.get(RBX), m.cpu.get(RAX), m.cpu.get(RDX)]).toEqual([7, 6, 0]);
});

test("XGETBV of another register is #GP", () => {
  const { m } = machine("xgetbv");
  m.cpu.set(RCX, 2);
  expect(m.run()).toEqual(fault(CODE, VECTOR_GP));
});

test("CPUID announces level 3 with the XSAVE area, and level 2 without", () => {
  const bit = (word: number, number: number): boolean => ((word >>> number) & 1) === 1;
  const [, , features] = cpuid(1, 0, "x86-64-v3");
  for (const number of [1, 12, 22, 25, 26, 27, 28, 29]) expect(bit(features, number)).toBe(true);
  for (const number of [12, 26, 27, 28]) expect(bit(cpuid(1, 0)[2], number)).toBe(false);
  expect(cpuid(0, 0, "x86-64-v3")[0]).toBe(13);
  expect(cpuid(13, 0, "x86-64-v3")).toEqual([7, 832, 832, 0]);
  expect(cpuid(13, 2, "x86-64-v3")).toEqual([256, 576, 0, 0]);
  expect(cpuid(13, 0)).toEqual([0, 0, 0, 0]);
});
