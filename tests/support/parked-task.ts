/**
 * A booted kernel with one process that never runs: the test puts arguments into the registers and calls the dispatcher
 * as the run loop would, thousands of times a second and without a CPU.
 */
import { S_IFDIR } from "../../abi/stat.ts";
import { syscallByName } from "../../abi/syscalls.ts";
import { R10, R8, R9, RDI, RDX, RSI } from "../../emulator/registers.ts";
import { boot, startProgram } from "../../kernel/boot.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { READ_WRITE } from "./memory.ts";
import { PAGE_SIZE } from "../../kernel/mm/layout.ts";
import { killGroupNow } from "../../kernel/task/exit.ts";
import { reapGroup } from "../../kernel/task/reap.ts";
import { BLOCKED, TASK_ZOMBIE, type Task } from "../../kernel/task/task.ts";
import { elfFile } from "./elf.ts";
import { IdleEngine } from "./idle-engine.ts";
import { MemoryHost } from "./memory-host.ts";
import { tarOf } from "./tar.ts";

const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9];

export type Argument = number | bigint;

export class ParkedTask {
  readonly kernel: Kernel;
  readonly task: Task;

  /** @param files path without the leading slash → contents; /bin/program is there anyway */
  constructor(files: Readonly<Record<string, Uint8Array>> = {}, megabytes = 16) {
    const engine = new IdleEngine(megabytes);
    this.kernel = new Kernel({ engine, world: new MemoryHost({ terminal: true }).world, maxTasks: 64 });
    const program = elfFile();
    const bytes = tarOf({ ...files, "bin/program": program, "dev/": S_IFDIR, "proc/": S_IFDIR, "tmp/": S_IFDIR });
    boot(this.kernel, { root: { kind: "tar", bytes }, binds: [], proc: true, dev: true, tmp: true, cwd: "/" });
    startProgram(this.kernel, { path: "/bin/program", argv: ["program"], env: ["A=1"] });
    this.task = this.kernel.main!.leader;
    this.resume();
  }

  /** True when the last call has ended the process. */
  get ended(): boolean {
    return this.task.state >= TASK_ZOMBIE;
  }

  /** Makes the system call; a sleep is ended at once and reported as "blocked". Throws what is not an errno. */
  call(name: string, ...args: readonly Argument[]): number | "blocked" {
    const { task, kernel } = this;
    const { number } = syscallByName.get(name)!;
    const { cpu } = kernel.engine;
    ARGUMENTS.forEach((register, index) => (cpu.u64[register] = BigInt.asUintN(64, BigInt(args[index] ?? 0))));
    task.callNumber = number;
    task.callDeadline = -1;
    task.callProgress = 0;
    task.callState = undefined;
    task.awaitedSignals = null;
    const result = kernel.dispatcher.call(task, number, cpu);
    task.callNumber = -1;
    if (result === BLOCKED) kernel.futexes.cancel(task);
    if (!this.ended) this.resume();
    return result === BLOCKED ? "blocked" : result;
  }

  /** Ends and buries every process but the parked one and init. */
  buryChildren(): void {
    for (const pid of [...this.kernel.initPidNamespace.all()]) {
      const { group } = pid;
      if (!group || group === this.task.group || group === this.kernel.init.group) continue;
      if (!group.zombie) killGroupNow(group, 9);
      reapGroup(group, null);
    }
    this.task.pending.clear();
    this.task.group.pending.clear();
    this.task.signalPending = false;
  }

  /** Maps pages of read-write memory in the process. */
  map(address: number, pages: number, prot = READ_WRITE): void {
    this.task.memory.mapFixed(address, { length: pages * PAGE_SIZE, prot });
  }

  /** The task is the one whose registers are in the engine, as during a system call. */
  private resume(): void {
    const { task, kernel } = this;
    task.wake();
    task.state = 0;
    while (kernel.scheduler.next());
    kernel.scheduler.current = task;
  }
}
