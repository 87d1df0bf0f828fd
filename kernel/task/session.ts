/** Orphaned process groups (setpgid(2), credentials(7); POSIX 3.276). */
import { SIGCONT, SIGHUP } from "../../abi/signal.ts";
import type { Pid } from "../pid/pid.ts";
import { kernelSigInfo, sendSignalToProcessGroup } from "../signal/send.ts";
import type { ThreadGroup } from "./thread-group.ts";

/** True if no member but `ignored` has a parent in the same session outside the group, who could continue it. */
export function isOrphaned(processGroup: Pid, ignored: ThreadGroup | null = null): boolean {
  for (const member of processGroup.processGroup) {
    const { parent } = member;
    if (member === ignored || member.zombie || !parent || !parent.parent) continue;
    if (parent.processGroup !== processGroup && parent.session === member.session) return false;
  }
  return true;
}

/** `leaving` ends or has lost its parent: a stopped group that it leaves orphaned is hung up and continued. */
export function releaseOrphanedGroup(leaving: ThreadGroup, processGroup: Pid, parent: ThreadGroup | null): void {
  if (!parent || parent.processGroup === processGroup || parent.session !== leaving.session) return;
  if (!isOrphaned(processGroup, leaving)) return;
  let stopped = false;
  for (const member of processGroup.processGroup) stopped ||= member.stopSignal !== 0;
  if (!stopped) return;
  sendSignalToProcessGroup(processGroup, kernelSigInfo(SIGHUP));
  sendSignalToProcessGroup(processGroup, kernelSigInfo(SIGCONT));
}
