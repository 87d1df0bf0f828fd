/**
 * The floating-point state in a signal frame (arch/x86/kernel/fpu/signal.c): an FXSAVE image, and on processors with AVX
 * an XSAVE area in standard format around it, announced in the image's last 48 bytes and closed by FP_XSTATE_MAGIC2.
 */
import { EFAULT } from "../../abi/errno.ts";
import {
  FP_XSTATE_MAGIC1,
  FP_XSTATE_MAGIC2,
  FP_XSTATE_MAGIC2_SIZE,
  FXSAVE_SIZE,
  UC_FP_XSTATE,
  XSAVE_HEADER_SIZE,
  fpstate,
  fpx_sw_bytes,
} from "../../abi/ucontext.ts";
import type { Engine, EngineCapabilities } from "../../emulator/engine.ts";
import { CPU_YMM_HIGH_SIZE, type CpuState } from "../../emulator/registers.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { copyFromUser, copyToUser } from "../mm/user-copy.ts";

/** Components of XCR0. */
const XFEATURE_FPSSE = 3;
const XFEATURE_YMM = 4;
const XFEATURES = XFEATURE_FPSSE | XFEATURE_YMM;

const AT_YMM = FXSAVE_SIZE + XSAVE_HEADER_SIZE;
const XSTATE_SIZE = AT_YMM + CPU_YMM_HIGH_SIZE;
const XSTATE_FRAME_SIZE = XSTATE_SIZE + FP_XSTATE_MAGIC2_SIZE;

const SW = fpstate.offsets.sw_reserved;
const { magic1, extended_size, xfeatures, xstate_size } = fpx_sw_bytes.offsets;
const MXCSR = fpstate.offsets.mxcsr;
const MXCSR_BITS = 0xffff;

const hasYmm = ({ level }: EngineCapabilities): boolean => level === "x86-64-v3";

/** Bytes of the state in a frame; it lies at a multiple of 64. */
export const fpuFrameSize = (capabilities: EngineCapabilities): number =>
  hasYmm(capabilities) ? XSTATE_FRAME_SIZE : FXSAVE_SIZE;

/** What the state adds to uc_flags. */
export const fpuFrameFlags = (capabilities: EngineCapabilities): number => (hasYmm(capabilities) ? UC_FP_XSTATE : 0);

/** AT_MINSIGSTKSZ (getauxval(3)): the largest frame, with room for alignment, as Linux counts it for such a processor. */
export const minimumSignalStack = (capabilities: EngineCapabilities): number => (hasYmm(capabilities) ? 1776 : 1088);

const area = new Uint8Array(XSTATE_FRAME_SIZE);
const view = new DataView(area.buffer);

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** Writes the state of the task that runs into its frame. @throws EFAULT */
export function writeFpuFrame(engine: Engine, memory: AddressSpace, at: number): void {
  const { cpu, capabilities } = engine;
  engine.storeFpu();
  if (!hasYmm(capabilities)) {
    copyToUser(memory, at, cpu.fxsave);
    return;
  }
  area.fill(0);
  area.set(cpu.fxsave);
  area.set(cpu.ymmHigh, AT_YMM);
  view.setUint32(SW + magic1, FP_XSTATE_MAGIC1, true);
  view.setUint32(SW + extended_size, XSTATE_FRAME_SIZE, true);
  view.setUint32(SW + xfeatures, XFEATURES, true);
  view.setUint32(SW + xstate_size, XSTATE_SIZE, true);
  // The kernel calls x87 and SSE used even when they are not: old handlers change the image and not the header.
  view.setUint32(FXSAVE_SIZE, XFEATURE_FPSSE | (isZero(cpu.ymmHigh) ? 0 : XFEATURE_YMM), true);
  view.setUint32(XSTATE_SIZE, FP_XSTATE_MAGIC2, true);
  copyToUser(memory, at, area);
}

/** State read from a frame, not yet in force. */
export interface FpuFrame {
  readonly fxsave: Uint8Array;
  readonly ymmHigh: Uint8Array;
}

/** Reads the state back for `restoreFpuFrame`. @throws EFAULT for memory that is not there, or a header of no known kind */
export function readFpuFrame(engine: Engine, memory: AddressSpace, at: number): FpuFrame {
  copyFromUser(memory, at, area.subarray(0, FXSAVE_SIZE));
  const fxsave = area.subarray(0, FXSAVE_SIZE);
  const ymmHigh = area.subarray(AT_YMM, XSTATE_SIZE);
  ymmHigh.fill(0);
  if (hasYmm(engine.capabilities) && isExtended(memory, at)) {
    const wanted = view.getUint32(SW + xfeatures, true);
    copyFromUser(memory, at + FXSAVE_SIZE, area.subarray(FXSAVE_SIZE, XSTATE_SIZE));
    const present = view.getUint32(FXSAVE_SIZE, true);
    const reserved = area.subarray(FXSAVE_SIZE + 4, FXSAVE_SIZE + 24);
    if ((present & ~XFEATURES) !== 0 || !isZero(reserved)) throw EFAULT;
    if ((present & wanted & XFEATURE_YMM) === 0) ymmHigh.fill(0);
    if ((present & wanted & 1) === 0) resetX87(fxsave);
    if ((present & wanted & 2) === 0) fxsave.fill(0, fpstate.offsets.xmm_space, fpstate.offsets.reserved2);
  }
  // Reserved MXCSR bits would fault in FXRSTOR.
  view.setUint32(MXCSR, view.getUint32(MXCSR, true) & MXCSR_BITS, true);
  return { fxsave, ymmHigh };
}

/** Whether the frame at an address has a whole XSAVE area; else the image alone counts and the rest is initialized. */
function isExtended(memory: AddressSpace, at: number): boolean {
  const size = view.getUint32(SW + xstate_size, true);
  if (view.getUint32(SW + magic1, true) !== FP_XSTATE_MAGIC1) return false;
  if (size < AT_YMM || size > XSTATE_SIZE || size > view.getUint32(SW + extended_size, true)) return false;
  const end = new Uint8Array(FP_XSTATE_MAGIC2_SIZE);
  copyFromUser(memory, at + size, end);
  return new DataView(end.buffer).getUint32(0, true) === FP_XSTATE_MAGIC2;
}

function resetX87(fxsave: Uint8Array): void {
  fxsave.fill(0, 0, MXCSR);
  fxsave.fill(0, fpstate.offsets.st_space, fpstate.offsets.xmm_space);
  fxsave[0] = 0x7f;
  fxsave[1] = 0x03;
}

/** Puts what was read into force. */
export function restoreFpuFrame(engine: Engine, { fxsave, ymmHigh }: FpuFrame): void {
  const { cpu }: { cpu: CpuState } = engine;
  cpu.fxsave.set(fxsave);
  cpu.ymmHigh.set(ymmHigh);
  engine.loadFpu();
}
