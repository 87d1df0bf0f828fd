/** Where an instruction's memory operands lie, given the registers in front of it. */
import type { loadDecoder } from "../wasm/decode.ts";
import type { IcedInstruction } from "./forms.ts";
import { FS_BASE, GS_BASE } from "./windows.ts";

type Iced = ReturnType<typeof loadDecoder>;
type UsedMemory = InstanceType<Iced["UsedMemory"]>;

/** Addresses of all memory operands, implied ones included, in iced's order; those with vector indexes are wrong. */
export function operandAddresses(x: Iced, instruction: IcedInstruction, state: Uint8Array): number[] {
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  const factory = new x.InstructionInfoFactory();
  const info = factory.info(instruction);
  const addresses = (info.usedMemory() as UsedMemory[]).map((used) => {
    const address = addressOf(x, used, view);
    used.free();
    return address;
  });
  info.free();
  factory.free();
  return addresses;
}

function addressOf(x: Iced, used: UsedMemory, view: DataView): number {
  const { Register, RegisterExt } = x;
  const value = (register: number): bigint => {
    const full = RegisterExt.fullRegister(register);
    if (full < Register.RAX || full > Register.R15) return 0n;
    return BigInt.asUintN(RegisterExt.size(register) * 8, view.getBigUint64((full - Register.RAX) * 8, true));
  };
  const sum = value(used.base) + value(used.index) * BigInt(used.scale) + used.displacement;
  const short = [used.base, used.index].some((register) => RegisterExt.isGPR32(register));
  const segment = used.segment === Register.FS ? FS_BASE : used.segment === Register.GS ? GS_BASE : 0;
  return Number(BigInt.asUintN(64, BigInt.asUintN(short ? 32 : 64, sum) + BigInt(segment)));
}

/** The address of the first memory operand of an instruction's bytes; undefined without one. */
export function firstOperandAddress(x: Iced, bytes: Uint8Array, ip: number, state: Uint8Array): number | undefined {
  const decoder = new x.Decoder(64, bytes, x.DecoderOptions.None);
  decoder.ip = BigInt(ip);
  let instruction = decoder.decode();
  if (instruction.mnemonic === x.Mnemonic.Wait && decoder.canDecode) {
    instruction.free();
    instruction = decoder.decode();
  }
  const [address] = operandAddresses(x, instruction, state);
  instruction.free();
  decoder.free();
  return address;
}
