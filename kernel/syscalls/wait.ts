/** wait4(2) and waitid(2). */
import { EAGAIN, ECHILD, EINVAL } from "../../abi/errno.ts";
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
import { endCode } from "../task/exit.ts";
import { pidOfFd } from "../task/pid-file.ts";
import { reapGroup } from "../task/reap.ts";
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { groupUsage } from "../task/usage.ts";

/** A child whose state was asked for, with what to report. */
interface Found {
  child: ThreadGroup;
  /** Wait status for wait4. */
  status: number;
  info: SigInfo;
}

type Matches = (child: ThreadGroup) => boolean;

/** What the process's children have to report; null: nothing yet. @throws ECHILD */
function findChild(task: Task, matches: Matches, options: number): Found | null {
  let any = false;
  for (const child of task.group.children) {
    if (!matches(child) || !kindMatches(child, options)) continue;
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
  if (pid === -2147483648) throw ECHILD;
  const found = findChild(task, matcher(task, pid), options | WEXITED);
  if (!found) return (options & WNOHANG) !== 0 ? 0 : sleepForChild(task);
  const { child, status } = found;
  const number = child.pid.numberIn(task.pid.namespace);
  const usage = usageAddress === 0 ? null : encodeUsage(child);
  if (child.zombie) reapGroup(child, task.group);
  if (usage) copyToUser(task.memory, usageAddress, usage);
  if (statusAddress !== 0) writeU32(task.memory, statusAddress, status);
  return number;
});

/** The pid argument of waitpid(2). */
function matcher(task: Task, pid: number): Matches {
  if (pid === -1) return () => true;
  if (pid === 0) return (child) => child.processGroup === task.group.processGroup;
  const wanted = task.pid.namespace.find(Math.abs(pid));
  return pid > 0 ? (child) => child.pid === wanted : (child) => child.processGroup === wanted;
}

export const waitid = handler("waitid", (task, type, id, infoAddress, options, usageAddress) => {
  const known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
  if ((options & ~known) !== 0 || (options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) throw EINVAL;
  const found = findChild(task, idMatcher(task, type, id), options);
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

function idMatcher(task: Task, type: number, id: number): Matches {
  const { namespace } = task.pid;
  switch (type) {
    case P_ALL:
      return () => true;
    case P_PID: {
      if (id <= 0) throw EINVAL;
      const pid = namespace.find(id);
      return (child) => child.pid === pid;
    }
    case P_PGID: {
      if (id < 0) throw EINVAL;
      const group = id === 0 ? task.group.processGroup : namespace.find(id);
      return (child) => child.processGroup === group;
    }
    case P_PIDFD: {
      if (id < 0) throw EINVAL;
      const pid = pidOfFd(task, id);
      return (child) => child.pid === pid;
    }
    default:
      throw EINVAL;
  }
}

function encodeUsage(child: ThreadGroup): Uint8Array {
  const bytes = new Uint8Array(rusage.size);
  rusage.encode(new DataView(bytes.buffer), 0, groupUsage(child, true));
  return bytes;
}
