/** The signal mask that ppoll(2), pselect(2) and epoll_pwait(2) wait with. */
import { EINVAL } from "../../abi/errno.ts";
import { SIGKILL, SIGSET_SIZE, SIGSTOP } from "../../abi/signal.ts";
import { readU32 } from "../mm/user-copy.ts";
import { setBlockedSignals } from "../signal/frame.ts";
import { SignalSet } from "../signal/signal-set.ts";
import { BLOCKED, type Task } from "../task/task.ts";

/** Installs the mask at an address, once per call; address 0 changes nothing. @throws EFAULT EINVAL */
export function useTemporaryMask(task: Task, address: number, size: number): void {
  if (address === 0 || task.savedMask) return;
  if (size !== SIGSET_SIZE) throw EINVAL;
  const mask = new SignalSet(readU32(task.memory, address), readU32(task.memory, address + 4));
  mask.delete(SIGKILL);
  mask.delete(SIGSTOP);
  task.savedMask = task.blockedSignals.clone();
  setBlockedSignals(task, mask);
}

/**
 * Runs the call; when it ends, however it ends, the old mask comes back. While it sleeps, and when a signal ends the
 * sleep, signal delivery does that.
 */
export function restoreMask(task: Task, run: () => number): number {
  let result = 0;
  try {
    result = run();
    return result;
  } finally {
    if (result !== BLOCKED && task.savedMask) {
      const mask = task.savedMask;
      task.savedMask = null;
      setBlockedSignals(task, mask);
    }
  }
}
