/** fd and fdinfo of a process (proc_pid_fd(5)). */
import { EACCES, ENOENT } from "../../../abi/errno.ts";
import { DT_LNK, DT_REG } from "../../../abi/dirent.ts";
import { FD_CLOEXEC, O_CLOEXEC } from "../../../abi/fcntl.ts";
import { S_IFLNK } from "../../../abi/stat.ts";
import { TASK_ZOMBIE, type Task } from "../../task/task.ts";
import type { DirectoryEntry, Inode } from "../../vfs/inode.ts";
import type { OpenFile } from "../../vfs/open-file.ts";
import { placeOf } from "../../vfs/place-of.ts";
import { mayInspect } from "./inspect.ts";
import type { ProcFs } from "./proc-fs.ts";
import { ProcDirectory, ProcFile, ProcLink } from "./proc-inode.ts";

/** The open file behind a number, undefined if there is none any more. */
function fileAt(task: Task, fd: number): OpenFile | undefined {
  return task.state >= TASK_ZOMBIE ? undefined : task.files.peek(fd);
}

class DescriptorLink extends ProcLink {
  private readonly owner: Task;
  private readonly fd: number;

  constructor(fs: ProcFs, owner: Task, fd: number) {
    super(
      fs,
      (reader) => {
        const file = fileAt(owner, fd);
        if (!file || !reader) throw ENOENT;
        return file.pathFor(reader);
      },
      () => {
        const file = fileAt(owner, fd);
        return file ? placeOf(file) : null;
      },
    );
    this.owner = owner;
    this.fd = fd;
    this.mode = modeOf(fileAt(owner, fd)!);
  }

  override get cached(): boolean {
    const file = fileAt(this.owner, this.fd);
    return file !== undefined && this.mode === modeOf(file);
  }
}

const modeOf = (file: OpenFile): number => S_IFLNK | (file.readable ? 0o500 : 0o100) | (file.writable ? 0o300 : 0o100);

function info(task: Task, fd: number): string {
  const file = fileAt(task, fd);
  if (!file) throw ENOENT;
  const flags = file.flags | ((task.files.getFlags(fd) & FD_CLOEXEC) !== 0 ? O_CLOEXEC : 0);
  const mount = file.path?.mount.id ?? 0;
  return `pos:\t${file.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${mount}\nino:\t${file.inode.number}\n${file.fdInfo}`;
}

export class DescriptorDirectory extends ProcDirectory {
  private readonly target: Task;
  private readonly kind: "links" | "info";

  constructor(fs: ProcFs, target: Task, kind: "links" | "info") {
    super(fs, kind === "links" ? 0o500 : 0o555);
    this.target = target;
    this.kind = kind;
  }

  protected override make(name: string): Inode | null {
    if (!/^(0|[1-9][0-9]{0,6})$/.test(name)) return null;
    const fd = Number(name);
    const { target } = this;
    if (!fileAt(target, fd)) return null;
    const inode =
      this.kind === "links" ? new DescriptorLink(this.fs, target, fd) : new DescriptorInfo(this.fs, target, fd);
    inode.uid = this.uid;
    inode.gid = this.gid;
    return inode;
  }

  override list(task: Task): DirectoryEntry[] {
    const { target } = this;
    if (!mayInspect(task, target)) throw EACCES;
    if (target.state >= TASK_ZOMBIE) return [];
    const type = this.kind === "links" ? DT_LNK : DT_REG;
    return [...target.files.entries()].map(([fd]) => ({ name: String(fd), inode: this.number * 1024 + fd + 1, type }));
  }
}

class DescriptorInfo extends ProcFile {
  private readonly owner: Task;
  private readonly fd: number;

  constructor(fs: ProcFs, owner: Task, fd: number) {
    super(fs, () => info(owner, fd), 0o444);
    this.owner = owner;
    this.fd = fd;
  }

  override get cached(): boolean {
    return fileAt(this.owner, this.fd) !== undefined;
  }
}
