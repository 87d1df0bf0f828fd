/** status, stat, statm and limits of a process (proc_pid_status(5), proc_pid_stat(5)). */
import { SIG_DFL, SIG_IGN } from "../../../abi/signal.ts";
import { PAGE_SIZE } from "../../mm/layout.ts";
import { PROT_EXEC, PROT_WRITE } from "../../../abi/mman.ts";
import type { Pid } from "../../pid/pid.ts";
import { SignalSet } from "../../signal/signal-set.ts";
import { TASK_BLOCKED, TASK_RUNNABLE, TASK_STOPPED, TASK_ZOMBIE, type Task } from "../../task/task.ts";
import { groupTimes } from "../../task/times.ts";
import { OVERFLOW_ID } from "../../namespaces/user-namespace.ts";
import { deviceMajor, deviceMinor } from "../../vfs/device-number.ts";
import type { ProcFs } from "./proc-fs.ts";

/** Letter and word for what a task is doing. */
function stateOf(task: Task): [letter: string, word: string] {
  switch (task.state) {
    case TASK_RUNNABLE:
      return ["R", "running"];
    case TASK_BLOCKED:
      return ["S", "sleeping"];
    case TASK_STOPPED:
      return ["T", "stopped"];
    case TASK_ZOMBIE:
      return ["Z", "zombie"];
    default:
      return ["X", "dead"];
  }
}

/** Numbers of a pid from the mount's namespace inwards. */
const numbersFrom = (pid: Pid, fs: ProcFs): string => pid.numbers.slice(fs.pids.level).join("\t");

interface MemorySizes {
  total: number;
  resident: number;
  data: number;
  stack: number;
  text: number;
  libraries: number;
  shared: number;
}

function memorySizes(task: Task): MemorySizes | null {
  const { mm } = task;
  if (!mm) return null;
  const sizes = { total: 0, resident: mm.residentPages, data: 0, stack: 0, text: 0, libraries: 0, shared: 0 };
  for (const area of mm.vmas.areas) {
    const size = area.end - area.start;
    sizes.total += size;
    if (area.growsDown) sizes.stack += size;
    else if ((area.prot & PROT_WRITE) !== 0 && !area.shared) sizes.data += size;
    else if ((area.prot & PROT_EXEC) !== 0) sizes.libraries += size;
  }
  sizes.text = Math.max(0, mm.marks.endCode - mm.marks.startCode);
  sizes.libraries = Math.max(0, sizes.libraries - sizes.text);
  return sizes;
}

/** Characters that would break the line format are shown as octal. */
const escapeName = (name: string): string =>
  name.replace(/[\n\\]/g, (character) => (character === "\n" ? "\\n" : "\\\\"));

export function status(task: Task, reader: Task, fs: ProcFs): string {
  const { group, creds } = task;
  const { userNamespace } = reader.creds;
  const [letter, word] = stateOf(task);
  const uid = (id: number): number => shown(userNamespace.uidInside(id));
  const gid = (id: number): number => shown(userNamespace.gidInside(id));
  const lines: string[] = [
    `Name:\t${escapeName(task.comm)}`,
    `Umask:\t${task.state >= TASK_ZOMBIE ? "0000" : task.fs.umask.toString(8).padStart(4, "0")}`,
    `State:\t${letter} (${word})`,
    `Tgid:\t${group.pid.numberIn(fs.pids)}`,
    "Ngid:\t0",
    `Pid:\t${task.pid.numberIn(fs.pids)}`,
    `PPid:\t${group.parent?.pid.numberIn(fs.pids) ?? 0}`,
    "TracerPid:\t0",
    `Uid:\t${[creds.uid, creds.euid, creds.suid, creds.fsuid].map(uid).join("\t")}`,
    `Gid:\t${[creds.gid, creds.egid, creds.sgid, creds.fsgid].map(gid).join("\t")}`,
    `FDSize:\t${task.state >= TASK_ZOMBIE ? 0 : Math.max(64, task.files.size)}`,
    `Groups:\t${creds.groups.map((id) => `${gid(id)} `).join("")}`,
    `NStgid:\t${numbersFrom(group.pid, fs)}`,
    `NSpid:\t${numbersFrom(task.pid, fs)}`,
    `NSpgid:\t${numbersFrom(group.processGroup, fs)}`,
    `NSsid:\t${numbersFrom(group.session, fs)}`,
    "Kthread:\t0",
    ...memoryLines(task),
    `Threads:\t${group.tasks.size}`,
    `SigQ:\t${task.pending.queued + group.pending.queued}/${limitText(group.limits[11]!.current)}`,
    `SigPnd:\t${task.pending.set}`,
    `ShdPnd:\t${group.pending.set}`,
    `SigBlk:\t${task.blockedSignals}`,
    ...actionLines(task),
    `CapInh:\t${bits(creds.inheritable)}`,
    `CapPrm:\t${bits(creds.permitted)}`,
    `CapEff:\t${bits(creds.effective)}`,
    `CapBnd:\t${bits(creds.bounding)}`,
    `CapAmb:\t${bits(creds.ambient)}`,
    `NoNewPrivs:\t${creds.noNewPrivs ? 1 : 0}`,
    "Seccomp:\t0",
    "Seccomp_filters:\t0",
    "Speculation_Store_Bypass:\tnot vulnerable",
    "Cpus_allowed:\t1",
    "Cpus_allowed_list:\t0",
    "Mems_allowed:\t1",
    "Mems_allowed_list:\t0",
    `voluntary_ctxt_switches:\t${task.voluntarySwitches}`,
    `nonvoluntary_ctxt_switches:\t${task.involuntarySwitches}`,
  ];
  return `${lines.join("\n")}\n`;
}

const shown = (id: number): number => (id < 0 ? OVERFLOW_ID : id);
const bits = (set: bigint): string => set.toString(16).padStart(16, "0");

function memoryLines(task: Task): string[] {
  const sizes = memorySizes(task);
  if (!sizes) return [];
  const kib = (bytes: number): string => `${String(Math.floor(bytes / 1024)).padStart(8)} kB`;
  const resident = sizes.resident * PAGE_SIZE;
  const peak = Math.max(task.group.maxRss * 1024, resident);
  return [
    `VmPeak:\t${kib(sizes.total)}`,
    `VmSize:\t${kib(sizes.total)}`,
    `VmLck:\t${kib(0)}`,
    `VmPin:\t${kib(0)}`,
    `VmHWM:\t${kib(peak)}`,
    `VmRSS:\t${kib(resident)}`,
    `RssAnon:\t${kib(resident)}`,
    `RssFile:\t${kib(0)}`,
    `RssShmem:\t${kib(0)}`,
    `VmData:\t${kib(sizes.data)}`,
    `VmStk:\t${kib(sizes.stack)}`,
    `VmExe:\t${kib(sizes.text)}`,
    `VmLib:\t${kib(sizes.libraries)}`,
    `VmPTE:\t${kib(0)}`,
    `VmSwap:\t${kib(0)}`,
  ];
}

/** Signals that are ignored and that have a handler. */
function actionSets(task: Task): [ignored: SignalSet, caught: SignalSet] {
  const ignored = new SignalSet();
  const caught = new SignalSet();
  if (task.state >= TASK_ZOMBIE) return [ignored, caught];
  for (let signal = 1; signal <= 64; signal++) {
    const { handler } = task.actions.get(signal);
    if (handler === SIG_IGN) ignored.add(signal);
    else if (handler !== SIG_DFL) caught.add(signal);
  }
  return [ignored, caught];
}

function actionLines(task: Task): string[] {
  const [ignored, caught] = actionSets(task);
  return [`SigIgn:\t${ignored}`, `SigCgt:\t${caught}`];
}

const ticks = (ns: number): number => Math.floor(ns / 1e7);

/** The low 32 signals of a set as a decimal number. */
const low = (set: SignalSet): number => set.low;

export function stat(task: Task, _reader: Task, fs: ProcFs): string {
  const { group, mm } = task;
  const own = { user: task.userTime, system: task.systemTime };
  const times = task === group.leader ? groupTimes(group) : own;
  const sizes = memorySizes(task);
  const [ignored, caught] = actionSets(task);
  const tty = group.tty ? group.tty.device : 0;
  const terminal = group.tty ? deviceMajor(tty) * 256 + deviceMinor(tty) : 0;
  const foreground = group.tty?.foreground?.numberIn(fs.pids) ?? -1;
  const marks = mm?.marks;
  const fields = [
    task.pid.numberIn(fs.pids),
    `(${task.comm})`,
    stateOf(task)[0],
    group.parent?.pid.numberIn(fs.pids) ?? 0,
    group.processGroup.numberIn(fs.pids),
    group.session.numberIn(fs.pids),
    terminal,
    foreground,
    0,
    group.minorFaults,
    0,
    group.majorFaults,
    0,
    ticks(times.user),
    ticks(times.system),
    ticks(group.childrenUserTime),
    ticks(group.childrenSystemTime),
    20 + task.nice,
    task.nice,
    group.tasks.size,
    0,
    ticks(group.startTime),
    sizes?.total ?? 0,
    sizes?.resident ?? 0,
    group.limits[5]!.current === Infinity ? "18446744073709551615" : group.limits[5]!.current,
    marks?.startCode ?? 0,
    marks?.endCode ?? 0,
    marks?.startStack ?? 0,
    0,
    0,
    low(task.pending.set),
    low(task.blockedSignals),
    low(ignored),
    low(caught),
    0,
    0,
    0,
    task === group.leader ? group.exitSignal : -1,
    0,
    0,
    0,
    0,
    0,
    0,
    marks?.startData ?? 0,
    marks?.endData ?? 0,
    mm?.brkStart ?? 0,
    marks?.argStart ?? 0,
    marks?.argEnd ?? 0,
    marks?.envStart ?? 0,
    marks?.envEnd ?? 0,
    group.exitStatus,
  ];
  return `${fields.join(" ")}\n`;
}

export function statm(task: Task): string {
  const sizes = memorySizes(task);
  if (!sizes) return "0 0 0 0 0 0 0\n";
  const pages = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);
  const { total, resident, shared, text, data, stack } = sizes;
  return `${pages(total)} ${resident} ${pages(shared)} ${pages(text)} 0 ${pages(data + stack)} 0\n`;
}

const LIMIT_NAMES: readonly [name: string, unit: string][] = [
  ["Max cpu time", "seconds"],
  ["Max file size", "bytes"],
  ["Max data size", "bytes"],
  ["Max stack size", "bytes"],
  ["Max core file size", "bytes"],
  ["Max resident set", "bytes"],
  ["Max processes", "processes"],
  ["Max open files", "files"],
  ["Max locked memory", "bytes"],
  ["Max address space", "bytes"],
  ["Max file locks", "locks"],
  ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"],
  ["Max nice priority", ""],
  ["Max realtime priority", ""],
  ["Max realtime timeout", "us"],
];

const limitText = (value: number): string => (value === Infinity ? "unlimited" : String(value));

export function limits(task: Task): string {
  const row = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit.padEnd(10)}\n`;
  let text = row("Limit", "Soft Limit", "Hard Limit", "Units");
  for (const [index, [name, unit]] of LIMIT_NAMES.entries()) {
    const { current, maximum } = task.group.limits[index]!;
    text += row(name, limitText(current), limitText(maximum), unit);
  }
  return text;
}
