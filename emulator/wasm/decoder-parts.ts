/**
 * What decoding needs of iced-x86. The bundle of the command line has a decoder of no more than this, which loads in a
 * fourth of the time (scripts/bundle-decoder.mjs).
 */
import type * as Iced from "iced-x86";

export const DECODER_MEMBERS = ["ip", "position", "decodeOut", "lastError", "free"] as const;

export const INSTRUCTION_MEMBERS = [
  "code",
  "length",
  "mnemonic",
  "flowControl",
  "conditionCode",
  "rflagsRead",
  "rflagsModified",
  "isVsib",
  "opCount",
  "opKind",
  "opRegister",
  "op0Register",
  "op2Register",
  "immediate",
  "nearBranchTarget",
  "memoryBase",
  "memoryIndex",
  "memoryIndexScale",
  "memoryDisplacement",
  "memoryDisplSize",
  "memorySize",
  "memorySegment",
  "hasRepPrefix",
  "hasRepePrefix",
  "hasRepnePrefix",
  "hasLockPrefix",
  "free",
] as const;

export const REGISTER_MEMBERS = [
  "number",
  "size",
  "isGPR",
  "isGPR8",
  "isXMM",
  "isYMM",
  "isMM",
  "isST",
  "isSegmentRegister",
  "isIP",
] as const;

export const MEMORY_SIZE_MEMBERS = ["size"] as const;

export const ENUMS = ["Register", "Mnemonic", "OpKind", "FlowControl", "DecoderOptions", "DecoderError"] as const;

export type IcedInstruction = Pick<Iced.Instruction, (typeof INSTRUCTION_MEMBERS)[number]>;

export type IcedDecoder = Pick<Iced.Decoder, Exclude<(typeof DECODER_MEMBERS)[number], "decodeOut">> & {
  decodeOut(instruction: IcedInstruction): void;
};

export type IcedParts = Pick<typeof Iced, (typeof ENUMS)[number]> & {
  readonly Decoder: new (bitness: number, data: Uint8Array, options: number) => IcedDecoder;
  readonly Instruction: new () => IcedInstruction;
  readonly RegisterExt: Pick<typeof Iced.RegisterExt, (typeof REGISTER_MEMBERS)[number]>;
  readonly MemorySizeExt: Pick<typeof Iced.MemorySizeExt, (typeof MEMORY_SIZE_MEMBERS)[number]>;
  /** Names by number; the numbers are not needed by name. */
  readonly Code: { readonly [code: number]: string };
};
