/**
 * Restartable sequences: user code that must not be interrupted half-way is sent to its abort handler when it was
 * (rseq(2); struct rseq and rseq_cs of <linux/rseq.h>).
 */
import { Errno, EFAULT } from "../../abi/errno.ts";
import { SIGSEGV } from "../../abi/signal.ts";
import { rseq, rseq_cs } from "../../abi/sched.ts";
import { RIP } from "../../emulator/registers.ts";
import { TASK_SIZE } from "../mm/layout.ts";
import { readU32, readU64, writeU32, writeU64 } from "../mm/user-copy.ts";
import { forceSignal, kernelSigInfo } from "../signal/send.ts";
import type { Task } from "./task.ts";

const { offsets } = rseq;
const section = rseq_cs.offsets;

/** Writes the processor number, always 0, where the task's library looks for it. @throws EFAULT */
export function announceProcessor(task: Task): void {
  const { address } = task.rseq;
  writeU32(task.memory, address + offsets.cpu_id_start, 0);
  writeU32(task.memory, address + offsets.cpu_id, 0);
  writeU32(task.memory, address + offsets.node_id, 0);
  writeU32(task.memory, address + offsets.mm_cid, 0);
}

/** The current task was preempted or is about to enter a signal handler: a sequence it was in starts again. */
export function abortSequence(task: Task): void {
  if (task.rseq.address === 0 || !task.mm) return;
  try {
    const { cpu } = task.kernel.engine;
    const descriptor = readU64(task.mm, task.rseq.address + offsets.rseq_cs);
    if (descriptor === 0) return;
    const start = readU64(task.mm, descriptor + section.start_ip);
    const length = readU64(task.mm, descriptor + section.post_commit_offset);
    const abort = readU64(task.mm, descriptor + section.abort_ip);
    const version = readU32(task.mm, descriptor + section.version);
    if (version !== 0 || start >= TASK_SIZE || abort >= TASK_SIZE) throw EFAULT;
    const inside = cpu.get(RIP) - start;
    // Outside of it, the descriptor is one that was left behind.
    writeU64(task.mm, task.rseq.address + offsets.rseq_cs, 0);
    if (inside < 0 || inside >= length) return;
    if (readU32(task.mm, abort - 4) !== task.rseq.signature) throw EFAULT;
    cpu.set(RIP, abort);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    forceSignal(task, kernelSigInfo(SIGSEGV));
  }
}
