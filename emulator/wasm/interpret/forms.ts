/**
 * Forms of instructions: what two instructions must have in common to share a handler. Registers, immediates and
 * displacements may differ; iced's form, the kinds of the operands and which of them are the same register may not.
 */
import type { Instruction, MemoryOperand, Operand, RegisterOperand } from "../decode.ts";
import { AT_XMM, AT_ZERO } from "../layout.ts";
import { BASE_SLOT, FIRST_SLOT, IMMEDIATE_SLOT, INDEX_SLOT } from "./records.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
/** Their lowerings do not look at an immediate, they push it. */
const PUSHES_IMMEDIATE = words("mov add adc sub sbb cmp and or xor test push imul bt bts btr btc");
/** Their immediate is a count that may as well be in a register. */
const COUNTS = words("shl sal shr sar rol ror rcl rcr shld shrd");

/** An instruction as the interpreter sees it. */
export interface FormedInstruction {
  /** Tells variants of one form apart. */
  readonly variant: number;
  /** The same, and all registers by their numbers. */
  readonly registers: readonly number[];
  /** Addresses in the register file, by slot. */
  readonly slots: readonly number[];
  readonly immediate: bigint;
  readonly displacement: bigint;
  /** Log2. */
  readonly scale: number;
  /** Registers used through slots: general ones, and XMM above bit 15. */
  readonly used: number;
}

/** Takes an instruction apart. */
export class FormReader {
  private variant = 0;
  private registers: number[] = [];
  private slots: number[] = [];
  private used = 0;

  read(instruction: Instruction): FormedInstruction {
    const { operands, mnemonic, rep, repne } = instruction;
    this.variant = (rep ? 1 : 0) + (repne ? 2 : 0) + 4;
    this.registers = [];
    this.slots = [];
    this.used = 0;
    let immediate = 0n;
    let displacement = 0n;
    let scale = 0;
    for (const operand of operands) {
      switch (operand.kind) {
        case "register":
          this.add(this.registerCode(operand));
          break;
        case "memory":
          this.add(0x40 | memoryCode(operand));
          this.slots[BASE_SLOT - FIRST_SLOT] = operand.base ? operand.base.index * 8 : AT_ZERO;
          this.slots[INDEX_SLOT - FIRST_SLOT] = operand.index ? addressOf(operand.index) : AT_ZERO;
          this.note(operand.base);
          this.note(operand.index);
          displacement = operand.displacement;
          scale = Math.log2(operand.scale);
          break;
        case "immediate":
          immediate = operand.value;
          if (PUSHES_IMMEDIATE.has(mnemonic)) this.add(0x60);
          else if (COUNTS.has(mnemonic)) this.add(0x61);
          else {
            this.add(0x62);
            this.variant = this.variant * 65536 + Number(BigInt.asUintN(16, operand.value));
          }
          break;
        case "branch":
          this.add(0x70);
          immediate = operand.exactTarget;
      }
    }
    const { variant, registers, slots, used } = this;
    return { variant, registers, slots, immediate, displacement, scale, used };
  }

  private add(code: number): void {
    this.variant = this.variant * 256 + code;
  }

  private note(register: RegisterOperand | undefined): void {
    if (!register) return;
    this.registers.push(register.index);
    this.used |= register.class === "gpr" ? 1 << register.index : 0x10000 << register.index;
  }

  /** Registers get slots in the order of their appearance; the same register is the same slot. */
  private registerCode(operand: RegisterOperand): number {
    switch (operand.class) {
      case "gpr":
        this.note(operand);
        return (operand.high ? 8 : 0) | this.slotOf(addressOf(operand));
      case "xmm":
      case "ymm":
        this.note(operand);
        return (operand.class === "xmm" ? 0x10 : 0x18) | this.slotOf(addressOf(operand));
      case "mm":
        return 0x20 | operand.index;
      case "st":
        return 0x28 | operand.index;
      default:
        return 0x30 | operand.index;
    }
  }

  private slotOf(address: number): number {
    const found = this.slots.indexOf(address);
    return found >= 0 && found < BASE_SLOT - FIRST_SLOT ? found : this.takeSlot(address);
  }

  private takeSlot(address: number): number {
    let free = 0;
    while (this.slots[free] !== undefined) free++;
    this.slots[free] = address;
    return free;
  }
}

function addressOf(register: RegisterOperand): number {
  return register.class === "gpr" ? register.index * 8 : AT_XMM + register.index * 16;
}

function memoryCode({ index, segment, addressSize }: MemoryOperand): number {
  return (index ? 1 : 0) | (segment === "fs" ? 2 : segment === "gs" ? 4 : 0) | (addressSize === 4 ? 8 : 0);
}

/** The instruction with slots in place of registers, for its lowering. */
export function withSlots(instruction: Instruction, { slots }: FormedInstruction): Instruction {
  const counts = COUNTS.has(instruction.mnemonic);
  const operands = instruction.operands.map((operand): Operand => {
    switch (operand.kind) {
      case "register": {
        if (operand.class !== "gpr" && operand.class !== "xmm" && operand.class !== "ymm") return operand;
        return slotOperand(operand, FIRST_SLOT + slots.indexOf(addressOf(operand)));
      }
      case "memory":
        return {
          ...operand,
          displacement: 0n,
          base: slotOperand(operand.base ?? RAX, BASE_SLOT),
          index: operand.index && slotOperand(operand.index, INDEX_SLOT),
        };
      case "immediate":
        return counts ? { ...RAX, index: IMMEDIATE_SLOT, size: 1 } : operand;
      default:
        return operand;
    }
  });
  return { ...instruction, operands: sameObjects(instruction.operands, operands) };
}

const RAX: RegisterOperand = { kind: "register", class: "gpr", index: 0, size: 8, high: false };

const slotOperand = (register: RegisterOperand, index: number): RegisterOperand => ({ ...register, index });

/** Lowerings compare operands by identity: what was one object stays one. */
function sameObjects(before: readonly Operand[], after: readonly Operand[]): Operand[] {
  return after.map((_, i) => after[before.indexOf(before[i]!)]!);
}

/** The instruction with a zero base in place of none, and registers as they are. */
export function withRegisters(instruction: Instruction): Instruction {
  const counts = COUNTS.has(instruction.mnemonic);
  const operands = instruction.operands.map((operand): Operand => {
    if (operand.kind === "immediate" && counts) return { ...RAX, index: IMMEDIATE_SLOT, size: 1 };
    if (operand.kind !== "memory") return operand;
    return { ...operand, displacement: 0n, base: operand.base ?? slotOperand(RAX, BASE_SLOT) };
  });
  return { ...instruction, operands };
}
