import { describe, expect, test } from "vitest";
import {
  CPU_FXSAVE_OFFSET,
  CPU_FXSAVE_SIZE,
  CPU_GENERAL_SIZE,
  CPU_STATE_SIZE,
  CpuState,
  GS_BASE,
  R15,
  RAX,
  REGISTER_NAMES,
  RFLAGS,
  RIP,
  RSP,
} from "./registers.ts";

describe("register file", () => {
  test("the layout is the documented one", () => {
    expect([RAX, RSP, R15, RIP, RFLAGS, GS_BASE]).toEqual([0, 4, 15, 16, 17, 19]);
    expect((GS_BASE + 1) * 8).toBe(CPU_GENERAL_SIZE);
    expect(CPU_FXSAVE_OFFSET + CPU_FXSAVE_SIZE).toBe(CPU_STATE_SIZE);
    expect(REGISTER_NAMES).toHaveLength(20);
    expect([REGISTER_NAMES[4], REGISTER_NAMES[16], REGISTER_NAMES[19]]).toEqual(["rsp", "rip", "gs_base"]);
  });

  test.each([0, 1, 0xffffffff, 0x100000000, 0x7fffffffffff, Number.MAX_SAFE_INTEGER])("keeps %d", (value) => {
    const cpu = new CpuState();
    cpu.set(RAX, value);
    expect(cpu.get(RAX)).toBe(value);
    expect(cpu.u64[RAX]).toBe(BigInt(value));
  });

  test.each([-1, -4095, -0x80000000, -0x100000001, -Number.MAX_SAFE_INTEGER])(
    "stores %d in two's complement",
    (value) => {
      const cpu = new CpuState();
      cpu.set(R15, value);
      expect(cpu.u64[R15]).toBe(BigInt.asUintN(64, BigInt(value)));
    },
  );

  test("copyGeneralFrom copies what a context switch exchanges and nothing else", () => {
    const from = new CpuState();
    const to = new CpuState();
    from.bytes.fill(1);
    to.copyGeneralFrom(from);
    expect(to.bytes.subarray(0, CPU_GENERAL_SIZE).every((byte) => byte === 1)).toBe(true);
    expect(to.bytes.subarray(CPU_GENERAL_SIZE).every((byte) => byte === 0)).toBe(true);
  });

  test("the floating-point state is copied with the upper halves of the YMM registers", () => {
    const [from, to] = [new CpuState(), new CpuState()];
    from.fxsave.fill(1);
    from.ymmHigh.fill(2);
    to.copyFpuFrom(from);
    expect([to.fxsave[511], to.ymmHigh[0], to.ymmHigh[255]]).toEqual([1, 2, 2]);
    expect(to.u32[0]).toBe(0);
  });
});
