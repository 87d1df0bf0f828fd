/** Numbers for a new task at all levels, in one transaction (spec clone2, 2.2). */
import type { Errno } from "../../abi/errno.ts";
import { Pid } from "./pid.ts";
import type { PidNamespace } from "./pid-namespace.ts";

export interface PidRequest {
  /** Wanted number at each level, outermost first; where there is none the kernel chooses. */
  wanted: readonly (number | undefined)[];
  /** The error for a wanted number in use. */
  taken: Errno;
  /** Asked at each level with a wanted number, after its range check; throws EPERM. */
  allowed: (namespace: PidNamespace) => void;
}

/**
 * Takes a number at every level from `namespace` outwards; the first level that fails decides, and what inner levels
 * had taken is given back. The pid is visible at all levels when this returns.
 * @throws EINVAL EPERM EBUSY EEXIST EAGAIN ENOMEM
 */
export function allocatePid(namespace: PidNamespace, request: PidRequest): Pid {
  const numbers = new Array<number>(namespace.level + 1).fill(0);
  let at: PidNamespace | null = namespace;
  try {
    for (; at; at = at.parent) {
      const here: PidNamespace = at;
      const wanted = request.wanted[here.level];
      numbers[here.level] =
        wanted === undefined ? here.takeNext() : here.takeWanted(wanted, request.taken, () => request.allowed(here));
    }
  } catch (error) {
    for (let taken: PidNamespace | null = namespace; taken && taken !== at; taken = taken.parent) {
      taken.giveBack(numbers[taken.level]!);
    }
    throw error;
  }
  const pid = new Pid(namespace, numbers);
  for (let level: PidNamespace | null = namespace; level; level = level.parent) {
    level.publish(numbers[level.level]!, pid);
  }
  return pid;
}
