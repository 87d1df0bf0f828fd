/** The namespaces a task lives in, besides user (in its credentials) and pid (in its pid) (namespaces(7)). */
import type { IpcNamespace } from "../ipc/ipc-namespace.ts";
import type { MountNamespace } from "../vfs/mount.ts";
import type { PidNamespace } from "../pid/pid-namespace.ts";
import type { UserNamespace } from "./user-namespace.ts";

/** Names of uname(2). */
export interface UtsNamespace {
  readonly inode: number;
  readonly owner: UserNamespace;
  nodename: string;
  domainname: string;
}

/** A namespace whose contents we do not model: isolation without anything to isolate. */
export interface PlainNamespace {
  readonly inode: number;
  readonly owner: UserNamespace;
}

/** Replaced as a whole, never changed in place; tasks may share one. */
export interface NamespaceSet {
  readonly uts: UtsNamespace;
  readonly ipc: IpcNamespace;
  readonly mount: MountNamespace;
  readonly net: PlainNamespace;
  readonly cgroup: PlainNamespace;
  readonly time: PlainNamespace;
  readonly timeForChildren: PlainNamespace;
  /** Where this task's children are created: differs from its own after unshare(CLONE_NEWPID). */
  readonly pidForChildren: PidNamespace;
}
