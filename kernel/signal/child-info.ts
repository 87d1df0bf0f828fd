/** The siginfo of a child's change of state, as the receiver's namespaces see it (sigaction(2), SIGCHLD). */
import { groupTimes } from "../task/times.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import type { SigInfo } from "./pending.ts";

/** clock_t counts hundredths of a second. */
const TICK_NS = 1e7;

export function childSigInfo(
  child: ThreadGroup,
  parent: ThreadGroup,
  signo: number,
  code: number,
  status: number,
): SigInfo {
  const uid = parent.leader.creds.userNamespace.uidShown(child.leader.creds.uid);
  const times = groupTimes(child);
  return {
    signo,
    code,
    pid: child.pid.numberIn(parent.pid.namespace),
    uid,
    status,
    utime: Math.floor(times.user / TICK_NS),
    stime: Math.floor(times.system / TICK_NS),
  };
}
