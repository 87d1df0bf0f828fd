/** The common core of clone, clone2, clone3, fork and vfork (clone(2); spec clone2, 1.10). */
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWUSER,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
} from "../../abi/clone.ts";
import { Errno } from "../../abi/errno.ts";
import { FS_BASE, RAX, RSP } from "../../emulator/registers.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import { forkAddressSpace } from "../mm/fork.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { writeU32 } from "../mm/user-copy.ts";
import { createNamespaces } from "../namespaces/create-namespaces.ts";
import { UserNamespace } from "../namespaces/user-namespace.ts";
import { allocatePid } from "../pid/allocate-pids.ts";
import type { Pid } from "../pid/pid.ts";
import type { SignalActions } from "../signal/actions.ts";
import { checkCombinations, checkLimits, checkNamespaces, checkTls, has, type CloneRequest } from "./clone-request.ts";
import { newNamespaceCredentials, type Credentials } from "./credentials.ts";
import { PidFile } from "./pid-file.ts";
import { inheritScheduling } from "./scheduling.ts";
import { copyLimits } from "./resource-limits.ts";
import { Task } from "./task.ts";
import { installNew } from "../vfs/fd-table.ts";
import { ThreadGroup } from "./thread-group.ts";

/**
 * Makes a child of the current task and lets it run.
 * @returns the child
 * @throws an errno, with nothing changed but the pid sequence
 */
export function cloneTask(parent: Task, request: CloneRequest): Task {
  const { kernel } = parent;
  const { flags } = request;
  checkCombinations(parent, request);
  checkLimits(parent, request);
  const creds = has(flags, CLONE_NEWUSER) ? credentialsInNewNamespace(parent) : parent.creds;
  checkNamespaces(parent, request, creds.userNamespace);
  checkTls(request);

  const undo: (() => void)[] = [];
  try {
    const mm = shareMemory(parent, flags, undo);
    const files = shareFiles(parent, flags, undo);
    const fs = has(flags, CLONE_FS) ? parent.fs : parent.fs.clone();
    const namespaces = createNamespaces(kernel, parent.namespaces, flags, creds.userNamespace, fs);
    const pidNamespace = namespaces.pidForChildren;
    const pid = allocatePid(pidNamespace, {
      wanted: request.wanted(pidNamespace.level),
      taken: request.taken,
      allowed: request.mayChoose,
    });
    undo.push(() => pid.releaseIfUnused());
    if (has(flags, CLONE_PIDFD)) storePidFd(parent, request, pid, undo);

    // From here on nothing fails.
    const child = new Task(kernel, pid);
    child.mm = mm;
    child.creds = creds;
    child.namespaces = { ...namespaces, time: namespaces.timeForChildren };
    child.files = files;
    child.fs = fs;
    if (fs === parent.fs) fs.retain();
    shareObjects(parent, child, request);
    copyRegisters(parent, child, request);
    joinGroup(parent, child, request);
    publish(parent, child, request);
    return child;
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
}

function shareMemory(parent: Task, flags: number, undo: (() => void)[]): AddressSpace {
  if (has(flags, CLONE_VM)) {
    const mm = parent.memory;
    mm.users++;
    undo.push(() => mm.users--);
    return mm;
  }
  const mm = forkAddressSpace(parent.memory);
  undo.push(() => mm.dispose());
  return mm;
}

function shareFiles(parent: Task, flags: number, undo: (() => void)[]): FdTable {
  if (has(flags, CLONE_FILES)) parent.files.retain();
  const files = has(flags, CLONE_FILES) ? parent.files : parent.files.clone();
  undo.push(() => files.release());
  return files;
}

function storePidFd(parent: Task, request: CloneRequest, pid: Pid, undo: (() => void)[]): void {
  const file = new PidFile(parent.kernel, pid, 0);
  const fd = installNew(parent, file, true);
  undo.push(() => parent.files.close(fd));
  writeU32(parent.memory, request.pidfd, fd);
}

function shareObjects(parent: Task, child: Task, request: CloneRequest): void {
  const { flags } = request;
  if (has(flags, CLONE_SIGHAND)) parent.actions.users++;
  child.actions = has(flags, CLONE_SIGHAND) ? parent.actions : copyActions(parent.actions, request.clearHandlers);
  child.blockedSignals = parent.blockedSignals.clone();
  const sharedStack = has(flags, CLONE_VM) && !has(flags, CLONE_VFORK);
  if (!sharedStack) child.altStack = { ...parent.altStack };
  child.comm = parent.comm;
  child.exePath = parent.exePath;
  child.exeFile = parent.exeFile;
  child.exeFile?.retain();
  if (!has(flags, CLONE_VM)) child.rseq = { ...parent.rseq };
  child.personality = parent.personality;
  child.nice = parent.nice;
  child.scheduling = inheritScheduling(parent);
  child.timerSlack = parent.timerSlack;
}

function copyActions(actions: SignalActions, clear: boolean): SignalActions {
  const copy = actions.clone();
  if (clear) copy.resetHandlers();
  return copy;
}

function copyRegisters(parent: Task, child: Task, request: CloneRequest): void {
  const { engine } = parent.kernel;
  engine.storeFpu();
  child.saved.copyGeneralFrom(engine.cpu);
  child.saved.copyFpuFrom(engine.cpu);
  child.saved.set(RAX, 0);
  if (request.stack !== 0) child.saved.set(RSP, request.stack);
  if (has(request.flags, CLONE_SETTLS)) child.saved.set(FS_BASE, request.tls);
}

function joinGroup(parent: Task, child: Task, request: CloneRequest): void {
  const { flags } = request;
  if (has(flags, CLONE_THREAD)) {
    child.group = parent.group;
    child.group.tasks.add(child);
    return;
  }
  const sibling = has(flags, CLONE_PARENT);
  const family = sibling ? parent.group.parent : parent.group;
  const group = new ThreadGroup(child, child.pid, family, copyLimits(parent.group.limits), parent.kernel.now());
  group.setProcessGroup(parent.group.processGroup);
  group.setSession(parent.group.session);
  group.tty = parent.group.tty;
  group.exitSignal = sibling ? parent.group.exitSignal : request.exitSignal;
  group.parentExecCount = family?.execCount ?? 0;
  group.parentTask = sibling ? parent.group.parentTask : parent;
  group.dumpable = parent.group.dumpable;
  group.tasks.add(child);
  child.group = group;
  const { namespace } = child.pid;
  if (child.pid.own === 1) {
    namespace.reaper = child;
    group.unkillable = true;
  }
}

/** The stores that can no longer fail the call, and the start. */
function publish(parent: Task, child: Task, request: CloneRequest): void {
  const { flags } = request;
  const { kernel } = parent;
  kernel.taskCount++;
  kernel.forks++;
  const seen = child.pid.numberIn(parent.pid.namespace);
  if (has(flags, CLONE_PARENT_SETTID)) storeIgnoringFaults(parent.memory, request.parentTid, seen);
  if (has(flags, CLONE_CHILD_SETTID)) storeIgnoringFaults(child.memory, request.childTid, child.tid);
  if (has(flags, CLONE_CHILD_CLEARTID)) child.clearChildTid = request.childTid;
  if (has(flags, CLONE_VFORK)) {
    child.vforkParent = parent;
    parent.vforkChild = child;
  }
  kernel.tracer?.taskCreated?.(parent, child);
  kernel.scheduler.enqueue(child);
}

function storeIgnoringFaults(space: AddressSpace, address: number, value: number): void {
  try {
    writeU32(space, address, value);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
}

/** CLONE_NEWUSER: the child owns the new namespace and can do everything in it (user_namespaces(7)). */
export function credentialsInNewNamespace(task: Task): Credentials {
  const { creds, kernel } = task;
  const userNamespace = new UserNamespace(creds.userNamespace, kernel.allocateInode(), creds.euid, creds.egid);
  return newNamespaceCredentials(creds, userNamespace);
}

/** True while the task still waits for its vfork child to exec or end. */
export function vforkPending(task: Task): boolean {
  const child = task.vforkChild;
  return child !== null && child.vforkParent === task;
}
