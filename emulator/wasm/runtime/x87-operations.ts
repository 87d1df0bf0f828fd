/** The x87's instructions by name: numbers for generated code, and what the names say. */
import type { Operation } from "./x87-arithmetic.ts";

export const X87_OPERATIONS = (
  "fld fild fbld fst fstp fist fistp fisttp fbstp " +
  "fadd faddp fiadd fmul fmulp fimul fsub fsubp fisub fsubr fsubrp fisubr " +
  "fdiv fdivp fidiv fdivr fdivrp fidivr fcom fcomp fcompp fucom fucomp fucompp ficom ficomp fcomi fcomip fucomi fucomip " +
  "ftst fxam fchs fabs fld1 fldl2t fldl2e fldpi fldlg2 fldln2 fldz fsqrt frndint fscale fprem fprem1 fxtract " +
  "f2xm1 fyl2x fyl2xp1 fptan fpatan fsin fcos fsincos fxch ffree ffreep fincstp fdecstp fnop wait " +
  "fninit finit fnclex fclex fldcw fnstcw fstcw fnstsw fstsw emms fldenv fnstenv fstenv frstor fnsave fsave " +
  "fcmovb fcmove fcmovbe fcmovu fcmovnb fcmovne fcmovnbe fcmovnu"
).split(" ");

/** Leave the pointers to instruction and operand alone (SDM volume 1, section 8.1.8). */
export const isControl = (name: string): boolean =>
  /^(wait|emms|fn?(init|clex|stcw|stsw|stenv|save)|fldcw|fldenv|frstor)$/.test(name);

/** Constants cut to 64 bits, and whether rounding to nearest (or up) takes the next number. */
const CONSTANTS: Readonly<
  Record<string, readonly [exponent: number, mantissa: bigint, nearest: 0n | 1n, up: 0n | 1n]>
> = {
  fld1: [16383, 0x8000000000000000n, 0n, 0n],
  fldl2t: [16384, 0xd49a784bcd1b8afen, 0n, 1n],
  fldl2e: [16383, 0xb8aa3b295c17f0bbn, 1n, 1n],
  fldpi: [16384, 0xc90fdaa22168c234n, 1n, 1n],
  fldlg2: [16381, 0x9a209a84fbcff798n, 1n, 1n],
  fldln2: [16382, 0xb17217f7d1cf79abn, 1n, 1n],
  fldz: [0, 0n, 0n, 0n],
};

/** What the names say, found once for each operation. */
export interface NamedOperation {
  readonly name: string;
  readonly control: boolean;
  readonly constant: (typeof CONSTANTS)[string] | undefined;
  readonly binary: { readonly operation: Operation; readonly reversed: boolean; readonly pops: boolean } | undefined;
  readonly comparison: { readonly quietly: boolean; readonly toFlags: boolean; readonly pops: number } | undefined;
}

export const NAMED_OPERATIONS: readonly NamedOperation[] = X87_OPERATIONS.map((name) => {
  const binary = /^fi?(add|mul|sub|div)(r?)(p?)$/.exec(name);
  const comparison = /^f(u?)i?com(i?)(p*)$/.exec(name);
  return {
    name,
    control: isControl(name),
    constant: CONSTANTS[name],
    binary: binary
      ? { operation: binary[1] as Operation, reversed: binary[2] !== "", pops: binary[3] !== "" }
      : undefined,
    comparison: comparison
      ? { quietly: comparison[1] !== "", toFlags: comparison[2] !== "", pops: comparison[3]!.length }
      : undefined,
  };
});
