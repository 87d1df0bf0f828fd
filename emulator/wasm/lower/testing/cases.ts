/** Random instructions of one form, made from iced-x86's description of its operands, and random states for them. */
import { loadDecoder } from "../../decode.ts";

export type Below = (n: number) => number;

/** A repeatable source of whole numbers below n. */
export function generator(seed: number): Below {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor(((t ^ (t >>> 14)) >>> 0) * 2 ** -32 * n);
  };
}

/** Where the bytes of memory lie that a case may touch, and how many there are. */
export const DATA = 0x10000000;
export const MEMORY_BYTES = 256;
const RSP = 4;
const RDI = 7;
const RSI = 6;

export interface Encoded {
  readonly bytes: Uint8Array;
  /** The general register of the memory operand holds an index, or the vector register of a gather indexes. */
  readonly vectorIndex: { readonly register: number; readonly elementSize: number } | undefined;
  readonly text: string;
  readonly undefinedFlags: number;
}

/** Status flags by iced's numbers (OF SF ZF AF CF PF). */
const FLAG_BITS = [0x800, 0x80, 0x40, 0x10, 1, 4];

/** Encodes the form with random registers; a memory operand has RDI as its base. */
export function encode(form: string, below: Below): Encoded {
  const x = loadDecoder();
  const code = x.Code[form as keyof typeof x.Code];
  const information = x.CodeExt.opCode(code);
  const kinds = Array.from({ length: information.opCount }, (_, i) => x.OpCodeOperandKind[information.opKind(i)]!);
  const isAligned = / (movaps|vmovap|vmovdqa|vmovnt)/.test(` ${form.replace(/^VEX_/, "").toLowerCase()}`);
  const memorySize = x.MemorySizeExt.size(information.memorySize);
  information.free();
  const instruction = new x.Instruction();
  instruction.code = code;
  let vectorIndex: Encoded["vectorIndex"];
  const used: number[] = [];
  const distinct = (): number => {
    let register;
    do register = below(16);
    while (used.includes(register));
    used.push(register);
    return register;
  };
  const gpr = (base: number): number => {
    let register;
    do register = below(16);
    while ([RSP, RDI].includes(register));
    return base + register;
  };
  const memory = (i: number): void => {
    instruction.setOpKind(i, x.OpKind.Memory);
    instruction.memoryBase = x.Register.RDI;
    instruction.memoryDisplSize = 1;
    const aligned = isAligned || memorySize < 2 || !form.startsWith("VEX_");
    instruction.memoryDisplacement = BigInt(aligned ? 32 * below(4) : below(96));
  };
  for (const [i, kind] of kinds.entries()) {
    const register = (value: number): void => {
      instruction.setOpKind(i, x.OpKind.Register);
      instruction.setOpRegister(i, value);
    };
    const gather = /^mem_vsib(32|64)([xy])$/.exec(kind);
    const isGather = kinds.some((k) => k.startsWith("mem_vsib"));
    if (gather) {
      memory(i);
      const index = distinct();
      instruction.memoryIndex = (gather[2] === "x" ? x.Register.XMM0 : x.Register.YMM0) + index;
      instruction.memoryIndexScale = [1, 2, 4][below(3)]!;
      instruction.memoryDisplacement = BigInt(below(64));
      vectorIndex = { register: index, elementSize: Number(gather[1]) / 8 };
    } else if (/^(xmm|ymm)_(reg|rm|vvvv|is4)/.test(kind)) {
      register((kind.startsWith("x") ? x.Register.XMM0 : x.Register.YMM0) + (isGather ? distinct() : below(16)));
    } else if (/^r(16|32|64)_(reg|rm|vvvv)$/.test(kind)) {
      register(gpr({ 16: x.Register.AX, 32: x.Register.EAX, 64: x.Register.RAX }[Number(/\d+/.exec(kind)![0])]!));
    } else if (/^(xmm|ymm|r16|r32|r64)_or_mem/.test(kind)) {
      if (below(2) === 0) memory(i);
      else if (kind.startsWith("xmm")) register(x.Register.XMM0 + below(16));
      else if (kind.startsWith("ymm")) register(x.Register.YMM0 + below(16));
      else register(gpr({ 16: x.Register.AX, 32: x.Register.EAX, 64: x.Register.RAX }[Number(kind.slice(1, 3))]!));
    } else if (kind === "mem") memory(i);
    else if (kind === "imm8") {
      instruction.setOpKind(i, x.OpKind.Immediate8);
      instruction.immediate8 = below(256);
    } else if (kind === "seg_rDI") instruction.setOpKind(i, x.OpKind.MemorySegRDI);
    else {
      instruction.free();
      throw new Error(`${form}: no random operand for ${kind}`);
    }
  }
  const encoder = new x.Encoder(64);
  const length = encoder.encode(instruction, 0n);
  const bytes = encoder.takeBuffer().slice(0, length);
  encoder.free();
  const text = instruction.toString();
  const undefinedBits = instruction.rflagsUndefined;
  instruction.free();
  const undefinedFlags = FLAG_BITS.reduce((sum, bit, i) => sum | ((undefinedBits >> i) & 1 ? bit : 0), 0);
  return { bytes, vectorIndex, text, undefinedFlags };
}

// ---- states ----

export interface State {
  readonly gprs: BigUint64Array;
  rflags: number;
  mxcsr: number;
  /** 16 registers of 32 bytes. */
  readonly ymm: Uint8Array;
  readonly memory: Uint8Array;
}

const SINGLES = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff800000, 0x7f800000, 0x7fc00001,
  0xffc12345, 0x7f800001, 0xffa00000, 0x4b800000, 0x33800000, 0x477fe000, 0x38800000, 0x33000001,
];

/** Numbers of a few kinds, side by side: any bits, small values, floating-point numbers near one another, special ones. */
function randomVector(bytes: Uint8Array, below: Below): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = below(7);
  for (let at = 0; at < bytes.length; at += 8) {
    switch (kind) {
      case 0:
        for (let i = 0; i < 8; i++) bytes[at + i] = below(256);
        break;
      case 1:
        view.setFloat64(at, (below(2 ** 31) - 2 ** 30) * 2 ** (below(60) - 60), true);
        break;
      case 2:
        view.setFloat32(at, (below(2 ** 24) - 2 ** 23) * 2 ** (below(30) - 30), true);
        view.setFloat32(at + 4, (below(2 ** 24) - 2 ** 23) * 2 ** (below(30) - 30), true);
        break;
      case 3:
        view.setUint32(at, SINGLES[below(SINGLES.length)]!, true);
        view.setUint32(at + 4, SINGLES[below(SINGLES.length)]!, true);
        break;
      case 4: {
        const double = [0, 1, 0x3ff, 0x7ff, 0x3fe, 2][below(6)]! * 2 ** 20 + [0, 0x80000, 1][below(3)]!;
        view.setUint32(at + 4, double + (below(2) ? 2 ** 31 : 0), true);
        view.setUint32(at, [0, 1, 0xffffffff][below(3)]!, true);
        break;
      }
      case 5:
        view.setUint32(at, below(64), true);
        view.setUint32(at + 4, below(3) ? 0 : below(256), true);
        break;
      default:
        for (let i = 0; i < 8; i++) bytes[at + i] = below(2) ? 255 : below(2) ? 128 : 0;
    }
  }
}

export function randomState(below: Below, { vectorIndex }: Encoded): State {
  const gprs = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) {
    const wide = (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));
    gprs[i] = [wide, wide >> BigInt(below(64)), BigInt(below(256)), 0n, 0xffffffffffffffffn][below(5)]!;
  }
  gprs[RDI] = BigInt(DATA);
  gprs[RSI] = 0n;
  gprs[RSP] = 0n;
  const ymm = new Uint8Array(512);
  for (let i = 0; i < 16; i++) randomVector(ymm.subarray(i * 32, i * 32 + 32), below);
  if (vectorIndex) {
    const { register, elementSize } = vectorIndex;
    ymm.fill(0, register * 32, register * 32 + 32);
    for (let i = 0; i < 32; i += elementSize) ymm[register * 32 + i] = below(32);
  }
  const memory = new Uint8Array(MEMORY_BYTES);
  for (let i = 0; i < MEMORY_BYTES; i += 32) randomVector(memory.subarray(i, i + 32), below);
  return { gprs, rflags: 0x202 | (below(2 ** 12) & 0x8d5), mxcsr: 0x1f80, ymm, memory };
}
