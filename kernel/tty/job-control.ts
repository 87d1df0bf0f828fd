/** What happens to background jobs that use their terminal (termios(3), SIGTTIN and SIGTTOU). */
import { EIO, ERESTARTSYS } from "../../abi/errno.ts";
import type { SIGTTOU } from "../../abi/signal.ts";
import { SIGTTIN, SIG_IGN } from "../../abi/signal.ts";
import { kernelSigInfo, sendSignalToProcessGroup } from "../signal/send.ts";
import { isOrphaned } from "../task/session.ts";
import type { Task } from "../task/task.ts";
import type { Tty } from "./tty.ts";

/**
 * 0 if the task may go on; else the result of its call, with the signal sent to its process group.
 * @param signo SIGTTIN for a read, SIGTTOU for a write or a change of settings
 */
export function checkForeground(task: Task, tty: Tty, signo: typeof SIGTTIN | typeof SIGTTOU): number {
  const { group } = task;
  if (group.tty !== tty || tty.foreground === null || tty.foreground === group.processGroup) return 0;
  const ignored = task.blockedSignals.has(signo) || task.actions.get(signo).handler === SIG_IGN;
  if (ignored) return signo === SIGTTIN ? -EIO.number : 0;
  if (isOrphaned(group.processGroup)) return -EIO.number;
  sendSignalToProcessGroup(group.processGroup, kernelSigInfo(signo));
  return -ERESTARTSYS.number;
}
