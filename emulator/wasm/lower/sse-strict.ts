/**
 * Floating point two ways: as plain WebAssembly while MXCSR has its default, in strict mode by a helper. On hosts whose
 * NaNs are not x86's the helper also finds the right one where a result has a NaN.
 */
import { Memory, simd, V } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import { hostNaNsAreX86 } from "../runtime/host-nans.ts";
import { AT_FIRST, AT_RESULT, AT_SECOND, STRICT_OPERATIONS, WIDE_INTEGER } from "../runtime/strict-float.ts";
import type { Lowering } from "./lowering.ts";
import { enterMmx, immediateOf, popVector, pushVector, raisePendingMmx } from "./sse.ts";

type Pair = [Operand, Operand];
type Lanes = "f32x4" | "f64x2";

/** A floating-point instruction; `resultLanes` when its result is floating-point, in a vector register. */
export function floating(name: string, plain: Lowering, resultLanes?: Lanes): Lowering {
  return (g) => {
    if (g.strictFloat) strict(g, name);
    else if (resultLanes && !hostNaNsAreX86()) mindingNaNs(g, name, plain, resultLanes);
    else plain(g);
  };
}

function operationOf(name: string): number {
  const operation = STRICT_OPERATIONS.indexOf(name);
  if (operation < 0) throw new Error(`no strict form of ${name}`);
  return operation;
}

const isGeneral = (operand: Operand): boolean => operand.kind === "register" && operand.class === "gpr";

/** The immediate, or for conversions to general registers their size. */
function controlOf(g: Context): number {
  const [target] = g.instruction.operands as Pair;
  if (isGeneral(target)) return g.sizeOf(target) === 8 ? WIDE_INTEGER : 0;
  return immediateOf(g);
}

function storeOperands(g: Context, name: string): void {
  const { e } = g;
  const [target, source] = g.instruction.operands as Pair;
  if (name.startsWith("cvtsi2")) {
    const value = g.t64();
    g.read(source);
    g.signExtend(g.sizeOf(source));
    e.set(value).storeLocalAt(Memory.i64_store, AT_SECOND, value);
  } else {
    const value = g.tv();
    pushVector(g, source, source.kind === "memory" ? source.size : 16);
    e.set(value).storeLocalAt(V.store, AT_SECOND, value);
  }
  if (isGeneral(target)) return;
  const value = g.tv();
  pushVector(g, target);
  e.set(value).storeLocalAt(V.store, AT_FIRST, value);
}

function strict(g: Context, name: string): void {
  const { e } = g;
  const [target] = g.instruction.operands as Pair;
  raisePendingMmx(g);
  storeOperands(g, name);
  g.storeRipHere();
  e.i32(operationOf(name)).i32(controlOf(g)).call(g.runtime("float"));
  g.faultIf();
  if (/^u?comis/.test(name)) {
    e.loadAt(Memory.i32_load, AT_RESULT);
    g.popFlags();
  } else if (isGeneral(target)) {
    e.loadAt(Memory.i64_load, AT_RESULT);
    g.write(target);
  } else {
    enterMmx(g);
    e.loadAt(V.load, AT_RESULT);
    popVector(g, target);
  }
}

function mindingNaNs(g: Context, name: string, plain: Lowering, lanes: Lanes): void {
  const { e } = g;
  const [target] = g.instruction.operands as Pair;
  storeOperands(g, name);
  plain(g);
  const result = g.tv();
  pushVector(g, target);
  e.tee(result)
    .get(result)
    .op(simd(`${lanes}_ne`), V.any_true);
  e.if();
  e.i32(operationOf(name)).i32(controlOf(g)).call(g.runtime("floatQuietly"));
  e.loadAt(V.load, AT_RESULT);
  popVector(g, target);
  e.end();
}
