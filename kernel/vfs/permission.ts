/** Who may do what to a file: mode bits, then capabilities (path_resolution(7), capabilities(7)). */
import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER } from "../../abi/capability.ts";
import { EACCES, EPERM } from "../../abi/errno.ts";
import { S_ISVTX } from "../../abi/stat.ts";
import { hasCapability, type Credentials } from "../task/credentials.ts";
import type { Inode } from "./inode.ts";

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

/** The capability counts for this file: its owner exists in the user namespace of the credentials. */
export function capableOver(creds: Credentials, inode: Inode, capability: number): boolean {
  const { userNamespace } = creds;
  if (!hasCapability(creds, capability, userNamespace)) return false;
  return (
    userNamespace.parent === null ||
    (userNamespace.uidInside(inode.uid) >= 0 && userNamespace.gidInside(inode.gid) >= 0)
  );
}

export const inGroup = (creds: Credentials, gid: number): boolean => creds.fsgid === gid || creds.groups.includes(gid);

/** True if file-system ids (or the ones given) permit the access. */
export function permits(
  creds: Credentials,
  inode: Inode,
  wanted: number,
  uid = creds.fsuid,
  gid = creds.fsgid,
): boolean {
  const { mode } = inode;
  let granted = mode & 7;
  if (inode.uid === uid) granted = (mode >> 6) & 7;
  else if (inode.gid === gid || creds.groups.includes(inode.gid)) granted = (mode >> 3) & 7;
  if ((wanted & ~granted) === 0) return true;
  const readsOnly = (wanted & MAY_WRITE) === 0;
  if (inode.isDirectory) {
    if (readsOnly && capableOver(creds, inode, CAP_DAC_READ_SEARCH)) return true;
    return capableOver(creds, inode, CAP_DAC_OVERRIDE);
  }
  if (wanted === MAY_READ && capableOver(creds, inode, CAP_DAC_READ_SEARCH)) return true;
  // Nobody executes what nobody may execute.
  if ((wanted & MAY_EXEC) !== 0 && (mode & 0o111) === 0) return false;
  return capableOver(creds, inode, CAP_DAC_OVERRIDE);
}

/** @throws EACCES */
export function requireAccess(creds: Credentials, inode: Inode, wanted: number): void {
  if (!permits(creds, inode, wanted)) throw EACCES;
}

export const isOwner = (creds: Credentials, inode: Inode): boolean =>
  creds.fsuid === inode.uid || capableOver(creds, inode, CAP_FOWNER);

/** Changing what only an owner may change. @throws EPERM */
export function requireOwner(creds: Credentials, inode: Inode): void {
  if (!isOwner(creds, inode)) throw EPERM;
}

/** In a sticky directory only owners of the file or the directory remove names. @throws EPERM */
export function requireNotSticky(creds: Credentials, directory: Inode, inode: Inode): void {
  if ((directory.mode & S_ISVTX) === 0) return;
  if (inode.uid === creds.fsuid || directory.uid === creds.fsuid) return;
  if (!capableOver(creds, inode, CAP_FOWNER)) throw EPERM;
}
