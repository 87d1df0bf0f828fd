/** From an empty machine to one whose first program is ready to run. */
import { EEXIST } from "../abi/errno.ts";
import { INITIAL_INODES, type Kernel } from "./kernel.ts";
import { execve } from "./exec/execve.ts";
import { IpcNamespace } from "./ipc/ipc-namespace.ts";
import type { NamespaceSet } from "./namespaces/namespace-set.ts";
import { allocatePid } from "./pid/allocate-pids.ts";
import { SIGCHLD, SIG_IGN } from "../abi/signal.ts";
import { SignalActions } from "./signal/actions.ts";
import { SignalSet } from "./signal/signal-set.ts";
import { rootCredentials } from "./task/credentials.ts";
import { killGroupNow } from "./task/exit.ts";
import { copyLimits, defaultLimits } from "./task/resource-limits.ts";
import { TASK_BLOCKED, Task } from "./task/task.ts";
import { ThreadGroup } from "./task/thread-group.ts";
import { toBytes } from "./vfs/byte-string.ts";
import { FdTable } from "./vfs/fd-table.ts";
import { setUpFileSystems, type FileSystemOptions } from "./vfs/set-up.ts";

export interface ProgramOptions {
  /** Byte strings. */
  path: string;
  argv: string[];
  /** NAME=value. */
  env: string[];
}

/** Mounts the file systems and makes pid 1, a kernel thread that adopts orphans and buries them. */
export function boot(kernel: Kernel, files: FileSystemOptions): void {
  const { namespace, fs } = setUpFileSystems(kernel, files);
  const owner = kernel.initUserNamespace;
  const time = { inode: INITIAL_INODES.time, owner };
  kernel.initNamespaces = {
    uts: { inode: INITIAL_INODES.uts, owner, nodename: kernel.hostname, domainname: "(none)" },
    ipc: new IpcNamespace(INITIAL_INODES.ipc, owner),
    mount: namespace,
    net: { inode: INITIAL_INODES.net, owner },
    cgroup: { inode: INITIAL_INODES.cgroup, owner },
    time,
    timeForChildren: time,
    pidForChildren: kernel.initPidNamespace,
  };

  const init = makeTask(kernel, kernel.initNamespaces);
  init.comm = "init";
  init.fs = fs;
  init.state = TASK_BLOCKED;
  const group = makeGroup(kernel, init, null);
  group.unkillable = true;
  init.actions.set(SIGCHLD, { handler: SIG_IGN, flags: 0, restorer: 0, mask: new SignalSet() });
  kernel.initPidNamespace.reaper = init;
  kernel.init = init;
}

/**
 * Makes the main process, in a session of its own with the console as controlling terminal, and lets it execute the
 * program.
 * @throws Errno as execve would give
 */
export function startProgram(kernel: Kernel, program: ProgramOptions): void {
  const { init } = kernel;
  const task = makeTask(kernel, kernel.initNamespaces);
  task.comm = "main";
  task.fs = init.fs.clone();
  const group = makeGroup(kernel, task, init.group);
  group.setSession(group.pid);
  group.setProcessGroup(group.pid);
  group.exitSignal = SIGCHLD;
  for (const file of kernel.console.openStreams()) task.files.install(file, 0);
  kernel.console.tty?.control(group);
  kernel.main = group;
  try {
    execve(task, { path: program.path, argv: program.argv.map(toBytes), envp: program.env.map(toBytes) });
  } catch (error) {
    forgetProgram(kernel, group);
    throw error;
  }
  kernel.scheduler.enqueue(task);
}

/** The program cannot be run: the next one tried gets the same pid. */
function forgetProgram(kernel: Kernel, group: ThreadGroup): void {
  kernel.main = null;
  killGroupNow(group, 0);
  kernel.initPidNamespace.lastPid--;
}

function makeTask(kernel: Kernel, namespaces: NamespaceSet): Task {
  const pid = allocatePid(kernel.initPidNamespace, {
    wanted: [],
    taken: EEXIST,
    allowed: () => {},
  });
  const task = new Task(kernel, pid);
  task.namespaces = namespaces;
  task.creds = rootCredentials(kernel.initUserNamespace);
  task.actions = new SignalActions();
  task.files = new FdTable(kernel.descriptors);
  kernel.taskCount++;
  return task;
}

function makeGroup(kernel: Kernel, leader: Task, parent: ThreadGroup | null): ThreadGroup {
  const limits = parent ? copyLimits(parent.limits) : defaultLimits(kernel.maxTasks);
  const group = new ThreadGroup(leader, leader.pid, parent, limits, kernel.now());
  leader.group = group;
  group.tasks.add(leader);
  return group;
}
