/** /proc as seen from one pid namespace (proc(5)): which file says what stands in the modules beside this one. */
import { PROC_SUPER_MAGIC } from "../../../abi/stat.ts";
import type { Kernel } from "../../kernel.ts";
import type { PidNamespace } from "../../pid/pid-namespace.ts";
import { FileSystem } from "../../vfs/file-system.ts";
import { ProcRoot } from "./proc-root.ts";
import type { ProcInode } from "./proc-inode.ts";

export class ProcFs extends FileSystem {
  /** Whose numbers the directory names are. */
  readonly pids: PidNamespace;
  readonly root: ProcInode;
  private nextInode = 1;

  constructor(kernel: Kernel, pids: PidNamespace) {
    super(kernel, "proc", PROC_SUPER_MAGIC);
    this.pids = pids;
    this.root = new ProcRoot(this);
  }

  allocateNumber(): number {
    return this.nextInode++;
  }
}
