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
    const difference = (at: number, hardware: string, engine: string) =>
      allowance(
        {
          form: "Fxsave_m512byte",
          bytes: Uint8Array.of(0x90),
          before,
          address: 0x1000,
          vector: 3,
          forms: [],
          differences: [],
        },
        { what: "memory", at, hardware, engine },
        false,
      ) !== undefined;
    expect(difference(0x1008, "0000000000000000", "00000000100066b2")).toBe(true);
    expect(difference(0x1020, "0000000000000000", "00000000100066b2")).toBe(false);
    expect(difference(0x1000, "01230012000000ff", "00000012000000ff")).toBe(true);
    expect(difference(0x1000, "01230012000000ff", "01230000000000ff")).toBe(false);
    expect(difference(0x1018, "0002ffff00001fa0", "0000ffff00001f80")).toBe(true);
    expect(difference(0x1018, "0002ffff00007f80", "0000ffff00001f80")).toBe(false);
  });

  test("partial remainders", () => {
    const partial = { what: "fsw", hardware: "2400", engine: "6100" };
    expect(allowed("Fprem", "st0", "1", "2", { differences: [partial] })).toBe(true);
    expect(allowed("Fprem", "st0", "1", "2")).toBe(false);
  });
});
