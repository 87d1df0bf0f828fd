/** Changing attributes, with the rules of chmod(2), chown(2) and utimensat(2). */
import { CAP_CHOWN, CAP_FSETID } from "../../abi/capability.ts";
import { EINVAL, EPERM, EROFS } from "../../abi/errno.ts";
import { S_ISGID, S_ISUID } from "../../abi/stat.ts";
import type { Timestamp } from "../kernel.ts";
import type { Task } from "../task/task.ts";
import type { AttributeChanges, Inode } from "./inode.ts";
import type { Path } from "./mount.ts";
import { capableOver, inGroup, isOwner, MAY_WRITE, requireAccess, requireOwner } from "./permission.ts";

/** An inode and the mount it was reached through, if through one. */
export interface Target {
  inode: Inode;
  place: Path | null;
}

function requireWritableMount({ place, inode }: Target): void {
  if (place?.mount.readOnly || inode.fs.readOnly) throw EROFS;
}

export function changeMode(task: Task, target: Target, mode: number): void {
  const { inode } = target;
  requireWritableMount(target);
  requireOwner(task.creds, inode);
  let wanted = mode & 0o7777;
  if (!inGroup(task.creds, inode.gid) && !capableOver(task.creds, inode, CAP_FSETID)) wanted &= ~S_ISGID;
  inode.setAttributes({ mode: wanted });
}

const NO_CHANGE = 0xffffffff;

/** @param uid as the task's user namespace counts, -1 for no change; likewise `gid` */
export function changeOwner(task: Task, target: Target, uid: number, gid: number): void {
  const { inode } = target;
  const { creds } = task;
  const changes: AttributeChanges = {};
  if (uid >>> 0 !== NO_CHANGE) {
    const global = creds.userNamespace.uidGlobal(uid >>> 0);
    if (global < 0) throw EINVAL;
    changes.uid = global;
  }
  if (gid >>> 0 !== NO_CHANGE) {
    const global = creds.userNamespace.gidGlobal(gid >>> 0);
    if (global < 0) throw EINVAL;
    changes.gid = global;
  }
  requireWritableMount(target);
  const privileged = capableOver(creds, inode, CAP_CHOWN);
  if (changes.uid !== undefined && !privileged && (creds.fsuid !== inode.uid || changes.uid !== inode.uid)) throw EPERM;
  if (changes.gid !== undefined && !privileged) {
    const allowed = changes.gid === inode.gid || inGroup(creds, changes.gid);
    if (creds.fsuid !== inode.uid || !allowed) throw EPERM;
  }
  if (!inode.isDirectory && (changes.uid !== undefined || changes.gid !== undefined)) {
    // A program that changes hands loses its privileges.
    let gone = S_ISUID;
    if ((inode.mode & 0o10) !== 0) gone |= S_ISGID;
    if ((inode.mode & gone) !== 0) changes.mode = inode.mode & ~gone;
  }
  inode.setAttributes(changes);
}

/** One of the two times of utimensat(2). */
export type NewTime = Timestamp | "now" | "keep";

export function changeTimes(task: Task, target: Target, atime: NewTime, mtime: NewTime): void {
  if (atime === "keep" && mtime === "keep") return;
  const { inode } = target;
  requireWritableMount(target);
  const bothNow = atime === "now" && mtime === "now";
  if (!isOwner(task.creds, inode)) {
    if (!bothNow) throw EPERM;
    requireAccess(task.creds, inode, MAY_WRITE);
  }
  const now = task.kernel.realtime();
  const changes: AttributeChanges = {};
  if (atime !== "keep") changes.atime = atime === "now" ? now : atime;
  if (mtime !== "keep") changes.mtime = mtime === "now" ? now : mtime;
  inode.setAttributes(changes);
}
