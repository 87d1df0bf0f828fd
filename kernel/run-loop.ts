/** What the kernel does all day: pick a task, run it until something happens, deal with that (design, section 1). */
import { STOP_BUDGET, STOP_FAULT, STOP_HALT, STOP_SYSCALL, STOP_TRAP } from "../emulator/engine.ts";
import { R11, RAX, RCX, RFLAGS, RIP } from "../emulator/registers.ts";
import { handleException, handleTrap } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import { KernelPanic } from "./panic.ts";
import { deliverSignals, isRestartCode } from "./signal/deliver.ts";
import { fatalSignalPending } from "./signal/send.ts";
import { checkCpuTimers, countsCpuTime } from "./time/cpu-timers.ts";
import { abortSequence } from "./task/rseq.ts";
import { BLOCKED, REGISTERS_SET, TASK_RUNNABLE, type Task } from "./task/task.ts";

/** Why `runKernel` returned. */
export type RunResult = "halted" | "idle" | "busy";

/** Engine budget of a time slice, and what a system call and a fault count for. */
const SLICE = 100_000;
const CALL_COST = 40;
const FAULT_COST = 40;

/**
 * Runs tasks until the main process has ended ("halted"), all sleep and only time or input can wake one ("idle"), or
 * the clock has passed `until` ns since boot ("busy").
 * @throws KernelPanic for a bug of ours
 */
export function runKernel(kernel: Kernel, until: number): RunResult {
  const { scheduler, timers, world } = kernel;
  try {
    for (;;) {
      if (kernel.halted) return "halted";
      const now = world.clock.now();
      if (timers.next <= now) timers.expireUntil(now);
      if (now >= until) return "busy";
      const task = scheduler.next();
      if (task) {
        runSlice(kernel, task, now);
        if (countsCpuTime(task.group)) checkCpuTimers(task);
      } else if (timers.next === Infinity || !world.clock.skipTo(timers.next)) return "idle";
    }
  } catch (error) {
    throw error instanceof KernelPanic ? error : new KernelPanic(kernel, scheduler.current, error);
  }
}

function runSlice(kernel: Kernel, task: Task, now: number): void {
  const { engine, scheduler } = kernel;
  if (scheduler.current !== task) switchTo(kernel, task, now);
  let budget = SLICE;
  if (task.callNumber >= 0 && !task.group.exiting) runCall(kernel, task);
  while (task.state === TASK_RUNNABLE) {
    if (task.signalPending) {
      deliverSignals(task);
      continue;
    }
    if (budget <= 0 || scheduler.yieldNow) {
      scheduler.yieldNow = false;
      scheduler.enqueue(task);
      if (scheduler.runnableCount > 1) abortSequence(task);
      return;
    }
    const kind = engine.run(budget);
    const { executed } = engine.stop;
    budget -= executed;
    kernel.world.clock.executed(executed);
    switch (kind) {
      case STOP_SYSCALL:
        budget -= CALL_COST;
        enterCall(kernel, task);
        break;
      case STOP_FAULT:
        budget -= FAULT_COST;
        handleException(task);
        break;
      case STOP_TRAP:
        handleTrap(task);
        break;
      case STOP_BUDGET:
        budget = 0;
        break;
      case STOP_HALT:
        throw new Error("the processor halted at CPL 3");
    }
  }
}

/** A SYSCALL instruction: the registers are the processor's business first, then the table's. */
function enterCall(kernel: Kernel, task: Task): void {
  const { cpu } = kernel.engine;
  const { u32 } = cpu;
  u32[RCX * 2] = u32[RIP * 2]!;
  u32[RCX * 2 + 1] = u32[RIP * 2 + 1]!;
  u32[R11 * 2] = u32[RFLAGS * 2]!;
  u32[R11 * 2 + 1] = u32[RFLAGS * 2 + 1]!;
  task.callNumber = u32[RAX * 2]! | 0;
  if (task.callNumber < 0) task.callNumber = 0x7fffffff;
  task.callDeadline = -1;
  task.callProgress = 0;
  task.callState = undefined;
  task.awaitedSignals = null;
  kernel.systemCalls++;
  if (kernel.tracer) {
    kernel.dispatcher.decode(task.callNumber, cpu);
    kernel.tracer.callEntered?.(task, task.callNumber, kernel.dispatcher.row(task.callNumber), kernel.dispatcher.args);
  }
  runCall(kernel, task);
}

/** Runs the task's call, for the first time or again after a sleep. */
function runCall(kernel: Kernel, task: Task): void {
  const number = task.callNumber;
  let result = kernel.dispatcher.call(task, number, kernel.engine.cpu);
  if (result === BLOCKED) {
    if (!task.signalPending || (task.killableOnly && !fatalSignalPending(task))) return;
    result = task.callInterrupted;
    if (task.futexWait) kernel.futexes.cancel(task);
    task.wake();
  }
  task.callNumber = -1;
  if (kernel.tracer && task.state <= TASK_RUNNABLE) kernel.tracer.callLeft?.(task, number, result);
  if (result === REGISTERS_SET) return;
  kernel.engine.cpu.set(RAX, result);
  if (result < -511 && isRestartCode(result)) {
    task.restartCode = -result;
    task.restartNumber = number;
    task.signalPending = true;
  }
}

/** Puts the task's registers and address space into the engine. */
function switchTo(kernel: Kernel, task: Task, now: number): void {
  const { engine, scheduler } = kernel;
  const previous = scheduler.current;
  if (previous) {
    previous.saved.copyGeneralFrom(engine.cpu);
    engine.storeFpu();
    previous.saved.copyFpuFrom(engine.cpu);
    previous.userTime += now - kernel.switchedAt;
  }
  kernel.switchedAt = now;
  kernel.contextSwitches++;
  engine.cpu.copyGeneralFrom(task.saved);
  engine.cpu.copyFpuFrom(task.saved);
  engine.loadFpu();
  scheduler.activate(task.memory, engine);
  scheduler.current = task;
}
