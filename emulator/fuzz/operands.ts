/** Operands for an instruction form, chosen so that most memory operands lie in the windows. */
import type { Form, Iced, IcedInstruction } from "./forms.ts";
import type { Random } from "./random.ts";
import type { RegisterFile } from "./register-file.ts";
import { integer64 } from "./values.ts";
import { FS_BASE, GS_BASE, operandAddress, PREPARED, preparedAddress } from "./windows.ts";

const RSP = 4;
const TWO_31 = 2 ** 31;
const TWO_32 = 2 ** 32;
const fitsInt32 = (value: number): boolean => value >= -TWO_31 && value < TWO_31;

/** Bit-string instructions reach memory beyond their operand by a register. */
const BIT_STRING = /^(Bt|Btc|Btr|Bts)_rm\d+_r/;
/** Where in a prepared operand (windows.ts) an instruction finds what it loads. */
const PREPARED_OPERANDS: readonly (readonly [RegExp, (random: Random) => number])[] = [
  [/^(Fxrstor|Fxrstor64)_/, (random) => PREPARED + 512 * random.below(2)],
  [/^(Ldmxcsr|VEX_Vldmxcsr)_/, (random) => PREPARED + 512 * random.below(2) + 24],
  [/^(Fldenv|Frstor)_/, (random) => PREPARED + 1024 + 512 * random.below(2)],
  [/^Fldcw_/, preparedAddress],
];

export class OperandChooser {
  private readonly x: Iced;
  private readonly random: Random;
  private readonly registers: RegisterFile;

  constructor(x: Iced, random: Random, registers: RegisterFile) {
    this.x = x;
    this.random = random;
    this.registers = registers;
  }

  /** A new instruction of the form; free it. Its encoding may still fail, as for AH with REX. */
  choose(form: Form): IcedInstruction {
    const { x, random } = this;
    const instruction = new x.Instruction();
    instruction.code = form.code;
    let immediates = 0;
    const sets = form.operands;
    for (let i = 0; i < sets.length; i++) {
      const kind = sets[i]!;
      if (kind.startsWith("imm")) this.setImmediate(instruction, i, kind, immediates++);
      else this.setOperand(instruction, form, i, kind);
    }
    if (form.rep && random.chance(0.6)) {
      if (form.repne && random.chance(0.5)) instruction.hasRepnePrefix = true;
      else instruction.hasRepePrefix = true;
    }
    if (form.lock && instruction.op0Kind === x.OpKind.Memory && random.chance(0.3)) instruction.hasLockPrefix = true;
    return instruction;
  }

  private setRegister(instruction: IcedInstruction, i: number, register: number): void {
    instruction.setOpKind(i, this.x.OpKind.Register);
    instruction.setOpRegister(i, register);
  }

  /** A general register by number; with 8 bits AH to BH now and then. */
  private general(size: number): number {
    const { x, random } = this;
    const { Register } = x;
    const high = size === 8 && random.chance(0.2) ? random.below(4) : -1;
    if (high >= 0 && high !== this.registers.reserved) return Register.AH + high;
    const number = this.registers.operand(random);
    if (size === 8) return number < 4 ? Register.AL + number : Register.SPL + number - 4;
    return (size === 16 ? Register.AX : size === 32 ? Register.EAX : Register.RAX) + number;
  }

  private setOperand(instruction: IcedInstruction, form: Form, i: number, kind: string): void {
    const { x, random } = this;
    const { OpKind, Register } = x;
    const fixed = this.fixedRegister(kind);
    if (fixed !== undefined) return this.setRegister(instruction, i, fixed);
    const wantsMemory = kind.includes("mem") && (!kind.includes("_or_mem") || random.chance(0.5));
    if (wantsMemory && kind !== "r32_reg_mem" && kind !== "r64_reg_mem") {
      instruction.setOpKind(i, OpKind.Memory);
      return this.setMemory(instruction, form, kind);
    }
    const general = /^r(8|16|32|64)_/.exec(kind);
    if (general) {
      const near = BIT_STRING.test(form.name) && i === 1 && instruction.op0Kind === OpKind.Memory;
      const small = near ? this.registers.small(random, 16384) : -1;
      const size = Number(general[1]);
      const base = size === 16 ? Register.AX : size === 32 ? Register.EAX : Register.RAX;
      return this.setRegister(instruction, i, small >= 0 ? base + small : this.general(size));
    }
    if (kind.startsWith("xmm")) return this.setRegister(instruction, i, Register.XMM0 + random.below(16));
    if (kind.startsWith("ymm")) return this.setRegister(instruction, i, Register.YMM0 + random.below(16));
    if (kind.startsWith("mm")) return this.setRegister(instruction, i, Register.MM0 + random.below(8));
    if (kind === "sti_opcode") return this.setRegister(instruction, i, Register.ST0 + random.below(8));
    if (kind === "seg_reg") return this.setRegister(instruction, i, Register.ES + random.below(6));
    if (kind.startsWith("br64")) {
      instruction.setOpKind(i, OpKind.NearBranch64);
      return;
    }
    this.setStringOperand(instruction, i, kind);
  }

  private fixedRegister(kind: string): number | undefined {
    const { Register } = this.x;
    switch (kind) {
      case "al":
        return Register.AL;
      case "ax":
        return Register.AX;
      case "eax":
        return Register.EAX;
      case "rax":
        return Register.RAX;
      case "cl":
        return Register.CL;
      case "dx":
        return Register.DX;
      case "st0":
        return Register.ST0;
      case "fs":
        return Register.FS;
      case "gs":
        return Register.GS;
      default:
        return undefined;
    }
  }

  /** The implied operands of string instructions, MASKMOVxx and XLAT, with 32-bit addresses and FS or GS sometimes. */
  private setStringOperand(instruction: IcedInstruction, i: number, kind: string): void {
    const { x, random } = this;
    const { OpKind, Register } = x;
    const short =
      random.chance(0.08) || instruction.op0Kind === OpKind.MemoryESEDI || instruction.op0Kind === OpKind.MemorySegESI;
    const is32 = i > 0 && instruction.op0Kind === OpKind.MemoryESRDI ? false : short;
    if (kind !== "es_rDI" && random.chance(0.06))
      instruction.segmentPrefix = random.chance(0.5) ? Register.FS : Register.GS;
    switch (kind) {
      case "es_rDI":
        return instruction.setOpKind(
          i,
          is32 || (i > 0 && instruction.op0Kind === OpKind.MemorySegESI) ? OpKind.MemoryESEDI : OpKind.MemoryESRDI,
        );
      case "seg_rSI":
        return instruction.setOpKind(i, is32 ? OpKind.MemorySegESI : OpKind.MemorySegRSI);
      case "seg_rDI":
        return instruction.setOpKind(i, is32 ? OpKind.MemorySegEDI : OpKind.MemorySegRDI);
      case "seg_rBX_al":
        instruction.setOpKind(i, OpKind.Memory);
        instruction.memoryBase = is32 ? Register.EBX : Register.RBX;
        instruction.memoryIndex = Register.AL;
        return;
      default:
        throw new Error(`no operand is known of the kind ${kind}`);
    }
  }

  private setImmediate(instruction: IcedInstruction, i: number, kind: string, before: number): void {
    const { OpKind } = this.x;
    const [low, high] = integer64(this.random);
    const wide = (BigInt(high) << 32n) | BigInt(low);
    switch (kind) {
      case "imm8":
        if (before > 0) {
          instruction.setOpKind(i, OpKind.Immediate8_2nd);
          instruction.immediate8_2nd = instruction.code === this.x.Code.Enterq_imm16_imm8 ? this.level() : low & 255;
        } else {
          instruction.setOpKind(i, OpKind.Immediate8);
          instruction.immediate8 = low & 255;
        }
        return;
      case "imm8_const_1":
        instruction.setOpKind(i, OpKind.Immediate8);
        instruction.immediate8 = 1;
        return;
      case "imm16":
        instruction.setOpKind(i, OpKind.Immediate16);
        instruction.immediate16 = low & 0xffff;
        return;
      case "imm32":
        instruction.setOpKind(i, OpKind.Immediate32);
        instruction.immediate32 = low;
        return;
      case "imm64":
        instruction.setOpKind(i, OpKind.Immediate64);
        instruction.immediate64 = wide;
        return;
      case "imm8sex16":
        instruction.setOpKind(i, OpKind.Immediate8to16);
        instruction.immediate8to16 = (low << 24) >> 24;
        return;
      case "imm8sex32":
        instruction.setOpKind(i, OpKind.Immediate8to32);
        instruction.immediate8to32 = (low << 24) >> 24;
        return;
      case "imm8sex64":
        instruction.setOpKind(i, OpKind.Immediate8to64);
        instruction.immediate8to64 = BigInt((low << 24) >> 24);
        return;
      case "imm32sex64":
        instruction.setOpKind(i, OpKind.Immediate32to64);
        instruction.immediate32to64 = BigInt(low | 0);
        return;
      default:
        throw new Error(`no immediate is known of the kind ${kind}`);
    }
  }

  /** ENTER's nesting level: mostly none, as compilers write it. */
  private level(): number {
    return this.random.chance(0.7) ? 0 : this.random.below(32);
  }

  private setMemory(instruction: IcedInstruction, form: Form, kind: string): void {
    const { random, x } = this;
    const prepared = PREPARED_OPERANDS.find(([pattern]) => pattern.test(form.name));
    const size = form.memorySize || 1;
    const target = prepared && random.chance(0.9) ? prepared[1](random) : operandAddress(random, size);
    if (kind === "mem_offs") {
      instruction.memoryDisplSize = 8;
      instruction.memoryDisplacement = BigInt(target);
      return;
    }
    if (kind.includes("vsib")) return this.setVectorIndex(instruction, kind, target);
    let offset = target;
    if (random.chance(0.08)) {
      const fs = target < TWO_32;
      offset = target - (fs ? FS_BASE : GS_BASE);
      instruction.segmentPrefix = fs ? x.Register.FS : x.Register.GS;
    }
    if (random.chance(0.08) && offset >= 0 && offset < TWO_32) return this.setAddress32(instruction, offset);
    this.setAddress64(instruction, offset);
  }

  private setAddress64(instruction: IcedInstruction, offset: number): void {
    const { random, registers, x } = this;
    const { Register } = x;
    const mode = random.below(20);
    const relative = mode < 2 && instruction.segmentPrefix === Register.None;
    let rest = offset;
    if (relative && fitsInt32(offset)) {
      instruction.memoryBase = Register.RIP;
    } else {
      if (mode >= 4 || !fitsInt32(offset)) {
        const base = random.chance(0.006) ? registers.operand(random) : registers.near(random, offset);
        if (base >= 0) {
          instruction.memoryBase = Register.RAX + base;
          rest -= registers.value(base) || 0;
        }
      }
      if (mode < 4 || mode >= 14) {
        const scale = 1 << random.below(4);
        const index = registers.small(random, (TWO_31 - 1) / scale);
        if (index >= 0 && index !== RSP && fitsInt32(rest - registers.value(index) * scale)) {
          instruction.memoryIndex = Register.RAX + index;
          instruction.memoryIndexScale = scale;
          rest -= registers.value(index) * scale;
        }
      }
    }
    if (!fitsInt32(rest)) rest = random.u32() | 0;
    this.setDisplacement(instruction, rest, 8);
  }

  /** With 67h the sum wraps at 32 bits, so any register will do. */
  private setAddress32(instruction: IcedInstruction, offset: number): void {
    const { random, registers, x } = this;
    const { Register } = x;
    let rest = offset;
    if (random.chance(0.1) && instruction.segmentPrefix === Register.None) {
      instruction.memoryBase = Register.EIP;
      instruction.memoryDisplSize = 4;
      instruction.memoryDisplacement = BigInt(offset);
      return;
    }
    if (random.chance(0.8)) {
      const base = registers.known(random);
      if (base >= 0) {
        instruction.memoryBase = Register.EAX + base;
        rest -= registers.low(base);
      }
    }
    if (random.chance(0.4)) {
      const index = registers.known(random);
      const scale = 1 << random.below(4);
      if (index >= 0 && index !== RSP) {
        instruction.memoryIndex = Register.EAX + index;
        instruction.memoryIndexScale = scale;
        rest -= registers.low(index) * scale;
      }
    }
    this.setDisplacement(instruction, Number(BigInt.asIntN(32, BigInt(rest))), 4);
  }

  private setDisplacement(instruction: IcedInstruction, value: number, wide: number): void {
    const { Register } = this.x;
    const base = instruction.memoryBase;
    const bare = base === Register.None && instruction.memoryIndex === Register.None;
    const short = value >= -128 && value < 128 && base !== Register.None && base !== Register.RIP;
    instruction.memoryDisplSize = short && !bare ? (value === 0 && this.random.chance(0.7) ? 0 : 1) : wide;
    // 32-bit addresses without registers are not sign-extended.
    instruction.memoryDisplacement = BigInt.asUintN(64, BigInt(wide === 4 && bare ? value >>> 0 : value));
  }

  /** Gathers: the index registers hold anything, so all but a few elements are masked or fault. */
  private setVectorIndex(instruction: IcedInstruction, kind: string, target: number): void {
    const { random, registers, x } = this;
    const base = registers.near(random, target);
    instruction.memoryBase = base >= 0 ? x.Register.RAX + base : x.Register.None;
    instruction.memoryIndex = (kind.endsWith("y") ? x.Register.YMM0 : x.Register.XMM0) + random.below(16);
    instruction.memoryIndexScale = 1 << random.below(4);
    const rest = target - (base >= 0 ? registers.value(base) : 0);
    this.setDisplacement(instruction, fitsInt32(rest) ? rest : 0, 8);
  }
}
