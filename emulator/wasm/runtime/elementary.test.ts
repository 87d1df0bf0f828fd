/** Elementary functions against digits from tables (Abramowitz and Stegun, chapter 1) and their own identities. */
import { expect, test } from "vitest";
import { angle, binaryLogarithm, binaryLogarithmOfOnePlus, powerOfTwoMinusOne, sineAndCosine } from "./elementary.ts";
import type { Exact } from "./exact.ts";

const exact = (mantissa: bigint, power = 0, sign: 0 | 1 = 0): Exact => ({ sign, mantissa, power });
const ONE = exact(1n);

/** Decimal digits behind the point, cut. */
function decimals({ sign, mantissa, power }: Exact, digits: number): string {
  const scaled = mantissa * 10n ** BigInt(digits);
  const value = power >= 0 ? scaled << BigInt(power) : scaled >> BigInt(-power);
  const text = value.toString().padStart(digits + 1, "0");
  return `${sign ? "-" : ""}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

test.each([
  ["sine of 1/2", sineAndCosine(exact(1n, -1)).sine, "0.479425538604203000273287935215"],
  ["cosine of 1/2", sineAndCosine(exact(1n, -1)).cosine, "0.877582561890372716116281582603"],
  ["angle of (1, 1)", angle(ONE, ONE), "0.785398163397448309615660845819"],
  ["angle of (1, 2)", angle(ONE, exact(2n)), "0.463647609000806116214256231461"],
  ["angle of (-1, 1)", angle(ONE, exact(1n, 0, 1)), "2.356194490192344928846982537459"],
  ["2^(1/2) - 1", powerOfTwoMinusOne(exact(1n, -1)), "0.414213562373095048801688724209"],
  ["2^(-1/2) - 1", powerOfTwoMinusOne(exact(1n, -1, 1)), "-0.292893218813452475599155637895"],
  ["log2 of 3", binaryLogarithm(exact(3n)), "1.584962500721156181453738943947"],
  ["log2 of 10", binaryLogarithm(exact(10n)), "3.321928094887362347870319429489"],
  ["log2 of 1 + 1/4", binaryLogarithmOfOnePlus(exact(1n, -2)), "0.321928094887362347870319429489"],
])("%s", (_name, value, expected) => {
  expect(decimals(value, 30)).toBe(expected);
});

test("log2 of a power of two is exact", () => {
  expect([-1000, -1, 0, 77].map((n) => decimals(binaryLogarithm(exact(1n, n)), 1))).toEqual([
    "-1000.0",
    "-1.0",
    "0.0",
    "77.0",
  ]);
});

test("sine is reduced by the processor's pi of 66 bits", () => {
  // The nearest 64-bit number to pi differs from it by 2^-64.
  const { sine } = sineAndCosine(exact(0xc90fdaa22168c235n, -62));
  const { mantissa, power, sign } = sine;
  expect([sign, mantissa.toString(2).length + power - 1]).toEqual([1, -65]);
});
