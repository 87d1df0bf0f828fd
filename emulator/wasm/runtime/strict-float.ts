/**
 * SSE floating point as MXCSR wants it: rounding, flush to zero, denormals as zeros, exception flags and #XM (Intel SDM
 * volume 1, section 11.5). Generated code does without as long as MXCSR has its default and nobody looks at the flags;
 * in strict mode (`Context.strictFloat`) each instruction is a call to `StrictFloat.run`.
 */
import { VECTOR_XM } from "../../engine.ts";
import type { PhysicalMemory } from "../../physical-memory.ts";
import { CF, PF, ZF } from "../flags.ts";
import { AT_MXCSR, AT_SCRATCH, AT_STOP_ERROR, AT_STOP_VECTOR } from "../layout.ts";
import { DENORMAL, INVALID, rounding, TOWARD_ZERO, UNDERFLOW, ZERO_DIVIDE } from "./exact.ts";
import {
  calculate,
  changeFormat,
  compare,
  DOUBLE,
  extreme,
  fromInteger,
  roundToIntegral,
  satisfies,
  SINGLE,
  squareRoot,
  toInteger,
  type Arithmetic,
  type FloatControl,
  type Interchange,
} from "./float-arithmetic.ts";

/** Operands of the helper, and its result: vectors of 16 bytes, integers in the low 8, status flags in the low 4. */
export const AT_FIRST = AT_SCRATCH;
export const AT_SECOND = AT_SCRATCH + 16;
export const AT_RESULT = AT_SCRATCH + 32;

const DEFAULT_CONTROL = 0x1f80;
const CONTROL_BITS = 0xffc0;
const FLUSH_TO_ZERO = 0x8000;
const DENORMALS_ARE_ZERO = 0x40;
const EXCEPTIONS = 0x3f;
/** Raised before a result is computed: when one is unmasked, flags of results are not set. */
const BEFORE = INVALID | DENORMAL | ZERO_DIVIDE;

/** Whether these control bits of MXCSR make results differ from those of plain arithmetic. */
export function needsStrictFloat(mxcsr: number): boolean {
  return (mxcsr & CONTROL_BITS) !== DEFAULT_CONTROL;
}

/** Reads and writes lanes of a vector in memory. */
interface Lanes {
  get(at: number, i: number, format: Interchange): bigint;
  set(i: number, format: Interchange, value: bigint): void;
}

/** Returns true when it has settled its exceptions itself, else they are in `how.flags`. */
type Step = (lanes: Lanes, how: FloatControl, control: number) => boolean | void;

/**
 * The exceptions of operations made at once: an unmasked one that is found before the results hides those of results.
 * Says whether there is an unmasked one.
 */
function settle(how: FloatControl, flags: number): boolean {
  how.flags |= (flags & how.unmasked & BEFORE) !== 0 ? flags & BEFORE : flags;
  return (flags & how.unmasked) !== 0;
}

/** Control words of an instruction whose operand is an integer of 64 bits. */
export const WIDE_INTEGER = 1;

const lanesOf = (format: Interchange): number => 128 / format.bits;

/** Lane by lane, `count` of them; the others of the result are the first operand's. */
function each(
  format: Interchange,
  count: number,
  change: (a: bigint, b: bigint, how: FloatControl, control: number) => bigint,
): Step {
  return (lanes, how, control) => {
    for (let i = 0; i < count; i++) {
      const lane = forLane(how);
      const value = change(lanes.get(AT_FIRST, i, format), lanes.get(AT_SECOND, i, format), lane, control);
      lanes.set(i, format, value);
      how.flags |= lane.flags;
    }
  };
}

/** Special cases ask what exceptions they have raised themselves: every lane counts for itself. */
const forLane = (how: FloatControl): FloatControl => ({ ...how, flags: 0 });

function clear(lanes: Lanes): void {
  lanes.set(0, DOUBLE, 0n);
  lanes.set(1, DOUBLE, 0n);
}

/** The four forms (ps, ss, pd, sd) of a lane by lane operation. */
function forms(
  name: string,
  change: (format: Interchange) => (a: bigint, b: bigint, how: FloatControl, control: number) => bigint,
): [string, Step][] {
  return [SINGLE, DOUBLE].flatMap((format): [string, Step][] => {
    const letter = format === SINGLE ? "s" : "d";
    return [
      [`${name}p${letter}`, each(format, lanesOf(format), change(format))],
      [`${name}s${letter}`, each(format, 1, change(format))],
    ];
  });
}

const arithmetic = (name: Arithmetic): [string, Step][] =>
  forms(name, (format) => (a, b, how) => calculate(name, a, b, format, how));

function horizontal(format: Interchange, name: "add" | "sub"): Step {
  return (lanes, how) => {
    const half = lanesOf(format) / 2;
    const results = Array.from({ length: 2 * half }, (_, i) => {
      const at = i < half ? AT_FIRST : AT_SECOND;
      const j = (i % half) * 2;
      const lane = forLane(how);
      const value = calculate(name, lanes.get(at, j, format), lanes.get(at, j + 1, format), format, lane);
      how.flags |= lane.flags;
      return value;
    });
    results.forEach((value, i) => lanes.set(i, format, value));
  };
}

function addSubtract(format: Interchange): Step {
  return (lanes, how) => {
    for (let i = 0; i < lanesOf(format); i++) {
      const [a, b] = [lanes.get(AT_FIRST, i, format), lanes.get(AT_SECOND, i, format)];
      const lane = forLane(how);
      lanes.set(i, format, calculate(i % 2 === 0 ? "sub" : "add", a, b, format, lane));
      how.flags |= lane.flags;
    }
  };
}

/** Products, then the sums of neighbours, then the sum of those: an unmasked exception stops between the stages. */
function dotProduct(format: Interchange): Step {
  return (lanes, how, control) => {
    const count = lanesOf(format);
    let flags = 0;
    const combine = (name: Arithmetic, a: bigint, b: bigint): bigint => {
      const lane = forLane(how);
      const value = calculate(name, a, b, format, lane);
      flags |= lane.flags;
      return value;
    };
    let terms = Array.from({ length: count }, (_, i) =>
      (control & (16 << i)) === 0
        ? 0n
        : combine("mul", lanes.get(AT_FIRST, i, format), lanes.get(AT_SECOND, i, format)),
    );
    while (!settle(how, flags) && terms.length > 1) {
      flags = 0;
      const pairs = terms;
      terms = Array.from({ length: pairs.length / 2 }, (_, i) => combine("add", pairs[2 * i]!, pairs[2 * i + 1]!));
    }
    for (let i = 0; i < count; i++) lanes.set(i, format, (control & (1 << i)) !== 0 ? terms[0]! : 0n);
    return true;
  };
}

const flagsOf = (order: number): number => (order === 2 ? ZF | PF | CF : order === 0 ? ZF : order < 0 ? CF : 0);

function toFlags(format: Interchange, signals: boolean): Step {
  return (lanes, how) => {
    const order = compare(lanes.get(AT_FIRST, 0, format), lanes.get(AT_SECOND, 0, format), format, how, signals);
    lanes.set(0, SINGLE, BigInt(flagsOf(order)));
  };
}

const INTEGER_32: Pick<Interchange, "bits"> = { bits: 32 };

/** `count` elements of one format to another; what is left of the result is zero. */
function convert(
  count: number,
  from: Pick<Interchange, "bits">,
  to: Pick<Interchange, "bits">,
  change: (x: bigint, how: FloatControl) => bigint,
): Step {
  return (lanes, how) => {
    const values = Array.from({ length: count }, (_, i) => {
      const lane = forLane(how);
      const value = change(lanes.get(AT_SECOND, i, from as Interchange), lane);
      how.flags |= lane.flags;
      return value;
    });
    clear(lanes);
    values.forEach((value, i) => lanes.set(i, to as Interchange, value));
  };
}

const truncating = (how: FloatControl): FloatControl => ({ ...how, mode: TOWARD_ZERO });

function toIntegers(format: Interchange, count: number, truncates: boolean): Step {
  return convert(count, format, INTEGER_32, (x, how) => {
    const lane = truncates ? truncating(how) : how;
    const value = toInteger(x, format, 32, lane);
    how.flags |= lane.flags;
    return value;
  });
}

function toGeneral(format: Interchange, truncates: boolean): Step {
  return (lanes, how, control) => {
    const lane = truncates ? truncating(how) : how;
    const value = toInteger(lanes.get(AT_SECOND, 0, format), format, control === WIDE_INTEGER ? 64 : 32, lane);
    how.flags |= lane.flags;
    lanes.set(0, DOUBLE, value);
  };
}

/** The other lanes are the first operand's; the integer is sign-extended to 64 bits. */
function fromGeneral(format: Interchange): Step {
  return (lanes, how) =>
    lanes.set(0, format, fromInteger(BigInt.asIntN(64, lanes.get(AT_SECOND, 0, DOUBLE)), format, how));
}

const scalarChange =
  (from: Interchange, to: Interchange): Step =>
  (lanes, how) =>
    lanes.set(0, to, changeFormat(lanes.get(AT_SECOND, 0, from), from, to, how));

const signed = (x: bigint): bigint => BigInt.asIntN(32, x);

const STEPS: readonly (readonly [string, Step])[] = [
  ...(["add", "sub", "mul", "div"] as const).flatMap(arithmetic),
  ...forms("sqrt", (format) => (_a, b, how) => squareRoot(b, format, how)),
  ...forms("min", (format) => (a, b, how) => extreme(true, a, b, format, how)),
  ...forms("max", (format) => (a, b, how) => extreme(false, a, b, format, how)),
  ...forms(
    "cmp",
    (format) => (a, b, how, control) =>
      satisfies(control & 7, a, b, format, how) ? (1n << BigInt(format.bits)) - 1n : 0n,
  ),
  ...forms("round", (format) => (_a, b, how, control) => roundToIntegral(b, control, format, how)),
  ["haddps", horizontal(SINGLE, "add")],
  ["haddpd", horizontal(DOUBLE, "add")],
  ["hsubps", horizontal(SINGLE, "sub")],
  ["hsubpd", horizontal(DOUBLE, "sub")],
  ["addsubps", addSubtract(SINGLE)],
  ["addsubpd", addSubtract(DOUBLE)],
  ["dpps", dotProduct(SINGLE)],
  ["dppd", dotProduct(DOUBLE)],
  ["comiss", toFlags(SINGLE, true)],
  ["comisd", toFlags(DOUBLE, true)],
  ["ucomiss", toFlags(SINGLE, false)],
  ["ucomisd", toFlags(DOUBLE, false)],
  ["cvtss2sd", scalarChange(SINGLE, DOUBLE)],
  ["cvtsd2ss", scalarChange(DOUBLE, SINGLE)],
  ["cvtps2pd", convert(2, SINGLE, DOUBLE, (x, how) => changeFormat(x, SINGLE, DOUBLE, how))],
  ["cvtpd2ps", convert(2, DOUBLE, SINGLE, (x, how) => changeFormat(x, DOUBLE, SINGLE, how))],
  ["cvtdq2ps", convert(4, INTEGER_32, SINGLE, (x, how) => fromInteger(signed(x), SINGLE, how))],
  ["cvtps2dq", toIntegers(SINGLE, 4, false)],
  ["cvttps2dq", toIntegers(SINGLE, 4, true)],
  ["cvtpd2dq", toIntegers(DOUBLE, 2, false)],
  ["cvttpd2dq", toIntegers(DOUBLE, 2, true)],
  ["cvtps2pi", toIntegers(SINGLE, 2, false)],
  ["cvttps2pi", toIntegers(SINGLE, 2, true)],
  ["cvtpd2pi", toIntegers(DOUBLE, 2, false)],
  ["cvttpd2pi", toIntegers(DOUBLE, 2, true)],
  [
    "cvtpi2ps",
    (lanes, how) => {
      for (let i = 0; i < 2; i++)
        lanes.set(i, SINGLE, fromInteger(signed(lanes.get(AT_SECOND, i, SINGLE)), SINGLE, how));
    },
  ],
  ["cvtss2si", toGeneral(SINGLE, false)],
  ["cvttss2si", toGeneral(SINGLE, true)],
  ["cvtsd2si", toGeneral(DOUBLE, false)],
  ["cvttsd2si", toGeneral(DOUBLE, true)],
  ["cvtsi2ss", fromGeneral(SINGLE)],
  ["cvtsi2sd", fromGeneral(DOUBLE)],
];

/** Mnemonics in the order of their numbers. */
export const STRICT_OPERATIONS: readonly string[] = STEPS.map(([name]) => name);

export class StrictFloat implements Lanes {
  private readonly view: DataView;
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;

  constructor({ view, u8, u32 }: PhysicalMemory) {
    this.view = view;
    this.u8 = u8;
    this.u32 = u32;
  }

  /** Result from the operands, flags into MXCSR. 1: an unmasked exception, #XM is noted. */
  readonly run = (operation: number, control: number): number => {
    const { flags, unmasked } = this.compute(operation, control, this.u32[AT_MXCSR / 4]!);
    this.u32[AT_MXCSR / 4]! |= flags;
    if ((flags & unmasked) === 0) return 0;
    this.u32[AT_STOP_VECTOR / 4] = VECTOR_XM;
    this.u32[AT_STOP_ERROR / 4] = 0;
    return 1;
  };

  /** Result of an operation whose fast form gave a NaN: exceptions are not looked at. */
  readonly quietly = (operation: number, control: number): void => {
    this.compute(operation, control, DEFAULT_CONTROL);
  };

  get(at: number, i: number, format: Interchange): bigint {
    if (format.bits === 64) return this.view.getBigUint64(at + i * 8, true);
    return BigInt(this.view.getUint32(at + i * 4, true));
  }

  set(i: number, format: Interchange, value: bigint): void {
    if (format.bits === 64) this.view.setBigUint64(AT_RESULT + i * 8, value, true);
    else this.view.setUint32(AT_RESULT + i * 4, Number(value), true);
  }

  private compute(operation: number, control: number, mxcsr: number): FloatControl {
    const unmasked = (~mxcsr >> 7) & EXCEPTIONS;
    const how: FloatControl = {
      ...rounding((mxcsr >> 13) & 3, unmasked, (mxcsr & FLUSH_TO_ZERO) !== 0 && (unmasked & UNDERFLOW) === 0),
      denormalsAreZero: (mxcsr & DENORMALS_ARE_ZERO) !== 0,
    };
    this.u8.copyWithin(AT_RESULT, AT_FIRST, AT_FIRST + 16);
    if (STEPS[operation]![1](this, how, control) !== true) {
      const { flags } = how;
      how.flags = 0;
      settle(how, flags);
    }
    return how;
  }
}
