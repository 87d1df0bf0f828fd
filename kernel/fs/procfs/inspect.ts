/** Who may look into another process. */
import { CAP_SYS_PTRACE } from "../../../abi/capability.ts";
import { capableIn } from "../../task/capable.ts";
import type { Task } from "../../task/task.ts";

/** Whether the reader may look into another process (ptrace(2), access mode checking). */
export function mayInspect(reader: Task, target: Task): boolean {
  if (reader.group === target.group) return true;
  const { fsuid, fsgid } = reader.creds;
  const { uid, euid, suid, gid, egid, sgid, userNamespace } = target.creds;
  const sameIds =
    fsuid === uid && fsuid === euid && fsuid === suid && fsgid === gid && fsgid === egid && fsgid === sgid;
  return (sameIds && target.group.dumpable === 1) || capableIn(reader, CAP_SYS_PTRACE, userNamespace);
}
