/** Which flags an instruction reads, surely writes, and leaves undefined (iced's tables and what they do not say). */
import type { IcedInstruction } from "./forms.ts";
import { ALL_FLAGS, X87_FLAGS } from "./sequence.ts";

/** Write their flags, but not if a count (in CL, or of repetitions) is 0. */
const COUNTED = /^(shl|sal|shr|sar|rol|ror|rcl|rcr|shld|shrd|cmps[bwdq]|scas[bwdq])$/;
/**
 * Store or copy the x87 condition codes, which iced does not count as reading flags, or leave C1 as it is (FCMOVcc, and on
 * processors FCOMI, too).
 */
const READS_X87_FLAGS = /^(f(n)?st(sw|env)|f(n)?save|fxsave(64)?|fcmov.*|fu?comip?)$/;

/** Flags as iced's RflagsBits. */
export interface FlagUse {
  readonly reads: number;
  readonly writes: number;
  readonly leavesUndefined: number;
}

export const NO_FLAGS: FlagUse = { reads: 0, writes: 0, leavesUndefined: 0 };

/** What an instruction does with flags. */
export function flagsOf(instruction: IcedInstruction, mnemonic: string): FlagUse {
  const rep = instruction.hasRepePrefix || instruction.hasRepnePrefix;
  const counted = COUNTED.test(mnemonic) && (rep || !/s[bwdq]$/.test(mnemonic));
  return {
    reads: instruction.rflagsRead | (READS_X87_FLAGS.test(mnemonic) ? X87_FLAGS : 0),
    writes: counted ? 0 : instruction.rflagsWritten | instruction.rflagsCleared | instruction.rflagsSet,
    leavesUndefined: instruction.rflagsUndefined & ALL_FLAGS,
  };
}
