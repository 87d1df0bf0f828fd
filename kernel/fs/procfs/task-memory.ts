/** Texts read out of a process's own memory: cmdline, environ, auxv (proc_pid_cmdline(5)). */
import { EFAULT } from "../../../abi/errno.ts";
import { readBytes } from "../../mm/user-copy.ts";
import type { Task } from "../../task/task.ts";
import { fromBytes } from "../../vfs/byte-string.ts";

/** More than any argument list holds. */
const LIMIT = 8 << 20;

function range(task: Task, start: number, end: number): Uint8Array {
  if (!task.mm || end <= start) return new Uint8Array(0);
  try {
    return readBytes(task.mm, start, Math.min(end - start, LIMIT));
  } catch (error) {
    if (error === EFAULT) return new Uint8Array(0);
    throw error;
  }
}

/** The arguments as they are in memory now; a process may overwrite its title. */
export function cmdline(task: Task): string {
  if (!task.mm) return "";
  const { argStart, argEnd } = task.mm.marks;
  return fromBytes(range(task, argStart, argEnd));
}

export function environ(task: Task): Uint8Array {
  if (!task.mm) return new Uint8Array(0);
  const { envStart, envEnd } = task.mm.marks;
  return range(task, envStart, envEnd);
}

export const auxv = (task: Task): Uint8Array => task.mm?.auxv ?? new Uint8Array(0);
