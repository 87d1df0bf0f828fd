/** What an instruction becomes: one function per mnemonic, whatever its operands. */
import type { Context } from "../context.ts";
import type { RegisterOperand } from "../decode.ts";

export type Lowering = (g: Context) => void;
export type LoweringRows = readonly (readonly [string, Lowering])[];

/** A general register as operand, for instructions that imply one. */
export function implied(index: number, size: number): RegisterOperand {
  return { kind: "register", class: "gpr", index, size, high: false };
}
