/** ns of a process: links that stand for its namespaces (namespaces(7)). */
import { EACCES, ENOENT } from "../../../abi/errno.ts";
import { DT_LNK } from "../../../abi/dirent.ts";
import { NS_GET_NSTYPE } from "../../../abi/ioctl.ts";
import { NSFS_MAGIC, S_IFREG } from "../../../abi/stat.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../../../abi/clone.ts";
import type { Kernel } from "../../kernel.ts";
import type { PidNamespace } from "../../pid/pid-namespace.ts";
import { TASK_ZOMBIE, type Task } from "../../task/task.ts";
import { Dentry } from "../../vfs/dentry.ts";
import { FileSystem } from "../../vfs/file-system.ts";
import { Inode, type DirectoryEntry } from "../../vfs/inode.ts";
import { DEFAULT_ATTRIBUTES, Mount, type Path } from "../../vfs/mount.ts";
import { OpenFile } from "../../vfs/open-file.ts";
import { mayInspect } from "./inspect.ts";
import type { ProcFs } from "./proc-fs.ts";
import { ProcDirectory, ProcLink } from "./proc-inode.ts";

interface Kind {
  /** Word in the link's text. */
  word: string;
  cloneFlag: number;
  /** The namespace object, null where the process has none any more. */
  of: (task: Task) => { readonly inode: number } | null;
}

/** A pid namespace cannot be named before its init has been made. */
function startedPidForChildren({ namespaces: { pidForChildren } }: Task): PidNamespace | null {
  return pidForChildren.reaper ? pidForChildren : null;
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["cgroup", { word: "cgroup", cloneFlag: CLONE_NEWCGROUP, of: (task) => task.namespaces.cgroup }],
  ["ipc", { word: "ipc", cloneFlag: CLONE_NEWIPC, of: (task) => task.namespaces.ipc }],
  ["mnt", { word: "mnt", cloneFlag: CLONE_NEWNS, of: (task) => task.namespaces.mount }],
  ["net", { word: "net", cloneFlag: CLONE_NEWNET, of: (task) => task.namespaces.net }],
  ["pid", { word: "pid", cloneFlag: CLONE_NEWPID, of: (task) => task.pid.namespace }],
  ["pid_for_children", { word: "pid", cloneFlag: CLONE_NEWPID, of: startedPidForChildren }],
  ["time", { word: "time", cloneFlag: CLONE_NEWTIME, of: (task) => task.namespaces.time }],
  ["time_for_children", { word: "time", cloneFlag: CLONE_NEWTIME, of: (task) => task.namespaces.timeForChildren }],
  ["user", { word: "user", cloneFlag: CLONE_NEWUSER, of: (task) => task.creds.userNamespace }],
  ["uts", { word: "uts", cloneFlag: CLONE_NEWUTS, of: (task) => task.namespaces.uts }],
]);

/** The file system that namespaces appear to live on. */
class NsFs extends FileSystem {
  readonly root: Inode;

  constructor(kernel: Kernel) {
    super(kernel, "nsfs", NSFS_MAGIC);
    this.root = new NamespaceInode(this, KINDS.get("pid")!, { inode: 0 });
  }
}

const homes = new WeakMap<Kernel, NsFs>();

class NamespaceInode extends Inode {
  readonly kind: Kind;
  readonly namespace: { readonly inode: number };

  constructor(fs: FileSystem, kind: Kind, namespace: { readonly inode: number }) {
    super(fs, namespace.inode, S_IFREG | 0o444);
    this.kind = kind;
    this.namespace = namespace;
  }

  override open(_task: Task, path: Path, flags: number): OpenFile {
    return new NamespaceFile(this, path, flags);
  }
}

/** A descriptor for a namespace, as setns(2) takes it. */
export class NamespaceFile extends OpenFile {
  declare readonly inode: NamespaceInode;

  /** The CLONE_NEW* flag of the kind of namespace. */
  get cloneFlag(): number {
    return this.inode.kind.cloneFlag;
  }

  get namespace(): { readonly inode: number } {
    return this.inode.namespace;
  }

  override ioctl(task: Task, command: number, argument: number): number {
    return command === NS_GET_NSTYPE ? this.cloneFlag : super.ioctl(task, command, argument);
  }
}

function namespacePlace(kernel: Kernel, kind: Kind, namespace: { readonly inode: number }): Path {
  let fs = homes.get(kernel);
  if (!fs) homes.set(kernel, (fs = new NsFs(kernel)));
  const inode = new NamespaceInode(fs, kind, namespace);
  const dentry = new Dentry(fs, null, `${kind.word}:[${namespace.inode}]`, inode);
  return { mount: new Mount(0, dentry, "nsfs", DEFAULT_ATTRIBUTES), dentry };
}

export class NamespaceDirectory extends ProcDirectory {
  private readonly target: Task;

  constructor(fs: ProcFs, target: Task) {
    super(fs, 0o511);
    this.target = target;
  }

  protected override make(name: string): Inode | null {
    const kind = KINDS.get(name);
    if (!kind) return null;
    const { target } = this;
    const find = (reader: Task | null): { readonly inode: number } => {
      if (!reader || !mayInspect(reader, target)) throw EACCES;
      const namespace = target.state >= TASK_ZOMBIE ? null : kind.of(target);
      if (!namespace) throw ENOENT;
      return namespace;
    };
    return new ProcLink(
      this.fs,
      (reader) => `${kind.word}:[${find(reader).inode}]`,
      (reader) => namespacePlace(this.fs.kernel, kind, find(reader)),
    );
  }

  override list(): DirectoryEntry[] {
    return [...KINDS.keys()].map((name) => ({ name, inode: this.lookup(name)!.number, type: DT_LNK }));
  }
}
