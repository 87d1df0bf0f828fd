/** wait4(2) and waitid(2). */
import { EAGAIN, ECHILD, EINVAL, ESRCH } from "../../abi/errno.ts";
import { O_NONBLOCK } from "../../abi/fcntl.ts";
import { rusage } from "../../abi/resource.ts";
import { CLD_CONTINUED, CLD_STOPPED, SIGCHLD, SIGCONT } from "../../abi/signal.ts";
import {
  CONTINUED_STATUS,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
  __WALL,
  __WCLONE,
  __WNOTHREAD,
} from "../../abi/wait.ts";
import { handler } from "../dispatch.ts";
import { copyToUser, writeU32 } from "../mm/user-copy.ts";
import { encodeSigInfo } from "../signal/siginfo-encode.ts";
import { childSigInfo } from "../signal/child-info.ts";
import type { SigInfo } from "../signal/pending.ts";
import type { Pid } from "../pid/pid.ts";
import { endCode } from "../task/exit.ts";
import { pidOfFd } from "../task/pid-file.ts";
import { reapGroup } from "../task/reap.ts";
import { TASK_ZOMBIE, type Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { groupUsage } from "../task/usage.ts";

/** A child whose state was asked for, with what to report. */
interface Found {
  child: ThreadGroup;
  /** Wait status for wait4. */
  status: number;
  info: SigInfo;
}

/** What the given children of the process have to report; null: nothing yet. @throws ECHILD */
function findChild(task: Task, children: Iterable<ThreadGroup>, options: number): Found | null {
  let any = false;
  for (const child of children) {
    if (!kindMatches(child, options)) continue;
    if ((options & __WNOTHREAD) !== 0 && !isOwnChild(task, child)) continue;
    any = true;
    const found = stateOf(task, child, options);
    if (found) return found;
  }
  if (!any) throw ECHILD;
  return null;
}

/** __WCLONE children do not report with SIGCHLD; __WALL means both kinds. */
function kindMatches(child: ThreadGroup, options: number): boolean {
  if ((options & __WALL) !== 0) return true;
  return (child.exitSignal !== SIGCHLD) === ((options & __WCLONE) !== 0);
}

/** Made by this very thread, or by one that has ended, whose children another thread takes over. */
function isOwnChild(task: Task, child: ThreadGroup): boolean {
  const { parentTask } = child;
  if (parentTask === null || parentTask === task) return true;
  return parentTask.state >= TASK_ZOMBIE && task === firstLiving(task.group);
}

function firstLiving(group: ThreadGroup): Task | undefined {
  for (const task of group.tasks) if (task.state < TASK_ZOMBIE) return task;
  return undefined;
}

function stateOf(task: Task, child: ThreadGroup, options: number): Found | null {
  const info = (code: number, status: number): SigInfo => childSigInfo(child, task.group, SIGCHLD, code, status);
  const keep = (options & WNOWAIT) !== 0;
  if (child.zombie) {
    if ((options & WEXITED) === 0) return null;
    return { child, status: child.exitStatus, info: info(...endCode(child.exitStatus)) };
  }
  if ((options & WSTOPPED) !== 0 && child.stopSignal !== 0 && !child.stopReported && isStopped(child)) {
    if (!keep) child.stopReported = true;
    return { child, status: (child.stopSignal << 8) | 0x7f, info: info(CLD_STOPPED, child.stopSignal) };
  }
  if ((options & WCONTINUED) !== 0 && !child.continueReported) {
    if (!keep) child.continueReported = true;
    return { child, status: CONTINUED_STATUS, info: info(CLD_CONTINUED, SIGCONT) };
  }
  return null;
}

const isStopped = (group: ThreadGroup): boolean => [...group.tasks].every((task) => task.state >= 2);

/** Sleeps until a child changes state. */
const sleepForChild = (task: Task): number => task.sleepOn(task.group.waitChildren);

export const wait4 = handler("wait4", (task, pid, statusAddress, options, usageAddress) => {
  const known = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
  if ((options & ~known) !== 0) throw EINVAL;
  if (pid === -2147483648) throw ESRCH;
  const found = findChild(task, childrenOf(task, pid), options | WEXITED);
  if (!found) return (options & WNOHANG) !== 0 ? 0 : sleepForChild(task);
  const { child, status } = found;
  const number = child.pid.numberIn(task.pid.namespace);
  const usage = usageAddress === 0 ? null : encodeUsage(child);
  if (child.zombie) reapGroup(child, task.group);
  if (usage) copyToUser(task.memory, usageAddress, usage);
  if (statusAddress !== 0) writeU32(task.memory, statusAddress, status);
  return number;
});

/** The children that the pid argument of waitpid(2) means. */
function childrenOf(task: Task, pid: number): Iterable<ThreadGroup> {
  if (pid === -1) return task.group.children;
  if (pid === 0) return childrenIn(task, task.group.processGroup);
  const wanted = task.pid.namespace.find(Math.abs(pid));
  return pid > 0 ? childWith(task, wanted) : childrenIn(task, wanted);
}

/** The one child with this pid, found without looking at its brothers and sisters. */
function childWith(task: Task, pid: Pid | undefined): ThreadGroup[] {
  const group = pid?.group;
  return group && group.parent === task.group ? [group] : [];
}

function* childrenIn(task: Task, processGroup: Pid | undefined): Generator<ThreadGroup> {
  for (const child of task.group.children) if (child.processGroup === processGroup) yield child;
}

export const waitid = handler("waitid", (task, type, id, infoAddress, options, usageAddress) => {
  const known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
  if ((options & ~known) !== 0 || (options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) throw EINVAL;
  const found = findChild(task, childrenById(task, type, id), options);
  if (!found && (options & WNOHANG) === 0) {
    if (type === P_PIDFD && (task.files.get(id).flags & O_NONBLOCK) !== 0) throw EAGAIN;
    return sleepForChild(task);
  }
  const usage = found && usageAddress !== 0 ? encodeUsage(found.child) : null;
  if (found && found.child.zombie && (options & WNOWAIT) === 0) reapGroup(found.child, task.group);
  if (usage) copyToUser(task.memory, usageAddress, usage);
  if (infoAddress !== 0) {
    // Linux fills in only these fields, one by one; with nothing to report they are zero.
    const bytes = found ? encodeSigInfo(found.info) : new Uint8Array(28);
    copyToUser(task.memory, infoAddress, bytes.subarray(0, 28));
  }
  return 0;
});

/** The children that the first two arguments of waitid(2) mean. @throws EINVAL EBADF */
function childrenById(task: Task, type: number, id: number): Iterable<ThreadGroup> {
  const { namespace } = task.pid;
  if (type !== P_ALL && id < 0) throw EINVAL;
  switch (type) {
    case P_ALL:
      return task.group.children;
    case P_PID:
      if (id === 0) throw EINVAL;
      return childWith(task, namespace.find(id));
    case P_PGID:
      return childrenIn(task, id === 0 ? task.group.processGroup : namespace.find(id));
    case P_PIDFD:
      return childWith(task, pidOfFd(task, id));
    default:
      throw EINVAL;
  }
}

function encodeUsage(child: ThreadGroup): Uint8Array {
  const bytes = new Uint8Array(rusage.size);
  rusage.encode(new DataView(bytes.buffer), 0, groupUsage(child, true));
  return bytes;
}
