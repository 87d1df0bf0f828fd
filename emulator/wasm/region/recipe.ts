/**
 * How to make the operands and the result of the flags again from registers: then a loop need not carry them around
 * for the exits, where alone somebody may look at them.
 */
import type { Context } from "../context.ts";
import type { Instruction, Operand } from "../decode.ts";
import { KIND_ADD, KIND_LOGIC, KIND_SUB, type FlagLocals } from "../flags.ts";
import { W } from "../emit/opcodes.ts";

export interface Recipe {
  /** The same for recipes that make the same. */
  readonly key: string;
  /** Registers it needs as they are now. */
  readonly registers: readonly number[];
  /** Sets the locals. */
  write(context: Context, locals: FlagLocals): void;
}

const KINDS: Readonly<Record<string, number>> = {
  cmp: KIND_SUB,
  sub: KIND_SUB,
  add: KIND_ADD,
  test: KIND_LOGIC,
  and: KIND_LOGIC,
  or: KIND_LOGIC,
  xor: KIND_LOGIC,
};

const describe = (operand: Operand): string => {
  if (operand.kind === "register") return `r${operand.index}${operand.high ? "h" : ""}`;
  return operand.kind === "immediate" ? `i${operand.value}` : "";
};

/** For an instruction that has just set the flags, from registers and constants; undefined where they do not tell. */
export function recipeOf({ mnemonic, operands }: Instruction, kind: number, size: number): Recipe | undefined {
  const [target, source] = operands;
  if (KINDS[mnemonic] !== kind || target?.kind !== "register" || target.class !== "gpr") return undefined;
  if (source?.kind !== "register" && source?.kind !== "immediate") return undefined;
  const keeps = mnemonic === "cmp" || mnemonic === "test";
  const sourceIsTarget = source.kind === "register" && source.index === target.index;
  if (!keeps && kind !== KIND_LOGIC && sourceIsTarget) return undefined;
  const needsSource = keeps || kind !== KIND_LOGIC;
  const registers = [target.index];
  if (needsSource && source.kind === "register") registers.push(source.index);
  const pushSource = (context: Context): void => {
    if (source.kind === "register") context.pushRegister(source);
    else context.read(source, size);
  };
  return {
    key: `${keeps} ${kind} ${size} ${describe(target)} ${needsSource ? describe(source) : ""}`,
    registers,
    write(context, { a, b, r }) {
      const { e } = context;
      if (kind === KIND_LOGIC) {
        context.pushRegister(target);
        if (keeps && !sourceIsTarget) {
          pushSource(context);
          e.op(W.i64_and);
        }
        e.set(r);
        return;
      }
      const [known, other] = keeps ? [a, r] : [r, a];
      pushSource(context);
      e.set(b);
      context.pushRegister(target);
      e.tee(known).get(b);
      e.op((kind === KIND_SUB) === keeps ? W.i64_sub : W.i64_add);
      context.mask(size);
      e.set(other);
    },
  };
}
