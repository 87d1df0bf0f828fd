/** Files of /proc about the machine as a whole (proc(5)). */
import { PAGE_SIZE } from "../../mm/layout.ts";
import type { PidNamespace } from "../../pid/pid-namespace.ts";
import { KERNEL_RELEASE, KERNEL_VERSION } from "../../identity.ts";
import { groupTimes } from "../../task/times.ts";
import { TASK_RUNNABLE, type Task } from "../../task/task.ts";

/** What uname(2) says as well. */
export const OS_TYPE = "Linux";

const ticks = (ns: number): number => Math.floor(ns / 1e7);

const kib = (frames: number): string => `${String((frames * PAGE_SIZE) / 1024).padStart(8)} kB`;

export function meminfo({ kernel }: Task): string {
  const { frameCount, freeFrames } = kernel.frames.memory;
  const used: [string, number][] = [
    ["MemTotal", frameCount],
    ["MemFree", freeFrames],
    ["MemAvailable", freeFrames],
    ["Buffers", 0],
    ["Cached", 0],
    ["SwapCached", 0],
    ["Active", frameCount - freeFrames],
    ["Inactive", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["AnonPages", frameCount - freeFrames],
    ["Mapped", 0],
    ["Shmem", 0],
    ["Slab", 0],
    ["CommitLimit", frameCount],
    ["Committed_AS", frameCount - freeFrames],
    ["VmallocTotal", 0],
    ["VmallocUsed", 0],
  ];
  const lines = used.map(([name, frames]) => `${`${name}:`.padEnd(16)}${kib(frames)}\n`).join("");
  return `${lines}HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n`;
}

const FLAGS =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx " +
  "lm constant_tsc rep_good nopl cpuid pni ssse3 cx16 sse4_1 sse4_2 popcnt hypervisor lahf_lm";

/** What level 3 adds. */
const V3_FLAGS = "pclmulqdq fma movbe aes xsave avx f16c abm bmi1 avx2 bmi2 sha_ni xsaveopt xsavec xgetbv1";

export function cpuinfo({ kernel }: Task): string {
  const v3 = kernel.engine.capabilities.level === "x86-64-v3";
  const fields: [string, string][] = [
    ["processor\t", "0"],
    ["vendor_id\t", "GenuineIntel"],
    ["cpu family\t", "6"],
    ["model\t\t", v3 ? "60" : "26"],
    ["model name\t", `Trapgate ${kernel.engine.capabilities.name} (${kernel.engine.capabilities.level})`],
    ["stepping\t", "3"],
    ["cpu MHz\t\t", "1000.000"],
    ["cache size\t", "0 KB"],
    ["physical id\t", "0"],
    ["siblings\t", "1"],
    ["core id\t\t", "0"],
    ["cpu cores\t", "1"],
    ["fpu\t\t", "yes"],
    ["fpu_exception\t", "yes"],
    ["cpuid level\t", v3 ? "13" : "11"],
    ["wp\t\t", "yes"],
    ["flags\t\t", v3 ? `${FLAGS} ${V3_FLAGS}` : FLAGS],
    ["bogomips\t", "2000.00"],
    ["clflush size\t", "64"],
    ["cache_alignment\t", "64"],
    ["address sizes\t", "40 bits physical, 48 bits virtual"],
  ];
  return `${fields.map(([name, value]) => `${name}: ${value}\n`).join("")}\n`;
}

/** CPU time of all living processes, and the rest of the time as idle. */
function cpuTicks({ kernel }: Task): { user: number; system: number; idle: number } {
  let user = 0;
  let system = 0;
  for (const pid of kernel.initPidNamespace.all()) {
    if (!pid.group) continue;
    const times = groupTimes(pid.group);
    user += times.user;
    system += times.system;
  }
  return { user: ticks(user), system: ticks(system), idle: Math.max(0, ticks(kernel.now() - user - system)) };
}

export function uptime(reader: Task): string {
  const seconds = reader.kernel.now() / 1e9;
  return `${seconds.toFixed(2)} ${(cpuTicks(reader).idle / 100).toFixed(2)}\n`;
}

export function loadavg({ kernel }: Task, pids: PidNamespace): string {
  let running = 0;
  let total = 0;
  for (const pid of kernel.initPidNamespace.all()) {
    if (!pid.task) continue;
    total++;
    if (pid.task.state === TASK_RUNNABLE) running++;
  }
  return `0.00 0.00 0.00 ${running}/${total} ${pids.lastPid}\n`;
}

export function stat(reader: Task): string {
  const { kernel } = reader;
  const { user, system, idle } = cpuTicks(reader);
  let running = 0;
  for (const pid of kernel.initPidNamespace.all()) if (pid.task?.state === TASK_RUNNABLE) running++;
  const times = `${user} 0 ${system} ${idle} 0 0 0 0 0 0`;
  const { bootTime } = kernel.world.clock;
  return (
    `cpu  ${times}\ncpu0 ${times}\nintr 0\nctxt ${kernel.contextSwitches}\nbtime ${bootTime.seconds}\n` +
    `processes ${kernel.forks}\nprocs_running ${running}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`
  );
}

export function version({ kernel }: Task): string {
  return `${OS_TYPE} version ${KERNEL_RELEASE} (${kernel.hostname}) ${KERNEL_VERSION}\n`;
}

export function vmstat({ kernel }: Task): string {
  return `nr_free_pages ${kernel.frames.memory.freeFrames}\npgfault 0\npgmajfault 0\n`;
}

export const filesystems = (): string => "nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tpipefs\nnodev\thostfs\n";

export const devices = (): string => "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n";
