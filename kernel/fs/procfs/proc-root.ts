/** The top of /proc: a directory for each process, and files about the machine. */
import { ENOENT } from "../../../abi/errno.ts";
import { DT_DIR } from "../../../abi/dirent.ts";
import type { Task } from "../../task/task.ts";
import type { DirectoryEntry, Inode } from "../../vfs/inode.ts";
import { ProcessDirectory } from "./process-directory.ts";
import type { ProcFs } from "./proc-fs.ts";
import { ProcDirectory, ProcFile, ProcLink, type ProcEntries } from "./proc-inode.ts";
import { sysDirectory } from "./sys-directory.ts";
import * as system from "./system-texts.ts";

const ENTRIES: ProcEntries = {
  self: (fs) => new ProcLink(fs, (reader) => selfName(fs, reader)),
  "thread-self": (fs) => new ProcLink(fs, (reader) => `${selfName(fs, reader)}/task/${reader!.pid.numberIn(fs.pids)}`),
  mounts: (fs) => new ProcLink(fs, () => "self/mounts"),
  cmdline: (fs) => new ProcFile(fs, () => "trapgate\n"),
  cpuinfo: (fs) => new ProcFile(fs, system.cpuinfo),
  devices: (fs) => new ProcFile(fs, system.devices),
  filesystems: (fs) => new ProcFile(fs, system.filesystems),
  interrupts: (fs) => new ProcFile(fs, () => "           CPU0\n"),
  loadavg: (fs) => new ProcFile(fs, (reader) => system.loadavg(reader, fs.pids)),
  meminfo: (fs) => new ProcFile(fs, system.meminfo),
  modules: (fs) => new ProcFile(fs, () => ""),
  partitions: (fs) => new ProcFile(fs, () => "major minor  #blocks  name\n\n"),
  stat: (fs) => new ProcFile(fs, system.stat),
  swaps: (fs) => new ProcFile(fs, () => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
  sys: sysDirectory,
  uptime: (fs) => new ProcFile(fs, system.uptime),
  version: (fs) => new ProcFile(fs, system.version),
  vmstat: (fs) => new ProcFile(fs, system.vmstat),
};

/** After so many new process directories the old ones are looked through. */
const SWEEP = 64;

/** The reader's process id in the namespace of the mount. */
function selfName(fs: ProcFs, reader: Task | null): string {
  const number = reader?.group.pid.numberIn(fs.pids) ?? 0;
  if (number === 0) throw ENOENT;
  return String(number);
}

export class ProcRoot extends ProcDirectory {
  private readonly entries = new Map(Object.entries(ENTRIES));
  private lookups = 0;

  constructor(fs: ProcFs) {
    super(fs);
  }

  /** Directories of processes are kept by their dentries only, so that ended ones do not pile up here. */
  override lookup(name: string, known: Inode | null = null): Inode | null {
    if (this.entries.has(name)) return super.lookup(name);
    if (known?.cached) return known;
    if (++this.lookups % SWEEP === 0) this.fs.rootDentry.forgetStale((inode) => !inode.cached);
    return this.make(name);
  }

  protected override make(name: string): Inode | null {
    const entry = this.entries.get(name);
    if (entry) return entry(this.fs);
    if (!/^[1-9][0-9]{0,6}$/.test(name)) return null;
    const pid = this.fs.pids.find(Number(name));
    // A thread's directory can be entered by its id, though only processes are listed.
    if (!pid?.task && !pid?.group) return null;
    const task = pid.group?.leader ?? pid.task;
    return task ? new ProcessDirectory(this.fs, task, true) : null;
  }

  override list(): DirectoryEntry[] {
    const all: DirectoryEntry[] = [];
    for (const name of this.entries.keys()) {
      const inode = this.lookup(name)!;
      all.push({ name, inode: inode.number, type: inode.mode >> 12 });
    }
    for (const pid of this.fs.pids.all()) {
      if (!pid.group) continue;
      const number = pid.numberIn(this.fs.pids);
      all.push({ name: String(number), inode: number, type: DT_DIR });
    }
    return all;
  }
}
