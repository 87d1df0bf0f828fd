/** uid_map, gid_map and setgroups of a process's user namespace (user_namespaces(7)). */
import { CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN } from "../../../abi/capability.ts";
import { EINVAL, EPERM } from "../../../abi/errno.ts";
import type { IdMapEntry, UserNamespace } from "../../namespaces/user-namespace.ts";
import { capableIn } from "../../task/capable.ts";
import type { Task } from "../../task/task.ts";

const MAX_LINES = 340;
const MAX_ID = 4294967295;

export function idMapText(namespace: UserNamespace, which: "uidMap" | "gidMap"): string {
  const column = (value: number): string => String(value).padStart(10);
  return namespace[which]
    .map(({ inside, outside, count }) => `${column(inside)} ${column(outside)} ${column(count)}\n`)
    .join("");
}

/** A map may be written once, by a process in the namespace or its parent. @throws EPERM EINVAL */
export function writeIdMap(writer: Task, namespace: UserNamespace, which: "uidMap" | "gidMap", text: string): void {
  const { parent } = namespace;
  if (!parent || namespace[which].length > 0) throw EPERM;
  const own = writer.creds.userNamespace;
  if (own !== namespace && own !== parent) throw EPERM;
  if (!capableIn(writer, CAP_SYS_ADMIN, namespace)) throw EPERM;
  const entries = parse(text);
  requirePermitted(writer, namespace, parent, which, entries);
  for (const { outside, count } of entries) {
    const global = which === "uidMap" ? parent.uidGlobal(outside) : parent.gidGlobal(outside);
    const last = which === "uidMap" ? parent.uidGlobal(outside + count - 1) : parent.gidGlobal(outside + count - 1);
    if (global < 0 || last < 0) throw EPERM;
  }
  namespace[which] = entries;
}

/** Without privilege over the parent only one's own id may be mapped. */
function requirePermitted(
  writer: Task,
  namespace: UserNamespace,
  parent: UserNamespace,
  which: "uidMap" | "gidMap",
  entries: readonly IdMapEntry[],
): void {
  const { creds } = writer;
  const isUid = which === "uidMap";
  if (entries.length === 1 && entries[0]!.count === 1) {
    const { outside } = entries[0]!;
    if (isUid && creds.euid === namespace.ownerUid && parent.uidGlobal(outside) === creds.euid) return;
    if (!isUid && !namespace.setgroupsAllowed && parent.gidGlobal(outside) === creds.egid) return;
  }
  if (!capableIn(writer, isUid ? CAP_SETUID : CAP_SETGID, parent)) throw EPERM;
}

function parse(text: string): IdMapEntry[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0 || lines.length > MAX_LINES) throw EINVAL;
  const entries = lines.map((line) => {
    const match = /^\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*$/.exec(line);
    if (!match) throw EINVAL;
    const [inside, outside, count] = [Number(match[1]), Number(match[2]), Number(match[3])];
    if (count === 0 || inside + count > MAX_ID || outside + count > MAX_ID) throw EINVAL;
    return { inside, outside, count };
  });
  for (const [index, one] of entries.entries()) {
    for (const other of entries.slice(index + 1)) {
      if (overlap(one.inside, other.inside, one.count, other.count)) throw EINVAL;
      if (overlap(one.outside, other.outside, one.count, other.count)) throw EINVAL;
    }
  }
  return entries;
}

const overlap = (a: number, b: number, aCount: number, bCount: number): boolean => a < b + bCount && b < a + aCount;

export const setgroupsText = (namespace: UserNamespace): string => (namespace.setgroupsAllowed ? "allow\n" : "deny\n");

/** @throws EPERM EINVAL */
export function writeSetgroups(writer: Task, namespace: UserNamespace, text: string): void {
  if (!capableIn(writer, CAP_SYS_ADMIN, namespace)) throw EPERM;
  const word = text.trim();
  if (word !== "allow" && word !== "deny") throw EINVAL;
  if (word === "deny") {
    if (namespace.gidMap.length > 0) throw EPERM;
    namespace.setgroupsAllowed = false;
  } else if (!namespace.setgroupsAllowed) {
    throw EPERM;
  }
}
