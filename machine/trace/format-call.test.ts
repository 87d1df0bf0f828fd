import { describe, expect, test } from "vitest";
import { clone_args, clone_struct, CLONE_NEWPID, CLONE_PARENT_SETTID, CLONE_VM } from "../../abi/clone.ts";
import { linux_dirent64 } from "../../abi/dirent.ts";
import { EAGAIN, ECHILD, EFAULT, ENOENT, ERESTARTSYS } from "../../abi/errno.ts";
import { AT_FDCWD, F_DUPFD, F_GETFL, F_SETLK, flock, open_how } from "../../abi/fcntl.ts";
import { epoll_event, pollfd } from "../../abi/poll.ts";
import { rlimit64, rusage } from "../../abi/resource.ts";
import { sigaction, siginfo_kill, siginfo_sigchld } from "../../abi/signal.ts";
import { msghdr, SOCKADDR_UN_HEADER, sockaddr_in, sockaddr_un } from "../../abi/socket.ts";
import { stat } from "../../abi/stat.ts";
import { syscallByName } from "../../abi/syscalls.ts";
import { termios, winsize } from "../../abi/termios.ts";
import { timespec, timeval } from "../../abi/time.ts";
import { iovec } from "../../abi/uio.ts";
import { utsname } from "../../abi/utsname.ts";
import {
  formatCall,
  formatEntry,
  formatExit,
  formatResumed,
  formatUnfinished,
  type FormatOptions,
} from "./format-call.ts";

/** A few pages of guest memory from 0x1000 on; nothing below and nothing above. */
class Memory {
  private static readonly base = 0x1000;
  private readonly bytes = new Uint8Array(0x8000);
  private next = Memory.base;

  read(address: number, length: number): Uint8Array | undefined {
    const start = address - Memory.base;
    return start >= 0 && start + length <= this.bytes.length ? this.bytes.slice(start, start + length) : undefined;
  }

  write(address: number, content: Uint8Array): void {
    this.bytes.set(content, address - Memory.base);
  }

  /** Stores bytes, text with a NUL, or 64-bit words somewhere and says where. */
  put(content: Uint8Array | string | readonly number[]): number {
    const bytes =
      typeof content === "string"
        ? new TextEncoder().encode(`${content}\0`)
        : content instanceof Uint8Array
          ? content
          : new Uint8Array(BigUint64Array.from(content, BigInt).buffer);
    const address = this.next;
    this.write(address, bytes);
    this.next = (address + bytes.length + 15) & ~15;
    return address;
  }

  ints(...values: readonly number[]): number {
    return this.put(new Uint8Array(Int32Array.from(values).buffer));
  }
}

function call(
  name: string,
  args: readonly number[],
  memory: Memory,
  result: number | undefined,
  options?: FormatOptions,
) {
  const row = syscallByName.get(name);
  if (!row) throw new Error(name);
  return formatCall(row, args, memory, result, options);
}

describe("strings and buffers", () => {
  test("a buffer that was read is printed by the result's length, at most 32 bytes of it", () => {
    const memory = new Memory();
    const buffer = memory.put(`${"x".repeat(31)}\n${"y".repeat(30)}`);
    expect(call("read", [3, buffer, 4096], memory, 5)).toBe('read(3, "xxxxx", 4096) = 5');
    expect(call("read", [3, buffer, 4096], memory, 32)).toBe(`read(3, "${"x".repeat(31)}\\n", 4096) = 32`);
    expect(call("read", [3, buffer, 4096], memory, 62)).toBe(`read(3, "${"x".repeat(31)}\\n"..., 4096) = 62`);
    expect(call("read", [3, buffer, 4096], memory, 5, { stringLimit: 2 })).toBe('read(3, "xx"..., 4096) = 5');
    expect(call("read", [3, buffer, 4096], memory, 0)).toBe('read(3, "", 4096) = 0');
  });

  test("what does not print is escaped as in C, octal as short as it can be", () => {
    const memory = new Memory();
    const buffer = memory.put(Uint8Array.of(0x22, 0x5c, 9, 10, 0, 0x31, 0, 0x41, 0x7f, 0xff));
    expect(call("write", [1, buffer, 10], memory, 10)).toBe('write(1, "\\"\\\\\\t\\n\\0001\\0A\\177\\377", 10) = 10');
  });

  test("a failed read shows the address it did not fill", () => {
    expect(call("read", [3, 0x1000, 10], new Memory(), -EAGAIN.number)).toBe(
      "read(3, 0x1000, 10) = -1 EAGAIN (Resource temporarily unavailable)",
    );
  });

  test("an address that cannot be read is printed as it is", () => {
    expect(call("write", [1, 0xdead0000, 5], new Memory(), -EFAULT.number)).toBe(
      "write(1, 0xdead0000, 5) = -1 EFAULT (Bad address)",
    );
    expect(call("unlink", [0], new Memory(), -EFAULT.number)).toBe("unlink(NULL) = -1 EFAULT (Bad address)");
  });

  test("a path is printed in full and may end where memory ends", () => {
    const memory = new Memory();
    const path = "/a".repeat(40);
    expect(call("chdir", [memory.put(path)], memory, 0)).toBe(`chdir("${path}") = 0`);
    memory.write(0x8ffd, new TextEncoder().encode("/x\0"));
    expect(call("chdir", [0x8ffd], memory, 0)).toBe('chdir("/x") = 0');
    expect(call("chdir", [0x8fff], memory, 0)).toBe('chdir("") = 0');
  });
});

describe("files", () => {
  test("open's mode shows with O_CREAT only", () => {
    const memory = new Memory();
    const path = memory.put("/etc/passwd");
    expect(call("openat", [AT_FDCWD, path, 0o2000000, 0o644], memory, 3)).toBe(
      'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3',
    );
    expect(call("openat", [5, path, 0o101, 0o644], memory, -ENOENT.number)).toBe(
      'openat(5, "/etc/passwd", O_WRONLY|O_CREAT, 0644) = -1 ENOENT (No such file or directory)',
    );
  });

  test("stat is abbreviated; devices show their numbers", () => {
    const memory = new Memory();
    const path = memory.put("/dev/null");
    const file = memory.put(stat.bytes({ st_mode: 0o100644, st_size: 1234 }));
    const device = memory.put(stat.bytes({ st_mode: 0o20666, st_rdev: 0x103 }));
    expect(call("fstat", [3, file], memory, 0)).toBe("fstat(3, {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0");
    expect(call("newfstatat", [AT_FDCWD, path, device, 0], memory, 0)).toBe(
      'newfstatat(AT_FDCWD, "/dev/null", {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}, 0) = 0',
    );
  });

  test("fcntl's argument depends on its command", () => {
    const memory = new Memory();
    const lock = memory.put(flock.bytes({ l_type: 1, l_len: 10 }));
    expect(call("fcntl", [3, F_GETFL, 77], memory, 0o100002)).toBe(
      "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)",
    );
    expect(call("fcntl", [3, F_DUPFD, 10], memory, 10)).toBe("fcntl(3, F_DUPFD, 10) = 10");
    expect(call("fcntl", [3, F_SETLK, lock], memory, 0)).toBe(
      "fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=10, l_pid=0}) = 0",
    );
  });

  test("ioctl commands have names, and unknown ones are taken apart", () => {
    const memory = new Memory();
    const size = memory.put(winsize.bytes({ ws_row: 24, ws_col: 80 }));
    const modes = memory.put(termios.bytes({ c_lflag: 0o12 }));
    expect(call("ioctl", [1, 0x5413, size], memory, 0)).toBe(
      "ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0",
    );
    expect(call("ioctl", [1, 0x5401, modes], memory, -25)).toBe(
      `ioctl(1, TCGETS, 0x${modes.toString(16)}) = -1 ENOTTY (Inappropriate ioctl for device)`,
    );
    expect(call("ioctl", [1, 0x5401, modes], memory, 0)).toBe(
      "ioctl(1, TCGETS, {c_iflag=0, c_oflag=0, c_cflag=B0|CS5, c_lflag=ICANON|ECHO, ...}) = 0",
    );
    expect(call("ioctl", [1, 0xc0105a07, 0], memory, 0)).toBe(
      "ioctl(1, _IOC(_IOC_READ|_IOC_WRITE, 0x5a, 0x7, 0x10), NULL) = 0",
    );
  });

  test("directory entries are counted", () => {
    const memory = new Memory();
    const buffer = memory.put(
      new Uint8Array([
        ...linux_dirent64.bytes({ d_reclen: 24 }),
        0x2e,
        0,
        0,
        0,
        0,
        ...linux_dirent64.bytes({ d_reclen: 24 }),
        0,
        0,
        0,
        0,
        0,
      ]),
    );
    expect(call("getdents64", [3, buffer, 32768], memory, 48)).toBe(
      "getdents64(3, 0x1000 /* 2 entries */, 32768) = 48",
    );
  });

  test("pipe2 shows the descriptors it made and iovecs their contents", () => {
    const memory = new Memory();
    expect(call("pipe2", [memory.ints(3, 4), 0o2000000], memory, 0)).toBe("pipe2([3, 4], O_CLOEXEC) = 0");
    const text = memory.put("hello, world");
    const vector = memory.put(
      new Uint8Array([
        ...iovec.bytes({ iov_base: text, iov_len: 5 }),
        ...iovec.bytes({ iov_base: text + 5, iov_len: 7 }),
      ]),
    );
    expect(call("writev", [1, vector, 2], memory, 12)).toBe(
      'writev(1, [{iov_base="hello", iov_len=5}, {iov_base=", world", iov_len=7}], 2) = 12',
    );
    expect(call("readv", [1, vector, 2], memory, 6)).toBe(
      'readv(1, [{iov_base="hello", iov_len=5}, {iov_base=",", iov_len=7}], 2) = 6',
    );
  });

  test("a sized struct is shown as far as the caller has it", () => {
    const memory = new Memory();
    const how = memory.put(open_how.bytes({ flags: 0o100, mode: 0o600, resolve: 8 }));
    expect(call("openat2", [AT_FDCWD, memory.put("f"), how, 24], memory, 3)).toBe(
      'openat2(AT_FDCWD, "f", {flags=O_RDONLY|O_CREAT, mode=0600, resolve=RESOLVE_BENEATH}, 24) = 3',
    );
  });

  test("an offset that the call moves is shown before and after", () => {
    const memory = new Memory();
    const row = syscallByName.get("sendfile")!;
    const offset = memory.put([5]);
    const entry = formatEntry(row, [1, 3, offset, 10], memory);
    memory.write(offset, Uint8Array.of(15));
    expect(formatExit(entry, memory, 10)).toBe("sendfile(1, 3, [5 => 15], 10) = 10");
  });
});

describe("clone", () => {
  test("clone2 shows its struct by names and each pid with its level", () => {
    const memory = new Memory();
    const cs = memory.put(clone_struct.bytes({ flags: CLONE_NEWPID | 17, nr_pids: 3 }));
    const pids = memory.ints(500, 0, 99);
    expect(call("clone2", [cs, pids], memory, 99, { namespaceLevel: 2 })).toBe(
      "clone2({flags=CLONE_NEWPID|SIGCHLD, child_stack=NULL, nr_pids=3, parent_tid=NULL, child_tid=NULL}, " +
        "[500 /* level 0 */, 0 /* level 1 */, 99 /* level 2 */]) = 99",
    );
  });

  test("fewer pids than levels belong to the youngest namespaces", () => {
    const memory = new Memory();
    const cs = memory.put(clone_struct.bytes({ flags: 17, nr_pids: 2, parent_tid: 0x4000, reserved1: 1 }));
    const pids = memory.ints(77, 99);
    const struct = "{flags=SIGCHLD, child_stack=NULL, nr_pids=2, parent_tid=0x4000, child_tid=NULL, reserved1=1}";
    expect(call("clone2", [cs, pids], memory, -22, { namespaceLevel: 2 })).toBe(
      `clone2(${struct}, [77 /* level 1 */, 99 /* level 2 */]) = -1 EINVAL (Invalid argument)`,
    );
    expect(call("clone2", [cs, pids], memory, -22, { namespaceLevel: 0 })).toContain("[77, 99]");
    expect(call("clone2", [cs, pids], memory, 99)).toContain("[77, 99]");
  });

  test("clone2 without pids does not look at the list, and a huge count is cut", () => {
    const memory = new Memory();
    const none = memory.put(clone_struct.bytes({ flags: 17 }));
    expect(call("clone2", [none, 0xbad], memory, 5)).toContain(
      "nr_pids=0, parent_tid=NULL, child_tid=NULL}, 0xbad) = 5",
    );
    const many = memory.put(clone_struct.bytes({ flags: 17, nr_pids: 0xffff_ffff }));
    const list = memory.ints(...Array<number>(32).fill(7));
    expect(call("clone2", [many, list], memory, -22)).toContain("7, ...]) = -1 EINVAL");
  });

  test("clone3 follows set_tid", () => {
    const memory = new Memory();
    const set_tid = memory.ints(1, 42);
    const args = memory.put(clone_args.bytes({ flags: CLONE_NEWPID, exit_signal: 17, set_tid, set_tid_size: 2 }));
    expect(call("clone3", [args, 88], memory, 42)).toBe(
      "clone3({flags=CLONE_NEWPID, exit_signal=SIGCHLD, stack=NULL, stack_size=0, set_tid=[1, 42], set_tid_size=2}, 88) = 42",
    );
    expect(call("clone3", [args, 64], memory, 42)).toBe(
      "clone3({flags=CLONE_NEWPID, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 64) = 42",
    );
    expect(call("clone3", [args, 96], memory, -7)).toContain("set_tid_size=2, ...}, 96) = -1 E2BIG");
  });

  test("clone shows the tid it stored, if it was asked to", () => {
    const memory = new Memory();
    const tid = memory.ints(77);
    expect(call("clone", [CLONE_VM | CLONE_PARENT_SETTID | 17, 0x5000, tid, 0, 0], memory, 77)).toBe(
      "clone(CLONE_VM|CLONE_PARENT_SETTID|SIGCHLD, 0x5000, [77], NULL, NULL) = 77",
    );
    expect(call("clone", [17, 0, tid, 0, 0], memory, 77)).toBe("clone(SIGCHLD, NULL, 0x1000, NULL, NULL) = 77");
  });
});

describe("processes and signals", () => {
  test("execve shows argv and counts the environment", () => {
    const memory = new Memory();
    const [path, ls, l] = [memory.put("/bin/ls"), memory.put("ls"), memory.put("-l")];
    const argv = memory.put([ls, l, 0]);
    const envp = memory.put([ls, l, path, 0]);
    expect(call("execve", [path, argv, envp], memory, 0)).toBe(
      `execve("/bin/ls", ["ls", "-l"], 0x${envp.toString(16)} /* 3 vars */) = 0`,
    );
  });

  test("wait4 takes the status apart and abbreviates the usage", () => {
    const memory = new Memory();
    const usage = memory.put(rusage.bytes({ ru_utime: { tv_usec: 1000 } }));
    expect(call("wait4", [-1, memory.ints(0), 0, 0], memory, 42)).toBe(
      "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 42",
    );
    expect(call("wait4", [-1, memory.ints(0x8b), 2, usage], memory, 42)).toBe(
      "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], WUNTRACED, " +
        "{ru_utime={tv_sec=0, tv_usec=1000}, ru_stime={tv_sec=0, tv_usec=0}, ...}) = 42",
    );
    expect(call("wait4", [-1, memory.ints(0x137f), 0, 0], memory, 42)).toContain("WSTOPSIG(s) == SIGSTOP}]");
    expect(call("wait4", [-1, 0x1000, 1, usage], memory, 0)).toBe(
      `wait4(-1, 0x1000, WNOHANG, 0x${usage.toString(16)}) = 0`,
    );
    expect(call("wait4", [-1, 0x1000, 0, 0], memory, -ECHILD.number)).toBe(
      "wait4(-1, 0x1000, 0, NULL) = -1 ECHILD (No child processes)",
    );
  });

  test("signal sets, actions and siginfo", () => {
    const memory = new Memory();
    const set = memory.put([0x10002]);
    const action = memory.put(
      sigaction.bytes({ sa_handler: 0x401000, sa_flags: 0x14000000, sa_restorer: 0x402000, sa_mask: 2 }),
    );
    const old = memory.put(sigaction.bytes({}));
    expect(call("rt_sigprocmask", [0, set, 0, 8], memory, 0)).toBe(
      "rt_sigprocmask(SIG_BLOCK, [INT CHLD], NULL, 8) = 0",
    );
    expect(call("rt_sigaction", [2, action, old, 8], memory, 0)).toBe(
      "rt_sigaction(SIGINT, {sa_handler=0x401000, sa_mask=[INT], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x402000}, " +
        "{sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0",
    );
    const child = memory.put(siginfo_sigchld.bytes({ si_signo: 17, si_code: 1, si_pid: 42, si_status: 3 }));
    expect(call("waitid", [0, 0, child, 4, 0], memory, 0)).toBe(
      "waitid(P_ALL, 0, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=0, si_status=3, si_utime=0, si_stime=0}, WEXITED, NULL) = 0",
    );
    const sent = memory.put(siginfo_kill.bytes({ si_signo: 10, si_code: -6, si_pid: 7 }));
    expect(call("rt_sigqueueinfo", [5, 10, sent], memory, 0)).toBe(
      "rt_sigqueueinfo(5, SIGUSR1, {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=7, si_uid=0}) = 0",
    );
    expect(call("kill", [-5, 0], memory, 0)).toBe("kill(-5, 0) = 0");
    const full = memory.put(new Uint8Array(8).fill(0xff));
    expect(call("rt_sigprocmask", [2, full, 0, 8], memory, 0)).toBe("rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8) = 0");
  });

  test("calls that do not return have no result, interrupted ones a restart code", () => {
    const memory = new Memory();
    expect(call("exit_group", [0], memory, undefined)).toBe("exit_group(0) = ?");
    expect(call("pause", [], memory, -ERESTARTSYS.number)).toBe(
      "pause() = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
    );
  });

  test("ids of -1 mean unchanged, limits and names read as people write them", () => {
    const memory = new Memory();
    const limit = memory.put(rlimit64.bytes({ rlim_cur: 8192 * 1024, rlim_max: -1 }));
    expect(call("setresuid", [0xffff_ffff, 1000, 0], memory, 0)).toBe("setresuid(-1, 1000, 0) = 0");
    expect(call("prlimit64", [0, 3, 0, limit], memory, 0)).toBe(
      "prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0",
    );
    expect(call("uname", [memory.put(utsname.bytes({ sysname: "Linux", nodename: "box" }))], memory, 0)).toBe(
      'uname({sysname="Linux", nodename="box", ...}) = 0',
    );
    expect(call("umask", [0o77], memory, 0o22)).toBe("umask(0077) = 022");
  });
});

describe("memory, time, waiting", () => {
  test("mmap and friends", () => {
    const memory = new Memory();
    expect(call("mmap", [0, 8192, 3, 0x22, -1, 0], memory, 0x7f0000000000)).toBe(
      "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000",
    );
    expect(call("brk", [0], memory, 0x5000)).toBe("brk(NULL) = 0x5000");
    expect(call("munmap", [0x7f0000000000, 4096], memory, 0)).toBe("munmap(0x7f0000000000, 4096) = 0");
  });

  test("addresses beyond 2^53 print exactly when the registers are given", () => {
    const words = BigUint64Array.of(0xffff_ffff_8123_4567n, 1n, 0n, 0n, 0n, 0n);
    const row = syscallByName.get("munmap")!;
    expect(formatCall(row, [Number(words[0]), 1], new Memory(), -22, {}, words)).toBe(
      "munmap(0xffffffff81234567, 1) = -1 EINVAL (Invalid argument)",
    );
  });

  test("times", () => {
    const memory = new Memory();
    const time = memory.put(timespec.bytes({ tv_sec: 1, tv_nsec: 500 }));
    expect(call("clock_nanosleep", [1, 1, time, 0], memory, 0)).toBe(
      "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {tv_sec=1, tv_nsec=500}, NULL) = 0",
    );
    const times = memory.put(new Uint8Array([...timeval.bytes({ tv_sec: 1 }), ...timeval.bytes({ tv_sec: 2 })]));
    expect(call("utimes", [memory.put("f"), times], memory, 0)).toBe(
      'utimes("f", [{tv_sec=1, tv_usec=0}, {tv_sec=2, tv_usec=0}]) = 0',
    );
  });

  test("futex shows what its operation uses", () => {
    const memory = new Memory();
    const word = memory.ints(0);
    expect(call("futex", [word, 129, 1, 77, 77, 77], memory, 1)).toBe("futex(0x1000, FUTEX_WAKE_PRIVATE, 1) = 1");
    expect(call("futex", [word, 128, 2, 0, 77, 77], memory, 0)).toBe("futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL) = 0");
    expect(call("futex", [word, 393, 2, 0, 0, 0xffff_ffff], memory, -110)).toBe(
      "futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2, NULL, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)",
    );
  });

  test("poll, select and epoll report what is ready", () => {
    const memory = new Memory();
    const fds = memory.put(new Uint8Array([...pollfd.bytes({ fd: 3, events: 1 }), ...pollfd.bytes({ fd: -1 })]));
    const poll = syscallByName.get("poll")!;
    const entry = formatEntry(poll, [fds, 2, -1], memory);
    memory.write(fds, pollfd.bytes({ fd: 3, events: 1, revents: 0x11 }));
    expect(formatExit(entry, memory, 1)).toBe(
      "poll([{fd=3, events=POLLIN}, {fd=-1}], 2, -1) = 1 ([{fd=3, revents=POLLIN|POLLHUP}])",
    );
    expect(formatExit(entry, memory, 0)).toBe("poll([{fd=3, events=POLLIN}, {fd=-1}], 2, -1) = 0 (Timeout)");
    const set = memory.put([0b1001]);
    expect(call("select", [4, set, 0, 0, 0], memory, 2)).toBe("select(4, [0 3], NULL, NULL, NULL) = 2 (in [0 3])");
    const events = memory.put(epoll_event.bytes({ events: 1, data: 5 }));
    expect(call("epoll_wait", [4, events, 64, -1], memory, 1)).toBe(
      "epoll_wait(4, [{events=EPOLLIN, data=0x5}], 64, -1) = 1",
    );
    expect(call("epoll_wait", [4, events, 64, 0], memory, 0)).toBe("epoll_wait(4, [], 64, 0) = 0");
  });

  test("prctl and arch_prctl by option", () => {
    const memory = new Memory();
    expect(call("prctl", [15, memory.put("name"), 1, 2, 3], memory, 0)).toBe('prctl(PR_SET_NAME, "name") = 0');
    expect(call("prctl", [38, 1, 0, 0, 0], memory, 0)).toBe("prctl(PR_SET_NO_NEW_PRIVS, 0x1, 0, 0, 0) = 0");
    expect(call("arch_prctl", [0x1002, 0x5000], memory, 0)).toBe("arch_prctl(ARCH_SET_FS, 0x5000) = 0");
  });
});

describe("sockets", () => {
  test("addresses by family", () => {
    const memory = new Memory();
    const path = memory.put(sockaddr_un.bytes({ sun_family: 1, sun_path: "/run/s" }));
    const inet = memory.put(
      sockaddr_in.bytes({ sin_family: 2, sin_port: Uint8Array.of(0x1f, 0x90), sin_addr: Uint8Array.of(127, 0, 0, 1) }),
    );
    expect(call("connect", [3, path, 110], memory, 0)).toBe(
      'connect(3, {sa_family=AF_UNIX, sun_path="/run/s"}, 110) = 0',
    );
    expect(call("bind", [3, inet, 16], memory, 0)).toBe(
      'bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
    );
    expect(call("connect", [3, path, 1], memory, -22)).toBe("connect(3, 0x1000, 1) = -1 EINVAL (Invalid argument)");
  });

  test("an address length is shown before and after", () => {
    const memory = new Memory();
    const address = memory.put(sockaddr_un.bytes({ sun_family: 1 }));
    const length = memory.ints(110);
    const entry = formatEntry(syscallByName.get("accept")!, [3, address, length], memory);
    memory.write(length, Uint8Array.of(SOCKADDR_UN_HEADER));
    expect(formatExit(entry, memory, 4)).toBe("accept(3, {sa_family=AF_UNIX}, [110 => 2]) = 4");
  });

  test("sendmsg shows the message", () => {
    const memory = new Memory();
    const vector = memory.put(iovec.bytes({ iov_base: memory.put("hi"), iov_len: 2 }));
    const message = memory.put(msghdr.bytes({ msg_iov: vector, msg_iovlen: 1 }));
    expect(call("sendmsg", [3, message, 0x4000], memory, 2)).toBe(
      'sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="hi", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, MSG_NOSIGNAL) = 2',
    );
  });

  test("an option is named by its level", () => {
    const memory = new Memory();
    expect(call("setsockopt", [3, 1, 2, memory.ints(1), 4], memory, 0)).toBe(
      "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
    );
  });
});

describe("two phases", () => {
  test("in-arguments are those of the entry even if the call overwrites them", () => {
    const memory = new Memory();
    const path = memory.put("before");
    const entry = formatEntry(syscallByName.get("unlink")!, [path], memory);
    memory.write(path, new TextEncoder().encode("after!"));
    expect(formatExit(entry, memory, 0)).toBe('unlink("before") = 0');
  });

  test("a call may be printed in two halves", () => {
    const memory = new Memory();
    const entry = formatEntry(syscallByName.get("read")!, [3, memory.put("abc"), 10], memory);
    expect(formatUnfinished(entry)).toBe("read(3,  <unfinished ...>");
    expect(formatResumed(entry, memory, 3)).toBe('<... read resumed>"abc", 10) = 3');
    const pause = formatEntry(syscallByName.get("pause")!, [], memory);
    expect(formatUnfinished(pause)).toBe("pause( <unfinished ...>");
    expect(formatResumed(pause, memory, -4)).toBe("<... pause resumed>) = -1 EINTR (Interrupted system call)");
  });

  test("the result can be put in a column", () => {
    const memory = new Memory();
    expect(call("getpid", [], memory, 7, { column: 40 })).toBe(`${"getpid()".padEnd(39)} = 7`);
  });
});

test("every call prints with all arguments zero, hostile or random without throwing", () => {
  const memory = new Memory();
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0);
  for (const row of syscallByName.values()) {
    for (const args of [
      Array<number>(6).fill(0),
      Array<number>(6).fill(-1),
      Array<number>(6).fill(2 ** 64),
      Array.from({ length: 6 }, () => 0x1000 + (random() % 0x8000)),
      Array.from({ length: 6 }, random),
    ]) {
      for (const result of [0, -14, 7, 1e15, undefined]) {
        expect(formatCall(row, args, memory, result)).toContain(`${row.name}(`);
      }
    }
  }
});
