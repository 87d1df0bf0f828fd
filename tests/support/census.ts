/** What a kernel holds, counted: the same work twice must leave the same numbers, and no work must leave none. */
import type { Kernel } from "../../kernel/kernel.ts";
import type { AddressSpace } from "../../kernel/mm/address-space.ts";
import type { PidNamespace } from "../../kernel/pid/pid-namespace.ts";
import { TASK_ZOMBIE, type Task } from "../../kernel/task/task.ts";
import type { ThreadGroup } from "../../kernel/task/thread-group.ts";
import type { WaitQueue } from "../../kernel/task/wait-queue.ts";
import type { FdTable } from "../../kernel/vfs/fd-table.ts";
import type { OpenFile } from "../../kernel/vfs/open-file.ts";

export interface Census {
  /** Tasks as the kernel counts them, and as they are found. */
  tasks: number;
  tasksFound: number;
  processes: number;
  zombies: number;
  /** Numbers in use in the initial pid namespace. */
  pids: number;
  /** Pid namespaces with a task in them, and the numbers in use there. */
  pidNamespaces: number;
  innerPids: number;
  frames: number;
  addressSpaces: number;
  areas: number;
  residentPages: number;
  descriptorTables: number;
  descriptors: number;
  openFiles: number;
  /** Waiting tasks in the queues of all tasks, and in the queues of processes and files that can be found. */
  waits: number;
  deadWaiters: number;
  futexWaiters: number;
  timers: number;
  posixTimers: number;
  cpuTimers: number;
  pendingSignals: number;
}

interface Found {
  tasks: Set<Task>;
  groups: Set<ThreadGroup>;
  namespaces: Set<PidNamespace>;
}

/** Everything that can be reached from the pids of the initial namespace: all tasks have one there. */
function findTasks(kernel: Kernel): Found {
  const found: Found = { tasks: new Set(), groups: new Set(), namespaces: new Set() };
  for (const pid of kernel.initPidNamespace.all()) {
    if (pid.task) found.tasks.add(pid.task);
    if (pid.group) found.groups.add(pid.group);
    for (let at: PidNamespace | null = pid.namespace; at?.parent; at = at.parent) found.namespaces.add(at);
  }
  for (const group of found.groups) for (const task of group.tasks) found.tasks.add(task);
  return found;
}

const total = <T>(all: Iterable<T>, count: (each: T) => number): number => {
  let sum = 0;
  for (const each of all) sum += count(each);
  return sum;
};

export function census(kernel: Kernel): Census {
  const { tasks, groups, namespaces } = findTasks(kernel);
  const spaces = new Set<AddressSpace>();
  const tables = new Set<FdTable>();
  const files = new Set<OpenFile>();
  const queues = new Set<WaitQueue>();
  for (const task of tasks) {
    if (task.mm) spaces.add(task.mm);
    if (task.state < TASK_ZOMBIE) tables.add(task.files);
    for (const queue of task.queues) queues.add(queue);
  }
  for (const table of tables) for (const [, file] of table.entries()) files.add(file);
  for (const file of files) for (const queue of file.pollQueues()) queues.add(queue);
  for (const group of groups)
    for (const queue of [group.waitChildren, group.ended, group.signalArrived]) queues.add(queue);
  const { memory } = kernel.frames;
  // Ended sleeps leave their deadlines behind until it is worth sweeping them out.
  kernel.timers.sweep();
  return {
    tasks: kernel.taskCount,
    tasksFound: tasks.size,
    processes: groups.size,
    zombies: total(groups, ({ zombie }) => Number(zombie)),
    pids: kernel.initPidNamespace.size,
    pidNamespaces: namespaces.size,
    innerPids: total(namespaces, ({ size }) => size),
    frames: memory.frameCount - memory.freeFrames,
    addressSpaces: spaces.size,
    areas: total(spaces, ({ vmas }) => vmas.areas.length),
    residentPages: total(spaces, ({ residentPages }) => residentPages),
    descriptorTables: tables.size,
    descriptors: total(tables, (table) => [...table.entries()].length),
    openFiles: files.size,
    waits: total(queues, ({ waiters }) => [...waiters].length),
    deadWaiters: total(queues, ({ waiters }) => [...waiters].filter((task) => task.state >= TASK_ZOMBIE).length),
    futexWaiters: kernel.futexes.size,
    timers: kernel.timers.size,
    posixTimers: total(groups, ({ posixTimers }) => posixTimers.size),
    cpuTimers: total(groups, ({ cpuTimers }) => cpuTimers.size),
    pendingSignals: total(tasks, ({ pending }) => pending.queued),
  };
}

/** What is not as before, as "name: before -> after". */
export function censusDifference(before: Census, after: Census): string[] {
  return (Object.keys(before) as (keyof Census)[])
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name}: ${before[name]} -> ${after[name]}`);
}
