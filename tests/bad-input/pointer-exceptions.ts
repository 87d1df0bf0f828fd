/** Where a hostile pointer does not give EFAULT, or EFAULT comes after something has been done, and why that is right. */

export interface Exception {
  /** Name of the call, with the command where that decides; `*` stands for anything, here and in the argument. */
  readonly call: string;
  readonly argument: string;
  /** Kinds of address, `any` for all. */
  readonly hostile: readonly string[];
  readonly result: string;
  readonly reason: string;
}

type Row = readonly [call: string, argument: string, hostile: string, result: string, reason: string];

const PARTIAL = "the part before the hole is transferred";
const RECORD = "the whole result fits before the hole";
const TIMEOUT_BACK = "poll and select ignore that the rest of the time cannot be stored";
const ALIGNED = "a futex must be aligned, which is checked first";
const ONLY_READ = "the word is only read";
const NOT_A_PTY = "the console is no pseudo-terminal";
const NO_XATTR = "no file system here has extended attributes";
const REST = "the rest is stored only when a signal ends the sleep";

const rows: readonly Row[] = [
  ["read", "buf", "crossing", "done", PARTIAL],
  ["write", "buf", "crossing", "done", PARTIAL],
  ["pread64", "buf", "crossing", "done", PARTIAL],
  ["pwrite64", "buf", "crossing", "done", PARTIAL],
  ["getrandom", "buf", "crossing", "done", PARTIAL],
  ["getdents*", "dirp", "crossing", "done", PARTIAL],
  ["getcwd", "buf", "crossing", "done", RECORD],
  ["readlink*", "buf", "crossing", "done", RECORD],
  ["epoll_*wait*", "events", "crossing", "done", RECORD],
  ["waitid", "infop", "crossing", "done", "only the first 28 bytes of siginfo_t are written"],
  ["select", "timeout", "read-only", "done", TIMEOUT_BACK],
  ["pselect6", "timeout", "read-only", "done", TIMEOUT_BACK],
  ["ppoll", "tmo_p", "read-only", "done", TIMEOUT_BACK],
  ["nanosleep", "rmtp", "any", "done", REST],
  ["clone", "child_tid", "any", "done", "the child's own store is tried and forgotten (CLONE_CHILD_SETTID)"],
  ["clock_nanosleep", "remain", "any", "done", REST],
  ["rt_sigtimedwait", "info", "any", "EAGAIN", "no signal was taken"],
  ["syslog", "bufp", "any", "done", "the log is empty"],
  ["sched_*etparam", "param", "NULL", "EINVAL", "Linux checks for NULL before anything"],
  ["sched_setscheduler", "param", "NULL", "EINVAL", "Linux checks for NULL before anything"],
  ["sched_*etattr", "attr", "NULL", "EINVAL", "Linux checks for NULL before anything"],
  ["futex_waitv", "waiters", "NULL", "EINVAL", "Linux checks for NULL before anything"],
  ["timer_settime", "new_value", "NULL", "EINVAL", "Linux checks for NULL before anything"],
  ["splice", "off_out", "any", "ESPIPE", "a pipe has no positions"],
  ["splice to a file", "off_in", "any", "ESPIPE", "a pipe has no positions"],
  ["copy_file_range", "off_in", "read-only", "EINVAL", "the offset is read, and then the ranges overlap"],
  ["copy_file_range", "off_out", "read-only", "EINVAL", "the offset is read, and then the ranges overlap"],
  ["ioctl:0x80045430", "arg", "any", "ENOTTY", NOT_A_PTY],
  ["ioctl:0x40045431", "arg", "any", "ENOTTY", NOT_A_PTY],
  ["ioctl:0x80045439", "arg", "any", "ENOTTY", NOT_A_PTY],
  ["ioctl:0x5420", "arg", "any", "ENOTTY", NOT_A_PTY],
  ["ioctl:0x80081272", "arg", "any", "ENOTTY", "there are no block devices"],
  ["ioctl:0xb704", "arg", "any", "ENOTTY", "the descriptor is no namespace"],
  ["fcntl:0x40b", "arg", "any", "EINVAL", "write hints are not implemented"],
  ["fcntl:0x40c", "arg", "any", "EINVAL", "write hints are not implemented"],
  ["recvfrom", "buf", "crossing", "done", PARTIAL],
  ["sendto", "buf", "any", "EISCONN", "a connected socket refuses the address before it looks at the bytes"],
  ["recvfrom", "src_addr", "any", "done", "the peer has no name"],
  ["arch_prctl:0x1021", "addr", "any", "EINVAL", "there is no extended state"],
  ["arch_prctl:0x1022", "addr", "any", "EINVAL", "there is no extended state"],
  ["*setxattr", "value", "any", "EOPNOTSUPP", NO_XATTR],
  ["*getxattr", "value", "any", "EOPNOTSUPP", NO_XATTR],
  ["*listxattr", "list", "any", "done", NO_XATTR],
  ["futex:*", "uaddr*", "one crossing", "EINVAL", ALIGNED],
  ["futex:0x0", "uaddr", "read-only", "ETIMEDOUT", ONLY_READ],
  ["futex:0x9", "uaddr", "read-only", "ETIMEDOUT", ONLY_READ],
  ["futex:0x3", "uaddr*", "read-only", "done", ONLY_READ],
  ["futex:0x4", "uaddr*", "read-only", "done", ONLY_READ],
  ["futex:0x5", "uaddr", "read-only", "done", ONLY_READ],
  ["futex:0xc", "uaddr*", "read-only", "done", "nobody waits, so no lock is written"],
  ["futex:0xb", "uaddr*", "read-only", "ETIMEDOUT", "the lock is written when the waiter is moved there"],
];

export const exceptions: readonly Exception[] = rows.map(([call, argument, hostile, result, reason]) => ({
  call,
  argument,
  hostile: hostile.split(" "),
  result,
  reason,
}));

/** Calls that answer EFAULT when they have done something, as Linux does: the store of the result is their last step. */
export const changesBeforeEfault: readonly (readonly [call: string, argument: string, reason: string])[] = [
  ["wait4", "wstatus", "the child is gone, Linux reaps before it stores"],
  ["wait4", "rusage", "the child is gone, Linux reaps before it stores"],
  ["waitid", "infop", "the child is gone, Linux reaps before it stores"],
  ["waitid", "rusage", "the child is gone, Linux reaps before it stores"],
  ["prlimit64", "old_limit", "the new limit is set before the old one is stored"],
];

/** `*` stands for any text. */
export function nameMatches(pattern: string, name: string): boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === name;
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[.:]/g, "\\$&")).join(".*")}$`).test(name);
}
