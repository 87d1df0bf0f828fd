import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import * as auxv from "./auxv.ts";
import * as capability from "./capability.ts";
import * as clone from "./clone.ts";
import * as dirent from "./dirent.ts";
import * as elf from "./elf.ts";
import { errnoByNumber } from "./errno.ts";
import * as eventfd from "./eventfd.ts";
import * as fcntl from "./fcntl.ts";
import * as futex from "./futex.ts";
import * as inotify from "./inotify.ts";
import * as ioctl from "./ioctl.ts";
import * as ipc from "./ipc.ts";
import type { Layout } from "./layout.ts";
import * as mman from "./mman.ts";
import * as mount from "./mount.ts";
import * as poll from "./poll.ts";
import * as prctl from "./prctl.ts";
import * as ptrace from "./ptrace.ts";
import * as random from "./random.ts";
import * as resource from "./resource.ts";
import * as sched from "./sched.ts";
import * as signal from "./signal.ts";
import * as socket from "./socket.ts";
import * as stat from "./stat.ts";
import { syscalls } from "./syscalls.ts";
import * as sysinfo from "./sysinfo.ts";
import * as termios from "./termios.ts";
import * as time from "./time.ts";
import * as ucontext from "./ucontext.ts";
import * as uio from "./uio.ts";
import * as utsname from "./utsname.ts";
import * as wait from "./wait.ts";

// The C compiler and the kernel's own headers judge every number and every offset.

interface HeaderCheck {
  readonly module: Readonly<Record<string, unknown>>;
  readonly headers: readonly string[];
  /** Names these headers do not have: newer than Debian 12's (6.1), the kernel's inside, or ours. */
  readonly unknown?: string;
  /** C types of the layouts, by our name. */
  readonly types?: Readonly<Record<string, string>>;
}

const checks: Readonly<Record<string, HeaderCheck>> = {
  auxv: {
    module: auxv,
    headers: ["elf.h", "linux/auxvec.h"],
    unknown: "AT_RSEQ_FEATURE_SIZE AT_RSEQ_ALIGN AT_HWCAP3 AT_HWCAP4",
    types: { Elf64_auxv_t: "Elf64_auxv_t" },
  },
  capability: {
    module: capability,
    headers: ["linux/capability.h"],
    types: { cap_user_header: "struct __user_cap_header_struct", cap_user_data: "struct __user_cap_data_struct" },
  },
  clone: {
    module: clone,
    headers: ["linux/sched.h"],
    unknown: "__NR_clone2 MAX_PID_NS_LEVEL",
    types: { clone_args: "struct clone_args" },
  },
  dirent: { module: dirent, headers: ["dirent.h"] },
  elf: {
    module: elf,
    headers: ["elf.h"],
    unknown: "ELF_MAGIC",
    types: {
      Elf64_Ehdr: "Elf64_Ehdr",
      Elf64_Phdr: "Elf64_Phdr",
      Elf64_Shdr: "Elf64_Shdr",
      Elf64_Sym: "Elf64_Sym",
      Elf64_Nhdr: "Elf64_Nhdr",
    },
  },
  eventfd: {
    module: eventfd,
    headers: ["sys/eventfd.h", "sys/signalfd.h", "linux/pidfd.h", "linux/userfaultfd.h"],
    unknown: "PIDFD_THREAD PIDFD_SIGNAL_THREAD PIDFD_SIGNAL_THREAD_GROUP PIDFD_SIGNAL_PROCESS_GROUP",
  },
  fcntl: {
    module: fcntl,
    headers: [
      "linux/fcntl.h",
      "linux/openat2.h",
      "linux/falloc.h",
      "linux/fs.h",
      "linux/fadvise.h",
      "linux/close_range.h",
      "linux/xattr.h",
      "linux/limits.h",
      "unistd.h",
    ],
    unknown:
      "SPLICE_F_MOVE SPLICE_F_NONBLOCK SPLICE_F_MORE SPLICE_F_GIFT O_NDELAY O_ASYNC RWF_NOAPPEND RWF_ATOMIC RWF_DONTCACHE F_SEAL_EXEC F_DUPFD_QUERY F_CREATED_QUERY AT_HANDLE_FID AT_HANDLE_MNT_ID_UNIQUE AT_EXECVE_CHECK MAX_RW_COUNT SYMLOOP_MAX IOV_MAX",
    types: { open_how: "struct open_how", flock: "struct flock", f_owner_ex: "struct f_owner_ex" },
  },
  futex: {
    module: futex,
    headers: ["linux/futex.h"],
    unknown:
      "FUTEX2_SIZE_U8 FUTEX2_SIZE_U16 FUTEX2_SIZE_U32 FUTEX2_SIZE_U64 FUTEX2_NUMA FUTEX2_MPOL FUTEX2_PRIVATE FUTEX2_SIZE_MASK",
    types: { robust_list_head: "struct robust_list_head", futex_waitv: "struct futex_waitv" },
  },
  inotify: {
    module: inotify,
    headers: ["sys/inotify.h"],
    types: { inotify_event: "struct inotify_event" },
  },
  ioctl: {
    module: ioctl,
    headers: [
      "asm/termbits.h",
      "asm/ioctls.h",
      "linux/fs.h",
      "linux/fiemap.h",
      "linux/sockios.h",
      "linux/nsfs.h",
      "asm/sockios.h",
    ],
  },
  ipc: {
    module: ipc,
    headers: ["linux/ipc.h", "linux/shm.h", "linux/sem.h", "linux/msg.h", "linux/mqueue.h"],
    unknown: "IPC_64 MSG_EXCEPT",
    types: {
      ipc64_perm: "struct ipc64_perm",
      shmid64_ds: "struct shmid64_ds",
      semid64_ds: "struct semid64_ds",
      msqid64_ds: "struct msqid64_ds",
      sembuf: "struct sembuf",
      mq_attr: "struct mq_attr",
    },
  },
  mman: {
    module: mman,
    headers: ["linux/mman.h", "sys/mman.h"],
    unknown:
      "PAGE_SIZE TASK_SIZE_MAX PROT_SEM MAP_UNINITIALIZED MADV_COLLAPSE MADV_GUARD_INSTALL MADV_GUARD_REMOVE MFD_NOEXEC_SEAL MFD_EXEC",
  },
  mount: {
    module: mount,
    headers: ["sys/mount.h", "fcntl.h", "linux/mount.h", "linux/reboot.h"],
    unknown: "MS_NOSYMFOLLOW MS_SUBMOUNT MOVE_MOUNT_BENEATH FSCONFIG_CMD_CREATE_EXCL",
    types: { mount_attr: "struct mount_attr" },
  },
  poll: {
    module: poll,
    headers: ["asm/poll.h", "linux/eventpoll.h"],
    unknown: "EPOLL_CLOEXEC FD_SETSIZE",
    types: { pollfd: "struct pollfd", epoll_event: "struct epoll_event" },
  },
  prctl: {
    module: prctl,
    unknown:
      "PR_SET_MDWE PR_GET_MDWE PR_SET_MEMORY_MERGE PR_GET_MEMORY_MERGE TASK_COMM_LEN SUID_DUMP_DISABLE SUID_DUMP_USER SUID_DUMP_ROOT ARCH_SHSTK_ENABLE ARCH_SHSTK_DISABLE ARCH_SHSTK_LOCK ARCH_SHSTK_UNLOCK ARCH_SHSTK_STATUS",
    headers: ["linux/prctl.h", "asm/prctl.h", "linux/seccomp.h", "linux/securebits.h"],
  },
  ptrace: {
    module: ptrace,
    headers: ["sys/types.h", "linux/ptrace.h", "asm/ptrace-abi.h", "linux/audit.h", "linux/elf.h", "linux/kcmp.h"],
    types: { ptrace_peeksiginfo_args: "struct ptrace_peeksiginfo_args" },
  },
  random: { module: random, headers: ["linux/random.h"] },
  resource: {
    module: resource,
    headers: ["linux/time.h", "linux/resource.h", "linux/ioprio.h"],
    types: { rlimit64: "struct rlimit64", rusage: "struct rusage" },
  },
  sched: {
    module: sched,
    unknown: "SCHED_EXT SCHED_OTHER MEMBARRIER_CMD_GET_REGISTRATIONS MPOL_WEIGHTED_INTERLEAVE",
    headers: ["linux/sched.h", "linux/sched/types.h", "linux/rseq.h", "linux/membarrier.h", "linux/mempolicy.h"],
    types: { sched_attr: "struct sched_attr", rseq_cs: "struct rseq_cs" },
  },
  signal: {
    module: signal,
    unknown: "SIGRTMAX SIGSET_SIZE SIGINFO_SIZE",
    headers: ["linux/signal.h"],
    types: {
      stack_t: "stack_t",
      siginfo: "siginfo_t",
      siginfo_kill: "siginfo_t",
      siginfo_timer: "siginfo_t",
      siginfo_rt: "siginfo_t",
      siginfo_sigchld: "siginfo_t",
      siginfo_fault: "siginfo_t",
      siginfo_poll: "siginfo_t",
      siginfo_sigsys: "siginfo_t",
      sigevent: "struct sigevent",
    },
  },
  socket: {
    module: socket,
    unknown: "SOCK_TYPE_MASK SO_PASSPIDFD SO_PEERPIDFD SCM_SECURITY SCM_PIDFD SOCKADDR_UN_HEADER SOCKADDR_STORAGE_SIZE",
    headers: ["sys/socket.h", "linux/un.h", "netinet/in.h", "netinet/tcp.h", "linux/netlink.h"],
    types: {
      sockaddr: "struct sockaddr",
      sockaddr_un: "struct sockaddr_un",
      sockaddr_in: "struct sockaddr_in",
      sockaddr_in6: "struct sockaddr_in6",
      sockaddr_nl: "struct sockaddr_nl",
      msghdr: "struct msghdr",
      mmsghdr: "struct mmsghdr",
      cmsghdr: "struct cmsghdr",
      ucred: "struct ucred",
      linger: "struct linger",
    },
  },
  stat: {
    module: stat,
    unknown:
      "STATX_MNT_ID_UNIQUE STATX_SUBVOL STATX_WRITE_ATOMIC STATX_DIO_READ_ALIGN MQUEUE_MAGIC PID_FS_MAGIC ST_VALID ST_NOSYMFOLLOW UTIME_NOW UTIME_OMIT",
    headers: ["asm/stat.h", "asm/statfs.h", "linux/stat.h", "linux/magic.h", "sys/statvfs.h"],
    types: {
      stat: "struct stat",
      statx: "struct statx",
      statx_timestamp: "struct statx_timestamp",
      statfs: "struct statfs",
    },
  },
  sysinfo: { module: sysinfo, headers: ["linux/sysinfo.h"], types: { sysinfo: "struct sysinfo" } },
  termios: {
    module: termios,
    headers: ["asm/termbits.h", "linux/termios.h"],
    types: { termios: "struct termios", termios2: "struct termios2", winsize: "struct winsize" },
  },
  time: {
    module: time,
    unknown: "CLK_TCK",
    headers: ["linux/time.h", "linux/timerfd.h", "linux/timex.h"],
    types: {
      timespec: "struct timespec",
      timeval: "struct timeval",
      itimerspec: "struct itimerspec",
      itimerval: "struct itimerval",
      timezone: "struct timezone",
      timex: "struct timex",
    },
  },
  ucontext: {
    module: ucontext,
    unknown: "RED_ZONE_SIZE FXSAVE_SIZE XSAVE_HEADER_SIZE FPU_DEFAULT_CWD MXCSR_DEFAULT",
    headers: ["asm/sigcontext.h", "linux/signal.h", "asm/ucontext.h"],
    types: {
      ucontext: "struct ucontext",
      sigcontext: "struct sigcontext_64",
      fpx_sw_bytes: "struct _fpx_sw_bytes",
      fpstate: "struct _fpstate_64",
    },
  },
  uio: { module: uio, headers: ["linux/uio.h"], types: { iovec: "struct iovec" } },
  utsname: { module: utsname, headers: ["linux/utsname.h"], types: { utsname: "struct new_utsname" } },
  wait: { module: wait, headers: ["linux/wait.h"], unknown: "CONTINUED_STATUS" },
};

const hasCompiler = spawnSync("gcc", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "trapgate-abi-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles and runs a program that prints "label number" lines; names the compiler does not know come back apart. */
function run(name: string, headers: readonly string[], expressions: ReadonlyMap<string, string>) {
  const source = join(folder, `${name}.c`);
  const program = join(folder, name);
  const compile = (items: Iterable<[string, string]>) => {
    const lines = [...items].map(([label, expression]) => `  printf("${label} %lld\\n", (long long)(${expression}));`);
    const includes = headers.map((header) => `#include <${header}>`);
    // Without __GLIBC__ the kernel's headers declare what glibc has its own idea of (struct timespec, statx).
    const start = ["extern int printf(const char *, ...);", ...includes, "#include <stddef.h>", "int main(void) {"];
    writeFileSync(source, [...start, ...lines, "  return 0;", "}", ""].join("\n"));
    return spawnSync("gcc", ["-w", "-D_GNU_SOURCE", "-fmax-errors=0", "-o", program, source], { encoding: "utf8" });
  };
  const unknown = new Set<string>();
  let result = compile(expressions);
  if (result.status !== 0) {
    for (const match of result.stderr.matchAll(/\.c:(\d+):\d+: error/g)) {
      const line = execFileSync("sed", ["-n", `${match[1]}p`, source], { encoding: "utf8" });
      const label = /printf\("(\S+) /.exec(line)?.[1];
      if (label === undefined) throw new Error(result.stderr);
      unknown.add(label);
    }
    result = compile([...expressions].filter(([label]) => !unknown.has(label)));
    if (result.status !== 0) throw new Error(result.stderr);
  }
  const output = execFileSync(program, { encoding: "utf8" }).trim();
  const values = new Map(output.split("\n").map((line) => [line.split(" ")[0] ?? "", BigInt(line.split(" ")[1] ?? 0)]));
  return { values, unknown };
}

const isLayout = (value: unknown): value is Layout =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "struct";

/** Our field names where C wraps them in unions or spells them differently. */
const cFields: Readonly<Record<string, string>> = {
  a_val: "a_un.a_val",
  si_value: "si_value.sival_ptr",
  sigev_value: "sigev_value.sival_ptr",
  sigev_notify_thread_id: "_sigev_un._tid",
};

describe.skipIf(!hasCompiler)("against the system's headers", () => {
  for (const [name, check] of Object.entries(checks)) {
    const { module, headers } = check;
    const constants = Object.entries(module).filter(
      ([key, value]) => /^_{0,2}[A-Z]/.test(key) && typeof value === "number",
    );
    if (constants.length > 0) {
      test(`the constants of ${name}.ts are those of Linux`, () => {
        const { values, unknown } = run(`${name}-constants`, headers, new Map(constants.map(([key]) => [key, key])));
        expect([...unknown].filter((key) => !(check.unknown ?? "").split(" ").includes(key))).toEqual([]);
        const wrong = constants.filter(([key, value]) => {
          const theirs = values.get(key);
          const ours = BigInt(value as number);
          return theirs !== undefined && ours !== theirs && BigInt.asIntN(32, ours) !== theirs;
        });
        expect(wrong.map(([key, value]) => `${key}: ${String(value)}, Linux ${values.get(key)}`)).toEqual([]);
      });
    }
    for (const [key, type] of Object.entries(check.types ?? {})) {
      test(`${type} has the offsets and sizes of ${name}.ts`, () => {
        const layout = module[key];
        if (!isLayout(layout)) throw new Error(`${name}.ts has no layout ${key}`);
        const expressions = new Map([["size", `sizeof(${type})`]]);
        const ours = new Map([["size", layout.size]]);
        for (const field of layout.fields) {
          if (field.codec.kind === "pad" || field.name.startsWith("_")) continue;
          const member = cFields[field.name] ?? field.name;
          expressions.set(`${field.name}@`, `offsetof(${type}, ${member})`);
          expressions.set(`${field.name}#`, `sizeof(((${type} *)0)->${member})`);
          ours.set(`${field.name}@`, field.offset);
          ours.set(`${field.name}#`, field.codec.size);
        }
        const { values, unknown } = run(`${name}-${key}`, headers, expressions);
        // statx grew fields since Debian 12; the size never changes.
        const newer = ["stx_dio_mem_align", "stx_dio_offset_align"];
        expect([...unknown].filter((label) => !newer.includes(label.slice(0, -1)))).toEqual([]);
        for (const [label, value] of values) expect(`${label} ${value}`).toBe(`${label} ${ours.get(label)}`);
      });
    }
  }

  test("struct user_regs_struct has the offsets of ptrace.ts", () => {
    const legacy = new Set(["bp", "bx", "ax", "cx", "dx", "si", "di", "ip", "sp"]);
    const { fields, size } = ptrace.user_regs_struct;
    const cName = (field: string) =>
      legacy.has(field) ? `r${field}` : field === "orig_ax" ? "orig_rax" : field === "flags" ? "eflags" : field;
    const expressions = new Map(fields.map(({ name }) => [name, `offsetof(struct user_regs_struct, ${cName(name)})`]));
    const { values } = run("user-regs", ["sys/user.h"], expressions.set("size", "sizeof(struct user_regs_struct)"));
    expect(Object.fromEntries(values)).toEqual(
      Object.fromEntries([...fields.map(({ name, offset }) => [name, BigInt(offset)]), ["size", BigInt(size)]]),
    );
  });

  test("the first 32 bytes of a rt_sigaction struct are handler, flags, restorer, mask", () => {
    // The kernel's struct is the one of asm/signal.h without the union around the handler.
    const { offsets } = signal.sigaction;
    const { values } = run(
      "sigaction",
      ["linux/signal.h"],
      new Map([
        ["sa_flags", "offsetof(struct sigaction, sa_flags)"],
        ["sa_restorer", "offsetof(struct sigaction, sa_restorer)"],
        ["sa_mask", "offsetof(struct sigaction, sa_mask)"],
      ]),
    );
    expect(Object.fromEntries(values)).toEqual({
      sa_flags: BigInt(offsets.sa_flags),
      sa_restorer: BigInt(offsets.sa_restorer),
      sa_mask: BigInt(offsets.sa_mask),
    });
  });

  test("linux_dirent64's header ends where the name starts", () => {
    const { values } = run("dirent64", ["dirent.h"], new Map([["name", "offsetof(struct dirent64, d_name)"]]));
    expect(values.get("name")).toBe(BigInt(dirent.linux_dirent64.size));
  });

  test("tms and utimbuf are glibc's", () => {
    const { values } = run(
      "tms",
      ["sys/times.h", "utime.h"],
      new Map([
        ["tms", "sizeof(struct tms)"],
        ["utimbuf", "sizeof(struct utimbuf)"],
        ["signalfd", "0"],
      ]),
    );
    expect(values.get("tms")).toBe(BigInt(time.tms.size));
    expect(values.get("utimbuf")).toBe(BigInt(time.utimbuf.size));
  });

  test("struct signalfd_siginfo has the offsets of signal.ts", () => {
    const { fields } = signal.signalfd_siginfo;
    const named = fields.filter((field) => field.name.startsWith("ssi_"));
    const { values } = run(
      "signalfd",
      ["linux/signalfd.h"],
      new Map(named.map(({ name }) => [name, `offsetof(struct signalfd_siginfo, ${name})`])),
    );
    expect(Object.fromEntries(values)).toEqual(
      Object.fromEntries(named.map(({ name, offset }) => [name, BigInt(offset)])),
    );
  });

  test("errno names and numbers are those of Linux", () => {
    const internal = (number: number) => number >= 512;
    const errors = [...errnoByNumber.values()].filter(({ number }) => !internal(number));
    const { values, unknown } = run("errno", ["errno.h"], new Map(errors.map(({ name }) => [name, name])));
    expect([...unknown]).toEqual([]);
    expect(Object.fromEntries(values)).toEqual(
      Object.fromEntries(errors.map(({ name, number }) => [name, BigInt(number)])),
    );
    expect(errors).toHaveLength(131);
  });

  test("errno texts are those of strerror(3)", () => {
    const source = join(folder, "strerror.c");
    const line =
      '#include <string.h>\n#include <stdio.h>\nint main(){for(int i=1;i<134;i++)printf("%d %s\\n",i,strerror(i));}\n';
    writeFileSync(source, line);
    execFileSync("gcc", ["-o", join(folder, "strerror"), source]);
    const output = execFileSync(join(folder, "strerror"), { encoding: "utf8", env: { LC_ALL: "C" } });
    for (const text of output.trim().split("\n")) {
      const error = errnoByNumber.get(parseInt(text, 10));
      if (error) expect(text).toBe(`${error.number} ${error.text}`);
    }
  });

  test("system call numbers are those of asm/unistd_64.h, none missing", () => {
    const macros = execFileSync("gcc", ["-dM", "-E", "-x", "c", "-"], {
      input: "#include <asm/unistd_64.h>\n",
      encoding: "utf8",
    });
    const theirs = [...macros.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map((match) => `${match[1]} ${match[2]}`);
    const ours = new Set(syscalls.map((syscall) => `${syscall.name} ${syscall.number}`));
    expect(theirs.length).toBeGreaterThan(300);
    expect(theirs.filter((pair) => !ours.has(pair))).toEqual([]);
  });
});
