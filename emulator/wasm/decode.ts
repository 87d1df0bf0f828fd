/** The front end: iced-x86 decodes, this file copies what the lowerings need into plain objects. */
import type * as IcedModule from "iced-x86";
import { PAGE_SIZE } from "../physical-memory.ts";
import type { IcedDecoder, IcedInstruction, IcedParts } from "./decoder-parts.ts";

type Iced = typeof IcedModule;

/** The folder beside the bundle of the command line with a decoder for this file: scripts/bundle-parts.mjs makes it. */
declare const TRAPGATE_PARTS: string;

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
/** What is used here: a part of `iced`, or a module of its own. */
let parts: IcedParts | undefined;
/** By iced's numbers, made when they are met. */
const registers: RegisterOperand[] = [];
/** By iced's Code. */
const codes: CodeTraits[] = [];
/** Bytes by iced's MemorySize. */
const memorySizes: number[] = [];

/** Gives the engine its decoder where there is no Node to load it. */
export function provideDecoder(module: Iced): void {
  iced = parts = module;
}

/** The whole of iced-x86, in Node (20.16 or newer) loaded when somebody asks. */
export function loadDecoder(): Iced {
  iced ??= load("iced-x86") as Iced;
  return iced;
}

function loadParts(): IcedParts {
  parts ??= load(typeof TRAPGATE_PARTS === "string" ? `${TRAPGATE_PARTS}/decoder.cjs` : "iced-x86") as IcedParts;
  return parts;
}

function load(name: string): unknown {
  const builtin = globalThis.process?.getBuiltinModule?.("node:module");
  if (!builtin) throw new Error("the wasm engine needs iced-x86: call provideDecoder first");
  return builtin.createRequire(import.meta.url)(name);
}

/** The operand for a register; undefined for none. */
function registerOf(x: IcedParts, value: number): RegisterOperand | undefined {
  if (value === x.Register.None || value > x.Register.TR7) return undefined;
  return (registers[value] ??= makeRegister(x, value));
}

function makeRegister({ Register, RegisterExt }: IcedParts, value: number): RegisterOperand {
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
    const number = high ? value - Register.AH : RegisterExt.isGPR8(value) ? gpr8Number(Register, value) : operand.index;
    return { ...operand, index: number };
  }
  if (RegisterExt.isXMM(value)) return of("xmm");
  if (RegisterExt.isYMM(value)) return of("ymm");
  if (RegisterExt.isMM(value)) return of("mm");
  if (RegisterExt.isST(value)) return of("st");
  if (RegisterExt.isSegmentRegister(value)) return of("segment");
  if (RegisterExt.isIP(value)) return of("rip");
  return of("other");
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
  private readonly decoder: IcedDecoder;
  private readonly scratch: IcedInstruction;
  private readonly iced: IcedParts;
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly size: number;

  constructor(bytes: Uint8Array, address: number) {
    this.iced = loadParts();
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
    if (iced.Code[scratch.code] === "Pause") this.readExchange(address);
    const { code } = scratch;
    if (code !== 0) return copy(iced, scratch, code, address, mayHavePrefix(this.bytes, address - this.start));
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

/** What iced says of all instructions of a Code: every question is a call into WebAssembly. */
interface CodeTraits {
  readonly mnemonic: string;
  readonly form: string;
  readonly flow: Flow;
  readonly condition: number;
  readonly operandCount: number;
  readonly isVsib: boolean;
  /** Flags read and written, where no immediate and no pair of equal registers changes them. */
  flags: { readonly flagsRead: number; readonly flagsWritten: number } | undefined;
}

function traitsOf(x: IcedParts, from: IcedInstruction, code: number): CodeTraits {
  const { mnemonic } = from;
  return {
    mnemonic: x.Mnemonic[mnemonic]!.toLowerCase(),
    form: x.Code[code]!,
    flow: flowOf(x, from.flowControl, mnemonic),
    condition: from.conditionCode - 1,
    operandCount: from.opCount,
    isVsib: from.isVsib,
    flags: undefined,
  };
}

function flagsOf(
  from: IcedInstruction,
  traits: CodeTraits,
  operands: readonly Operand[],
): NonNullable<CodeTraits["flags"]> {
  const isPlain = operands[0] !== operands[1] && !operands.some(({ kind }) => kind === "immediate");
  if (isPlain && traits.flags) return traits.flags;
  const flags = { flagsRead: statusFlags(from.rflagsRead), flagsWritten: statusFlags(from.rflagsModified) };
  if (isPlain) traits.flags = flags;
  return flags;
}

const isPrefix = (byte: number): boolean =>
  (byte & 0xe7) === 0x26 || (byte >= 0x64 && byte <= 0x67) || byte === 0xf0 || byte === 0xf2 || byte === 0xf3;
const isRex = (byte: number): boolean => (byte & 0xf0) === 0x40;

/** Whether there may be a legacy prefix; behind REX, which then is without effect, there may be others. */
function mayHavePrefix(bytes: Uint8Array, at: number): boolean {
  if (!isRex(bytes[at]!)) return isPrefix(bytes[at]!);
  const next = bytes[at + 1] ?? 0;
  return isPrefix(next) || isRex(next);
}

function copy(x: IcedParts, from: IcedInstruction, code: number, address: number, prefixed: boolean): Instruction {
  const traits = (codes[code] ??= traitsOf(x, from, code));
  if (traits.isVsib && registersCoincide(x, from)) return invalid(address);
  const operands: Operand[] = [];
  let addressSize = 8;
  for (let i = 0; i < traits.operandCount; i++) {
    const operand = operandOf(x, from, i, prefixed);
    if (operand.kind === "memory") addressSize = operand.addressSize;
    operands.push(operand);
  }
  const { mnemonic, flow, condition, form } = traits;
  const { flagsRead, flagsWritten } = flagsOf(from, traits, operands);
  return {
    mnemonic,
    address,
    length: from.length,
    operands,
    flow,
    condition,
    rep: prefixed && (from.hasRepPrefix || from.hasRepePrefix),
    repne: prefixed && from.hasRepnePrefix,
    lock: prefixed && from.hasLockPrefix,
    form,
    flagsRead,
    flagsWritten,
    addressSize,
  };
}

/** Gathers whose destination, index and mask are not three registers are #UD (Intel SDM volume 2, VPGATHERDD). */
function registersCoincide(x: IcedParts, from: IcedInstruction): boolean {
  const numbers = [from.op0Register, from.op2Register, from.memoryIndex].map(
    (register) => registerOf(x, register)?.index,
  );
  return new Set(numbers).size < numbers.length;
}

function flowOf(x: IcedParts, flow: IcedModule.FlowControl, mnemonic: IcedModule.Mnemonic): Flow {
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

function operandOf(x: IcedParts, from: IcedInstruction, i: number, prefixed: boolean): Operand {
  const { OpKind } = x;
  const kind = from.opKind(i);
  switch (kind) {
    case OpKind.Register:
      return registerOf(x, from.opRegister(i))!;
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
    case OpKind.NearBranch64:
      return branchTo(from.nearBranchTarget);
    case OpKind.Memory:
      return explicitMemory(x, from, prefixed);
    case OpKind.MemorySegSI:
    case OpKind.MemorySegESI:
    case OpKind.MemorySegRSI:
      return memoryOperand(x, from, kind === OpKind.MemorySegESI ? x.Register.ESI : x.Register.RSI, 0, 1, 0n, prefixed);
    case OpKind.MemorySegDI:
    case OpKind.MemorySegEDI:
    case OpKind.MemorySegRDI:
      return memoryOperand(x, from, kind === OpKind.MemorySegEDI ? x.Register.EDI : x.Register.RDI, 0, 1, 0n, prefixed);
    case OpKind.MemoryESDI:
    case OpKind.MemoryESEDI:
    case OpKind.MemoryESRDI: {
      const base = kind === OpKind.MemoryESEDI ? x.Register.EDI : x.Register.RDI;
      return { ...memoryOperand(x, from, base, 0, 1, 0n, prefixed), segment: undefined };
    }
    default:
      return { kind: "immediate", value: BigInt.asIntN(64, from.immediate(i)) };
  }
}

function explicitMemory(x: IcedParts, from: IcedInstruction, prefixed: boolean): MemoryOperand {
  const index = from.memoryIndex;
  const scale = index === x.Register.None ? 1 : from.memoryIndexScale;
  return memoryOperand(x, from, from.memoryBase, index, scale, from.memoryDisplacement, prefixed);
}

function branchTo(exactTarget: bigint): BranchOperand {
  return { kind: "branch", target: Number(exactTarget), exactTarget };
}

function memoryOperand(
  x: IcedParts,
  from: IcedInstruction,
  baseRegister: number,
  indexRegister: number,
  scale: number,
  displacement: bigint,
  prefixed: boolean,
): MemoryOperand {
  const base = registerOf(x, baseRegister);
  const index = registerOf(x, indexRegister);
  const prefix = prefixed ? from.memorySegment : x.Register.None;
  const { memorySize } = from;
  const general = base ?? (index?.class === "gpr" ? index : undefined);
  return {
    kind: "memory",
    size: (memorySizes[memorySize] ??= x.MemorySizeExt.size(memorySize)),
    base: base?.class === "rip" ? undefined : base,
    index,
    scale,
    displacement,
    segment: prefix === x.Register.FS ? "fs" : prefix === x.Register.GS ? "gs" : undefined,
    addressSize: general?.size ?? (from.memoryDisplSize === 4 ? 4 : 8),
  };
}
