/** The end of tasks and processes (_exit(2), exit_group(2), pid_namespaces(7), credentials(7)). */
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED, SA_NOCLDWAIT, SIGCHLD, SIGKILL, SIG_IGN } from "../../abi/signal.ts";
import type { PidNamespace } from "../pid/pid-namespace.ts";
import { childSigInfo } from "../signal/child-info.ts";
import { kernelSigInfo, interruptGroup, sendSignalToGroup } from "../signal/send.ts";
import { sessionLeaderEnded } from "../tty/tty.ts";
import { reapGroup, reapThread } from "./reap.ts";
import { deletePosixTimers } from "../time/delete-timers.ts";
import { releaseMemory } from "./release-memory.ts";
import { releaseOrphanedGroup } from "./session.ts";
import { TASK_DEAD, TASK_ZOMBIE, type Task } from "./task.ts";
import type { ThreadGroup } from "./thread-group.ts";

/** Ends the whole process with a wait status, beginning with the calling thread. */
export function endGroup(task: Task, status: number): void {
  const { group } = task;
  if (!group.exiting) {
    group.exiting = true;
    group.exitStatus = status;
    group.stopSignal = 0;
    interruptGroup(group, true);
  }
  endTask(task, group.exitStatus);
}

/** Ends every thread of a process now, without waiting for them to notice: they are all at rest. */
export function killGroupNow(group: ThreadGroup, status: number): void {
  group.exiting = true;
  group.exitStatus = status;
  group.stopSignal = 0;
  for (const task of [...group.tasks]) if (task.state < TASK_ZOMBIE) endTask(task, status);
}

/** Ends one thread; the last one ends the process. */
export function endTask(task: Task, status: number): void {
  const { kernel, group } = task;
  if (task.state >= TASK_ZOMBIE) return;
  task.exitCode = status;
  task.leaveQueues();
  kernel.futexes.cancel(task);
  task.state = TASK_ZOMBIE;
  task.signalPending = false;
  const last = !hasLivingTask(group);
  if (last) noteMaxRss(group, task);
  releaseMemory(task);
  task.files.release();
  task.fs.release();
  kernel.tracer?.taskEnded?.(task, last && group.exiting ? group.exitStatus : status);
  if (kernel.scheduler.current === task) kernel.scheduler.leave(task);
  task.pending.clear();
  if (task !== group.leader) {
    task.state = TASK_DEAD;
    reapThread(task);
  }
  if (last) endProcess(group, status);
  leaveIpcNamespace(task);
}

/** The last task of an IPC namespace takes its objects with it (ipc_namespaces(7)). */
function leaveIpcNamespace(task: Task): void {
  const { ipc } = task.namespaces;
  if (ipc.segments.size === 0 || ipc === task.kernel.initNamespaces.ipc) return;
  for (const { task: other } of task.kernel.initPidNamespace.all()) {
    if (other && other.state < TASK_ZOMBIE && other.namespaces.ipc === ipc) return;
  }
  ipc.dispose();
}

/** Stops at the first one, which is hardly ever far: of the dead only the leader stays in the group. */
function hasLivingTask(group: ThreadGroup): boolean {
  for (const task of group.tasks) if (task.state < TASK_ZOMBIE) return true;
  return false;
}

function noteMaxRss(group: ThreadGroup, task: Task): void {
  group.maxRss = Math.max(group.maxRss, (task.mm?.residentPages ?? 0) * 4);
}

/** The last thread is gone; without exit_group or a signal its status is that of the process. */
function endProcess(group: ThreadGroup, status: number): void {
  const { kernel } = group.leader;
  if (!group.exiting) group.exitStatus = status;
  group.exiting = true;
  group.zombie = true;
  deletePosixTimers(group);
  const namespace = group.pid.namespace;
  if (namespace.reaper === group.leader) killNamespace(namespace, group);
  sessionLeaderEnded(group);
  releaseOrphanedGroup(group, group.processGroup, group.parent);
  reparentChildren(group);
  group.ended.wakeAll();
  if (kernel.main === group) kernel.exitStatus = group.exitStatus;
  notifyParentOfEnd(group);
}

/** Tells the parent, or buries the child at once if it does not want to know. */
export function notifyParentOfEnd(group: ThreadGroup): void {
  const { parent } = group;
  if (!parent) return;
  if (group.exitSignal !== SIGCHLD && group.parentExecCount !== parent.execCount) group.exitSignal = SIGCHLD;
  const action = parent.leader.actions.get(SIGCHLD);
  const ignored = group.exitSignal === SIGCHLD && (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0);
  const silent = ignored && action.handler === SIG_IGN;
  if (group.exitSignal > 0 && group.exitSignal <= 64 && !silent) {
    const [code, status] = endCode(group.exitStatus);
    sendSignalToGroup(parent, childSigInfo(group, parent, group.exitSignal, code, status));
  }
  if (ignored) reapGroup(group, null);
  parent.waitChildren.wakeAll();
}

/** si_code and si_status of a wait status. */
export function endCode(status: number): [code: number, status: number] {
  const signal = status & 0x7f;
  if (signal === 0) return [CLD_EXITED, (status >> 8) & 0xff];
  return [(status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED, signal];
}

/** Children get the nearest living subreaper, or the init of their namespace, as parent. */
function reparentChildren(group: ThreadGroup): void {
  for (const child of [...group.children]) {
    const heir = findReaper(group, child);
    group.children.delete(child);
    child.parent = heir;
    child.parentTask = heir?.leader ?? null;
    heir?.children.add(child);
    if (!heir) {
      if (child.zombie) reapGroup(child, null);
      continue;
    }
    const signal = child.leader.parentDeathSignal;
    if (signal !== 0) sendSignalToGroup(child, kernelSigInfo(signal));
    if (child.zombie) {
      child.exitSignal = SIGCHLD;
      notifyParentOfEnd(child);
    } else {
      child.exitSignal = SIGCHLD;
      releaseOrphanedGroup(child, child.processGroup, group);
    }
  }
}

function findReaper(dying: ThreadGroup, child: ThreadGroup): ThreadGroup | null {
  const { namespace } = dying.pid;
  for (let at = dying.parent; at && !at.exiting && at.pid.namespace === namespace; at = at.parent) {
    if (at.childSubreaper) return at;
  }
  const reaper = namespace.reaper?.group;
  if (reaper && reaper !== dying && !reaper.exiting) return reaper;
  const outer = child.pid.namespace.parent?.reaper?.group ?? null;
  return outer !== dying ? outer : null;
}

/** A namespace does not outlive its init: everybody in it is killed (pid_namespaces(7)). */
function killNamespace(namespace: PidNamespace, init: ThreadGroup): void {
  namespace.closed = true;
  for (const pid of [...namespace.all()]) {
    const member = pid.group;
    if (!member || member === init) continue;
    if (!member.zombie) killGroupNow(member, SIGKILL);
    if (member.parent === null || namespace.contains(member.parent.pid.namespace)) reapGroup(member, null);
  }
}
