/**
 * Linux's x86-64 interface as data: numbers, flags, layouts and the table of system calls. A constant, flag set or
 * struct lives in the file named after its man page; this is all of them through one door.
 */
export * from "./auxv.ts";
export * from "./capability.ts";
export * from "./clone.ts";
export * from "./dirent.ts";
export * from "./elf.ts";
export * from "./errno.ts";
export * from "./eventfd.ts";
export * from "./fcntl.ts";
export * from "./flags.ts";
export * from "./futex.ts";
export * from "./inotify.ts";
export * from "./ioctl.ts";
export * from "./ipc.ts";
export * from "./layout.ts";
export * from "./mman.ts";
export * from "./mount.ts";
export * from "./poll.ts";
export * from "./prctl.ts";
export * from "./ptrace.ts";
export * from "./random.ts";
export * from "./resource.ts";
export * from "./sched.ts";
export * from "./signal.ts";
export * from "./socket.ts";
export * from "./stat.ts";
export * from "./syscalls.ts";
export * from "./sysinfo.ts";
export * from "./termios.ts";
export * from "./time.ts";
export * from "./ucontext.ts";
export * from "./uio.ts";
export * from "./utsname.ts";
export * from "./wait.ts";
