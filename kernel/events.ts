/** What an observer of a kernel may be told; all of it is off, and free, unless one is attached. */
import type { Syscall } from "../abi/syscalls.ts";
import type { SigInfo } from "./signal/pending.ts";
import type { Task } from "./task/task.ts";

export interface Tracer {
  /** A call begins; `args` are the decoded arguments, borrowed. Row undefined: no such number. */
  callEntered?(task: Task, number: number, row: Syscall | undefined, args: Float64Array): void;
  /** A call has ended with this result (a negative errno, or an ERESTART code that becomes a restart). */
  callLeft?(task: Task, number: number, result: number): void;
  /** A signal is taken by the task, before its action. */
  signalTaken?(task: Task, info: SigInfo): void;
  /** A task has ended: its wait status. */
  taskEnded?(task: Task, status: number): void;
  taskCreated?(parent: Task, child: Task): void;
}
