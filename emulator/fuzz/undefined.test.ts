/** The table of allowed differences: wide enough for what the manuals leave open, and no wider. */
import { describe, expect, test } from "vitest";
import type { Difference } from "./compare.ts";
import { STATE_SIZE } from "./protocol.ts";
import { allowance, type Occasion } from "./undefined.ts";

const before = new Uint8Array(STATE_SIZE);

function allowed(
  form: string,
  what: string,
  hardware: string,
  engine: string,
  more: Partial<Occasion> = {},
  strict = false,
) {
  const difference: Difference = { what, hardware, engine };
  const occasion: Occasion = {
    form,
    bytes: Uint8Array.of(0x90),
    before,
    address: 0x1000,
    vector: 3,
    forms: [],
    differences: [difference],
    ...more,
  };
  return allowance(occasion, difference, strict) !== undefined;
}

/** Says of a word of memory whether an instruction with its operand at 1000h may leave it so. */
function memoryDifference(form: string, forms: readonly string[] = []) {
  return (at: number, hardware: string, engine: string): boolean => {
    const bytes = Uint8Array.of(0x90);
    const occasion = { form, bytes, before, address: 0x1000, vector: 3, forms, differences: [] };
    return allowance(occasion, { what: "memory", at, hardware, engine }, false) !== undefined;
  };
}

const one = "3f8000003f8000003f8000003f800000";

describe("allowed", () => {
  test("approximations near the host's, not others", () => {
    expect(allowed("Rcpps_xmm_xmmm128", "xmm1", one, one.replace("3f800000", "3f800800"))).toBe(true);
    expect(allowed("Rcpps_xmm_xmmm128", "xmm1", one, one.replace("3f800000", "3f900000"))).toBe(false);
    expect(allowed("VEX_Vrsqrtps_ymm_ymmm256", "ymm3h", one, one.replace("3f800000", "3f800800"))).toBe(true);
    expect(allowed("Addps_xmm_xmmm128", "xmm1", one, one.replace("3f800000", "3f800001"))).toBe(false);
  });

  test("double shifts of 16 bits by more than 16, by the immediate or by CL", () => {
    const by = (count: number) => ({ bytes: Uint8Array.of(0x0f, 0xa4, 0xc0, count) });
    expect(allowed("Shld_rm16_r16_imm8", "rax", "1", "2", by(17))).toBe(true);
    expect(allowed("Shld_rm16_r16_imm8", "rax", "1", "2", by(16))).toBe(false);
    expect(allowed("Shld_rm16_r16_imm8", "rax", "1", "2", by(32 + 5))).toBe(false);
    const state = new Uint8Array(STATE_SIZE);
    state[8] = 20;
    expect(allowed("Shrd_rm16_r16_CL", "memory", "1", "2", { before: state })).toBe(true);
    expect(allowed("Shrd_rm16_r16_CL", "memory", "1", "2")).toBe(false);
    expect(allowed("Shld_rm32_r32_imm8", "rax", "1", "2", by(17))).toBe(false);
  });

  test("the last place of x87 transcendental functions, over a power of two as well", () => {
    expect(allowed("Fsin", "st0", "3ffe8000000000000000", "3ffdffffffffffffffff")).toBe(true);
    expect(allowed("Fsin", "st0", "3ffe8000000000000000", "3ffe8000000000000002")).toBe(false);
    expect(allowed("Fsqrt", "st0", "3ffe8000000000000000", "3ffe8000000000000001")).toBe(false);
    expect(allowed("Fsin", "st0", "00018000000000000000", "00007fffffffffffffff")).toBe(true);
    expect(allowed("Fsin", "st0", "00018000000000000000", "80018000000000000000")).toBe(false);
  });

  test("an exact result that the host calls inexact, where the function is transcendental", () => {
    expect(allowed("F2xm1", "fsw", "1a20", "1800")).toBe(true);
    expect(allowed("F2xm1", "fsw", "1800", "1820")).toBe(false);
    expect(allowed("F2xm1", "fsw", "1830", "1800")).toBe(false);
    expect(allowed("Fsqrt", "fsw", "1820", "1800")).toBe(false);
  });

  test("MMX state behind a MASKMOVQ that faults", () => {
    expect(allowed("Maskmovq_rDI_mm_mm", "fsw", "4200", "7a00", { vector: 14 })).toBe(true);
    expect(allowed("Maskmovq_rDI_mm_mm", "ftw", "ff", "f", { vector: 14 })).toBe(true);
    expect(allowed("Maskmovq_rDI_mm_mm", "fsw", "4200", "7a20", { vector: 14 })).toBe(false);
    expect(allowed("Maskmovq_rDI_mm_mm", "ftw", "ff", "f")).toBe(false);
  });

  test("MXCSR's bit 17, where the host has it", () => {
    const taken = { what: "mxcsr", hardware: "21f80", engine: "1f80" };
    const [none, gp] = ["vector 3 error 0", "vector 13 error 0"];
    expect(allowed("Ldmxcsr_m32", "stop", none, gp, { differences: [taken] })).toBe(true);
    expect(allowed("Ldmxcsr_m32", "stop", none, gp, { differences: [{ ...taken, hardware: "3f80" }] })).toBe(false);
  });

  test("#SS for #GP of an FXRSTOR that is neither canonical nor aligned", () => {
    const [ss, gp] = ["vector 12 error 0", "vector 13 error 0"];
    expect(allowed("Fxrstor_m512byte", "stop", ss, gp, { address: 2 ** 47 + 1 })).toBe(true);
    expect(allowed("Fxrstor_m512byte", "stop", ss, gp, { address: 4097 })).toBe(false);
    expect(allowed("Movaps_xmm_xmmm128", "stop", ss, gp, { address: 2 ** 47 + 1 })).toBe(false);
  });

  test("either of two faults of CMPS, but not a fault in place of none", () => {
    const first = "vector 14 error 4 address 0000000000001000";
    expect(allowed("Cmpsb_m8_m8", "stop", first, "vector 13 error 0")).toBe(true);
    expect(allowed("Cmpsb_m8_m8", "stop", "vector 3 error 0", first)).toBe(false);
    expect(allowed("Movsb_m8_m8", "stop", first, "vector 13 error 0")).toBe(false);
  });

  test("anything of a gather that faults, nothing of one that does not", () => {
    expect(allowed("VEX_Vgatherdps_ymm_vm32y_ymm", "xmm1", "1", "2", { vector: 14 })).toBe(true);
    expect(allowed("VEX_Vgatherdps_ymm_vm32y_ymm", "xmm1", "1", "2")).toBe(false);
  });

  test("MXCSR's exception flags in memory, unless strict", () => {
    const [a, b] = ["00001fa0ffffffff", "00001f80ffffffff"];
    expect(allowed("Stmxcsr_m32", "memory", a, b)).toBe(true);
    expect(allowed("Stmxcsr_m32", "memory", a, b, {}, true)).toBe(false);
    expect(allowed("Stmxcsr_m32", "memory", a, "00001f00ffffffff")).toBe(false);
  });

  test("what FXSAVE may leave out, at its place in the image only", () => {
    const difference = memoryDifference("Fxsave_m512byte");
    expect(difference(0x1008, "0000000000000000", "00000000100066b2")).toBe(true);
    expect(difference(0x1020, "0000000000000000", "00000000100066b2")).toBe(false);
    expect(difference(0x1000, "01230012000000ff", "00000012000000ff")).toBe(true);
    expect(difference(0x1000, "01230012000000ff", "01230000000000ff")).toBe(false);
    expect(difference(0x1018, "0002ffff00001fa0", "0000ffff00001f80")).toBe(true);
    expect(difference(0x1018, "0002ffff00007f80", "0000ffff00001f80")).toBe(false);
    const loaded = memoryDifference("Fxsave_m512byte", ["Frstor_m108byte", "Fxam"]);
    expect(difference(0x1000, "01e50012000000ff", "02400012000000ff")).toBe(false);
    expect(loaded(0x1000, "01e50012000000ff", "02400012000000ff")).toBe(true);
    expect(loaded(0x1008, "0000000000001234", "0000000000005678")).toBe(false);
  });

  test("what FNSTENV may leave out, at its place in both environments only", () => {
    const [wide, short] = [memoryDifference("Fnstenv_m28byte"), memoryDifference("Fnstenv_m14byte")];
    expect(wide(0x1010, "000000ff07ff0033", "000000ff00000000")).toBe(true);
    expect(wide(0x1018, "ffffffffffff2b05", "ffffffffffff0000")).toBe(true);
    expect(wide(0x1008, "00000000ffff00ff", "00000000ffff0000")).toBe(false);
    expect(wide(0x1018, "11ffffffffff0000", "00ffffffffff0000")).toBe(false);
    expect(short(0x1008, "0000002b00000033", "0000000000000000")).toBe(true);
    expect(short(0x1010, "00000000000000ff", "0000000000000000")).toBe(false);
  });

  test("partial remainders", () => {
    const partial = { what: "fsw", hardware: "2400", engine: "6100" };
    expect(allowed("Fprem", "st0", "1", "2", { differences: [partial] })).toBe(true);
    expect(allowed("Fprem", "st0", "1", "2")).toBe(false);
  });
});
