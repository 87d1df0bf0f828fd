/** SSE floating-point arithmetic. */
import { W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";
import { immediateOf, isVector } from "./sse.ts";
import { SSE_COMPARISONS } from "./sse-compare.ts";
import { SSE_CONVERSIONS } from "./sse-convert.ts";
import { vectors } from "./sse-integer.ts";
import { moveScalar } from "./sse-moves.ts";
import { bothFormats, lanesOp, pushConstant, scalar, scalarOp, SINGLE, type Format } from "./sse-scalar.ts";
import { floating } from "./sse-strict.ts";

/** The forms (ps and ss, pd and sd) of an operation. */
function forms(
  name: string,
  packedForm: (format: Format) => Lowering,
  scalarForm: (format: Format) => Lowering,
): LoweringRows {
  return bothFormats((format) => [
    [`${name}p${format.letter}`, floating(`${name}p${format.letter}`, packedForm(format), format.lanes)],
    [`${name}s${format.letter}`, floating(`${name}s${format.letter}`, scalarForm(format), format.lanes)],
  ]);
}

/** Operations that WebAssembly has. */
const arithmetic = (name: string): LoweringRows =>
  forms(
    name,
    (format) => vectors(({ e }, a, b) => void e.get(a).get(b).op(lanesOp(format, name))),
    (format) => scalar(format, ({ e }, a, b) => void e.get(a).get(b).op(scalarOp(format, name))),
  );

/** MIN and MAX give the second operand when either is NaN or both are zero: the pseudo-minimum, operands swapped. */
const extreme = (name: "min" | "max"): LoweringRows =>
  forms(
    name,
    (format) =>
      vectors(
        ({ e }, a, b) =>
          void e
            .get(b)
            .get(a)
            .op(lanesOp(format, `p${name}`)),
      ),
    (format) =>
      scalar(format, ({ e }, a, b) => {
        e.get(a)
          .get(b)
          .get(a)
          .get(b)
          .op(scalarOp(format, name === "min" ? "lt" : "gt"))
          .select();
      }),
  );

const squareRoot = forms(
  "sqrt",
  (format) => vectors(({ e }, _a, b) => void e.get(b).op(lanesOp(format, "sqrt"))),
  (format) => scalar(format, ({ e }, _a, b) => void e.get(b).op(scalarOp(format, "sqrt"))),
);

const SMALLEST_NORMAL = 2 ** -126;

/**
 * RCPxx and RSQRTxx: the quotient itself, which keeps within the error of 1.5 * 2^-12 that the SDM allows and equals
 * Unicorn's. The tables of Intel's and AMD's processors differ, and the Nehalem presented is not at hand to be measured.
 * MXCSR has no say: denormal operands are zeros, tiny results too, and there are no exceptions.
 */
function approximation(pushQuotient: (g: Context, value: number) => void): (g: Context, b: number) => void {
  return (g, b) => {
    const { e } = g;
    const [operand, result] = [g.temp(SINGLE.type), g.temp(SINGLE.type)];
    flushed(b, operand);
    pushQuotient(g, operand);
    e.set(result);
    flushed(result, result);
    e.get(result);

    function flushed(from: number, to: number): void {
      e.get(from).f32(0).get(from).op(W.f32_copysign);
      e.get(from).op(W.f32_abs).f32(SMALLEST_NORMAL).op(W.f32_lt, W.i32_eqz).select().set(to);
    }
  };
}

function approximations(name: string, change: (g: Context, b: number) => void): LoweringRows {
  return [
    [
      `${name}ps`,
      vectors((g, _a, b) => {
        const lane = g.temp(SINGLE.type);
        g.e.get(b);
        for (let i = 0; i < 4; i++) {
          g.e.get(b).lane(SINGLE.extract, i).set(lane);
          change(g, lane);
          g.e.lane(SINGLE.replace, i);
        }
      }),
    ],
    [`${name}ss`, scalar(SINGLE, (g, _a, b) => change(g, b))],
  ];
}

const reciprocal = approximation(({ e }, value) => void e.f32(1).get(value).op(W.f32_div));
const reciprocalRoot = approximation(({ e }, value) => void e.f32(1).get(value).op(W.f32_sqrt, W.f32_div));

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
    e.op(lanesOp(format, name));
  });
}

/** Even lanes subtracted, odd ones added. */
function addSubtract(format: Format): Lowering {
  const n = format.bytes;
  const pick = Array.from({ length: 16 }, (_, i) => i + (Math.floor(i / n) % 2) * 16);
  return vectors(({ e }, a, b) => {
    e.get(a).get(b).op(lanesOp(format, "sub")).get(a).get(b).op(lanesOp(format, "add")).shuffle(pick);
  });
}

/** DPPS and DPPD: products chosen by the high bits of the immediate, their sum written where the low bits say. */
function dotProduct(format: Format): Lowering {
  return vectors((g, a, b) => {
    const { e } = g;
    const bits = immediateOf(g);
    const count = 16 / format.bytes;
    const term = (i: number): void => {
      if ((bits & (16 << i)) === 0) pushConstant(g, format, 0);
      else e.get(a).lane(format.extract, i).get(b).lane(format.extract, i).op(scalarOp(format, "mul"));
    };
    const sum = g.temp(format.type);
    const add = scalarOp(format, "add");
    term(0);
    term(1);
    e.op(add);
    if (count === 4) {
      term(2);
      term(3);
      e.op(add, add);
    }
    e.set(sum).v128(new Uint8Array(16));
    for (let i = 0; i < count; i++) if ((bits & (1 << i)) !== 0) e.get(sum).lane(format.replace, i);
  });
}

/** MOVSD and CMPSD are string instructions as well: the operands tell. */
function orString(vector: Lowering, string: Lowering): Lowering {
  return (g) => (g.instruction.operands.some(isVector) ? vector : string)(g);
}

const row = (name: string, plain: Lowering, format: Format): LoweringRows[number] => [
  name,
  floating(name, plain, format.lanes),
];

const ROWS: LoweringRows = [
  ...["add", "sub", "mul", "div"].flatMap(arithmetic),
  ...extreme("min"),
  ...extreme("max"),
  ...squareRoot,
  ...approximations("rcp", reciprocal),
  ...approximations("rsqrt", reciprocalRoot),
  ...bothFormats((format) => [
    row(`haddp${format.letter}`, horizontal(format, "add"), format),
    row(`hsubp${format.letter}`, horizontal(format, "sub"), format),
    row(`addsubp${format.letter}`, addSubtract(format), format),
    row(`dpp${format.letter}`, dotProduct(format), format),
  ]),
  ...SSE_CONVERSIONS,
  ...SSE_COMPARISONS,
];

export function sseFloat(strings: ReadonlyMap<string, Lowering>): LoweringRows {
  const cmpsd = ROWS.find(([name]) => name === "cmpsd")![1];
  return [
    ...ROWS,
    ["cmpsd", orString(cmpsd, strings.get("cmpsd")!)],
    ["movsd", orString(moveScalar(8), strings.get("movsd")!)],
  ];
}
