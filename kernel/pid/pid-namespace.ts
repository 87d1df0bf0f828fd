/**
 * A pid namespace: the numbers in use on one level, and how the next one is chosen (spec clone2, section 2).
 * Invariants: a pid is unique on its level; visible here, visible in every ancestor; when init dies its namespace dies.
 */
import { EAGAIN, EINVAL, ENOMEM, type Errno } from "../../abi/errno.ts";
import type { Task } from "../task/task.ts";
import type { UserNamespace } from "../namespaces/user-namespace.ts";
import type { Pid } from "./pid.ts";

/** Numbers below this one are given out automatically only before the first wrap-around. */
export const RESERVED_PIDS = 300;
export const PID_MAX_DEFAULT = 32768;
export const PID_MAX_MIN = 301;
export const PID_MAX_LIMIT = 4194304;
/** Nesting levels below the initial namespace. */
export const MAX_PID_NS_LEVEL = 32;

export class PidNamespace {
  readonly level: number;
  readonly parent: PidNamespace | null;
  readonly owner: UserNamespace;
  /** Inode number of /proc/PID/ns/pid. */
  readonly inode: number;
  pidMax: number;
  lastPid = 0;
  /** Pid 1, which inherits orphans. */
  reaper: Task | null = null;
  /** Its init has died: no task may be created here any more. */
  closed = false;
  private readonly used = new Map<number, Pid | null>();

  constructor(parent: PidNamespace | null, owner: UserNamespace, inode: number) {
    this.parent = parent;
    this.level = parent ? parent.level + 1 : 0;
    this.owner = owner;
    this.inode = inode;
    this.pidMax = parent ? parent.pidMax : PID_MAX_DEFAULT;
  }

  /** The published pid with this number. */
  find(number: number): Pid | undefined {
    return this.used.get(number) ?? undefined;
  }

  /** Published pids in ascending order. */
  *all(): Generator<Pid> {
    for (const number of [...this.used.keys()].sort((a, b) => a - b)) {
      const pid = this.used.get(number);
      if (pid) yield pid;
    }
  }

  get size(): number {
    return this.used.size;
  }

  /** True if the namespace is this one or one inside it. */
  contains(other: PidNamespace): boolean {
    let at: PidNamespace | null = other;
    while (at && at.level > this.level) at = at.parent;
    return at === this;
  }

  /**
   * Takes exactly this number. It is not visible before `publish`; `lastPid` stays.
   * @param taken the error if it is in use: EBUSY for clone2, EEXIST for clone3
   * @throws EINVAL ENOMEM
   */
  takeWanted(wanted: number, taken: Errno, allowed: () => void): number {
    if (wanted < 1 || wanted >= this.pidMax) throw EINVAL;
    if (wanted !== 1 && !this.reaper) throw EINVAL;
    allowed();
    if (this.used.has(wanted)) throw taken;
    if (this.closed) throw ENOMEM;
    this.used.set(wanted, null);
    return wanted;
  }

  /** Takes the next free number after the last one given out automatically. @throws EAGAIN ENOMEM */
  takeNext(): number {
    if (this.closed) throw ENOMEM;
    const floor = this.lastPid < RESERVED_PIDS ? 1 : RESERVED_PIDS;
    const start = this.lastPid + 1 >= this.pidMax ? RESERVED_PIDS : this.lastPid + 1;
    const number = this.firstFree(start, this.pidMax) || this.firstFree(floor, start);
    if (number === 0) throw EAGAIN;
    this.used.set(number, null);
    this.lastPid = number;
    return number;
  }

  /** Undoes a take that was never published. */
  giveBack(number: number): void {
    this.used.delete(number);
  }

  /** Makes a taken number visible. */
  publish(number: number, pid: Pid): void {
    this.used.set(number, pid);
  }

  free(pid: Pid): void {
    this.used.delete(pid.numbers[this.level]!);
  }

  /** The first unused number in [from, to), 0 if there is none. */
  private firstFree(from: number, to: number): number {
    for (let number = from; number < to; number++) {
      if (!this.used.has(number)) return number;
    }
    return 0;
  }
}
