import { flagSet } from "./flags.ts";
import { shown, struct, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";
import { signals } from "./signal.ts";

/**
 * The number of clone2(2). 512..547 belong to x32 and Linux keeps 548 upward free for calls outside its tree, so this
 * never collides with a call of Linux itself.
 */
export const __NR_clone2 = 548;

/** Low byte of clone's and clone2's flags: the signal the parent gets when the child dies. */
export const CSIGNAL = 0xff;
/** clone3 and unshare only; in clone and clone2 the bit belongs to CSIGNAL. */
export const CLONE_NEWTIME = 0x80;
export const CLONE_VM = 0x100;
export const CLONE_FS = 0x200;
export const CLONE_FILES = 0x400;
export const CLONE_SIGHAND = 0x800;
export const CLONE_PIDFD = 0x1000;
export const CLONE_PTRACE = 0x2000;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_THREAD = 0x10000;
export const CLONE_NEWNS = 0x20000;
export const CLONE_SYSVSEM = 0x40000;
export const CLONE_SETTLS = 0x80000;
export const CLONE_PARENT_SETTID = 0x100000;
export const CLONE_CHILD_CLEARTID = 0x200000;
export const CLONE_DETACHED = 0x400000;
export const CLONE_UNTRACED = 0x800000;
export const CLONE_CHILD_SETTID = 0x1000000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;
export const CLONE_IO = 0x80000000;
export const CLONE_CLEAR_SIGHAND = 0x100000000;
export const CLONE_INTO_CGROUP = 0x200000000;

const lowFlags = {
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_VFORK,
  CLONE_PARENT,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SYSVSEM,
  CLONE_SETTLS,
  CLONE_PARENT_SETTID,
  CLONE_CHILD_CLEARTID,
  CLONE_DETACHED,
  CLONE_UNTRACED,
  CLONE_CHILD_SETTID,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
  CLONE_IO,
};

/** Flags of clone(2) and clone2(2): the low byte is the exit signal. */
export const cloneFlags = flagSet("clone flags", lowFlags, {
  fields: [{ mask: CSIGNAL, values: signals.values, position: "last" }],
});

/** Flags of clone3(2), whose exit signal has a field of its own. */
export const clone3Flags = flagSet("clone3 flags", {
  ...lowFlags,
  CLONE_NEWTIME,
  CLONE_CLEAR_SIGHAND,
  CLONE_INTO_CGROUP,
});

/** Flags of unshare(2). */
export const unshareFlags = flagSet("unshare flags", {
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_SYSVSEM,
  CLONE_NEWNS,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
  CLONE_NEWTIME,
});

/** Kinds of namespace that setns(2) may be told to expect. */
export const namespaceFlags = flagSet("namespace types", {
  CLONE_NEWNS,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
  CLONE_NEWTIME,
});

/**
 * The argument of clone2(2), exactly 40 bytes. parent_tid and child_tid are addresses below 4 GiB, zero-extended;
 * the reserved fields must be 0.
 */
export const clone_struct = struct(
  "clone_struct",
  {
    flags: shown(u64, cloneFlags),
    child_stack: shown(u64, "address"),
    nr_pids: u32,
    parent_tid: shown(u32, "address"),
    child_tid: shown(u32, "address"),
    reserved1: u32,
    reserved2: u64,
  },
  { size: 40, page: "clone2(2)" },
);
export type clone_struct = TypeOf<typeof clone_struct>;

/** The argument of clone3(2); the caller says how much of it there is. */
export const clone_args = struct(
  "clone_args",
  {
    flags: shown(u64, clone3Flags),
    pidfd: shown(u64, "address"),
    child_tid: shown(u64, "address"),
    parent_tid: shown(u64, "address"),
    exit_signal: shown(u64, signals),
    stack: shown(u64, "address"),
    stack_size: shown(u64, "hex"),
    tls: shown(u64, "address"),
    set_tid: shown(u64, "address"),
    set_tid_size: u64,
    cgroup: u64,
  },
  { size: 88, page: "clone3(2)" },
);
export type clone_args = TypeOf<typeof clone_args>;

/** Without set_tid, with it, with cgroup. */
export const CLONE_ARGS_SIZE_VER0 = 64;
export const CLONE_ARGS_SIZE_VER1 = 80;
export const CLONE_ARGS_SIZE_VER2 = 88;
/** Deepest nesting of pid (and user) namespaces below the initial one; also the limit of set_tid_size. */
export const MAX_PID_NS_LEVEL = 32;
