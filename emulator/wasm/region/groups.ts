/**
 * Which memory accesses of a block lie side by side: those at constant distances from the same value of a register. They
 * share one test (group-access.ts). Only instructions count that access what their operand says, unconditionally; what is
 * not known here ends the groups, because it may change any register.
 */
import { RAX, RDX, RSP } from "../../registers.ts";
import type { Instruction, MemoryOperand, Operand, RegisterOperand } from "../decode.ts";

/** Accesses that one test is for. */
export interface Group {
  /** Offsets from the value they share: of the first byte, and behind the last. */
  low: number;
  high: number;
  members: number;
}

export interface Member {
  readonly group: Group;
  /** The operand; none: the stack's. */
  readonly operand: MemoryOperand | undefined;
  /** The register, and what is added to it before the instruction changes it. */
  readonly base: number;
  readonly displacement: number;
  /** From the value that the group shares. */
  readonly offset: number;
  readonly size: number;
}

/** A group's bytes: with the alignment of its start they are 256 (windows.ts). */
const MOST_BYTES = 240;
const LARGEST_ACCESS = 16;

const INTEGER =
  /^(mov|movzx|movsx|movsxd|add|sub|adc|sbb|and|or|xor|cmp|test|inc|dec|neg|not|imul|cmov\w+|set(?!ssbsy)\w+)$/;
const VECTOR = new RegExp(
  "^(mov([au]p[sd]|s[sd]|dq[au]|[dq]|[lh]p[sd])|(add|sub|mul|div|min|max|sqrt)[sp][sd]|u?comis[sd]|cvt\\w+" +
    "|(and|andn|or|xor|shuf|unpck[lh])p[sd]|p(add|sub|mul[lh]|madd|and|or|xor|cmpeq|cmpgt|max|min|unpck|shuf|ack)\\w*)$",
);
/** Change their first operand alone, if that. */
const PLAIN =
  /^(lea|sh[lr]d?|sa[lr]|ro[lr]|bt[src]?|bs[fr]|popcnt|[lt]zcnt|bswap|nop|endbr64|jmp|movmskp[sd]|pmovmskb|movnt\w+|v\w+)$/;
/** Change RAX and RDX, or one of them; IMUL with one operand. */
const ACCUMULATOR = /^(i?mul|i?div|cdqe?|cwde|cqo)$/;
/** Change RCX as well. */
const STRING_COMPARISON = /^v?pcmp[ei]str/;

/** What a register holds: some value, and a constant. */
interface Content {
  readonly value: number;
  readonly offset: number;
}

/** The members of groups in a block. */
export function findGroups(instructions: readonly Instruction[]): ReadonlyMap<Instruction, Member> {
  const registers = new Registers();
  const open = new Map<number, Group>();
  const found = new Map<Instruction, Member>();
  for (const instruction of instructions) {
    const access = accessOf(instruction);
    if (access) {
      const { value, offset: own } = registers.get(access.base);
      const offset = own + access.displacement;
      let group = open.get(value);
      if (!group || Math.max(group.high, offset + access.size) - Math.min(group.low, offset) > MOST_BYTES) {
        open.set(value, (group = { low: offset, high: offset, members: 0 }));
      }
      group.low = Math.min(group.low, offset);
      group.high = Math.max(group.high, offset + access.size);
      group.members++;
      found.set(instruction, { ...access, group, offset });
    }
    registers.change(instruction);
  }
  for (const [instruction, { group }] of found) if (group.members < 2) found.delete(instruction);
  return found;
}

/** The one access of an instruction, where it is known to be made, relative to a register. */
function accessOf(instruction: Instruction): Omit<Member, "group" | "offset"> | undefined {
  const { mnemonic, operands } = instruction;
  const stack = stackStep(instruction);
  if (stack !== undefined) {
    return { base: RSP, displacement: Math.min(stack, 0), size: 8, operand: undefined };
  }
  const memory = operands.filter((operand) => operand.kind === "memory");
  const [operand] = memory;
  if (!operand || memory.length > 1 || !(INTEGER.test(mnemonic) || VECTOR.test(mnemonic))) return undefined;
  if (!operands.every((each) => each.kind !== "register" || each.class === "gpr" || each.class === "xmm"))
    return undefined;
  const { base, index, segment, addressSize, size, displacement } = operand;
  if (!base || base.class !== "gpr" || index || segment || addressSize !== 8) return undefined;
  if (size === 0 || size > LARGEST_ACCESS) return undefined;
  return { base: base.index, displacement: Number(BigInt.asIntN(64, displacement)), size, operand };
}

/** What a push, pop, call or return of 8 bytes adds to RSP; undefined: it is something else. */
function stackStep({ mnemonic, operands, form }: Instruction): number | undefined {
  const [operand] = operands;
  const wide = operand?.kind === "register" && isWide(operand);
  switch (mnemonic) {
    case "push":
      return wide || (operand?.kind === "immediate" && !/w_imm|d16|_imm16/i.test(form)) ? -8 : undefined;
    case "pop":
      return wide && operand.index !== RSP ? 8 : undefined;
    case "call":
      return wide || operand?.kind === "branch" ? -8 : undefined;
    case "ret":
      return form.startsWith("Retnq") ? 8 : undefined;
    default:
      return undefined;
  }
}

function changesTargetAlone(mnemonic: string, target: Operand | undefined, source: Operand | undefined): boolean {
  if (STRING_COMPARISON.test(mnemonic)) return false;
  // MOVSD is the name of a string instruction as well.
  if (target?.kind === "memory" && source?.kind === "memory") return false;
  if (target?.kind === "register" && target.class === "xmm") return true;
  return INTEGER.test(mnemonic) || VECTOR.test(mnemonic) || PLAIN.test(mnemonic);
}

const isWide = (operand: RegisterOperand): boolean => operand.class === "gpr" && operand.size === 8;

/** What the general registers hold within a block. */
class Registers {
  private contents: Content[] = [];
  private values = 0;

  constructor() {
    this.forgetAll();
  }

  get(register: number): Content {
    return this.contents[register]!;
  }

  change(instruction: Instruction): void {
    const { mnemonic, operands } = instruction;
    const [target, source] = operands;
    const step = stackStep(instruction);
    if (step !== undefined) {
      this.add(RSP, step);
      if (mnemonic === "pop") this.forget(target);
    } else if (mnemonic === "cmp" || mnemonic === "test" || instruction.flow === "branch") {
      // Nothing changes.
    } else if (target?.kind === "register" && isWide(target) && this.follow(mnemonic, target.index, source)) {
      // A constant was added, or a content copied.
    } else if (ACCUMULATOR.test(mnemonic) && operands.length < 2) {
      this.contents[RAX] = this.unknown();
      this.contents[RDX] = this.unknown();
    } else if (changesTargetAlone(mnemonic, target, source)) this.forget(target);
    else this.forgetAll();
  }

  /** Whether what the target holds now is known. */
  private follow(mnemonic: string, target: number, source: Operand | undefined): boolean {
    if (mnemonic === "inc" || mnemonic === "dec") return this.add(target, mnemonic === "inc" ? 1 : -1);
    if ((mnemonic === "add" || mnemonic === "sub") && source?.kind === "immediate") {
      return this.add(target, Number(source.value) * (mnemonic === "add" ? 1 : -1));
    }
    if (mnemonic === "mov" && source?.kind === "register" && isWide(source)) {
      this.contents[target] = this.get(source.index);
      return true;
    }
    if (mnemonic !== "lea" || source?.kind !== "memory") return false;
    const { base, index, displacement, addressSize } = source;
    if (!base || base.class !== "gpr" || index || addressSize !== 8) return false;
    this.contents[target] = this.get(base.index);
    return this.add(target, Number(BigInt.asIntN(64, displacement)));
  }

  private add(register: number, bytes: number): true {
    const { value, offset } = this.get(register);
    this.contents[register] = { value, offset: offset + bytes };
    return true;
  }

  private forget(operand: Operand | undefined): void {
    if (operand?.kind === "register" && operand.class === "gpr") this.contents[operand.index] = this.unknown();
  }

  private forgetAll(): void {
    this.contents = Array.from({ length: 16 }, () => this.unknown());
  }

  private unknown(): Content {
    return { value: this.values++, offset: 0 };
  }
}
