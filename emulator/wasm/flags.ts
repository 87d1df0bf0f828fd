/**
 * Status flags, evaluated when somebody asks (Intel SDM volume 1, section 3.4.3.1).
 *
 * The last instruction that set flags leaves what they follow from in four variables: an operation number (kind * 4 +
 * log2 of the operand size), two operands and the result, zero-extended. Where the producer is known at translation
 * time a condition becomes one comparison of them.
 */
import { I32, I64, type Assembler } from "./emit/assembler.ts";
import { W } from "./emit/opcodes.ts";

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const OF = 0x800;
export const STATUS = 0x8d5;

/** r holds the flags themselves. */
export const KIND_FLAGS = 0;
/** r = a + b. */
export const KIND_ADD = 1;
/** r = a - b. */
export const KIND_SUB = 2;
/** OF = CF = AF = 0. */
export const KIND_LOGIC = 3;
/** b is CF. */
export const KIND_INC = 4;
/** b is CF. */
export const KIND_DEC = 5;
/** a is OF, b is CF; AF = 0. */
export const KIND_RESULT = 6;
/** r = a - b - borrow: as KIND_SUB, but conditions are not comparisons of a and b. */
export const KIND_SBB = 7;
/** r = a + b + carry. */
export const KIND_ADC = 8;
const KINDS = 9;

export interface Producer {
  readonly kind: number;
  /** Operand size in bytes. */
  readonly size: number;
}

export const SIZE_LOG: Readonly<Record<number, number>> = { 1: 0, 2: 1, 4: 2, 8: 3 };

export function operationNumber({ kind, size }: Producer): number {
  return kind * 4 + SIZE_LOG[size]!;
}

/** Which of the operands somebody may look at. */
export function operandsOf({ kind }: Producer): { readonly a: boolean; readonly b: boolean } {
  return {
    a: [KIND_ADD, KIND_ADC, KIND_SUB, KIND_SBB, KIND_RESULT].includes(kind),
    b: kind !== KIND_FLAGS && kind !== KIND_LOGIC,
  };
}

/** Locals that hold a, b and r. */
export interface FlagLocals {
  readonly a: number;
  readonly b: number;
  readonly r: number;
}

/** Leaves the sign bit of the i64 on the stack as an i32 of 0 or 1. */
export function signBit(e: Assembler, size: number): void {
  e.i64(size * 8 - 1)
    .op(W.i64_shr_u)
    .wrap();
  if (size < 8) e.i32(1).op(W.i32_and);
}

/** Leaves one of the flags on the stack as an i32 of 0 or 1. */
export function pushBit(e: Assembler, flag: number): void {
  e.i32(31 - Math.clz32(flag))
    .op(W.i32_shr_u)
    .i32(1)
    .op(W.i32_and);
}

/** Pushes one flag as an i32 of 0 or 1. */
export function pushFlag(e: Assembler, { kind, size }: Producer, flag: number, { a, b, r }: FlagLocals): void {
  if (kind === KIND_FLAGS) {
    e.get(r).wrap();
    pushBit(e, flag);
    return;
  }
  switch (flag) {
    case ZF:
      e.get(r).op(W.i64_eqz);
      return;
    case SF:
      e.get(r);
      signBit(e, size);
      return;
    case PF:
      e.get(r).wrap().i32(255).op(W.i32_and, W.i32_popcnt).i32(1).op(W.i32_and, W.i32_eqz);
      return;
    case CF:
      pushCarry(e, kind, size, { a, b, r });
      return;
    case OF:
      pushOverflow(e, kind, size, { a, b, r });
      return;
    default:
      pushAdjust(e, kind, { a, b, r });
  }
}

function pushCarry(e: Assembler, kind: number, size: number, { a, b, r }: FlagLocals): void {
  switch (kind) {
    case KIND_ADD:
      e.get(r).get(a).op(W.i64_lt_u);
      return;
    case KIND_SUB:
      e.get(a).get(b).op(W.i64_lt_u);
      return;
    case KIND_ADC:
      e.get(a).get(b).op(W.i64_and).get(a).get(b).op(W.i64_or).get(r).i64(-1).op(W.i64_xor, W.i64_and, W.i64_or);
      signBit(e, size);
      return;
    case KIND_SBB:
      e.get(a).i64(-1).op(W.i64_xor).get(b).op(W.i64_and);
      e.get(a).i64(-1).op(W.i64_xor).get(b).op(W.i64_or).get(r).op(W.i64_and, W.i64_or);
      signBit(e, size);
      return;
    case KIND_LOGIC:
      e.i32(0);
      return;
    default:
      e.get(b).wrap();
  }
}

function pushOverflow(e: Assembler, kind: number, size: number, { a, b, r }: FlagLocals): void {
  switch (kind) {
    case KIND_ADD:
    case KIND_ADC:
      e.get(a).get(r).op(W.i64_xor).get(b).get(r).op(W.i64_xor, W.i64_and);
      signBit(e, size);
      return;
    case KIND_SUB:
    case KIND_SBB:
      e.get(a).get(b).op(W.i64_xor).get(a).get(r).op(W.i64_xor, W.i64_and);
      signBit(e, size);
      return;
    case KIND_LOGIC:
      e.i32(0);
      return;
    case KIND_INC:
      e.get(r)
        .i64(1n << BigInt(size * 8 - 1))
        .op(W.i64_eq);
      return;
    case KIND_DEC:
      e.get(r)
        .i64((1n << BigInt(size * 8 - 1)) - 1n)
        .op(W.i64_eq);
      return;
    default:
      e.get(a).wrap();
  }
}

function pushAdjust(e: Assembler, kind: number, { a, b, r }: FlagLocals): void {
  switch (kind) {
    case KIND_ADD:
    case KIND_ADC:
    case KIND_SUB:
    case KIND_SBB:
      e.get(a).get(b).op(W.i64_xor).get(r).op(W.i64_xor).wrap().i32(4).op(W.i32_shr_u).i32(1).op(W.i32_and);
      return;
    case KIND_INC:
      e.get(r).wrap().i32(15).op(W.i32_and, W.i32_eqz);
      return;
    case KIND_DEC:
      e.get(r).wrap().i32(15).op(W.i32_and).i32(15).op(W.i32_eq);
      return;
    default:
      e.i32(0);
  }
}

/** Pushes all status flags as bits of RFLAGS. */
export function pushFlags(e: Assembler, producer: Producer, locals: FlagLocals): void {
  if (producer.kind === KIND_FLAGS) {
    e.get(locals.r).wrap();
    return;
  }
  [CF, PF, AF, ZF, SF, OF].forEach((flag, i) => {
    pushFlag(e, producer, flag, locals);
    e.i32(31 - Math.clz32(flag)).op(W.i32_shl);
    if (i > 0) e.op(W.i32_or);
  });
}

/** The function `flags(operation, a, b, r)` of the base module. */
export const FLAGS_SIGNATURE = { parameters: [I32, I64, I64, I64], results: [I32] } as const;

export function writeFlagsFunction(e: Assembler): void {
  const count = KINDS * 4;
  const labels = [];
  for (let i = 0; i < count; i++) labels.push(e.block());
  e.get(0).brTable([...labels].reverse());
  for (let operation = 0; operation < count; operation++) {
    e.end();
    pushFlags(e, { kind: operation >> 2, size: 1 << (operation & 3) }, { a: 1, b: 2, r: 3 });
    e.return();
  }
  e.unreachable();
}

/** Name of the base module's function for a condition or its negation, on flags nobody knows the producer of. */
export function conditionFunction(condition: number): ConditionFunction {
  return CONDITION_FUNCTIONS[condition >> 1]!;
}

export const CONDITION_FUNCTIONS = [
  "overflow",
  "below",
  "equal",
  "belowOrEqual",
  "sign",
  "parity",
  "less",
  "lessOrEqual",
] as const;
export type ConditionFunction = (typeof CONDITION_FUNCTIONS)[number];

/** The function `NAME(operation, a, b, r)` of the base module for an even condition: zero or not zero. */
export function writeConditionFunction(e: Assembler, condition: number): void {
  const count = KINDS * 4;
  const labels = [];
  for (let i = 0; i < count; i++) labels.push(e.block());
  e.get(0).brTable([...labels].reverse());
  const all = e.local(I32);
  for (let operation = 0; operation < count; operation++) {
    e.end();
    const producer = { kind: operation >> 2, size: 1 << (operation & 3) };
    if (producer.kind === KIND_FLAGS) {
      e.get(3).wrap().set(all);
      pushConditionOfFlags(e, condition, all);
    } else pushCondition(e, condition, producer, { a: 1, b: 2, r: 3 });
    e.return();
  }
  e.unreachable();
}

/** Pushes a condition (processor's encoding) on flags that lie in an i32 local, as zero or not zero. */
export function pushConditionOfFlags(e: Assembler, condition: number, flags: number): void {
  const mask = [OF, CF, ZF, CF | ZF, SF, PF][condition >> 1];
  if (mask !== undefined) e.get(flags).i32(mask).op(W.i32_and);
  else {
    e.get(flags).i32(4).op(W.i32_shr_u).get(flags).op(W.i32_xor).i32(SF).op(W.i32_and);
    if (condition >> 1 === 7) e.get(flags).i32(ZF).op(W.i32_and, W.i32_or);
  }
  if ((condition & 1) !== 0) e.op(W.i32_eqz);
}

/** Pushes a condition on the flags of a known producer, as zero or not zero. */
export function pushCondition(e: Assembler, condition: number, producer: Producer, locals: FlagLocals): void {
  const negated = (condition & 1) !== 0;
  if (producer.kind === KIND_SUB && pushComparison(e, condition, producer.size, locals)) return;
  const flag = (bit: number): void => pushFlag(e, producer, bit, locals);
  switch (condition >> 1) {
    case 0:
      flag(OF);
      break;
    case 1:
      flag(CF);
      break;
    case 2:
      flag(ZF);
      break;
    case 3:
      flag(ZF);
      if (producer.kind !== KIND_LOGIC) {
        flag(CF);
        e.op(W.i32_or);
      }
      break;
    case 4:
      flag(SF);
      break;
    case 5:
      flag(PF);
      break;
    default:
      flag(SF);
      if (producer.kind !== KIND_LOGIC) {
        flag(OF);
        e.op(W.i32_xor);
      }
      if (condition >> 1 === 7) {
        flag(ZF);
        e.op(W.i32_or);
      }
  }
  if (negated) e.op(W.i32_eqz);
}

/** A condition behind a subtraction or comparison, as the comparison it means. */
function pushComparison(e: Assembler, condition: number, size: number, { a, b }: FlagLocals): boolean {
  const unsigned = [W.i64_lt_u, W.i64_ge_u, W.i64_eq, W.i64_ne, W.i64_le_u, W.i64_gt_u][condition - 2];
  if (unsigned !== undefined) {
    e.get(a).get(b).op(unsigned);
    return true;
  }
  if (condition < 12) return false;
  const extend = { 1: W.i64_extend8_s, 2: W.i64_extend16_s, 4: W.i64_extend32_s }[size];
  e.get(a);
  if (extend !== undefined) e.op(extend);
  e.get(b);
  if (extend !== undefined) e.op(extend);
  e.op([W.i64_lt_s, W.i64_ge_s, W.i64_le_s, W.i64_gt_s][condition - 12]!);
  return true;
}
