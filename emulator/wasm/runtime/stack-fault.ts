/**
 * Which exception a non-canonical address raises: #SS where the stack segment is used, #GP everywhere else (Intel SDM
 * volume 3, sections 6.15 and 3.3.7.1). Asked after the fact, so that memory accesses need not say what they are for.
 */
import { VECTOR_GP } from "../../engine.ts";
import { FS_BASE, GS_BASE, RBP, RSP } from "../../registers.ts";
import type { Instruction, MemoryOperand } from "../decode.ts";

export const VECTOR_SS = 12;

const isCanonicalByte = (address: bigint): boolean => BigInt.asIntN(48, address) === BigInt.asIntN(64, address);
const isCanonical = (address: bigint, size: number): boolean =>
  isCanonicalByte(address) && isCanonicalByte(BigInt.asUintN(64, address + BigInt(size - 1)));

/** Uses RSP (LEAVE: RBP) beside its operands. */
const POPS = /^(pop|popf|popfq|ret|retf|iretd?|iretq|leave)$/;
/** A bit offset in a register leads away from the operand's address. */
const BIT_STRINGS = /^bt[src]?$/;
const PUSHES = /^(push|pushf|pushfq|call|enter)$/;

function linearAddress(operand: MemoryOperand, registers: BigUint64Array): bigint {
  const value = (register: MemoryOperand["base"]): bigint => (register ? registers[register.index]! : 0n);
  const offset = value(operand.base) + value(operand.index) * BigInt(operand.scale) + operand.displacement;
  const base = operand.segment ? registers[operand.segment === "fs" ? FS_BASE : GS_BASE]! : 0n;
  return BigInt.asUintN(64, BigInt.asUintN(operand.addressSize * 8, offset) + base);
}

/** An operand whose default segment is SS: based on RSP or RBP, without a segment prefix. */
const onStack = ({ base, segment }: MemoryOperand): boolean =>
  segment === undefined && (base?.index === RSP || base?.index === RBP);

/**
 * The vector for a #GP that an access to a non-canonical address raised.
 * @param registers the register file as it was before the instruction (registers.ts)
 */
export function vectorOfNonCanonical(instruction: Instruction, registers: BigUint64Array): number {
  const { mnemonic, operands } = instruction;
  const stack = !isCanonical(registers[mnemonic === "leave" ? RBP : RSP]! - (PUSHES.test(mnemonic) ? 8n : 0n), 8);
  if ((POPS.test(mnemonic) && stack) || mnemonic === "enter") return VECTOR_SS;
  const operand = operands.find((candidate) => candidate.kind === "memory");
  const reachesFar = BIT_STRINGS.test(mnemonic);
  if (
    operand?.kind === "memory" &&
    (reachesFar || !isCanonical(linearAddress(operand, registers), operand.size || 1))
  ) {
    return onStack(operand) ? VECTOR_SS : VECTOR_GP;
  }
  return PUSHES.test(mnemonic) && stack ? VECTOR_SS : VECTOR_GP;
}
