/** Processor exceptions in user code, as the page faults, emulated instructions and signals they become. */
import {
  BUS_ADRERR,
  FPE_FLTDIV,
  FPE_FLTINV,
  FPE_FLTOVF,
  FPE_FLTRES,
  FPE_FLTUND,
  FPE_INTDIV,
  ILL_ILLOPN,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGKILL,
  SIGSEGV,
  SIGTRAP,
  SI_KERNEL,
  TRAP_TRACE,
} from "../abi/signal.ts";
import { Errno } from "../abi/errno.ts";
import {
  PF_FETCH,
  PF_WRITE,
  VECTOR_BP,
  VECTOR_DB,
  VECTOR_DE,
  VECTOR_GP,
  VECTOR_MF,
  VECTOR_PF,
  VECTOR_UD,
  VECTOR_XM,
} from "../emulator/engine.ts";
import { RAX, RCX, RDX, RIP } from "../emulator/registers.ts";
import {
  ACCESS_EXECUTE,
  ACCESS_READ,
  ACCESS_WRITE,
  FAULT_BEYOND_FILE,
  FAULT_FORBIDDEN,
  FAULT_OUT_OF_MEMORY,
  FAULT_RESOLVED,
  handleFault,
} from "./mm/page-fault.ts";
import { readBytes } from "./mm/user-copy.ts";
import { forceSignal, kernelSigInfo, sendSignalToGroup } from "./signal/send.ts";
import type { SigInfo } from "./signal/pending.ts";
import type { ThreadGroup } from "./task/thread-group.ts";
import type { Task } from "./task/task.ts";

const TWO_32 = 4294967296;
/** Length of `int n` (CD nn). */
const INT_LENGTH = 2;

/** The engine has stopped at a fault: the state is the one before the instruction. */
export function handleException(task: Task): void {
  const { stop } = task.kernel.engine;
  if (stop.vector === VECTOR_PF) return handlePageFault(task);
  noteTrap(task);
  switch (stop.vector) {
    case VECTOR_DE:
      return forceSignal(task, atInstruction(task, SIGFPE, FPE_INTDIV));
    case VECTOR_UD:
      return forceSignal(task, atInstruction(task, SIGILL, ILL_ILLOPN));
    case VECTOR_MF:
    case VECTOR_XM:
      return forceSignal(task, atInstruction(task, SIGFPE, floatingPointCode(task)));
    case VECTOR_DB:
      return forceSignal(task, atInstruction(task, SIGTRAP, TRAP_TRACE));
    case VECTOR_GP:
      if (emulateTimestamp(task)) return;
      return forceSignal(task, kernelSigInfo(SIGSEGV));
    default:
      return forceSignal(task, kernelSigInfo(SIGSEGV));
  }
}

/** The engine has stopped behind an instruction: breakpoint, single step or a software interrupt. */
export function handleTrap(task: Task): void {
  const { cpu, stop } = task.kernel.engine;
  noteTrap(task);
  if (stop.vector === VECTOR_BP) return forceSignal(task, { signo: SIGTRAP, code: SI_KERNEL });
  if (stop.vector === VECTOR_DB) return forceSignal(task, atInstruction(task, SIGTRAP, TRAP_TRACE));
  // Every other gate is the kernel's own: #GP at the instruction. 32-bit calls by int 0x80 are not offered.
  cpu.set(RIP, cpu.get(RIP) - INT_LENGTH);
  task.lastTrap.vector = VECTOR_GP;
  task.lastTrap.errorCode = stop.vector * 8 + 2;
  forceSignal(task, kernelSigInfo(SIGSEGV));
}

function handlePageFault(task: Task): void {
  const { stop } = task.kernel.engine;
  const address = stop.addressHigh * TWO_32 + stop.addressLow;
  const { errorCode } = stop;
  const access =
    (errorCode & PF_FETCH) !== 0 ? ACCESS_EXECUTE : (errorCode & PF_WRITE) !== 0 ? ACCESS_WRITE : ACCESS_READ;
  const outcome = handleFault(task.memory, address, access);
  task.group.minorFaults++;
  if (outcome === FAULT_RESOLVED) return;
  noteTrap(task);
  if (outcome === FAULT_OUT_OF_MEMORY) return killForMemory(task);
  const where = { addressLow: stop.addressLow, addressHigh: stop.addressHigh };
  if (outcome === FAULT_BEYOND_FILE) return forceSignal(task, { signo: SIGBUS, code: BUS_ADRERR, ...where });
  const code = outcome === FAULT_FORBIDDEN ? SEGV_ACCERR : SEGV_MAPERR;
  forceSignal(task, { signo: SIGSEGV, code, ...where });
}

/** No frame is left: the process that uses most dies, and the one that faulted tries again. */
export function killForMemory(task: Task): void {
  let victim: ThreadGroup = task.group;
  for (const pid of task.kernel.initPidNamespace.all()) {
    const group = pid.group;
    if (!group || group.zombie || group.exiting || !group.leader.mm) continue;
    if (!victim.leader.mm || group.leader.mm.residentPages > victim.leader.mm.residentPages) victim = group;
  }
  task.kernel.outOfMemoryKills++;
  sendSignalToGroup(victim, { signo: SIGKILL, code: SI_KERNEL });
  if (victim !== task.group) task.kernel.scheduler.yieldNow = true;
}

function noteTrap(task: Task): void {
  const { stop } = task.kernel.engine;
  const { lastTrap } = task;
  lastTrap.vector = stop.vector;
  lastTrap.errorCode = stop.errorCode;
  if (stop.vector === VECTOR_PF) {
    lastTrap.addressLow = stop.addressLow;
    lastTrap.addressHigh = stop.addressHigh;
  }
}

function atInstruction(task: Task, signo: number, code: number): SigInfo {
  const { u32 } = task.kernel.engine.cpu;
  return { signo, code, addressLow: u32[RIP * 2]!, addressHigh: u32[RIP * 2 + 1]! };
}

/** Which x87 exception it was (sigaction(2), SIGFPE codes; Intel SDM volume 1, 8.5). */
function floatingPointCode(task: Task): number {
  const { engine } = task.kernel;
  engine.storeFpu();
  const { fxsave } = engine.cpu;
  const unmasked = fxsave[2]! & ~fxsave[0]! & 0x3f;
  if ((unmasked & 0x01) !== 0) return FPE_FLTINV;
  if ((unmasked & 0x04) !== 0) return FPE_FLTDIV;
  if ((unmasked & 0x08) !== 0) return FPE_FLTOVF;
  if ((unmasked & 0x12) !== 0) return FPE_FLTUND;
  return FPE_FLTRES;
}

/** Cycles per nanosecond that RDTSC shows. */
const TIMESTAMP_RATE = 2;

/** RDTSC and RDTSCP fault so that time comes from the world; false for any other instruction. */
function emulateTimestamp(task: Task): boolean {
  const { cpu } = task.kernel.engine;
  const at = cpu.get(RIP);
  const code = peekCode(task, at);
  if (code[0] !== 0x0f) return false;
  const withProcessor = code[1] === 0x01 && code[2] === 0xf9;
  if (code[1] !== 0x31 && !withProcessor) return false;
  const cycles = Math.floor(task.kernel.now() * TIMESTAMP_RATE);
  cpu.set(RAX, cycles >>> 0);
  cpu.set(RDX, Math.floor(cycles / TWO_32));
  if (withProcessor) cpu.set(RCX, 0);
  cpu.set(RIP, at + (withProcessor ? 3 : 2));
  return true;
}

function peekCode(task: Task, address: number): Uint8Array {
  for (const length of [3, 2]) {
    try {
      return readBytes(task.memory, address, length);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    }
  }
  return new Uint8Array(0);
}
