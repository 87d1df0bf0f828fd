/** /proc/PID and /proc/PID/task/TID: what each file is made from is in the modules beside this one (proc(5)). */
import { EACCES, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { CAP_SYS_RESOURCE } from "../../../abi/capability.ts";
import { DT_DIR } from "../../../abi/dirent.ts";
import { MappedInode } from "../../vfs/mapped-inode.ts";
import { capableIn } from "../../task/capable.ts";
import type { Task } from "../../task/task.ts";
import type { DirectoryEntry, Inode } from "../../vfs/inode.ts";
import type { Path } from "../../vfs/mount.ts";
import { pathToString } from "../../vfs/path.ts";
import { idMapText, setgroupsText, writeIdMap, writeSetgroups } from "./id-maps.ts";
import { mayInspect } from "./inspect.ts";
import { NamespaceDirectory } from "./namespace-directory.ts";
import type { ProcFs } from "./proc-fs.ts";
import { ProcDirectory, ProcFile, ProcLink, parseNumber, type ProcText } from "./proc-inode.ts";
import { DescriptorDirectory } from "./task-files.ts";
import * as maps from "./task-maps.ts";
import * as memory from "./task-memory.ts";
import { mountinfo, mounts } from "./task-mounts.ts";
import * as status from "./task-status.ts";

export class ProcessDirectory extends ProcDirectory {
  readonly target: Task;
  /** A process with all its threads, or one thread. */
  readonly isProcess: boolean;

  /** @param isProcess a process with all its threads, or one thread */
  constructor(fs: ProcFs, target: Task, isProcess: boolean) {
    super(fs);
    this.target = target;
    this.isProcess = isProcess;
    this.refresh();
  }

  /** False once the process or thread is gone for good. */
  override get cached(): boolean {
    const { target } = this;
    // A thread can be looked up by its id like a process, though it is not listed.
    if (!this.isProcess || target.group.leader !== target) return target.group.tasks.has(target);
    return target.group.pid.group === target.group;
  }

  override refresh(): void {
    const { creds, group } = this.target;
    const own = group.dumpable === 1;
    this.uid = own ? creds.euid : 0;
    this.gid = own ? creds.egid : 0;
  }

  protected override make(name: string): Inode | null {
    if (!this.cached) return null;
    const entry = ENTRIES.get(name);
    if (!entry || (entry.processOnly === true && !this.isProcess)) return null;
    const inode = entry.make(this.fs, this.target, this);
    inode.uid = this.uid;
    inode.gid = this.gid;
    return inode;
  }

  override list(): DirectoryEntry[] {
    if (!this.cached) throw ENOENT;
    const all: DirectoryEntry[] = [];
    for (const name of ENTRIES.keys()) {
      const inode = this.lookup(name);
      if (inode) all.push({ name, inode: inode.number, type: inode.mode >> 12 });
    }
    return all;
  }
}

/** /proc/PID/task. */
class ThreadsDirectory extends ProcDirectory {
  private readonly target: Task;

  constructor(fs: ProcFs, target: Task) {
    super(fs);
    this.target = target;
  }

  protected override make(name: string): Inode | null {
    if (!/^[1-9][0-9]{0,6}$/.test(name)) return null;
    const task = this.fs.pids.find(Number(name))?.task;
    return task?.group === this.target.group ? new ProcessDirectory(this.fs, task, false) : null;
  }

  override list(): DirectoryEntry[] {
    return [...this.target.group.tasks].map(({ pid }) => {
      const number = pid.numberIn(this.fs.pids);
      return { name: String(number), inode: number, type: DT_DIR };
    });
  }
}

interface Entry {
  make: (fs: ProcFs, target: Task, directory: ProcessDirectory) => Inode;
  processOnly?: boolean;
}

/** A text that everyone may read. */
const open = (make: (target: Task, reader: Task, fs: ProcFs) => string, mode = 0o444): Entry => ({
  make: (fs, target) => new ProcFile(fs, (reader) => make(target, reader, fs), mode),
});

/** A text for those who may inspect the process. */
const guarded = (make: (target: Task, reader: Task) => string | Uint8Array, mode = 0o400): Entry => ({
  make: (fs, target) => new ProcFile(fs, inspected(target, make), mode),
});

function inspected(target: Task, make: (target: Task, reader: Task) => string | Uint8Array): ProcText {
  return (reader) => {
    if (!mayInspect(reader, target)) throw EACCES;
    return make(target, reader);
  };
}

/** A link that leads to a place the process holds. */
const jump = (find: (target: Task) => Path | null): Entry => ({
  make: (fs, target) =>
    new ProcLink(
      fs,
      (reader) => {
        if (!reader) throw ENOENT;
        if (!mayInspect(reader, target)) throw EACCES;
        const place = find(target);
        if (!place) throw ENOENT;
        return pathToString(place, reader.fs.root);
      },
      (reader) => {
        if (!mayInspect(reader, target)) throw EACCES;
        return find(target);
      },
    ),
});

/** A process that has ended holds no places any more. */
const placeOf = (target: Task, which: "root" | "cwd"): Path | null => (target.state >= 3 ? null : target.fs[which]);

/** Kept and shown; nothing is ever chosen by it. */
const adjustOom: Entry = {
  make: (fs, target) => {
    let adjustment = 0;
    return new ProcFile(
      fs,
      () => `${adjustment}\n`,
      0o644,
      (writer, text) => {
        const value = parseNumber(text);
        if (value < -1000 || value > 1000) throw EINVAL;
        const lowers = value < adjustment && value < 0;
        if (lowers && !capableIn(writer, CAP_SYS_RESOURCE, target.kernel.initUserNamespace)) throw EACCES;
        adjustment = value;
      },
    );
  },
};

const comm: Entry = {
  make: (fs, target) =>
    new ProcFile(
      fs,
      () => `${target.comm}\n`,
      0o644,
      (writer, text) => {
        if (writer.group !== target.group) throw EINVAL;
        target.comm = text.slice(0, 15);
      },
    ),
};

const idMap = (which: "uidMap" | "gidMap"): Entry => ({
  make: (fs, target) =>
    new ProcFile(
      fs,
      () => idMapText(target.creds.userNamespace, which),
      0o644,
      (writer, text) => writeIdMap(writer, target.creds.userNamespace, which, text),
    ),
});

const setgroups: Entry = {
  make: (fs, target) =>
    new ProcFile(
      fs,
      () => setgroupsText(target.creds.userNamespace),
      0o644,
      (writer, text) => writeSetgroups(writer, target.creds.userNamespace, text),
    ),
};

const ENTRIES: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ["task", { make: (fs, target) => new ThreadsDirectory(fs, target), processOnly: true }],
  ["fd", { make: (fs, target) => new DescriptorDirectory(fs, target, "links") }],
  ["fdinfo", { make: (fs, target) => new DescriptorDirectory(fs, target, "info") }],
  ["ns", { make: (fs, target) => new NamespaceDirectory(fs, target) }],
  ["auxv", guarded(memory.auxv)],
  ["cgroup", open(() => "0::/\n")],
  ["cmdline", open((target) => memory.cmdline(target))],
  ["comm", comm],
  ["cwd", jump((target) => placeOf(target, "cwd"))],
  ["environ", guarded(memory.environ)],
  ["exe", jump((target) => (target.exeFile instanceof MappedInode ? target.exeFile.place : null))],
  ["gid_map", idMap("gidMap")],
  ["limits", open((target) => status.limits(target))],
  ["loginuid", open(() => "4294967295")],
  ["maps", guarded(maps.maps, 0o444)],
  ["mountinfo", open(mountinfo)],
  ["mounts", open(mounts)],
  ["oom_adj", open(() => "0\n")],
  ["oom_score", open(() => "0\n")],
  ["oom_score_adj", adjustOom],
  ["personality", guarded((target) => `${target.personality.toString(16).padStart(8, "0")}\n`)],
  ["root", jump((target) => placeOf(target, "root"))],
  ["sessionid", open(() => "4294967295")],
  ["setgroups", setgroups],
  ["smaps", guarded(maps.smaps, 0o444)],
  ["stat", open((target, reader, fs) => status.stat(target, reader, fs))],
  ["statm", open((target) => status.statm(target))],
  ["status", open((target, reader, fs) => status.status(target, reader, fs))],
  ["syscall", guarded((target) => `${target.callNumber < 0 ? "running" : target.callNumber}\n`)],
  ["uid_map", idMap("uidMap")],
  ["wchan", open(() => "0")],
]);
