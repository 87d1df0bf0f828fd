/**
 * One machine's kernel: what all its tasks share. It holds no policy of its own; the work is done by the modules it
 * brings together, and `run-loop.ts` drives it.
 */
import type { Engine } from "../emulator/engine.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Tracer } from "./events.ts";
import { PipeMemory } from "./fs/pipe-memory.ts";
import { FutexTable } from "./ipc/futex.ts";
import { Frames } from "./mm/frames.ts";
import type { NamespaceSet } from "./namespaces/namespace-set.ts";
import { UserNamespace } from "./namespaces/user-namespace.ts";
import { PidNamespace } from "./pid/pid-namespace.ts";
import { syscallTable } from "./syscalls/table.ts";
import { Scheduler } from "./task/scheduler.ts";
import type { Task } from "./task/task.ts";
import type { ThreadGroup } from "./task/thread-group.ts";
import { Timers } from "./task/timers.ts";
import { Console } from "./tty/console.ts";
import type { DescriptorBudget } from "./vfs/fd-table.ts";
import type { World } from "./world.ts";

export interface KernelOptions {
  engine: Engine;
  world: World;
  /** Tasks alive at once; fork gives EAGAIN beyond. */
  maxTasks?: number;
  hostname?: string;
  tracer?: Tracer | undefined;
}

/** Inode numbers of the initial namespaces, as Linux fixes them (include/linux/proc_ns.h). */
export const INITIAL_INODES = {
  ipc: 0xefffffff,
  uts: 0xeffffffe,
  user: 0xeffffffd,
  pid: 0xeffffffc,
  cgroup: 0xeffffffb,
  time: 0xeffffffa,
  net: 0xf0000000,
  mount: 0xf0000001,
} as const;

/** Wall-clock time. */
export interface Timestamp {
  seconds: number;
  nanoseconds: number;
}

export class Kernel {
  readonly engine: Engine;
  readonly world: World;
  readonly frames: Frames;
  readonly dispatcher: Dispatcher;
  readonly scheduler = new Scheduler();
  readonly timers = new Timers();
  readonly futexes = new FutexTable();
  readonly initUserNamespace = new UserNamespace(null, INITIAL_INODES.user);
  readonly initPidNamespace = new PidNamespace(null, this.initUserNamespace, INITIAL_INODES.pid);
  readonly console: Console;
  readonly pipeMemory: PipeMemory;
  readonly maxTasks: number;
  readonly hostname: string;
  tracer: Tracer | undefined;
  /** Namespaces of the first process; set at boot. */
  initNamespaces!: NamespaceSet;
  /** Pid 1: a kernel thread that inherits and buries orphans. */
  init!: Task;
  /** The process the machine was started for; when it ends the machine halts. */
  main: ThreadGroup | null = null;
  /** Wait status of `main`, -1 while it lives. */
  exitStatus = -1;
  taskCount = 0;
  readonly descriptors: DescriptorBudget = { used: 0, limit: 1 << 20 };
  /** Tasks created since boot, for /proc/stat. */
  forks = 0;
  contextSwitches = 0;
  outOfMemoryKills = 0;
  /** When the current task was put into the engine. */
  switchedAt = 0;
  systemCalls = 0;
  /** clock_settime(2): correction of the world's wall clock in ns. */
  clockOffset = 0;
  /** An order of kernel objects, made when kcmp(2) is first used. */
  ordering: { compare(a: object, b: object): number } | null = null;
  private nextInode = 0xf0000010;
  private nextDevice = 32;

  constructor(options: KernelOptions) {
    this.engine = options.engine;
    this.world = options.world;
    this.maxTasks = options.maxTasks ?? 4096;
    this.hostname = options.hostname ?? "trapgate";
    this.tracer = options.tracer;
    this.frames = new Frames(options.engine);
    this.dispatcher = new Dispatcher(syscallTable);
    this.console = new Console(this);
    this.pipeMemory = new PipeMemory(options.engine.memory.buffer.byteLength);
  }

  /** Nanoseconds since boot. */
  now(): number {
    return this.world.clock.now();
  }

  realtime(): Timestamp {
    const { seconds, nanoseconds } = this.world.clock.bootTime;
    const total = nanoseconds + this.now() + this.clockOffset;
    const carry = Math.floor(total / 1e9);
    return { seconds: seconds + carry, nanoseconds: Math.floor(total - carry * 1e9) };
  }

  allocateInode(): number {
    return this.nextInode++;
  }

  /** A device number for a file system without a device. */
  allocateDevice(): number {
    return this.nextDevice++;
  }

  /** True once the main process has ended. */
  get halted(): boolean {
    return this.exitStatus >= 0;
  }
}
