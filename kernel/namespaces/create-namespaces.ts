/** New namespaces for a child or for the caller of unshare(2). */
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUTS,
} from "../../abi/clone.ts";
import type { FsContext } from "../vfs/fs-context.ts";
import { IpcNamespace } from "../ipc/ipc-namespace.ts";
import type { Kernel } from "../kernel.ts";
import { PidNamespace } from "../pid/pid-namespace.ts";
import type { NamespaceSet, PlainNamespace } from "./namespace-set.ts";
import type { UserNamespace } from "./user-namespace.ts";

/**
 * The set with the namespaces named in `flags` replaced by new ones that belong to `owner`. With CLONE_NEWNS the places
 * `fs` refers to, which must be shared with nobody, move into the new mount namespace.
 */
export function createNamespaces(
  kernel: Kernel,
  from: NamespaceSet,
  flags: number,
  owner: UserNamespace,
  fs: FsContext,
): NamespaceSet {
  const plain = (): PlainNamespace => ({ inode: kernel.allocateInode(), owner });
  const set = { ...from };
  if ((flags & CLONE_NEWUTS) !== 0) set.uts = { ...from.uts, inode: kernel.allocateInode(), owner };
  if ((flags & CLONE_NEWIPC) !== 0) set.ipc = new IpcNamespace(kernel.allocateInode(), owner);
  if ((flags & CLONE_NEWNET) !== 0) set.net = plain();
  if ((flags & CLONE_NEWCGROUP) !== 0) set.cgroup = plain();
  if ((flags & CLONE_NEWTIME) !== 0) set.timeForChildren = plain();
  if ((flags & CLONE_NEWNS) !== 0) set.mount = from.mount.clone(kernel.allocateInode(), owner, fs);
  if ((flags & CLONE_NEWPID) !== 0) {
    set.pidForChildren = new PidNamespace(from.pidForChildren, owner, kernel.allocateInode());
  }
  return set;
}
