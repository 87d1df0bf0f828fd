/**
 * A process id in all namespaces where it is visible. The object lives, and its numbers stay taken, as long as anything
 * refers to it in any role: as a task's id, a thread group's, a process group's or a session's (spec clone2, 1.4).
 */
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import type { PidNamespace } from "./pid-namespace.ts";

export class Pid {
  /** The innermost namespace; the number there is the last of `numbers`. */
  readonly namespace: PidNamespace;
  /** The number at each level, outermost first. */
  readonly numbers: readonly number[];
  /** The task with this tid, a zombie included. */
  task: Task | null = null;
  /** The process with this pid. */
  group: ThreadGroup | null = null;
  /** Members of the process group with this id. */
  readonly processGroup = new Set<ThreadGroup>();
  /** Members of the session with this id. */
  readonly session = new Set<ThreadGroup>();
  constructor(namespace: PidNamespace, numbers: readonly number[]) {
    this.namespace = namespace;
    this.numbers = numbers;
  }

  /** The number in a namespace, 0 where it is not visible (pid_namespaces(7)). */
  numberIn(namespace: PidNamespace): number {
    const level = namespace.level;
    return this.ancestorAt(level) === namespace ? this.numbers[level]! : 0;
  }

  /** The number in the innermost namespace. */
  get own(): number {
    return this.numbers[this.numbers.length - 1]!;
  }

  /** The number in the initial namespace, for our own reports. */
  get global(): number {
    return this.numbers[0]!;
  }

  /** Frees the numbers if nothing refers to the pid any more. */
  releaseIfUnused(): void {
    if (this.task || this.group || this.processGroup.size > 0 || this.session.size > 0) return;
    for (let at: PidNamespace | null = this.namespace; at; at = at.parent) at.free(this);
  }

  private ancestorAt(level: number): PidNamespace | null {
    let at: PidNamespace | null = this.namespace;
    while (at && at.level > level) at = at.parent;
    return at && at.level === level ? at : null;
  }
}
