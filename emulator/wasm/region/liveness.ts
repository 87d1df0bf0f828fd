/** Which status flags an instruction has to leave behind: those somebody may look at before they are overwritten. */
import type { Instruction, RegisterClass } from "../decode.ts";
import { STATUS } from "../flags.ts";

/** Instructions that cannot fault when they have no memory operand. */
const HARMLESS = new Set(
  `mov movzx movsx movsxd lea add adc sub sbb cmp and or xor test not neg inc dec shl shr sar rol ror shld shrd imul mul
   bsf bsr tzcnt lzcnt popcnt bt bts btr btc bswap xchg cwde cdqe cdq cqo cbw cwd nop endbr64 sahf lahf clc stc cmc`.split(
    /\s+/,
  ),
);

/** Moves to and from segment, control and debug registers may fault. */
const PLAIN_CLASSES = new Set<RegisterClass>(["gpr", "xmm", "ymm", "mm"]);

function harmless({ mnemonic, operands }: Instruction): boolean {
  const special = operands.some((operand) => operand.kind === "register" && !PLAIN_CLASSES.has(operand.class));
  if (special) return false;
  if (operands.some((operand) => operand.kind === "memory") && mnemonic !== "lea" && mnemonic !== "nop") return false;
  return HARMLESS.has(mnemonic) || mnemonic.startsWith("cmov") || mnemonic.startsWith("set");
}

/** A shift or rotation by CL leaves the flags alone when CL is 0. */
function countMayBeZero({ mnemonic, operands }: Instruction): boolean {
  return /^(sh[lr]d?|sa[lr]|ro[lr]|rc[lr])$/.test(mnemonic) && operands.at(-1)!.kind === "register";
}

export interface LiveFlags {
  /** For each instruction the flags that are live behind it. */
  readonly behind: readonly number[];
  /** Flags live at the block's start: none where they are overwritten before anybody can look. */
  readonly start: number;
}

/** Liveness within a block. All flags are live at the block's end and at a fault. */
export function liveFlags(instructions: readonly Instruction[]): LiveFlags {
  const behind = new Array<number>(instructions.length);
  let after = STATUS;
  for (let i = instructions.length - 1; i >= 0; i--) {
    const instruction = instructions[i]!;
    behind[i] = after;
    if (!harmless(instruction) || countMayBeZero(instruction)) after = STATUS;
    else after = (after & ~instruction.flagsWritten) | instruction.flagsRead;
  }
  return { behind, start: after };
}
