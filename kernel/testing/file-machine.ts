/**
 * A kernel with tasks that never run: tests call system calls for them directly. Strings and bytes among the arguments
 * are put into the task's memory and passed by address; a call that sleeps answers "blocked" and can be run again.
 */
import { EEXIST, Errno, errnoName } from "../../abi/errno.ts";
import { PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { IdleEngine } from "../../tests/support/idle-engine.ts";
import { boot } from "../boot.ts";
import { Kernel } from "../kernel.ts";
import { AddressSpace } from "../mm/address-space.ts";
import { copyToUser, readBytes, readU32 } from "../mm/user-copy.ts";
import { allocatePid } from "../pid/allocate-pids.ts";
import { SignalActions } from "../signal/actions.ts";
import { fileCalls } from "../syscalls/file-table.ts";
import { rootCredentials } from "../task/credentials.ts";
import { copyLimits, defaultLimits } from "../task/resource-limits.ts";
import { BLOCKED, TASK_RUNNABLE, Task } from "../task/task.ts";
import { ThreadGroup } from "../task/thread-group.ts";
import { fromBytes, toBytes } from "../vfs/byte-string.ts";
import { FdTable } from "../vfs/fd-table.ts";
import type { FileSystemOptions } from "../vfs/set-up.ts";
import { FakeWorld } from "./fake-world.ts";
import { R10, R8, R9, RDI, RDX, RSI } from "../../emulator/registers.ts";

const ARGUMENT_REGISTERS = [RDI, RSI, RDX, R10, R8, R9];

export type Argument = number | string | Uint8Array;

/** Where arguments are put, one after the other, and where a test may keep buffers. */
const ARGUMENTS = 0x100000;
const ARGUMENT_PAGES = 64;
export const BUFFER = 0x200000;
export const BUFFER_PAGES = 64;
/** Nothing is ever mapped here. */
export const BAD_ADDRESS = 0x600000;

const handlers = new Map(fileCalls.map(({ handler }) => [handler.row.name as string, handler.run]));

/** A number as a system call returns it, or the name of the errno, or "blocked". */
export type Result = number | string;

export class FileMachine {
  readonly world: FakeWorld;
  readonly kernel: Kernel;
  /** The first task: root, in a session of its own. */
  readonly task: Task;
  private readonly pending = new Map<Task, [name: string, args: number[]]>();

  constructor(options: Partial<FileSystemOptions> = {}, world = new FakeWorld()) {
    this.world = world;
    this.kernel = new Kernel({ engine: new IdleEngine(16), world, maxTasks: 64 });
    const root = { kind: "tmpfs" } as const;
    boot(this.kernel, { root, binds: [], proc: true, dev: true, tmp: true, cwd: "/", ...options });
    this.task = this.newTask();
    this.task.group.setSession(this.task.group.pid);
    this.task.group.setProcessGroup(this.task.group.pid);
  }

  /** A process of its own: same root and session, no descriptors, memory for arguments. */
  newTask(parent: Task = this.task ?? this.kernel.init): Task {
    const { kernel } = this;
    const pid = allocatePid(kernel.initPidNamespace, { wanted: [], taken: EEXIST, allowed: () => {} });
    const task = new Task(kernel, pid);
    task.namespaces = kernel.initNamespaces;
    task.creds = rootCredentials(kernel.initUserNamespace);
    task.actions = new SignalActions();
    task.files = new FdTable();
    task.fs = parent.fs.clone();
    task.comm = "test";
    const limits = parent === kernel.init ? defaultLimits(64) : copyLimits(parent.group.limits);
    task.group = new ThreadGroup(task, pid, parent.group, limits, 0);
    task.group.tasks.add(task);
    task.group.tty = parent.group.tty;
    task.mm = new AddressSpace(kernel.frames, kernel.engine);
    const prot = PROT_READ | PROT_WRITE;
    task.mm.mapFixed(ARGUMENTS, { length: ARGUMENT_PAGES * 4096, prot });
    task.mm.mapFixed(BUFFER, { length: BUFFER_PAGES * 4096, prot });
    return task;
  }

  /** Makes a system call as the first task. */
  call(name: string, ...args: Argument[]): Result {
    return this.callAs(this.task, name, ...args);
  }

  callAs(task: Task, name: string, ...args: Argument[]): Result {
    let at = ARGUMENTS;
    const numbers = args.map((arg) => {
      if (typeof arg === "number") return arg;
      const bytes = typeof arg === "string" ? toBytes(`${arg}\0`) : arg;
      copyToUser(task.memory, at, bytes);
      const address = at;
      at += (bytes.length + 15) & ~15;
      return address;
    });
    task.callDeadline = -1;
    task.callProgress = 0;
    task.callState = undefined;
    return this.run(task, name, numbers);
  }

  /** Runs a call that was blocked once more, as the kernel does after a wake-up. */
  again(task: Task = this.task): Result {
    const [name, args] = this.pending.get(task)!;
    return this.run(task, name, args);
  }

  /** A blocked task has been woken. */
  woken(task: Task = this.task): boolean {
    return task.state === TASK_RUNNABLE;
  }

  /** Bytes of the task's buffer as text. */
  text(length: number, task = this.task, address = BUFFER): string {
    return fromBytes(readBytes(task.memory, address, length));
  }

  word(address: number, task = this.task): number {
    return readU32(task.memory, address) | 0;
  }

  /** Writes a whole file. */
  writeFile(path: string, contents: string): void {
    const fd = this.call("open", path, 0o1101, 0o644) as number;
    if (typeof fd !== "number") throw new Error(`${path}: ${fd}`);
    this.call("write", fd, contents, contents.length);
    this.call("close", fd);
  }

  /** Reads a file, at most what fits the buffer; an errno's name if it cannot be opened or read. */
  readFile(path: string, task = this.task): string {
    const fd = this.callAs(task, "open", path, 0, 0);
    if (typeof fd !== "number") return fd;
    const count = this.callAs(task, "read", fd, BUFFER, BUFFER_PAGES * 4096);
    this.callAs(task, "close", fd);
    return typeof count === "number" ? this.text(count, task) : count;
  }

  /** Names in a directory, sorted, without . and .. */
  list(path: string): string[] {
    const fd = this.call("open", path, 0o200000, 0) as number;
    const names: string[] = [];
    for (;;) {
      const count = this.call("getdents64", fd, BUFFER, 4096);
      if (typeof count !== "number" || count <= 0) break;
      const bytes = readBytes(this.task.memory, BUFFER, count);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < count; at += view.getUint16(at + 16, true)) {
        const end = bytes.indexOf(0, at + 19);
        names.push(fromBytes(bytes.subarray(at + 19, end)));
      }
    }
    this.call("close", fd);
    return names.filter((name) => name !== "." && name !== "..").sort();
  }

  private run(task: Task, name: string, args: number[]): Result {
    const handler = handlers.get(name);
    if (!handler) throw new Error(`no handler for ${name}`);
    task.state = TASK_RUNNABLE;
    // Handlers of calls with a variant argument look at the register itself.
    args.forEach((value, index) => this.kernel.engine.cpu.set(ARGUMENT_REGISTERS[index]!, value));
    let result: number;
    try {
      result = handler(task, ...args);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      result = -error.number;
    }
    while (this.kernel.scheduler.next());
    if (result !== BLOCKED) return result < 0 && result > -4096 ? errnoName(-result) : result;
    this.pending.set(task, [name, args]);
    return "blocked";
  }
}
