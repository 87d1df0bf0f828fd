/**
 * Arguments that make a call look at its pointers: what is not a pointer is as harmless as possible, and every pointer
 * refers to memory of its own, with an object in it that the call accepts.
 */
import { CLONE_CHILD_SETTID, clone_args, clone_struct } from "../../abi/clone.ts";
import { AT_FDCWD, O_CREAT, O_RDWR } from "../../abi/fcntl.ts";
import { PROT_NONE, PROT_READ } from "../../abi/mman.ts";
import { _LINUX_CAPABILITY_VERSION_3, cap_user_header } from "../../abi/capability.ts";
import { SS_DISABLE, sigevent, stack_t } from "../../abi/signal.ts";
import { isPointer, type AnyPointerArg, type Arg, type Syscall } from "../../abi/syscalls.ts";
import { PAGE_SIZE } from "../../kernel/mm/layout.ts";
import { copyToUser, readU32 } from "../../kernel/mm/user-copy.ts";
import { killGroupNow } from "../../kernel/task/exit.ts";
import { ParkedTask } from "../support/parked-task.ts";

/** Each argument has two pages of its own, with nothing behind them. */
const SLOT = 0x100000;
export const SLOTS = 0x20000000;
export const SLOT_BYTES = 2 * PAGE_SIZE;
const OBJECT = 0x400;
export const READ_ONLY = 0x30000000;
export const FORBIDDEN = 0x30100000;
export const UNMAPPED = 0x30200000;
export const GUARD = 0xa5;

export const slotOf = (index: number): number => SLOTS + index * SLOT;
export const objectOf = (index: number): number => slotOf(index) + OBJECT;
/** Objects that others point to. */
const INNER = slotOf(7);

/** What the process has open. */
export const FILE = 3;
export const DIRECTORY = 4;
export const PIPE_READ = 5;
export const PIPE_WRITE = 6;
export const TERMINAL = 0;

/** Opened only if the call exists; 1023, which is never open, where it does not. */
const openers = {
  epoll: ["epoll_create1", 0],
  event: ["eventfd2", 5, 0x800],
  timer: ["timerfd_create", 1, 0],
  memfd: ["memfd_create", INNER, 0],
  pidfd: ["pidfd_open", 2, 0],
  inotify: ["inotify_init1", 0x800],
} as const;

export type Descriptors = Record<keyof typeof openers | "socket", number>;

/** A process with the memory and the descriptors that the arguments speak of. */
export function prepareTask(): { parked: ParkedTask; descriptors: Descriptors } {
  const parked = new ParkedTask();
  for (let index = 0; index < 8; index++) parked.map(slotOf(index), 2);
  parked.map(READ_ONLY, 1, PROT_READ);
  parked.map(FORBIDDEN, 1, PROT_NONE);
  put(parked, INNER, "/tmp/file\0");
  const expectFd = (fd: number | "blocked", wanted: number): void => {
    if (fd !== wanted) throw new Error(`descriptor ${fd} in place of ${wanted}`);
  };
  expectFd(parked.call("open", INNER, O_CREAT | O_RDWR, 0o600), FILE);
  put(parked, INNER, "x".repeat(SLOT_BYTES / 2));
  parked.call("write", FILE, INNER, SLOT_BYTES / 2);
  parked.call("lseek", FILE, 0, 0);
  put(parked, INNER, "/\0");
  expectFd(parked.call("open", INNER, 0, 0), DIRECTORY);
  expectFd(parked.call("pipe", INNER), 0);
  put(parked, INNER, "0123456789");
  parked.call("write", PIPE_WRITE, INNER, 10);
  put(parked, INNER, "/tmp/file\0");
  const descriptors = {} as Descriptors;
  for (const [name, [call, ...args]] of Object.entries(openers)) {
    const fd = parked.call(call, ...args);
    descriptors[name as keyof Descriptors] = typeof fd === "number" && fd >= 0 ? fd : 1023;
  }
  prepareMore(parked, descriptors);
  return { parked, descriptors };
}

/** Something to wait for, to list and to take: without it calls would not come as far as their pointers. */
function prepareMore(parked: ParkedTask, descriptors: Descriptors): void {
  const { epoll } = descriptors;
  parked.call("socketpair", 1, 1, 0, INNER);
  descriptors.socket = readU32(parked.task.memory, INNER);
  parked.call("write", readU32(parked.task.memory, INNER + 4), INNER, SLOT_BYTES / 2);
  parked.call("shmget", 0, PAGE_SIZE, 0o1600);
  // A child that has ended, whose SIGCHLD is gone.
  const child = parked.call("fork");
  const group = parked.kernel.initPidNamespace.find(Number(child))!.group!;
  killGroupNow(group, 0);
  parked.task.group.pending.clear();
  parked.task.signalPending = false;
  putWords(parked, INNER, [1, 2]);
  parked.call("setgroups", 2, INNER);
  putWords(parked, INNER, [1, 0, 0]);
  parked.call("epoll_ctl", epoll, 1, PIPE_READ, INNER);
  parked.call("timer_create", 1, 0, INNER);
  put(parked, INNER, "/tmp/file\0");
}

function putWords(parked: ParkedTask, address: number, words: readonly number[]): void {
  copyToUser(parked.task.memory, address, new Uint8Array(Uint32Array.from(words).buffer));
}

function put(parked: ParkedTask, address: number, text: string): void {
  copyToUser(
    parked.task.memory,
    address,
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
  );
}

type Value = number | ((descriptors: Descriptors) => number);

/** Where the general rules would not make a call look at its pointers. */
const SPECIAL: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  clone: { flags: CLONE_CHILD_SETTID | 17 },
  getgroups: { size: 2 },
  getdents: { fd: DIRECTORY, count: 512 },
  getdents64: { fd: DIRECTORY, count: 512 },
  readlink: { bufsiz: 64 },
  readlinkat: { bufsiz: 64 },
  ioctl: { fd: TERMINAL },
  "ioctl:0x541b": { fd: PIPE_READ },
  epoll_ctl: { epfd: ({ epoll }) => epoll, op: 1, fd: PIPE_WRITE },
  epoll_wait: { epfd: ({ epoll }) => epoll, maxevents: 2 },
  epoll_pwait: { epfd: ({ epoll }) => epoll, maxevents: 2 },
  epoll_pwait2: { epfd: ({ epoll }) => epoll, maxevents: 2 },
  signalfd: { fd: -1 },
  signalfd4: { fd: -1 },
  timerfd_settime: { fd: ({ timer }) => timer },
  timerfd_gettime: { fd: ({ timer }) => timer },
  pidfd_send_signal: { pidfd: ({ pidfd }) => pidfd, sig: 0 },
  socketpair: { domain: 1, type: 1 },
  sendto: { sockfd: ({ socket }) => socket },
  recvfrom: { sockfd: ({ socket }) => socket },
  tee: { fd_in: PIPE_READ, fd_out: PIPE_WRITE },
  vmsplice: { fd: PIPE_WRITE },
  splice: { fd_in: FILE, fd_out: PIPE_WRITE, off_out: 0, len: 8 },
  "splice to a file": { fd_in: PIPE_READ, off_in: 0, fd_out: FILE, len: 8 },
  sendfile: { out_fd: PIPE_WRITE, in_fd: FILE },
  copy_file_range: { fd_in: FILE, fd_out: FILE, len: 8 },
  rt_sigqueueinfo: { tgid: 2, sig: 10 },
  rt_tgsigqueueinfo: { tgid: 2, tid: 2, sig: 10 },
  wait4: { pid: -1 },
  waitid: { which: 0, id: 0, options: 4 },
  mincore: { addr: slotOf(6), length: PAGE_SIZE },
  "futex:0x9": { val3: 1 },
  "futex:0xc": { val: 1 },
  prlimit64: { resource: 7 },
  getrlimit: { resource: 7 },
  setrlimit: { resource: 7 },
  sched_setaffinity: { cpusetsize: 8 },
  sched_getaffinity: { cpusetsize: 8 },
  syslog: { type: 3 },
  linkat: { olddirfd: AT_FDCWD, newdirfd: AT_FDCWD },
  inotify_add_watch: { fd: ({ inotify }) => inotify, mask: 2 },
  get_robust_list: { pid: 0 },
  set_robust_list: { len: 24 },
};

/** What stands in a struct, where zeros are no good; by layout. */
const STRUCTS: Readonly<Record<string, Uint8Array>> = {
  clone_struct: clone_struct.bytes({ flags: 17, nr_pids: 1 }),
  clone_args: clone_args.bytes({ exit_signal: 17 }),
  __user_cap_header_struct: cap_user_header.bytes({ version: _LINUX_CAPABILITY_VERSION_3 }),
  stack_t: stack_t.bytes({ ss_flags: SS_DISABLE }),
  sigevent: sigevent.bytes({ sigev_signo: 10 }),
};

/** More than one way to call: what is in the second table is for these. */
export const MORE_VARIANTS: readonly (readonly [call: string, variant: string])[] = [["splice", "splice to a file"]];

/** File names that a call wants, where that is no regular file. */
const NAMES: Readonly<Record<string, string>> = {
  readlink: "/proc/self/exe",
  readlinkat: "/proc/self/exe",
  pivot_root: "/tmp",
  chroot: "/tmp",
  chdir: "/tmp",
};

/** A call with its arguments, and the selecting argument's value where there is one. */
export interface Variant {
  readonly row: Syscall;
  readonly args: readonly Arg[];
  readonly chosen: ReadonlyMap<string, number>;
  /** The call's name, with the command where that decides what the pointer is. */
  readonly name: string;
}

export interface Prepared {
  readonly args: number[];
  /** Bytes behind each pointer, undefined where an argument is none. */
  readonly sizes: (number | undefined)[];
}

/** Values for a call's arguments; `chosen` are given ones. Writes the objects into the slots. */
export function plausibleArguments(
  parked: ParkedTask,
  { row, name, args, chosen }: Variant,
  descriptors: Descriptors,
): Prepared {
  const special = { ...SPECIAL[row.name], ...SPECIAL[name] };
  const scalars = new Map<string, number>();
  for (const arg of args) {
    const given = chosen.get(arg.name) ?? special[arg.name];
    const value = typeof given === "function" ? given(descriptors) : (given ?? scalarFor(arg, args));
    scalars.set(arg.name, value);
  }
  // Arguments that count only with some bit of another one.
  for (const arg of args) {
    if (arg.when && isPointer(arg))
      scalars.set(arg.when.argument, scalars.get(arg.when.argument)! | lowestBit(arg.when.bits));
  }
  const sizes = args.map((arg) => (isPointer(arg) ? sizeOf(arg, scalars) : undefined));
  const values = args.map((arg, index) => {
    if (!isPointer(arg)) return scalars.get(arg.name)!;
    fillSlot(parked, index, objectBytes(row.name, arg, index, args));
    return special[arg.name] === 0 ? 0 : objectOf(index);
  });
  return { args: values, sizes };
}

const lowestBit = (bits: number): number => bits & -bits;

/** A count for the pointer that it belongs to, else something that does no harm. */
function scalarFor(arg: Arg, args: readonly Arg[]): number {
  const counted = args.find(
    (other) =>
      isPointer(other) &&
      (other.extent.by === "argument" || other.extent.by === "bits") &&
      other.extent.argument === arg.name,
  );
  if (counted && isPointer(counted)) {
    if (counted.extent.by === "bits") return 64;
    if (counted.kind === "sigset") return 8;
    if (counted.kind === "sizedStruct") return counted.layout.size;
    if (counted.kind === "array" || counted.kind === "iovec") return 1;
    return counted.extent.by === "argument" && counted.extent.unit > 1 ? 1 : 64;
  }
  switch (arg.kind) {
    case "fd":
      return FILE;
    case "dirfd":
      return AT_FDCWD;
    case "signal":
      return 10;
    case "mode":
      return 0o600;
    default:
      return arg.name === "sigsetsize" ? 8 : 0;
  }
}

function sizeOf(arg: AnyPointerArg, scalars: ReadonlyMap<string, number>): number {
  const { extent } = arg;
  switch (extent.by) {
    case "nul":
      return 10;
    case "bytes":
      return extent.bytes;
    case "argument":
      return scalars.get(extent.argument)! * extent.unit;
    case "bits":
      return Math.ceil(scalars.get(extent.argument)! / 64) * 8;
    case "lengthAt":
      return 64;
    case "field":
      return extent.unit;
    case "vector":
      return 16;
  }
}

/** Guard bytes all over the slot, and the object in it. */
function fillSlot(parked: ParkedTask, index: number, object: Uint8Array): void {
  const bytes = new Uint8Array(SLOT_BYTES).fill(GUARD);
  bytes.set(object, OBJECT);
  copyToUser(parked.task.memory, slotOf(index), bytes);
}

/** The object a pointer refers to. */
export function objectBytes(call: string, arg: AnyPointerArg, index: number, args: readonly Arg[]): Uint8Array {
  const bytes = new Uint8Array("layout" in arg ? Math.max(256, arg.layout.size) : 256);
  const view = new DataView(bytes.buffer);
  switch (arg.kind) {
    case "path":
    case "string": {
      // The second name of a call is a new one.
      const isNew = args.slice(0, index).some((other) => other.kind === "path");
      bytes.set(Buffer.from(`${NAMES[call] ?? (isNew ? "/tmp/other" : "/tmp/file")}\0`));
      break;
    }
    case "stringArray":
      view.setUint32(0, INNER, true);
      break;
    case "iovec":
      view.setUint32(0, INNER, true);
      view.setUint32(8, 64, true);
      break;
    case "integerPointer":
      view.setUint32(0, arg.name.startsWith("off") ? 0 : 16, true);
      break;
    case "pidList":
      view.setUint32(0, 60, true);
      break;
    default:
      if ("layout" in arg) bytes.set(STRUCTS[arg.layout.name] ?? []);
  }
  return bytes;
}
