/** Instructions in words, for people: iced-x86's Intel and GNU formatters. */
import { loadDecoder } from "./decode.ts";

export interface Disassembly {
  readonly address: number;
  readonly length: number;
  /** Bytes in hexadecimal. */
  readonly bytes: string;
  readonly intel: string;
  /** AT&T syntax, as GNU as has it. */
  readonly gas: string;
  /** Status flags that have no defined value behind the instruction (RFLAGS bits). */
  readonly undefinedFlags: number;
}

/** iced's RflagsBits in the order of their numbers (OF SF ZF AF CF PF) as bits of RFLAGS. */
const STATUS_BITS = [0x800, 0x80, 0x40, 0x10, 1, 4];

/** Where the memory operand of an instruction lies, from the general registers before it; no segment but a flat one. */
export function operandAddress(code: Uint8Array, address: number, registers: BigUint64Array): number {
  const iced = loadDecoder();
  const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
  decoder.ip = BigInt(address);
  const instruction = decoder.decode();
  const value = (register: number): bigint =>
    register === iced.Register.None ? 0n : registers[iced.RegisterExt.number(iced.RegisterExt.fullRegister(register))]!;
  const at = instruction.isIpRelMemoryOperand
    ? instruction.ipRelMemoryAddress
    : value(instruction.memoryBase) +
      value(instruction.memoryIndex) * BigInt(instruction.memoryIndexScale) +
      instruction.memoryDisplacement;
  instruction.free();
  decoder.free();
  return Number(BigInt.asUintN(64, at));
}

/** The first `count` instructions of some code; fewer when it ends before. */
export function disassemble(code: Uint8Array, address: number, count = 1): Disassembly[] {
  const iced = loadDecoder();
  const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
  const formatters = [iced.FormatterSyntax.Intel, iced.FormatterSyntax.Gas].map((syntax) => new iced.Formatter(syntax));
  const lines: Disassembly[] = [];
  try {
    decoder.ip = BigInt(address);
    for (let at = 0; lines.length < count && decoder.canDecode;) {
      const instruction = decoder.decode();
      const bytes = code.subarray(at, at + instruction.length);
      const [intel, gas] = formatters.map((formatter) => formatter.format(instruction));
      lines.push({
        address: address + at,
        length: instruction.length,
        bytes: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" "),
        intel: intel!,
        gas: gas!,
        undefinedFlags: STATUS_BITS.reduce(
          (flags, bit, i) => ((instruction.rflagsUndefined >> i) & 1 ? flags | bit : flags),
          0,
        ),
      });
      at += instruction.length;
      instruction.free();
    }
  } finally {
    for (const formatter of formatters) formatter.free();
    decoder.free();
  }
  return lines;
}
