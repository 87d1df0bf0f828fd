/**
 * Signal frames: the registers a handler interrupts, on the user's stack in the form of struct rt_sigframe, and the way
 * back (sigreturn(2), getcontext(3)).
 */
import { EFAULT } from "../../abi/errno.ts";
import {
  SA_ONSTACK,
  SA_RESTORER,
  SIGSEGV,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
  SI_KERNEL,
} from "../../abi/signal.ts";
import {
  RED_ZONE_SIZE,
  UC_SIGCONTEXT_SS,
  UC_STRICT_RESTORE_SS,
  rt_sigframe,
  sigcontext,
  ucontext,
} from "../../abi/ucontext.ts";
import {
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
  R8,
  R9,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  RDX,
  RFLAGS,
  RIP,
  RSI,
  RSP,
} from "../../emulator/registers.ts";
import { copyFromUser, copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import type { SignalAction } from "./actions.ts";
import { fpuFrameFlags, fpuFrameSize, readFpuFrame, restoreFpuFrame, writeFpuFrame } from "./fpu-frame.ts";
import type { SigInfo } from "./pending.ts";
import { forceSignal, recalculatePending } from "./send.ts";
import { encodeSigInfo } from "./siginfo-encode.ts";
import { SignalSet } from "./signal-set.ts";

/** Offsets of the general registers in sigcontext, in its own order. */
const SAVED: readonly (readonly [number, keyof typeof sigcontext.offsets])[] = [
  [R8, "r8"],
  [R9, "r9"],
  [R10, "r10"],
  [R11, "r11"],
  [R12, "r12"],
  [R13, "r13"],
  [R14, "r14"],
  [R15, "r15"],
  [RDI, "di"],
  [RSI, "si"],
  [RBP, "bp"],
  [RBX, "bx"],
  [RDX, "dx"],
  [RAX, "ax"],
  [RCX, "cx"],
  [RSP, "sp"],
  [RIP, "ip"],
  [RFLAGS, "flags"],
];

const UC = rt_sigframe.offsets.uc;
const CONTEXT = UC + ucontext.offsets.uc_mcontext;
const SIGMASK = UC + ucontext.offsets.uc_sigmask;
const STACK = UC + ucontext.offsets.uc_stack;
const INFO = rt_sigframe.offsets.info;

/** Where each saved register is, in 32-bit words: in the registers and in the frame. */
const WORDS = SAVED.map(([register, field]) => [register * 2, (CONTEXT + sigcontext.offsets[field]) / 4] as const);
/** Frames are put together here, word by word: one that is made anew each time costs more than the whole delivery. */
const scratch = new Uint8Array(rt_sigframe.size);
const scratchWords = new Uint32Array(scratch.buffer);
const scratchView = new DataView(scratch.buffer);

/** A 64-bit field whose value a number holds exactly. */
function putWord(offset: number, value: number): void {
  scratchWords[offset / 4] = value;
  scratchWords[offset / 4 + 1] = Math.floor(value / 4294967296);
}

const USER_CS = 0x33;
const USER_SS = 0x2b;
const FLAG_TRAP = 0x100;
const FLAG_DIRECTION = 0x400;
const FLAG_RESUME = 0x10000;
/** Flags user code may set: CF PF AF ZF SF TF DF OF RF AC. */
const USER_FLAGS = 0x50dd5;
const ALWAYS_FLAGS = 0x202;

const getWord = (offset: number): number => scratchWords[offset / 4]! + scratchWords[offset / 4 + 1]! * 4294967296;

/** True if the stack pointer is on the alternate stack (sigaltstack(2)). */
export function onAltStack(task: Task, sp: number): boolean {
  const { altStack } = task;
  if ((altStack.flags & SS_AUTODISARM) !== 0) return false;
  return altStack.size > 0 && sp > altStack.sp && sp - altStack.sp <= altStack.size;
}

/**
 * Builds the frame for a handler and points the registers at it. False: the stack cannot hold it, and the task has got
 * a SIGSEGV that it cannot refuse.
 */
export function pushSignalFrame(task: Task, info: SigInfo, action: SignalAction, mask: SignalSet): boolean {
  const { cpu } = task.kernel.engine;
  const frame = scratch.fill(0);
  const view = scratchView;
  const stackPointer = cpu.get(RSP);
  let sp = stackPointer - RED_ZONE_SIZE;
  const switchStack = (action.flags & SA_ONSTACK) !== 0 && task.altStack.size > 0 && !onAltStack(task, stackPointer);
  if (switchStack) sp = task.altStack.sp + task.altStack.size;
  const { engine } = task.kernel;
  const fpstate = Math.floor((sp - fpuFrameSize(engine.capabilities)) / 64) * 64;
  const at = Math.floor((fpstate - rt_sigframe.size) / 16) * 16 - 8;

  putWord(UC, UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | fpuFrameFlags(engine.capabilities));
  writeStack(task, stackPointer);
  for (const [from, to] of WORDS) {
    scratchWords[to] = cpu.u32[from]!;
    scratchWords[to + 1] = cpu.u32[from + 1]!;
  }
  view.setUint16(CONTEXT + sigcontext.offsets.cs, USER_CS, true);
  view.setUint16(CONTEXT + sigcontext.offsets.ss, USER_SS, true);
  putWord(CONTEXT + sigcontext.offsets.err, task.lastTrap.errorCode);
  putWord(CONTEXT + sigcontext.offsets.trapno, task.lastTrap.vector);
  view.setUint32(CONTEXT + sigcontext.offsets.cr2, task.lastTrap.addressLow, true);
  view.setUint32(CONTEXT + sigcontext.offsets.cr2 + 4, task.lastTrap.addressHigh, true);
  view.setUint32(CONTEXT + sigcontext.offsets.oldmask, mask.low, true);
  view.setUint32(CONTEXT + sigcontext.offsets.oldmask + 4, mask.high, true);
  putWord(CONTEXT + sigcontext.offsets.fpstate, Math.max(0, fpstate));
  view.setUint32(SIGMASK, mask.low, true);
  view.setUint32(SIGMASK + 4, mask.high, true);
  frame.set(encodeSigInfo(info), INFO);
  putWord(0, action.restorer);

  try {
    if ((action.flags & SA_RESTORER) === 0 || at < 0) throw EFAULT;
    copyToUser(task.memory, at, frame);
    writeFpuFrame(engine, task.memory, fpstate);
  } catch (error) {
    if (error !== EFAULT) throw error;
    if (info.signo === SIGSEGV) task.actions.reset(SIGSEGV);
    forceSignal(task, { signo: SIGSEGV, code: SI_KERNEL });
    return false;
  }
  if (switchStack && (task.altStack.flags & SS_AUTODISARM) !== 0) task.altStack = { sp: 0, size: 0, flags: SS_DISABLE };
  cpu.set(RDI, info.signo);
  cpu.set(RSI, at + INFO);
  cpu.set(RDX, at + UC);
  cpu.set(RAX, 0);
  cpu.set(RSP, at);
  cpu.set(RIP, action.handler);
  cpu.u32[RFLAGS * 2] = cpu.u32[RFLAGS * 2]! & ~(FLAG_DIRECTION | FLAG_RESUME | FLAG_TRAP);
  return true;
}

/** rt_sigreturn(2): takes registers, mask and FPU state back from the frame. @throws EFAULT for a bad frame */
export function popSignalFrame(task: Task): void {
  const { engine } = task.kernel;
  const { cpu } = engine;
  const at = cpu.get(RSP) - 8;
  copyFromUser(task.memory, at, scratch.subarray(0, INFO));
  const view = scratchView;
  const fpstate = getWord(CONTEXT + sigcontext.offsets.fpstate);
  const fpu = fpstate === 0 ? null : readFpuFrame(engine, task.memory, fpstate);

  const oldFlags = cpu.u32[RFLAGS * 2]!;
  for (const [to, from] of WORDS) {
    cpu.u32[to] = scratchWords[from]!;
    cpu.u32[to + 1] = scratchWords[from + 1]!;
  }
  cpu.u32[RFLAGS * 2] = (cpu.u32[RFLAGS * 2]! & USER_FLAGS) | (oldFlags & ~USER_FLAGS) | ALWAYS_FLAGS;
  cpu.u32[RFLAGS * 2 + 1] = 0;
  if (fpu) restoreFpuFrame(engine, fpu);
  const mask = new SignalSet(view.getUint32(SIGMASK, true), view.getUint32(SIGMASK + 4, true));
  setBlockedSignals(task, mask);
  restoreStack(task);
}

/** Replaces the mask; SIGKILL and SIGSTOP cannot be blocked. */
export function setBlockedSignals(task: Task, mask: SignalSet): void {
  task.blockedSignals.copyFrom(mask);
  task.blockedSignals.delete(9);
  task.blockedSignals.delete(19);
  recalculatePending(task);
}

function writeStack(task: Task, sp: number): void {
  const { altStack } = task;
  putWord(STACK, altStack.sp);
  const flags =
    altStack.size === 0 ? SS_DISABLE : (altStack.flags & SS_AUTODISARM) | (onAltStack(task, sp) ? SS_ONSTACK : 0);
  scratchWords[STACK / 4 + 2] = flags;
  putWord(STACK + 16, altStack.size);
}

/** What sigreturn makes of uc_stack: as sigaltstack would, errors ignored. */
function restoreStack(task: Task): void {
  const flags = scratchWords[STACK / 4 + 2]!;
  const size = getWord(STACK + 16);
  if ((flags & SS_DISABLE) !== 0) task.altStack = { sp: 0, size: 0, flags: SS_DISABLE };
  else if (size >= 2048) {
    const sp = getWord(STACK);
    task.altStack = { sp, size, flags: (flags & SS_AUTODISARM) >>> 0 };
  }
}
