/** Cases for the differential tests: forms of SSE, MMX and x87 instructions, as tables. */
import type { Case } from "./differential.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);

const SINGLES = [0, -0, 1, -1.5, 2.5, -3.5, 1e10, -7.25e-5, 8e37, 2e-38, 1 / 3, 123456.789, -2147483648, 2147483520];
const DOUBLES = [
  0,
  -0,
  1,
  -2.5,
  3.5,
  1e300,
  -1e-300,
  2 ** 53 + 1,
  0.1,
  -1 / 3,
  2147483647.5,
  -2147483649,
  9.3e18,
  1e-7,
];

/** Offsets of the kinds of numbers in the data: 16 bytes each slot. */
const SLOTS = 16;
const AT_SINGLES = 0;
const AT_DOUBLES = AT_SINGLES + SLOTS * 16;
const AT_INTEGERS = AT_DOUBLES + SLOTS * 16;
const AT_EXTENDED = AT_INTEGERS + SLOTS * 16;

/** Finite numbers of every kind: what x86 does with NaNs Unicorn does not know. */
export function dataPage(random: (n: number) => number): Uint8Array {
  const data = new Uint8Array(4096);
  const view = new DataView(data.buffer);
  for (let i = 0; i < SLOTS * 4; i++) view.setFloat32(AT_SINGLES + i * 4, SINGLES[random(SINGLES.length)]!, true);
  for (let i = 0; i < SLOTS * 2; i++) view.setFloat64(AT_DOUBLES + i * 8, DOUBLES[random(DOUBLES.length)]!, true);
  for (let i = 0; i < SLOTS * 16; i++) data[AT_INTEGERS + i] = random(256);
  for (let i = 0; i < SLOTS; i++) {
    for (let j = 0; j < 7; j++) data[AT_EXTENDED + i * 16 + j] = random(256);
    data[AT_EXTENDED + i * 16 + 7] = 128 + random(128);
    view.setUint16(AT_EXTENDED + i * 16 + 8, 16383 - 40 + random(80) + 32768 * random(2), true);
  }
  return data;
}

type Pick = <T>(from: readonly T[]) => T;

const BOTH = words("add sub mul div sqrt min max");
const SSE_PACKED_SINGLE = [
  ...BOTH.map((name) => `${name}ps`),
  ...words(
    "haddps hsubps addsubps cvtps2dq cvttps2dq cvtps2pd unpcklps unpckhps movshdup movsldup andps andnps orps xorps rcpps rsqrtps",
  ),
];
const SSE_PACKED_DOUBLE = [
  ...BOTH.map((name) => `${name}pd`),
  ...words("haddpd hsubpd addsubpd cvtpd2dq cvttpd2dq cvtpd2ps unpcklpd unpckhpd movddup andpd andnpd orpd xorpd"),
];
const SSE_SCALAR_SINGLE = [...BOTH.map((name) => `${name}ss`), ...words("cvtss2sd comiss ucomiss rcpss rsqrtss")];
const SSE_SCALAR_DOUBLE = [...BOTH.map((name) => `${name}sd`), ...words("cvtsd2ss comisd ucomisd")];
const WITH_CONTROL: Readonly<Record<string, readonly [kind: "s" | "d", scalar: boolean, limit: number]>> = {
  cmpps: ["s", false, 8],
  cmppd: ["d", false, 8],
  cmpss: ["s", true, 8],
  cmpsd: ["d", true, 8],
  roundps: ["s", false, 16],
  roundpd: ["d", false, 16],
  roundss: ["s", true, 16],
  roundsd: ["d", true, 16],
  dpps: ["s", false, 256],
  dppd: ["d", false, 256],
  shufps: ["s", false, 256],
  shufpd: ["d", false, 4],
  blendps: ["s", false, 16],
  blendpd: ["d", false, 4],
  insertps: ["s", true, 256],
};
const TO_GENERAL = words("cvtss2si cvttss2si cvtsd2si cvttsd2si");
const FROM_GENERAL = words("cvtsi2ss cvtsi2sd");

const pointer = (bytes: number): string => ({ 4: "dword", 8: "qword", 16: "xmmword" })[bytes]!;
const at = (area: number, slot: number, bytes: number): string => `${pointer(bytes)} ptr [rdi + ${area + slot * 16}]`;

/** Loads two vectors, works on them from register or memory, stores the result and the status flags. */
function vectorCase(name: string, area: number, bytes: number, control: string, random: (n: number) => number): Case {
  const [first, second] = [random(SLOTS), random(SLOTS)];
  const source = random(2) === 0 ? "xmm2" : at(area, second, bytes);
  return `movups xmm1, [rdi + ${area + first * 16}]; movups xmm2, [rdi + ${area + second * 16}]
    ${name} xmm1, ${source}${control}; movups [rsi], xmm1; pushfq; pop rax; and eax, 0x8c5; mov [rsi + 16], rax`;
}

const memoryBytes = (name: string, packed: number): number => (/^(cvtps2pd|movddup)$/.test(name) ? 8 : packed);

export function sseFloatCases(count: number, pick: Pick, random: (n: number) => number): Case[] {
  const one = (name: string, area: number, bytes: number): Case =>
    vectorCase(name, area, memoryBytes(name, bytes), "", random);
  const rounds = Array.from({ length: count });
  return rounds.flatMap(() => [
    ...SSE_PACKED_SINGLE.map((name) => one(name, AT_SINGLES, 16)),
    ...SSE_PACKED_DOUBLE.map((name) => one(name, AT_DOUBLES, 16)),
    ...SSE_SCALAR_SINGLE.map((name) => one(name, AT_SINGLES, 4)),
    ...SSE_SCALAR_DOUBLE.map((name) => one(name, AT_DOUBLES, 8)),
    one("cvtdq2ps", AT_INTEGERS, 16),
    one("cvtdq2pd", AT_INTEGERS, 8),
    ...Object.entries(WITH_CONTROL).map(([name, [kind, scalar, limit]]) =>
      vectorCase(
        name,
        kind === "s" ? AT_SINGLES : AT_DOUBLES,
        scalar ? (kind === "s" ? 4 : 8) : 16,
        `, ${random(limit)}`,
        random,
      ),
    ),
    ...TO_GENERAL.map((name) => {
      const single = name.includes("ss2si");
      const operand = at(single ? AT_SINGLES : AT_DOUBLES, random(SLOTS), single ? 4 : 8);
      return `${name} ${pick(["eax", "rax"])}, ${operand}; mov [rsi], rax`;
    }),
    ...FROM_GENERAL.map(
      (name) =>
        `mov rax, [rdi + ${AT_INTEGERS + random(SLOTS) * 16}]; movups xmm1, [rdi]; ${name} xmm1, ${pick(["eax", "rax"])}; movups [rsi], xmm1`,
    ),
  ]);
}

const MMX = words(`paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw psubusb
  psubusw pmullw pmulhw pmulhuw pmaddwd pmuludq psadbw pand pandn por pxor pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw
  pcmpgtd pminub pminsw pmaxub pmaxsw pavgb pavgw packsswb packssdw packuswb punpckhbw punpckhwd punpckhdq pabsb pabsw
  pabsd psignb psignw psignd phaddw phaddd phaddsw phsubw phsubd phsubsw pshufb pmaddubsw pmulhrsw psllw pslld psllq
  psrlw psrld psrlq psraw psrad`);
/** Their memory operand has 4 bytes. */
const MMX_LOW = words("punpcklbw punpcklwd punpckldq");
const MMX_SHIFTS = words("psllw pslld psllq psrlw psrld psrlq psraw psrad");

export function mmxCases(count: number, pick: Pick, random: (n: number) => number): Case[] {
  const integers = (): number => AT_INTEGERS + random(SLOTS * 2 - 1) * 8;
  const one = (name: string, bytes: number): Case => {
    const source = random(2) === 0 ? "mm2" : `${pointer(bytes)} ptr [rdi + ${integers()}]`;
    return `movq mm1, [rdi + ${integers()}]; movq mm2, [rdi + ${integers()}]; ${name} mm1, ${source}; movq [rsi], mm1`;
  };
  const start = (): string =>
    `movq mm1, [rdi + ${integers()}]; movups xmm1, [rdi + ${AT_DOUBLES + random(SLOTS) * 16}]`;
  const rounds = Array.from({ length: count });
  return rounds
    .flatMap(() => [
      ...MMX.map((name) => one(name, 8)),
      ...MMX_LOW.map((name) => one(name, 4)),
      ...MMX_SHIFTS.map((name) => `movq mm1, [rdi + ${integers()}]; ${name} mm1, ${random(70)}; movq [rsi], mm1`),
      `${start()}; pshufw mm2, mm1, ${random(256)}; movq [rsi], mm2`,
      `${start()}; palignr mm1, [rdi + ${integers()}], ${random(20)}; movq [rsi], mm1`,
      `${start()}; pinsrw mm1, eax, ${random(8)}; pextrw ecx, mm1, ${random(8)}; movq [rsi], mm1; mov [rsi + 8], rcx`,
      `${start()}; pmovmskb ecx, mm1; movd edx, mm1; mov [rsi], rcx; mov [rsi + 8], rdx`,
      `${start()}; movq2dq xmm1, mm1; movdq2q mm2, xmm1; movups [rsi], xmm1; movntq [rsi + 16], mm2`,
      `${start()}; cvtpi2ps xmm1, ${pick(["mm1", `qword ptr [rdi + ${integers()}]`])}; movups [rsi], xmm1`,
      `${start()}; cvtpi2pd xmm1, ${pick(["mm1", `qword ptr [rdi + ${integers()}]`])}; movups [rsi], xmm1`,
      ...words("cvtps2pi cvttps2pi").map(
        (name) =>
          `movups xmm1, [rdi + ${random(SLOTS) * 16}]; ${name} mm1, ${pick(["xmm1", at(AT_SINGLES, random(SLOTS), 8)])}; movq [rsi], mm1`,
      ),
      ...words("cvtpd2pi cvttpd2pi").map(
        (name) => `${start()}; ${name} mm1, ${pick(["xmm1", at(AT_DOUBLES, random(SLOTS), 16)])}; movq [rsi], mm1`,
      ),
      // The x87 sees MMX registers as valid, TOP is 0.
      `${start()}; fnstsw ax; fnstenv [rsi]; emms; mov word ptr [rsi + 2], 0; mov word ptr [rsi + 6], 0; mov word ptr [rsi + 10], 0; mov dword ptr [rsi + 12], 0; mov qword ptr [rsi + 16], 0; mov dword ptr [rsi + 24], 0; mov [rsi + 32], ax`,
    ])
    .map((text) => `${text}; emms`);
}

const CONTROL_WORDS = [0x37f, 0x27f, 0x07f, 0x77f, 0xb7f, 0xf7f];
const X87_ONE = words("fsqrt frndint fabs fchs fxtract");
const X87_TWO = words("fadd fsub fsubr fmul fdiv fdivr");
/** TOP, and for comparisons C3, C2, C0: Unicorn notes few exceptions and no C1 (x87.test.ts has them from hardware). */
const FLAGS = "fnstsw ax; and ax, 0x3800; mov [rsi + 32], ax";
const CODES = "fnstsw ax; and ax, 0x7d00; mov [rsi + 32], ax";
const STACK = "fstp tbyte ptr [rsi]; fstp tbyte ptr [rsi + 16]; fninit";
const STORE = `${FLAGS}; ${STACK}`;

/** Arithmetic, loads and stores, comparisons: what Unicorn computes to 80 bits as well. */
export function x87Cases(count: number, pick: Pick, random: (n: number) => number): Case[] {
  const number = (): string =>
    pick([
      `tbyte ptr [rdi + ${AT_EXTENDED + random(SLOTS) * 16}]`,
      `qword ptr [rdi + ${AT_DOUBLES + random(SLOTS * 2) * 8}]`,
      `dword ptr [rdi + ${AT_SINGLES + random(SLOTS * 4) * 4}]`,
    ]);
  const short = (): string =>
    pick([`qword ptr [rdi + ${AT_DOUBLES + random(SLOTS * 2) * 8}]`, `dword ptr [rdi + ${random(SLOTS * 4) * 4}]`]);
  const integer = (): string => `${pick(["word", "dword"])} ptr [rdi + ${AT_INTEGERS + random(SLOTS) * 16}]`;
  const two = (): string =>
    `fninit; push ${pick(CONTROL_WORDS)}; fldcw [rsp]; pop rax; fld ${number()}; fld ${number()}`;
  const rounds = Array.from({ length: count });
  return rounds.flatMap(() => [
    ...X87_ONE.map((name) => `${two()}; ${name}; ${STORE}`),
    ...words("fxam ftst").map((name) => `${two()}; ${name}; ${CODES}; ${STACK}`),
    ...X87_TWO.map((name) => `${two()}; ${name} ${pick(["st, st(1)", "st(1), st", short()])}; ${STORE}`),
    ...X87_TWO.map((name) => `${two()}; ${name}p; fld1; ${STORE}`),
    ...X87_TWO.map((name) => `${two()}; ${name.replace("f", "fi")} ${integer()}; ${STORE}`),
    ...words("fcom fucom fcomi fucomi").map(
      (name) => `${two()}; ${name} st(1); ${CODES}; ${STACK}; pushfq; pop rax; and eax, 0x45; mov [rsi + 40], rax`,
    ),
    ...words("fist fistp").map((name) => `${two()}; ${name} dword ptr [rsi + 48]; ${FLAGS}; fld1; ${STACK}`),
    // Unicorn's FISTTP saturates: only what fits.
    `${two()}; fldpi; fisttp ${pick(["word", "dword", "qword"])} ptr [rsi + 48]; ${FLAGS}; ${STACK}`,
    ...words("fistp").map((name) => `${two()}; ${name} qword ptr [rsi + 48]; ${FLAGS}; fld1; ${STACK}`),
    ...words("fist fistp").map((name) => `${two()}; ${name} word ptr [rsi + 48]; ${FLAGS}; fld1; ${STACK}`),
    ...words("fst fstp").flatMap((name) => [
      `${two()}; ${name} qword ptr [rsi + 48]; ${FLAGS}; fld1; ${STACK}`,
      `${two()}; ${name} dword ptr [rsi + 48]; ${FLAGS}; fld1; ${STACK}`,
    ]),
    `${two()}; fxch; fdecstp; fincstp; ${STORE}`,
    `${two()}; fild ${integer()}; ffree st(1); fstp tbyte ptr [rsi + 48]; fnstsw [rsi]`,
    `fninit; fild word ptr [rdi + ${AT_INTEGERS + random(SLOTS) * 16}]; fimul word ptr [rdi + ${AT_INTEGERS}]; fbstp [rsi]; fbld [rsi]; fld1; ${STORE}`,
    ...words("fldl2t fldl2e fldpi fldlg2 fldln2 fldz fld1").map((name) => `fninit; ${name}; fld1; ${STORE}`),
    `${two()}; cmp eax, ${random(3)}; fcmov${pick(words("b e be u nb ne nbe nu"))} st, st(1); ${STORE}`,
  ]);
}
