/** SSE floating point: arithmetic, comparison, conversion. Rounding other than to nearest: conversions to integers only. */
import { F32, F64, V128 } from "../emit/assembler.ts";
import { Memory, Sat, simd, V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { CF, PF, ZF } from "../flags.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { byRounding, enterMmx, popVector, pushVector } from "./sse.ts";
import { vectors } from "./sse-integer.ts";
import { moveScalar } from "./sse-moves.ts";

type Pair = [Operand, Operand];

/** What differs between single and double precision. */
interface Format {
  readonly type: typeof F32 | typeof F64;
  readonly bytes: 4 | 8;
  readonly prefix: "f32" | "f64";
  readonly lanes: "f32x4" | "f64x2";
  readonly extract: number;
  readonly replace: number;
  readonly load: number;
}

const SINGLE: Format = {
  type: F32,
  bytes: 4,
  prefix: "f32",
  lanes: "f32x4",
  extract: V.f32x4_extract_lane,
  replace: V.f32x4_replace_lane,
  load: Memory.f32_load,
};
const DOUBLE: Format = {
  type: F64,
  bytes: 8,
  prefix: "f64",
  lanes: "f64x2",
  extract: V.f64x2_extract_lane,
  replace: V.f64x2_replace_lane,
  load: Memory.f64_load,
};

const scalarOp = (format: Format, name: string): number => (W as Record<string, number>)[`${format.prefix}_${name}`]!;

/** Pushes the scalar in lane 0 of a register, or in memory. */
function pushScalar(g: Context, operand: Operand, format: Format): void {
  if (operand.kind === "memory") {
    const address = g.t64();
    g.pushAddress(operand);
    g.e.set(address);
    g.pushHost(address, format.bytes, false);
    g.e.memory(format.load);
  } else {
    pushVector(g, operand);
    g.e.lane(format.extract, 0);
  }
}

/** A scalar function of target and source into lane 0 of the target. */
function scalar(format: Format, change: (g: Context, a: number, b: number) => void): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const [a, b] = [g.temp(format.type), g.temp(format.type)];
    pushScalar(g, source, format);
    e.set(b);
    pushVector(g, target);
    e.lane(format.extract, 0).set(a);
    pushVector(g, target);
    change(g, a, b);
    e.lane(format.replace, 0);
    popVector(g, target);
  };
}

/** The four forms (ps, pd, ss, sd) of an operation that WebAssembly has. */
function arithmetic(name: string): LoweringRows {
  return [SINGLE, DOUBLE].flatMap((format) => {
    const letter = format === SINGLE ? "s" : "d";
    return [
      [
        `${name}p${letter}`,
        vectors(
          ({ e }, a, b) =>
            void e
              .get(a)
              .get(b)
              .op(simd(`${format.lanes}_${name}`)),
        ),
      ],
      [`${name}s${letter}`, scalar(format, ({ e }, a, b) => void e.get(a).get(b).op(scalarOp(format, name)))],
    ] as const;
  });
}

/** MIN and MAX give the second operand when either is NaN or both are zero: the pseudo-minimum, operands swapped. */
function extreme(name: "min" | "max"): LoweringRows {
  return [SINGLE, DOUBLE].flatMap((format) => {
    const letter = format === SINGLE ? "s" : "d";
    const compare = scalarOp(format, name === "min" ? "lt" : "gt");
    return [
      [
        `${name}p${letter}`,
        vectors(
          ({ e }, a, b) =>
            void e
              .get(b)
              .get(a)
              .op(simd(`${format.lanes}_p${name}`)),
        ),
      ],
      [`${name}s${letter}`, scalar(format, ({ e }, a, b) => void e.get(a).get(b).get(a).get(b).op(compare).select())],
    ] as const;
  });
}

/** Square roots and the approximations, which are exact here. */
function ofSource(name: string, scalarForm: (g: Context, format: Format, b: number) => void): LoweringRows {
  return [SINGLE, DOUBLE].flatMap((format) => {
    const letter = format === SINGLE ? "s" : "d";
    return [
      [
        `${name}p${letter}`,
        vectors((g, _a, b) => {
          const { e } = g;
          const lane = g.temp(format.type);
          e.get(b);
          for (let i = 0; i < 16 / format.bytes; i++) {
            e.get(b).lane(format.extract, i).set(lane);
            scalarForm(g, format, lane);
            e.lane(format.replace, i);
          }
        }),
      ],
      [`${name}s${letter}`, scalar(format, (g, _a, b) => scalarForm(g, format, b))],
    ] as const;
  });
}

const one = (g: Context, format: Format): void => void (format === SINGLE ? g.e.f32(1) : g.e.f64(1));

/** Comparison predicates 0 to 7: operation, and whether its result is inverted. */
const PREDICATES: readonly (readonly [string, boolean])[] = [
  ["eq", false],
  ["lt", false],
  ["le", false],
  ["unordered", false],
  ["eq", true],
  ["lt", true],
  ["le", true],
  ["unordered", true],
];

function pushCompared(g: Context, format: Format, a: number, b: number): void {
  const { e } = g;
  const control = g.instruction.operands[2]!;
  const [name, inverted] = PREDICATES[control.kind === "immediate" ? Number(control.value & 7n) : 0]!;
  const op = (part: string): number => simd(`${format.lanes}_${part}`);
  if (name === "unordered") e.get(a).get(a).op(op("ne")).get(b).get(b).op(op("ne"), V.or);
  else e.get(a).get(b).op(op(name));
  if (inverted) e.op(V.not);
}

function comparePacked(format: Format): Lowering {
  return vectors((g, a, b) => pushCompared(g, format, a, b));
}

function compareScalar(format: Format): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const [a, b, result] = [g.tv(), g.tv(), g.tv()];
    pushVector(g, source, format.bytes);
    e.set(b);
    pushVector(g, target);
    e.set(a);
    pushCompared(g, format, a, b);
    e.set(result).get(a).get(result).lane(format.extract, 0).lane(format.replace, 0);
    popVector(g, target);
  };
}

/** COMIS and UCOMIS: unordered sets ZF, PF and CF; the others are cleared. */
function compareToFlags(format: Format): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const [a, b] = [g.temp(format.type), g.temp(format.type)];
    pushScalar(g, source, format);
    e.set(b);
    pushScalar(g, target, format);
    e.set(a);
    const flag = (name: string, bit: number): void => {
      e.get(a).get(b).op(scalarOp(format, name), W.i32_eqz).i32(Math.log2(bit)).op(W.i32_shl);
    };
    // Not a >= b: below or unordered. Not a != b … ZF: equal or unordered is neither below nor above.
    flag("ge", CF);
    e.get(a).get(b).op(scalarOp(format, "lt")).get(a).get(b).op(scalarOp(format, "gt"), W.i32_or, W.i32_eqz);
    e.i32(Math.log2(ZF)).op(W.i32_shl, W.i32_or);
    e.get(a).get(a).op(scalarOp(format, "ne")).get(b).get(b).op(scalarOp(format, "ne"), W.i32_or);
    e.i32(Math.log2(PF)).op(W.i32_shl, W.i32_or);
    g.popFlags();
  };
}

const ROUND = ["nearest", "floor", "ceil", "trunc"];

/** To a signed integer; what does not fit becomes the integer indefinite (Intel SDM volume 1, table 4-14). */
function toInteger(format: Format, truncates: boolean): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const size = g.sizeOf(target);
    const value = g.temp(format.type);
    const result = g.t64();
    pushScalar(g, source, format);
    e.set(value);
    if (!truncates) {
      byRounding(g, format.type, (mode) => e.get(value).op(scalarOp(format, ROUND[mode]!)));
      e.set(value);
    }
    e.get(value)
      .op(format === SINGLE ? Sat.i64_trunc_sat_f32_s : Sat.i64_trunc_sat_f64_s)
      .set(result);
    e.get(result);
    if (size === 4) {
      // NaN saturates to 0, which is not indefinite.
      e.i64(0x80000000).get(result).get(result).op(W.i64_extend32_s, W.i64_eq);
      e.get(value).get(value).op(scalarOp(format, "eq"), W.i32_and).select();
      g.mask(4);
    } else {
      const limit = (n: number): void => void (format === SINGLE ? e.f32(n) : e.f64(n));
      e.i64(-0x8000000000000000n).get(value);
      limit(2 ** 63);
      e.op(scalarOp(format, "lt")).get(value);
      limit(-(2 ** 63));
      e.op(scalarOp(format, "ge"), W.i32_and).select();
    }
    g.write(target);
  };
}

function fromInteger(format: Format): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const size = g.sizeOf(source);
    const value = g.t64();
    g.read(source);
    g.signExtend(size);
    e.set(value);
    pushVector(g, target);
    e.get(value)
      .op(format === SINGLE ? W.f32_convert_i64_s : W.f64_convert_i64_s)
      .lane(format.replace, 0);
    popVector(g, target);
  };
}

/** Between formats, lane 0. */
function changeScalar(from: Format, to: Format): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as Pair;
    const value = g.temp(from.type);
    pushScalar(g, source, from);
    e.set(value);
    pushVector(g, target);
    e.get(value)
      .op(to === DOUBLE ? W.f64_promote_f32 : W.f32_demote_f64)
      .lane(to.replace, 0);
    popVector(g, target);
  };
}

/** A packed conversion of a source of `size` bytes. */
function packed(size: number, emit: (g: Context, source: number) => void): Lowering {
  return (g) => {
    const [target, source] = g.instruction.operands as Pair;
    const b = g.tv();
    enterMmx(g);
    pushVector(g, source, size);
    g.e.set(b);
    emit(g, b);
    popVector(g, target);
  };
}

/** Four singles to integers: saturation and NaN become the integer indefinite. */
function singlesToIntegers(truncates: boolean): Lowering {
  return packed(16, (g, b) => {
    const { e } = g;
    if (!truncates) {
      byRounding(g, V128, (mode) => e.get(b).op(simd(`f32x4_${ROUND[mode]!}`)));
      e.set(b);
    }
    e.i32(0x80000000).op(V.i32x4_splat).get(b).op(simd("i32x4_trunc_sat_f32x4_s"));
    // Out of range or NaN: not below 2^31. Below -2^31 saturates to the indefinite by itself.
    e.get(b)
      .f32(2 ** 31)
      .op(V.f32x4_splat, V.f32x4_lt, V.not, V.bitselect);
  });
}

function doublesToIntegers(truncates: boolean): Lowering {
  return packed(16, (g, b) => {
    const { e } = g;
    if (!truncates) {
      byRounding(g, V128, (mode) => e.get(b).op(simd(`f64x2_${ROUND[mode]!}`)));
      e.set(b);
    }
    const value = g.tf();
    const result = g.t64();
    e.v128(new Uint8Array(16));
    for (let i = 0; i < 2; i++) {
      e.get(b).lane(V.f64x2_extract_lane, i).tee(value).op(Sat.i64_trunc_sat_f64_s).tee(result);
      e.i64(-0x80000000).get(result).get(result).op(W.i64_extend32_s, W.i64_eq);
      e.get(value).get(value).op(W.f64_eq, W.i32_and).select().wrap().lane(V.i32x4_replace_lane, i);
    }
  });
}

/** ROUNDPS and family: the immediate's mode, or MXCSR's with bit 2. */
function pushRounded(g: Context, type: number, emit: (mode: number) => void): void {
  const control = g.instruction.operands[2]!;
  const bits = control.kind === "immediate" ? Number(control.value & 255n) : 0;
  if ((bits & 4) !== 0) byRounding(g, type, emit);
  else emit(bits & 3);
}

function roundPacked(format: Format): Lowering {
  return vectors((g, _a, b) =>
    pushRounded(g, V128, (mode) => void g.e.get(b).op(simd(`${format.lanes}_${ROUND[mode]!}`))),
  );
}

function roundScalar(format: Format): Lowering {
  return scalar(format, (g, _a, b) =>
    pushRounded(g, format.type, (mode) => void g.e.get(b).op(scalarOp(format, ROUND[mode]!))),
  );
}

/** Neighbours added or subtracted: target's, then source's. */
function horizontal(format: Format, name: "add" | "sub"): Lowering {
  const n = format.bytes;
  const even = Array.from({ length: 16 }, (_, i) => Math.floor(i / n) * 2 * n + (i % n));
  return vectors(({ e }, a, b) => {
    e.get(a)
      .get(b)
      .shuffle(even)
      .get(a)
      .get(b)
      .shuffle(even.map((lane) => lane + n));
    e.op(simd(`${format.lanes}_${name}`));
  });
}

/** Even lanes subtracted, odd ones added. */
function addSubtract(format: Format): Lowering {
  const n = format.bytes;
  const pick = Array.from({ length: 16 }, (_, i) => i + (Math.floor(i / n) % 2) * 16);
  return vectors(({ e }, a, b) => {
    e.get(a)
      .get(b)
      .op(simd(`${format.lanes}_sub`))
      .get(a)
      .get(b)
      .op(simd(`${format.lanes}_add`))
      .shuffle(pick);
  });
}

/** DPPS and DPPD: products chosen by the high bits of the immediate, their sum written where the low bits say. */
function dotProduct(format: Format): Lowering {
  return (g) => {
    const control = g.instruction.operands[2]!;
    const bits = control.kind === "immediate" ? Number(control.value & 255n) : 0;
    const count = 16 / format.bytes;
    vectors((context, a, b) => {
      const { e } = context;
      const zero = (): void => void (format === SINGLE ? e.f32(0) : e.f64(0));
      const term = (i: number): void => {
        if ((bits & (16 << i)) === 0) zero();
        else e.get(a).lane(format.extract, i).get(b).lane(format.extract, i).op(scalarOp(format, "mul"));
      };
      const sum = context.temp(format.type);
      term(0);
      term(1);
      e.op(scalarOp(format, "add"));
      if (count === 4) {
        term(2);
        term(3);
        e.op(scalarOp(format, "add"), scalarOp(format, "add"));
      }
      e.set(sum).v128(new Uint8Array(16));
      for (let i = 0; i < count; i++) if ((bits & (1 << i)) !== 0) e.get(sum).lane(format.replace, i);
    })(g);
  };
}

/** MOVSD and CMPSD are string instructions as well: the operands tell. */
function orString(vector: Lowering, string: Lowering): Lowering {
  return (g) => {
    const isVector = g.instruction.operands.some((operand) => operand.kind === "register" && operand.class === "xmm");
    return (isVector ? vector : string)(g);
  };
}

export function sseFloat(strings: ReadonlyMap<string, Lowering>): LoweringRows {
  return [
    ...["add", "sub", "mul", "div"].flatMap(arithmetic),
    ...extreme("min"),
    ...extreme("max"),
    ...ofSource("sqrt", (g, format, b) => g.e.get(b).op(scalarOp(format, "sqrt"))),
    ...ofSource("rcp", (g, format, b) => {
      one(g, format);
      g.e.get(b).op(scalarOp(format, "div"));
    }),
    ...ofSource("rsqrt", (g, format, b) => {
      one(g, format);
      g.e.get(b).op(scalarOp(format, "sqrt"), scalarOp(format, "div"));
    }),
    ["cmpps", comparePacked(SINGLE)],
    ["cmppd", comparePacked(DOUBLE)],
    ["cmpss", compareScalar(SINGLE)],
    ["cmpsd", orString(compareScalar(DOUBLE), strings.get("cmpsd")!)],
    ["movsd", orString(moveScalar(8), strings.get("movsd")!)],
    ["comiss", compareToFlags(SINGLE)],
    ["ucomiss", compareToFlags(SINGLE)],
    ["comisd", compareToFlags(DOUBLE)],
    ["ucomisd", compareToFlags(DOUBLE)],
    ["cvtsi2ss", fromInteger(SINGLE)],
    ["cvtsi2sd", fromInteger(DOUBLE)],
    ["cvtss2si", toInteger(SINGLE, false)],
    ["cvtsd2si", toInteger(DOUBLE, false)],
    ["cvttss2si", toInteger(SINGLE, true)],
    ["cvttsd2si", toInteger(DOUBLE, true)],
    ["cvtss2sd", changeScalar(SINGLE, DOUBLE)],
    ["cvtsd2ss", changeScalar(DOUBLE, SINGLE)],
    ["cvtps2pd", packed(8, ({ e }, b) => void e.get(b).op(simd("f64x2_promote_low_f32x4")))],
    ["cvtpd2ps", packed(16, ({ e }, b) => void e.get(b).op(simd("f32x4_demote_f64x2_zero")))],
    ["cvtdq2ps", packed(16, ({ e }, b) => void e.get(b).op(simd("f32x4_convert_i32x4_s")))],
    ["cvtdq2pd", packed(8, ({ e }, b) => void e.get(b).op(simd("f64x2_convert_low_i32x4_s")))],
    ["cvtpi2pd", packed(8, ({ e }, b) => void e.get(b).op(simd("f64x2_convert_low_i32x4_s")))],
    ["cvtps2dq", singlesToIntegers(false)],
    ["cvttps2dq", singlesToIntegers(true)],
    ["cvtpd2dq", doublesToIntegers(false)],
    ["cvttpd2dq", doublesToIntegers(true)],
    ["roundps", roundPacked(SINGLE)],
    ["roundpd", roundPacked(DOUBLE)],
    ["roundss", roundScalar(SINGLE)],
    ["roundsd", roundScalar(DOUBLE)],
    ["haddps", horizontal(SINGLE, "add")],
    ["haddpd", horizontal(DOUBLE, "add")],
    ["hsubps", horizontal(SINGLE, "sub")],
    ["hsubpd", horizontal(DOUBLE, "sub")],
    ["addsubps", addSubtract(SINGLE)],
    ["addsubpd", addSubtract(DOUBLE)],
    ["dpps", dotProduct(SINGLE)],
    ["dppd", dotProduct(DOUBLE)],
  ];
}
