/** Strict SSE arithmetic against a processor: results, flags and exceptions, with every MXCSR control. */
import { describe, expect, test } from "vitest";
import { PhysicalMemory } from "../../physical-memory.ts";
import { AT_MXCSR } from "../layout.ts";
import { hardwareRows, hexadecimal, rowsByName } from "./testing/hardware-rows.ts";
import { AT_FIRST, AT_RESULT, AT_SECOND, needsStrictFloat, StrictFloat, STRICT_OPERATIONS } from "./strict-float.ts";

const memory = new PhysicalMemory(1 << 16);
const unit = new StrictFloat(memory);

function put(at: number, vector: string): void {
  memory.view.setBigUint64(at + 8, BigInt(`0x${vector.slice(0, 16)}`), true);
  memory.view.setBigUint64(at, BigInt(`0x${vector.slice(16)}`), true);
}

/** The part of the result that counts: a general register, status flags, else all. */
function result(name: string): string {
  const [high, low] = [8, 0].map((offset) => memory.view.getBigUint64(AT_RESULT + offset, true)) as [bigint, bigint];
  if (/comi/.test(name)) return hexadecimal(low & 0xffffffffn, 32);
  return name.endsWith("2si") ? hexadecimal(low, 32) : hexadecimal(high, 16) + hexadecimal(low, 16);
}

/** Mnemonic, immediate (or 1: 64-bit integer), MXCSR, operands, whether #XM was raised, MXCSR behind it, result. */
const rows = hardwareRows("strict-float.hardware.txt");
const byName = rowsByName(rows);

describe("what a processor (Zen 4) does with random operands and MXCSR", () => {
  test.each([...byName])("%s", (name, some) => {
    for (const [, control, mxcsr, a, b, trapped, after, expected] of some) {
      put(AT_FIRST, a!);
      put(AT_SECOND, b!);
      memory.u32[AT_MXCSR / 4] = parseInt(mxcsr!, 16);
      const raised = unit.run(STRICT_OPERATIONS.indexOf(name), Number(control));
      const actual = { raised: String(raised), mxcsr: hexadecimal(memory.u32[AT_MXCSR / 4]!, 1) };
      const row = { a, b, control, before: mxcsr };
      expect({ ...row, ...actual }).toEqual({ ...row, raised: trapped, mxcsr: after });
      if (raised === 0) expect({ ...row, result: result(name) }).toEqual({ ...row, result: expected });
    }
  });

  test("every operation but the MMX conversions is among the rows", () => {
    const missing = STRICT_OPERATIONS.filter((name) => !byName.has(name) && !/pi$|pi2/.test(name));
    expect(missing).toEqual([]);
  });
});

test("conversions to MMX registers are those to the low doublewords", () => {
  put(AT_SECOND, "3ff80000000000004000000000000000");
  memory.u32[AT_MXCSR / 4] = 0x1f80;
  unit.run(STRICT_OPERATIONS.indexOf("cvtpd2pi"), 0);
  expect(memory.view.getBigUint64(AT_RESULT, true)).toBe(0x0000000200000002n);
  expect(memory.u32[AT_MXCSR / 4]).toBe(0x1fa0);
});

test.each([
  [0x1f80, false],
  [0x1fbf, false],
  [0x3f80, true],
  [0x9f80, true],
  [0x1fc0, true],
  [0x1f00, true],
])("MXCSR %i needs strict arithmetic: %s", (mxcsr, strict) => {
  expect(needsStrictFloat(mxcsr)).toBe(strict);
});
