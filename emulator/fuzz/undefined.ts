/**
 * Differences from the host that are allowed: results that the manuals leave undefined or to the implementation, and
 * what this project does not do on purpose. Flags that iced lists as undefined never come here: they are not compared.
 */
import type { Difference } from "./compare.ts";

/** The instruction that made a difference, and the host's registers in front of it. */
export interface Occasion {
  readonly form: string;
  readonly bytes: Uint8Array;
  readonly before: Uint8Array | undefined;
  /** Where its first memory operand lies. */
  readonly address: number | undefined;
  /** The exception that ended it on the host; 3 when it was executed. */
  readonly vector: number;
  /** All forms of the sequence up to there. */
  readonly forms: readonly string[];
  /** All that differs. */
  readonly differences: readonly Difference[];
}

export interface Allowance {
  readonly form: RegExp;
  readonly what: RegExp;
  readonly when?: (difference: Difference, occasion: Occasion) => boolean;
  /** Holds only where MXCSR is not compared strictly. */
  readonly lenient?: boolean;
  readonly reason: string;
}

const BP = 3;
const RCX_AT = 8;
const TRANSCENDENTAL = /^(F2xm1|Fyl2x|Fyl2xp1|Fpatan|Fptan|Fsin|Fcos|Fsincos)$/;
const APPROXIMATE = /^(Fprem1?|F2xm1|Fyl2x|Fyl2xp1|Fpatan|Fptan|Fsin|Fcos|Fsincos|(VEX_V)?(rcp|rsqrt)[ps]s_.*)$/i;
/** End a loop (generator.ts), so that what they differ in comes from a later round. */
export const LOOP_END = /^(Jne_rel32_64|Loop_rel8_64_RCX)$/;
/** Load the x87's pointers to its last instruction. */
const LOADS_POINTERS = /^(Fxrstor(64)?|Frstor|Fldenv)_/;
/** Bits of the x87 status word and of both control words. */
const C1 = 0x200;
const INEXACT = 0x20;
const TOP = 0x3800;
const MISALIGNED_MODE = 0x20000;

export const ALLOWED: readonly Allowance[] = [
  {
    form: /^(VEX_V)?(rcp|rsqrt)[ps]s_/i,
    what: /^[xy]mm/,
    when: ({ hardware, engine }) => lanes(hardware).every((a, i) => isNear(a, lanes(engine)[i]!)),
    reason:
      "RCPxS and RSQRTxS: an approximation of the implementation's choice (SDM volume 2: error below 1.5 * 2^-12)",
  },
  {
    form: /^Sh[lr]d_rm16_/,
    what: /^(r[0-9a-ds][0-9xpi]?|rflags|memory)$/,
    when: (_, occasion) => doubleShiftCount(occasion) > 16,
    reason: "SHLD and SHRD by more than the operand's 16 bits: result and flags undefined (SDM volume 2)",
  },
  {
    form: /./,
    what: /^stop$/,
    when: ({ hardware }) => hardware.startsWith("vector 17 "),
    reason: "alignment checks (AC) are not made",
  },
  {
    form: /^Cmps[bwdq]_/,
    what: /^stop$/,
    when: ({ hardware, engine }) => isMemoryFault(hardware) && isMemoryFault(engine),
    reason: "which of two operands that both fault is reported is the implementation's choice",
  },
  {
    form: /^F(x|n)?(save|rstor|stenv|ldenv)(64)?_/,
    what: /^stop$/,
    when: ({ hardware, engine }) => hardware.startsWith("vector 14 ") && engine.startsWith("vector 14 "),
    reason: "x87 state over two pages: the processor need not touch the lower one first",
  },
  {
    form: /^Fn?(save|stenv)_/,
    what: /^memory$/,
    when: (difference, occasion) => {
      const [first, end] = /_m(94|14)byte$/.test(occasion.form) ? [6, 14] : [12, 28];
      return changedBytes(difference, occasion.address!).every(
        ({ offset, zero }) => offset >= first && offset < end && (zero || isStaleOpcode(offset, 18, occasion)),
      );
    },
    reason: "FOP, FIP, FDP and their selectors: kept for unmasked exceptions only, and not over a switch of contexts",
  },
  {
    form: /^Fprem1?$/,
    what: /^(st\d|fsw)$/,
    when: (_, { differences }) => differences.some(({ what, hardware }) => what === "fsw" && isPartial(hardware)),
    reason:
      "FPREM and FPREM1 say with C2 that there is more to do: how much they do at once is the implementation's choice",
  },
  {
    form: LOOP_END,
    what: /^(st\d|fsw|[xy]mm)/,
    when: (_, { forms }) => forms.some((form) => APPROXIMATE.test(form)),
    reason: "a later round of a loop around an approximate instruction (its own row is here)",
  },
  {
    form: LOOP_END,
    what: /./,
    when: (_, { forms }) => forms.some((form) => /^Sh[lr]d_rm16_r16_CL$/.test(form)),
    reason: "a later round of a loop around SHLD or SHRD of 16 bits by CL (their own row is here)",
  },
  {
    form: /^Bs[fr]_r32_/,
    what: /^r/,
    when: ({ hardware, engine }) => engine === `00000000${hardware.slice(8)}`,
    reason: "BSF and BSR of 0 leave the destination undefined; whether the upper half becomes 0 depends on the model",
  },
  {
    form: /^Fxsave(64)?_/,
    what: /^memory$/,
    when: isFxsaveChoice,
    reason:
      "FXSAVE: FOP, FIP and FDP as above; MXCSR_MASK says which bits a model has (bit 17 is AMD's misaligned mode)",
  },
  {
    form: /^VEX_Vp?gather/,
    what: /./,
    when: (_, { vector }) => vector !== BP,
    reason:
      "a gather that faults: which elements were done and which of several faults is reported is the model's choice",
  },
  {
    form: /^VEX_Vp?maskmov[pdq]/,
    what: /^stop$/,
    when: ({ hardware, engine }) => hardware.startsWith("vector 14 ") && engine.startsWith("vector 14 "),
    reason: "VMASKMOV: which of its elements' addresses a fault reports is the model's choice",
  },
  {
    form: /^Sha/,
    what: /^stop$/,
    when: ({ engine }) => engine.startsWith("vector 13 "),
    reason: "SHA with a misaligned operand: #GP on processors of Intel, not on AMD's",
  },
  {
    form: TRANSCENDENTAL,
    what: /^st\d$/,
    when: ({ hardware, engine }) => isNextExtended(hardware, engine),
    reason: "x87 transcendental functions are exact to one unit in the last place (SDM volume 1, section 8.3.10)",
  },
  {
    form: TRANSCENDENTAL,
    what: /^fsw$/,
    when: ({ hardware, engine }) => changedBits(hardware, engine) === C1,
    reason: "C1 of an x87 transcendental function says which way its last place went",
  },
  {
    form: /^(F2xm1|Fyl2x|Fyl2xp1)$/,
    what: /^fsw$/,
    when: ({ hardware, engine }) =>
      (parseInt(hardware, 16) & INEXACT) !== 0 && (changedBits(hardware, engine) & ~C1) === INEXACT,
    reason: "F2XM1, FYL2X and FYL2XP1 whose result happens to be exact: processors call it inexact",
  },
  {
    form: /^Maskmovq_/,
    what: /^(st\d|fsw|ftw)$/,
    when: ({ what, hardware, engine }, { vector }) =>
      vector !== BP &&
      (what !== "fsw" || (changedBits(hardware, engine) & ~TOP) === 0) &&
      (what !== "ftw" || hardware === "ff"),
    reason: "MASKMOVQ that faults: a processor of AMD has gone over to MMX by then (TOP 0, all tags valid)",
  },
  {
    form: /^(Fxrstor(64)?|Ldmxcsr|VEX_Vldmxcsr)_/,
    what: /^stop$/,
    when: ({ engine }, { differences }) =>
      engine === "vector 13 error 0" &&
      differences.some(({ what, hardware }) => what === "mxcsr" && (parseInt(hardware, 16) & MISALIGNED_MODE) !== 0),
    reason: "MXCSR bit 17, AMD's misaligned mode: reserved, so #GP, on processors of Intel",
  },
  {
    form: /^Fx(save|rstor)(64)?_/,
    what: /^stop$/,
    when: ({ hardware, engine }, { address }) =>
      hardware === "vector 12 error 0" &&
      engine === "vector 13 error 0" &&
      address! >= 2 ** 47 &&
      address! < 2 ** 64 - 2 ** 47,
    reason: "neither aligned nor canonical: which of #GP and #SS comes is the model's choice (SDM volume 3, table 6-2)",
  },
  {
    form: /^(Stmxcsr|VEX_Vstmxcsr)_/,
    what: /^memory$/,
    when: ({ hardware, engine }) => /^0*[0-3]?[0-9a-f](00)*$/.test(exclusiveOr(hardware, engine)),
    lenient: true,
    reason: "exception flags of MXCSR are compared with --strict only",
  },
];

/** The reason why an instruction may differ so; undefined when it must not. */
export function allowance(occasion: Occasion, difference: Difference, strict: boolean): string | undefined {
  return ALLOWED.find(
    (row) =>
      row.form.test(occasion.form) &&
      row.what.test(difference.what) &&
      !(strict && row.lenient) &&
      (row.when?.(difference, occasion) ?? true),
  )?.reason;
}

function isMemoryFault(stop: string): boolean {
  return /^vector 1[34] /.test(stop);
}

function exclusiveOr(a: string, b: string): string {
  return (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(16).padStart(16, "0");
}

function doubleShiftCount({ form, bytes, before }: Occasion): number {
  const count = form.endsWith("_CL") ? before?.[RCX_AT] : bytes[bytes.length - 1];
  return (count ?? 0) & 31;
}

/** Of an FXSAVE image: FOP is in the first word, then come FIP, FDP, MXCSR and its mask. */
function isFxsaveChoice(difference: Difference, occasion: Occasion): boolean {
  const { at, hardware, engine } = difference;
  const address = occasion.address!;
  if (at === address + 24)
    return /^0000ffff|^0002ffff/.test(engine) && differsInLowSixBits(hardware.slice(8), engine.slice(8));
  return changedBytes(difference, address).every(
    ({ offset, zero }) => offset >= 6 && offset < 24 && (zero || isStaleOpcode(offset, 6, occasion)),
  );
}

/** FOP (2 bytes): one that was loaded stays on the engine, and on processors of Intel, until an unmasked exception. */
function isStaleOpcode(offset: number, opcodeAt: number, { forms }: Occasion): boolean {
  return (offset === opcodeAt || offset === opcodeAt + 1) && forms.some((form) => LOADS_POINTERS.test(form));
}

/** The bytes that differ by their distance from an address, and whether one of the two is 0. */
function changedBytes(
  { at, hardware, engine }: Difference,
  address: number,
): { readonly offset: number; readonly zero: boolean }[] {
  const [a, b] = [hardware, engine].map((text) => bytesOf(text).reverse()) as [number[], number[]];
  return a.flatMap((byte, i) => (byte === b[i] ? [] : [{ offset: at! + i - address, zero: byte === 0 || b[i] === 0 }]));
}

/** Bits of two status words that differ. */
function changedBits(a: string, b: string): number {
  return parseInt(a, 16) ^ parseInt(b, 16);
}

/** MXCSR's exception flags: compared elsewhere when they count. */
function differsInLowSixBits(a: string, b: string): boolean {
  return (parseInt(a, 16) ^ parseInt(b, 16)) < 64;
}

function bytesOf(text: string): number[] {
  return text.match(/../g)!.map((byte) => parseInt(byte, 16));
}

/** C2 in an x87 status word. */
function isPartial(status: string): boolean {
  return (parseInt(status, 16) & 0x400) !== 0;
}

/** The four singles of an XMM register's text, lowest last. */
function lanes(text: string): number[] {
  const view = new DataView(new ArrayBuffer(4));
  return [0, 8, 16, 24].map((at) => {
    view.setUint32(0, parseInt(text.slice(at, at + 8), 16));
    return view.getFloat32(0);
  });
}

function isNear(a: number, b: number): boolean {
  return Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= Math.abs(a) * 2 ** -10;
}

/** Whether two 80-bit reals are neighbours or the same; denormals have the exponent of the smallest normal ones. */
function isNextExtended(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => {
    const head = parseInt(text.slice(0, 4), 16);
    const size = BigInt(Math.max(1, head & 0x7fff)) * 2n ** 63n + BigInt(`0x${text.slice(4)}`);
    return head & 0x8000 ? -size : size;
  });
  const distance = x! - y!;
  return distance >= -1n && distance <= 1n;
}
