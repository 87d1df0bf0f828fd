/** unshare(2), setns(2), pidfd_open(2). */
import { CAP_SYS_ADMIN } from "../../abi/capability.ts";
import * as abi from "../../abi/clone.ts";
import { EBADF, EINVAL, ENOSPC, EPERM, ESRCH } from "../../abi/errno.ts";
import { O_NONBLOCK } from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { mayInspect } from "../fs/procfs/inspect.ts";
import { NamespaceFile } from "../fs/procfs/namespace-directory.ts";
import { enterNamespaces, type NamespaceTarget } from "../namespaces/enter.ts";
import { createNamespaces } from "../namespaces/create-namespaces.ts";
import { MAX_PID_NS_LEVEL } from "../pid/pid-namespace.ts";
import { capableIn } from "../task/capable.ts";
import { checkNewUserNamespace } from "../task/clone-request.ts";
import { credentialsInNewNamespace } from "../task/clone.ts";
import { PidFile } from "../task/pid-file.ts";
import { installNew } from "../vfs/fd-table.ts";
import { TASK_ZOMBIE, type Task } from "../task/task.ts";

const NAMESPACES =
  abi.CLONE_NEWNS |
  abi.CLONE_NEWUTS |
  abi.CLONE_NEWIPC |
  abi.CLONE_NEWPID |
  abi.CLONE_NEWNET |
  abi.CLONE_NEWCGROUP |
  abi.CLONE_NEWTIME;
const KNOWN =
  NAMESPACES |
  abi.CLONE_NEWUSER |
  abi.CLONE_THREAD |
  abi.CLONE_FS |
  abi.CLONE_SIGHAND |
  abi.CLONE_VM |
  abi.CLONE_FILES |
  abi.CLONE_SYSVSEM;

/** A flag stands for others that it makes no sense without (unshare(2)). */
function completeFlags(flags: number): number {
  let all = flags;
  if ((all & abi.CLONE_NEWUSER) !== 0) all |= abi.CLONE_THREAD | abi.CLONE_FS;
  if ((all & abi.CLONE_VM) !== 0) all |= abi.CLONE_SIGHAND;
  if ((all & abi.CLONE_SIGHAND) !== 0) all |= abi.CLONE_THREAD;
  if ((all & abi.CLONE_NEWNS) !== 0) all |= abi.CLONE_FS;
  return all;
}

export const unshare = handler("unshare", (task, wanted) => {
  const flags = completeFlags(wanted);
  if ((flags & ~KNOWN) !== 0) throw EINVAL;
  const alone = task.group.tasks.size === 1;
  if ((flags & (abi.CLONE_THREAD | abi.CLONE_SIGHAND | abi.CLONE_VM)) !== 0 && !alone) throw EINVAL;
  if ((flags & (abi.CLONE_SIGHAND | abi.CLONE_VM)) !== 0 && task.actions.users > 1) throw EINVAL;
  if ((flags & abi.CLONE_VM) !== 0 && task.memory.users > 1) throw EINVAL;
  if ((flags & abi.CLONE_NEWUSER) !== 0) checkNewUserNamespace(task);
  const creds = (flags & abi.CLONE_NEWUSER) !== 0 ? credentialsInNewNamespace(task) : task.creds;
  const { namespaces } = task;
  if ((flags & NAMESPACES) !== 0) {
    if (creds === task.creds && !capableIn(task, CAP_SYS_ADMIN, creds.userNamespace)) throw EPERM;
    if ((flags & abi.CLONE_NEWPID) !== 0) {
      if (namespaces.pidForChildren !== task.pid.namespace) throw EINVAL;
      if (task.pid.namespace.level >= MAX_PID_NS_LEVEL) throw ENOSPC;
    }
  }
  const fs = (flags & abi.CLONE_FS) !== 0 && task.fs.users > 1 ? task.fs.clone() : task.fs;
  task.namespaces = createNamespaces(task.kernel, namespaces, flags & NAMESPACES, creds.userNamespace, fs);
  if (fs !== task.fs) {
    task.fs.release();
    task.fs = fs;
  }
  if ((flags & abi.CLONE_FILES) !== 0 && task.files.users > 1) {
    const own = task.files.clone();
    task.files.release();
    task.files = own;
  }
  task.creds = creds;
  return 0;
});

export const setns = handler("setns", (task, fd, flags) => {
  const file = task.files.get(fd);
  if (file instanceof NamespaceFile) {
    if (flags !== 0 && flags !== file.cloneFlag) throw EINVAL;
    enterNamespaces(task, [{ flag: file.cloneFlag, namespace: file.namespace }]);
    return 0;
  }
  if (!(file instanceof PidFile)) throw EINVAL;
  const wanted = flags >>> 0;
  if (wanted === 0 || (wanted & ~(NAMESPACES | abi.CLONE_NEWUSER)) !== 0) throw EINVAL;
  const target = file.pid.task;
  if (!target || target.state >= TASK_ZOMBIE) throw ESRCH;
  if (!mayInspect(task, target)) throw EPERM;
  enterNamespaces(
    task,
    namespacesOf(target).filter(({ flag }) => (wanted & flag) !== 0),
  );
  return 0;
});

function namespacesOf({ creds, namespaces, pid }: Task): NamespaceTarget[] {
  return [
    { flag: abi.CLONE_NEWUSER, namespace: creds.userNamespace },
    { flag: abi.CLONE_NEWPID, namespace: pid.namespace },
    { flag: abi.CLONE_NEWNS, namespace: namespaces.mount },
    { flag: abi.CLONE_NEWUTS, namespace: namespaces.uts },
    { flag: abi.CLONE_NEWIPC, namespace: namespaces.ipc },
    { flag: abi.CLONE_NEWNET, namespace: namespaces.net },
    { flag: abi.CLONE_NEWCGROUP, namespace: namespaces.cgroup },
    { flag: abi.CLONE_NEWTIME, namespace: namespaces.time },
  ];
}

export const pidfd_open = handler("pidfd_open", (task, pid, flags) => {
  if ((flags & ~O_NONBLOCK) !== 0) throw EINVAL;
  if (pid <= 0) throw EINVAL;
  const found = task.pid.namespace.find(pid);
  if (!found?.task) throw ESRCH;
  // Only a process has one, not each of its threads.
  if (!found.group) throw EINVAL;
  const file = new PidFile(task.kernel, found, flags);
  return installNew(task, file, true);
});

export const pidfd_getfd = handler("pidfd_getfd", (task, pidfd, fd, flags) => {
  if (flags !== 0) throw EINVAL;
  const file = task.files.get(pidfd);
  if (!(file instanceof PidFile)) throw EBADF;
  const target = file.pid.task;
  if (!target || target.state >= TASK_ZOMBIE) throw ESRCH;
  if (!mayInspect(task, target)) throw EPERM;
  const wanted = target.files.getAny(fd);
  wanted.retain();
  return installNew(task, wanted, true);
});
