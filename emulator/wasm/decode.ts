/** The front end: iced-x86 decodes, this file copies what the lowerings need into plain objects. */
import type * as IcedModule from "iced-x86";
import { PAGE_SIZE } from "../physical-memory.ts";

type Iced = typeof IcedModule;

export type RegisterClass = "gpr" | "xmm" | "ymm" | "mm" | "st" | "segment" | "rip" | "other";

export interface RegisterOperand {
  readonly kind: "register";
  readonly class: RegisterClass;
  /** Number in the processor's encoding. */
  readonly index: number;
  /** Bytes. */
  readonly size: number;
  /** AH, CH, DH or BH. */
  readonly high: boolean;
}

export interface MemoryOperand {
  readonly kind: "memory";
  /** Bytes accessed, 0 when the instruction alone knows (lea, fxsave). */
  readonly size: number;
  readonly base: RegisterOperand | undefined;
  /** A general register; of a gather a vector register. */
  readonly index: RegisterOperand | undefined;
  readonly scale: number;
  /** For RIP-relative operands the target, with no base. */
  readonly displacement: bigint;
  readonly segment: "fs" | "gs" | undefined;
  /** 4 when the address is computed in 32 bits (prefix 67h). */
  readonly addressSize: number;
}

export interface ImmediateOperand {
  readonly kind: "immediate";
  /** Sign-extended to 64 bits, as a signed number. */
  readonly value: bigint;
}

export interface BranchOperand {
  readonly kind: "branch";
  /** Exact for addresses below 2^47, where user code is. */
  readonly target: number;
  readonly exactTarget: bigint;
}

export type Operand = RegisterOperand | MemoryOperand | ImmediateOperand | BranchOperand;

/** What comes after an instruction. */
export type Flow = "next" | "jump" | "branch" | "call" | "stop";

export interface Instruction {
  /** iced's mnemonic in lower case. */
  readonly mnemonic: string;
  readonly address: number;
  readonly length: number;
  readonly operands: readonly Operand[];
  readonly flow: Flow;
  /** Condition in the processor's encoding (0 = O … 15 = G), -1 for none. */
  readonly condition: number;
  readonly rep: boolean;
  readonly repne: boolean;
  readonly lock: boolean;
  /** iced's name of the exact form, such as Movsd_xmm_xmmm64 or VEX_Vaddps_ymm_ymm_ymmm256. */
  readonly form: string;
  /** Status flags read, and those that get a new value whatever happens (RFLAGS bits). */
  readonly flagsRead: number;
  readonly flagsWritten: number;
  /** Address size of string instructions and of implied counters. */
  readonly addressSize: number;
}

export const INVALID = "invalid";
/** Bytes; more are a #GP (Intel SDM volume 2, section 2.3.11). */
export const LONGEST_INSTRUCTION = 15;
/** More than 15 bytes: #GP, not #UD (Intel SDM volume 3, section 6.15). */
export const TOO_LONG = "toolong";

const REP = 0xf3;
/** Of no effect in 64-bit mode. */
const CS_PREFIX = 0x2e;
/** A REX prefix with B. */
const REX_B = 0x41;
const REX_B_MASK = 0xf1;

let iced: Iced | undefined;
let registers: RegisterOperand[] = [];

/** Gives the engine its decoder where there is no Node to load it. */
export function provideDecoder(module: Iced): void {
  iced = module;
  registers = registerTable(module);
}

/** The decoder, in Node (20.16 or newer) loaded when the first region is made: most programs never need it. */
export function loadDecoder(): Iced {
  if (iced) return iced;
  const builtin = globalThis.process?.getBuiltinModule?.("node:module");
  if (!builtin) throw new Error("the wasm engine needs iced-x86: call provideDecoder first");
  provideDecoder(builtin.createRequire(import.meta.url)("iced-x86") as Iced);
  return iced!;
}

function registerTable({ Register, RegisterExt }: Iced): RegisterOperand[] {
  const table: RegisterOperand[] = [];
  for (const value of Object.values(Register)) {
    if (typeof value !== "number" || value === Register.None || value > Register.TR7) continue;
    const high = value >= Register.AH && value <= Register.BH;
    const of = (kind: RegisterClass): RegisterOperand => ({
      kind: "register",
      class: kind,
      index: RegisterExt.number(value) - (high ? 4 : 0),
      size: RegisterExt.size(value),
      high,
    });
    if (RegisterExt.isGPR(value)) {
      const operand = of("gpr");
      const number = high
        ? value - Register.AH
        : RegisterExt.isGPR8(value)
          ? gpr8Number(Register, value)
          : operand.index;
      table[value] = { ...operand, index: number };
    } else if (RegisterExt.isXMM(value)) table[value] = of("xmm");
    else if (RegisterExt.isYMM(value)) table[value] = of("ymm");
    else if (RegisterExt.isMM(value)) table[value] = of("mm");
    else if (RegisterExt.isST(value)) table[value] = of("st");
    else if (RegisterExt.isSegmentRegister(value)) table[value] = of("segment");
    else if (RegisterExt.isIP(value)) table[value] = of("rip");
    else table[value] = of("other");
  }
  return table;
}

/** AL CL DL BL, then (behind AH to BH) SPL BPL SIL DIL R8B to R15B. */
function gpr8Number(Register: Iced["Register"], value: number): number {
  return value < Register.AH ? value - Register.AL : value - Register.SPL + 4;
}

/** Rflags bits of iced-x86 in the order of their numbers (OF SF ZF AF CF PF), as bits of RFLAGS. */
const STATUS_BITS = [0x800, 0x80, 0x40, 0x10, 1, 4];

function statusFlags(bits: number): number {
  let flags = 0;
  for (let i = 0; i < 6; i++) if ((bits & (1 << i)) !== 0) flags |= STATUS_BITS[i]!;
  return flags;
}

/** Decodes instructions from bytes that lie at consecutive virtual addresses. */
export class CodeReader {
  private readonly decoder: IcedModule.Decoder;
  private readonly scratch: IcedModule.Instruction;
  private readonly iced: Iced;
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly size: number;

  constructor(bytes: Uint8Array, address: number) {
    this.iced = loadDecoder();
    this.bytes = bytes;
    this.decoder = new this.iced.Decoder(64, bytes, this.iced.DecoderOptions.None);
    this.scratch = new this.iced.Instruction();
    this.start = address;
    this.size = bytes.length;
  }

  /** Whether an instruction of any length at an address lies within the bytes, or all there are of the page. */
  covers(address: number): boolean {
    const offset = address - this.start;
    const end = this.start + this.size;
    return offset >= 0 && address < end && (end - address >= LONGEST_INSTRUCTION || end % PAGE_SIZE === 0);
  }

  /** The instruction at an address; undefined when its bytes go beyond those given. */
  read(address: number): Instruction | undefined {
    const { decoder, scratch, iced } = this;
    decoder.position = address - this.start;
    decoder.ip = BigInt(address);
    decoder.decodeOut(scratch);
    const { code } = scratch;
    if (code === iced.Code.Pause) this.readExchange(address);
    if (code !== 0) return copy(iced, scratch, address);
    if (decoder.lastError === iced.DecoderError.NoMoreBytes) return undefined;
    return invalid(address, scratch.length === LONGEST_INSTRUCTION && this.isTooLong(address) ? TOO_LONG : INVALID);
  }

  /** F3 and REX.B in front of 90 is XCHG of RAX and R8, not PAUSE, which iced takes it for: read without the F3. */
  private readExchange(address: number): void {
    const { scratch, iced } = this;
    const offset = address - this.start;
    const bytes = this.bytes.slice(offset, offset + scratch.length);
    if ((bytes.at(-2)! & REX_B_MASK) !== REX_B) return;
    const decoder = new iced.Decoder(
      64,
      bytes.map((byte) => (byte === REP ? CS_PREFIX : byte)),
      iced.DecoderOptions.None,
    );
    decoder.decodeOut(scratch);
    decoder.free();
  }

  /**
   * Whether an invalid instruction of 15 bytes would have more: iced does not tell that from an invalid opcode at the end.
   * Only prefixes make instructions so long, so without the first ones it can be decoded.
   */
  private isTooLong(address: number): boolean {
    const { decoder, scratch, iced } = this;
    for (let dropped = 1; dropped <= this.size - (address - this.start); dropped++) {
      decoder.position = address - this.start + dropped;
      decoder.decodeOut(scratch);
      if (decoder.lastError === iced.DecoderError.NoMoreBytes) return true;
      if (scratch.code !== 0 || scratch.length < LONGEST_INSTRUCTION) {
        return dropped + scratch.length > LONGEST_INSTRUCTION;
      }
    }
    return true;
  }

  dispose(): void {
    this.decoder.free();
    this.scratch.free();
  }
}

function invalid(address: number, mnemonic = INVALID): Instruction {
  return {
    mnemonic,
    address,
    length: 1,
    operands: [],
    flow: "stop",
    condition: -1,
    rep: false,
    repne: false,
    lock: false,
    form: "INVALID",
    flagsRead: 0,
    flagsWritten: 0,
    addressSize: 8,
  };
}

function copy(x: Iced, from: IcedModule.Instruction, address: number): Instruction {
  if (from.isVsib && registersCoincide(from)) return invalid(address);
  const operands: Operand[] = [];
  let addressSize = 8;
  for (let i = 0; i < from.opCount; i++) {
    const operand = operandOf(x, from, i);
    if (operand.kind === "memory") addressSize = operand.addressSize;
    operands.push(operand);
  }
  return {
    mnemonic: x.Mnemonic[from.mnemonic]!.toLowerCase(),
    address,
    length: from.length,
    operands,
    flow: flowOf(x, from.flowControl, from.mnemonic),
    condition: from.conditionCode - 1,
    rep: from.hasRepPrefix || from.hasRepePrefix,
    repne: from.hasRepnePrefix,
    lock: from.hasLockPrefix,
    form: x.Code[from.code]!,
    flagsRead: statusFlags(from.rflagsRead),
    flagsWritten: statusFlags(from.rflagsModified),
    addressSize,
  };
}

/** Gathers whose destination, index and mask are not three registers are #UD (Intel SDM volume 2, VPGATHERDD). */
function registersCoincide(from: IcedModule.Instruction): boolean {
  const numbers = [from.op0Register, from.op2Register, from.memoryIndex].map((register) => registers[register]?.index);
  return new Set(numbers).size < numbers.length;
}

function flowOf(x: Iced, flow: IcedModule.FlowControl, mnemonic: IcedModule.Mnemonic): Flow {
  switch (flow) {
    case x.FlowControl.Next:
      return "next";
    case x.FlowControl.UnconditionalBranch:
      return "jump";
    case x.FlowControl.ConditionalBranch:
      return "branch";
    case x.FlowControl.Call:
    case x.FlowControl.IndirectCall:
      return mnemonic === x.Mnemonic.Call ? "call" : "stop";
    default:
      return "stop";
  }
}

function operandOf(x: Iced, from: IcedModule.Instruction, i: number): Operand {
  const { OpKind } = x;
  const kind = from.opKind(i);
  switch (kind) {
    case OpKind.Register:
      return registers[from.opRegister(i)]!;
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
    case OpKind.NearBranch64:
      return branchTo(from.nearBranchTarget);
    case OpKind.Memory:
      return memoryOperand(x, from, from.memoryBase, from.memoryIndex, from.memoryIndexScale, from.memoryDisplacement);
    case OpKind.MemorySegSI:
    case OpKind.MemorySegESI:
    case OpKind.MemorySegRSI:
      return memoryOperand(x, from, kind === OpKind.MemorySegESI ? x.Register.ESI : x.Register.RSI, 0, 1, 0n);
    case OpKind.MemorySegDI:
    case OpKind.MemorySegEDI:
    case OpKind.MemorySegRDI:
      return memoryOperand(x, from, kind === OpKind.MemorySegEDI ? x.Register.EDI : x.Register.RDI, 0, 1, 0n);
    case OpKind.MemoryESDI:
    case OpKind.MemoryESEDI:
    case OpKind.MemoryESRDI: {
      const base = kind === OpKind.MemoryESEDI ? x.Register.EDI : x.Register.RDI;
      return { ...memoryOperand(x, from, base, 0, 1, 0n), segment: undefined };
    }
    default:
      return { kind: "immediate", value: BigInt.asIntN(64, from.immediate(i)) };
  }
}

function branchTo(exactTarget: bigint): BranchOperand {
  return { kind: "branch", target: Number(exactTarget), exactTarget };
}

function memoryOperand(
  x: Iced,
  from: IcedModule.Instruction,
  baseRegister: number,
  indexRegister: number,
  scale: number,
  displacement: bigint,
): MemoryOperand {
  const base = registers[baseRegister];
  const index = registers[indexRegister];
  const prefix = from.memorySegment;
  const general = base ?? (index?.class === "gpr" ? index : undefined);
  return {
    kind: "memory",
    size: x.MemorySizeExt.size(from.memorySize),
    base: base?.class === "rip" ? undefined : base,
    index,
    scale,
    displacement,
    segment: prefix === x.Register.FS ? "fs" : prefix === x.Register.GS ? "gs" : undefined,
    addressSize: general?.size ?? (from.memoryDisplSize === 4 ? 4 : 8),
  };
}
