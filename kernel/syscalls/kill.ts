/** kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), pidfd_send_signal(2). */
import { CAP_KILL } from "../../abi/capability.ts";
import { EAGAIN, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import { SIGCONT, SIGINFO_SIZE, SIGRTMIN, SI_TKILL, SI_USER, siginfo, siginfo_rt } from "../../abi/signal.ts";
import { handler } from "../dispatch.ts";
import { ProcessDirectory } from "../fs/procfs/process-directory.ts";
import { readBytes, readU32 } from "../mm/user-copy.ts";
import type { Pid } from "../pid/pid.ts";
import type { SigInfo } from "../signal/pending.ts";
import { queueIsFull, sendSignalToGroup, sendSignalToTask } from "../signal/send.ts";
import { capableIn } from "../task/capable.ts";
import { pidOfFd } from "../task/pid-file.ts";
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread-group.ts";

/** kill(2), ERRORS: who may signal whom. */
function maySignal(task: Task, target: Task, signal: number): boolean {
  if (task.group === target.group) return true;
  const [from, to] = [task.creds, target.creds];
  if (from.euid === to.suid || from.euid === to.uid || from.uid === to.suid || from.uid === to.uid) return true;
  if (signal === SIGCONT && task.group.session === target.group.session) return true;
  return capableIn(task, CAP_KILL, to.userNamespace);
}

/** The siginfo of a signal sent by the task, as the receiver sees the sender. */
function infoFrom(task: Task, target: Task, signo: number, code: number): SigInfo {
  const uid = target.creds.userNamespace.uidShown(task.creds.uid);
  return { signo, code, pid: task.group.pid.numberIn(target.pid.namespace), uid };
}

/** A sender in the receiver's own namespace, or below, cannot harm a namespace's init. */
const fromOutside = (task: Task, target: Task): boolean => !target.pid.namespace.contains(task.pid.namespace);

function checkSignal(signal: number): void {
  if (signal < 0 || signal > 64) throw EINVAL;
}

/** @throws EPERM */
function signalGroup(task: Task, group: ThreadGroup, signal: number): void {
  if (!maySignal(task, group.leader, signal)) throw EPERM;
  if (signal === 0) return;
  sendSignalToGroup(group, infoFrom(task, group.leader, signal, SI_USER), fromOutside(task, group.leader));
}

/** Sends to several; success if one could be signalled. @throws ESRCH EPERM */
function signalMany(task: Task, groups: Iterable<ThreadGroup>, signal: number): void {
  let count = 0;
  let done = 0;
  for (const group of [...groups]) {
    count++;
    if (!maySignal(task, group.leader, signal)) continue;
    done++;
    signalGroup(task, group, signal);
  }
  if (count === 0) throw ESRCH;
  if (done === 0) throw EPERM;
}

export const kill = handler("kill", (task, pid, signal) => {
  checkSignal(signal);
  const { namespace } = task.pid;
  if (pid > 0) {
    const target = namespace.find(pid);
    // A thread's id stands for its process.
    const group = target?.group ?? target?.task?.group;
    if (!group) throw ESRCH;
    signalGroup(task, group, signal);
  } else if (pid === -1) {
    const others = [...namespace.all()]
      .map((each) => each.group)
      .filter(
        (group): group is ThreadGroup => group !== null && group !== task.group && group !== namespace.reaper?.group,
      );
    signalMany(task, others, signal);
  } else {
    const leader = pid === 0 ? task.group.processGroup : pid === -2147483648 ? undefined : namespace.find(-pid);
    signalMany(task, leader?.processGroup ?? [], signal);
  }
  return 0;
});

function signalThread(task: Task, target: Task | null | undefined, signal: number): number {
  if (!target) throw ESRCH;
  if (!maySignal(task, target, signal)) throw EPERM;
  if (signal === 0) return 0;
  sendSignalToTask(target, infoFrom(task, target, signal, SI_TKILL), fromOutside(task, target));
  return 0;
}

export const tkill = handler("tkill", (task, tid, signal) => {
  if (tid <= 0) throw EINVAL;
  checkSignal(signal);
  return signalThread(task, task.pid.namespace.find(tid)?.task, signal);
});

export const tgkill = handler("tgkill", (task, tgid, tid, signal) => {
  if (tgid <= 0 || tid <= 0) throw EINVAL;
  checkSignal(signal);
  const target = task.pid.namespace.find(tid)?.task;
  if (target && target.group.pid !== task.pid.namespace.find(tgid)) throw ESRCH;
  return signalThread(task, target, signal);
});

/** A siginfo made by the sender; codes that only the kernel uses are for oneself alone. @throws EFAULT EPERM */
function readInfo(task: Task, address: number, signal: number, target: Task): SigInfo {
  const raw = readBytes(task.memory, address, SIGINFO_SIZE);
  const view = new DataView(raw.buffer);
  view.setInt32(siginfo.offsets.si_signo, signal, true);
  const code = view.getInt32(siginfo.offsets.si_code, true);
  if ((code >= 0 || code === SI_TKILL) && target.group !== task.group) throw EPERM;
  const { si_errno, si_pid, si_uid, si_value } = siginfo_rt.decode(view, 0);
  return { signo: signal, code, raw, errno: si_errno, pid: si_pid, uid: si_uid, value: BigInt(si_value) };
}

function checkQueueLimit(target: ThreadGroup, signal: number): void {
  if (signal >= SIGRTMIN && queueIsFull(target)) throw EAGAIN;
}

export const rt_sigqueueinfo = handler("rt_sigqueueinfo", (task, pid, signal, address) => {
  const named = task.pid.namespace.find(pid);
  const group = named?.group ?? named?.task?.group;
  const info = readInfo(task, address, signal, group?.leader ?? task.kernel.init);
  checkSignal(signal);
  if (!group || pid <= 0) throw ESRCH;
  if (!maySignal(task, group.leader, signal)) throw EPERM;
  checkQueueLimit(group, signal);
  if (signal !== 0) sendSignalToGroup(group, info, fromOutside(task, group.leader));
  return 0;
});

export const rt_tgsigqueueinfo = handler("rt_tgsigqueueinfo", (task, tgid, tid, signal, address) => {
  if (tgid <= 0 || tid <= 0) throw EINVAL;
  const target = task.pid.namespace.find(tid)?.task;
  const info = readInfo(task, address, signal, target ?? task.kernel.init);
  checkSignal(signal);
  if (!target || target.group.pid !== task.pid.namespace.find(tgid)) throw ESRCH;
  if (!maySignal(task, target, signal)) throw EPERM;
  checkQueueLimit(target.group, signal);
  if (signal !== 0) sendSignalToTask(target, info, fromOutside(task, target));
  return 0;
});

/** A folder of /proc stands for its process, as a pidfd does. @throws EBADF */
function signalledPid(task: Task, fd: number): Pid {
  const { inode } = task.files.get(fd);
  return inode instanceof ProcessDirectory && inode.isProcess ? inode.target.pid : pidOfFd(task, fd);
}

export const pidfd_send_signal = handler("pidfd_send_signal", (task, fd, signal, address, flags) => {
  if (flags !== 0) throw EINVAL;
  const { group } = signalledPid(task, fd);
  // The namespace must see the process, as it must for kill(2).
  if (group && group.pid.numberIn(task.pid.namespace) === 0) throw EINVAL;
  checkSignal(signal);
  if (!group) throw ESRCH;
  if (address !== 0) {
    if (readU32(task.memory, address) !== signal) throw EINVAL;
    const info = readInfo(task, address, signal, group.leader);
    if (!maySignal(task, group.leader, signal)) throw EPERM;
    if (signal !== 0) sendSignalToGroup(group, info, fromOutside(task, group.leader));
    return 0;
  }
  signalGroup(task, group, signal);
  return 0;
});
