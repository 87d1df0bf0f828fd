/** Who may look into another process. */
import { CAP_SYS_PTRACE } from "../../../abi/capability.ts";
import { capableIn } from "../../task/capable.ts";
import type { Task } from "../../task/task.ts";

/** Whether the reader may look into another process (ptrace(2), access mode checking). */
export function mayInspect(reader: Task, target: Task): boolean {
  if (reader.group === target.group) return true;
  const { fsuid, fsgid } = reader.creds;
  const { uid, euid, suid, gid, egid, sgid, permitted, userNamespace } = target.creds;
  if (capableIn(reader, CAP_SYS_PTRACE, userNamespace)) return true;
  const sameIds =
    fsuid === uid && fsuid === euid && fsuid === suid && fsgid === gid && fsgid === egid && fsgid === sgid;
  // Whoever has capabilities that the reader lacks, or stands outside of its user namespace, is out of reach.
  const noMorePower = userNamespace === reader.creds.userNamespace && (permitted & ~reader.creds.effective) === 0n;
  return sameIds && target.group.dumpable === 1 && noMorePower;
}
