/**
 * The register file shared between kernel and engine: one buffer with a fixed layout, so that neither side converts.
 *
 * | offset | size | what |
 * |---|---|---|
 * | 0 | 128 | RAX RCX RDX RBX RSP RBP RSI RDI R8 … R15, in the processor's encoding order |
 * | 128 | 8 | RIP |
 * | 136 | 8 | RFLAGS |
 * | 144 | 8 | FS base |
 * | 152 | 8 | GS base |
 * | 160 | 96 | for the engine's own use (stop reason and budget) |
 * | 256 | 512 | FXSAVE image (Intel SDM volume 1, section 10.5) |
 */
export const CPU_STATE_SIZE = 768;
/** Size of the part that a context switch always exchanges: GPRs, RIP, RFLAGS, FS and GS base. */
export const CPU_GENERAL_SIZE = 160;
export const CPU_ENGINE_OFFSET = 160;
export const CPU_FXSAVE_OFFSET = 256;
export const CPU_FXSAVE_SIZE = 512;
/** The upper halves of YMM0 to YMM15, kept apart from the rest: only processors with AVX have them. */
export const CPU_YMM_HIGH_SIZE = 256;

/** Indexes into `CpuState.u64`; twice that is the low half in `CpuState.u32`. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;
export const RIP = 16;
export const RFLAGS = 17;
export const FS_BASE = 18;
export const GS_BASE = 19;

/** Names in the order of the indexes above. */
export const REGISTER_NAMES = [
  ..."rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" "),
  ..."rip rflags fs_base gs_base".split(" "),
] as readonly string[];

const TWO_32 = 4294967296;

/** Typed views on one register buffer, and number-valued access to 64-bit registers without BigInt. */
export class CpuState {
  readonly buffer: ArrayBuffer;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly bytes: Uint8Array;
  /** The part a context switch exchanges. */
  readonly general: Uint32Array;
  readonly fxsave: Uint8Array;
  /** Bits 128 to 255 of YMM0 to YMM15, exchanged with `fxsave` by storeFpu and loadFpu. Zero without AVX. */
  readonly ymmHigh: Uint8Array;

  /**
   * @param buffer the registers are its first CPU_STATE_SIZE bytes
   * @param ymmHigh where the upper halves of the YMM registers are
   */
  constructor(
    buffer: ArrayBuffer = new ArrayBuffer(CPU_STATE_SIZE),
    ymmHigh: Uint8Array = new Uint8Array(CPU_YMM_HIGH_SIZE),
  ) {
    this.buffer = buffer;
    this.u32 = new Uint32Array(buffer, 0, CPU_STATE_SIZE / 4);
    this.u64 = new BigUint64Array(buffer, 0, CPU_STATE_SIZE / 8);
    this.bytes = new Uint8Array(buffer, 0, CPU_STATE_SIZE);
    this.general = new Uint32Array(buffer, 0, CPU_GENERAL_SIZE / 4);
    this.fxsave = new Uint8Array(buffer, CPU_FXSAVE_OFFSET, CPU_FXSAVE_SIZE);
    this.ymmHigh = ymmHigh;
  }

  /** The register as an unsigned number: exact below 2^53, which every user address is. */
  get(index: number): number {
    return this.u32[index * 2 + 1]! * TWO_32 + this.u32[index * 2]!;
  }

  /** Sets a register from an integer of magnitude below 2^53; negative values are stored in two's complement. */
  set(index: number, value: number): void {
    this.u32[index * 2] = value;
    this.u32[index * 2 + 1] = Math.floor(value / TWO_32);
  }

  /** Copies GPRs, RIP, RFLAGS and segment bases from another state. */
  copyGeneralFrom(other: CpuState): void {
    this.general.set(other.general);
  }

  /** Copies the x87, SSE and AVX state from another state. */
  copyFpuFrom(other: CpuState): void {
    this.fxsave.set(other.fxsave);
    this.ymmHigh.set(other.ymmHigh);
  }
}
