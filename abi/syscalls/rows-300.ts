import { __NR_clone2, clone_args, clone_struct, namespaceFlags } from "../clone.ts";
import { pidfdOpenFlags, pidfdSignalFlags, userfaultfdFlags } from "../eventfd.ts";
import {
  accessAtFlags,
  accessModes,
  chownAtFlags,
  closeRangeFlags,
  execveAtFlags,
  nameToHandleFlags,
  open_how,
  preadv2Flags,
  renameFlags,
  statAtFlags,
  statxFlags,
} from "../fcntl.ts";
import { futex2Flags, futex_waitv } from "../futex.ts";
import { i32, i64, struct, u32, u64 } from "../layout.ts";
import { madviseAdvice, memfdFlags, mlock2Flags, pkeyRights, protFlags } from "../mman.ts";
import {
  fsconfigCommands,
  fsmountFlags,
  fsopenFlags,
  fspickFlags,
  mount_attr,
  mountAttributes,
  moveMountFlags,
  openTreeFlags,
} from "../mount.ts";
import { epoll_event } from "../poll.ts";
import { seccompFlags, seccompOperations } from "../prctl.ts";
import { kcmpTypes } from "../ptrace.ts";
import { getrandomFlags } from "../random.ts";
import { resourceLimits, rlimit64 } from "../resource.ts";
import { membarrierCommands, rseqFlags, sched_attr } from "../sched.ts";
import { messageFlags, mmsghdr } from "../socket.ts";
import { statx, statxMask } from "../stat.ts";
import { clocks, timespec, timex } from "../time.ts";
import { sigset_argpack } from "../uio.ts";
import {
  address,
  arrayIn,
  bufferOut,
  dirfd,
  enumeration,
  fd,
  flags,
  int,
  integerInOut,
  integerOut,
  iovecIn,
  iovecOut,
  long,
  longFlags,
  mode,
  offset,
  optional,
  path,
  pid,
  pidList,
  pointer,
  selfSizedStructIn,
  siginfoIn,
  signal,
  sigsetIn,
  size,
  sizedPointer,
  sizedStructIn,
  sizedStructOut,
  string,
  stringArray,
  structIn,
  structInOut,
  structOut,
  uint,
  ulong,
  unused,
} from "./kinds.ts";
import { row } from "./row.ts";

/** struct xattr_args of setxattrat(2) and getxattrat(2). */
const xattr_args = struct("xattr_args", { value: u64, size: u32, flags: u32 }, { size: 16, page: "setxattrat(2)" });
/** struct cachestat_range and struct cachestat. */
const cachestat_range = struct("cachestat_range", { off: u64, len: u64 }, { size: 16, page: "cachestat(2)" });
const cachestat = struct(
  "cachestat",
  { nr_cache: u64, nr_dirty: u64, nr_writeback: u64, nr_evicted: u64, nr_recently_evicted: u64 },
  { size: 40, page: "cachestat(2)" },
);
/** struct mnt_id_req of statmount(2) and listmount(2). */
const mnt_id_req = struct(
  "mnt_id_req",
  { size: u32, mnt_ns_fd: u32, mnt_id: u64, param: u64, mnt_ns_id: u64 },
  { size: 32, page: "statmount(2)" },
);
/** struct file_attr of file_getattr(2). */
const file_attr = struct(
  "file_attr",
  { fa_xflags: u64, fa_extsize: u32, fa_nextents: u32, fa_projid: u32, fa_cowextsize: u32 },
  { size: 24, page: "file_getattr(2)" },
);
/** struct ns_id_req of listns(2). */
const ns_id_req = struct(
  "ns_id_req",
  { size: u32, spare: u32, ns_id: u64, ns_type: u32, spare2: u32, user_ns_id: u64 },
  { size: 32, page: "listns(2)" },
);

/** Numbers from 300, and clone2. */
// prettier-ignore
export const rows300 = [
  row(300, "fanotify_init", [uint("flags"), uint("event_f_flags")], ["desc"], "fd"),
  row(301, "fanotify_mark", [fd("fanotify_fd"), uint("flags"), ulong("mask"), dirfd("dirfd"), optional(path("pathname"))], ["desc", "file"]),
  row(302, "prlimit64", [pid("pid"), enumeration("resource", resourceLimits), optional(structIn("new_limit", rlimit64)), optional(structOut("old_limit", rlimit64))], [], "zero", "prlimit(2)"),
  row(303, "name_to_handle_at", [dirfd("dirfd"), path("pathname"), pointer("handle", "inout", 8), integerOut("mount_id", i32), flags("flags", nameToHandleFlags)], ["desc", "file"]),
  row(304, "open_by_handle_at", [dirfd("mount_fd"), pointer("handle", "in", 8), int("flags")], ["desc"], "fd"),
  row(305, "clock_adjtime", [enumeration("clk_id", clocks), structInOut("buf", timex)], ["clock"], "int", "adjtimex(2)"),
  row(306, "syncfs", [fd("fd")], ["desc"]),
  row(307, "sendmmsg", [fd("sockfd"), sizedPointer("msgvec", "inout", "vlen", mmsghdr.size), uint("vlen"), flags("flags", messageFlags)], ["network"], "int"),
  row(308, "setns", [fd("fd"), flags("nstype", namespaceFlags)], ["desc"]),
  row(309, "getcpu", [optional(integerOut("cpu", u32)), optional(integerOut("node", u32)), unused("tcache")]),
  row(310, "process_vm_readv", [pid("pid"), iovecOut("local_iov", "liovcnt"), size("liovcnt"), sizedPointer("remote_iov", "in", "riovcnt", 16), size("riovcnt"), ulong("flags")], [], "size"),
  row(311, "process_vm_writev", [pid("pid"), iovecIn("local_iov", "liovcnt"), size("liovcnt"), sizedPointer("remote_iov", "in", "riovcnt", 16), size("riovcnt"), ulong("flags")], [], "size"),
  row(312, "kcmp", [pid("pid1"), pid("pid2"), enumeration("type", kcmpTypes), ulong("idx1"), ulong("idx2")], [], "int"),
  row(313, "finit_module", [fd("fd"), string("param_values"), int("flags")], ["desc"]),
  row(314, "sched_setattr", [pid("pid"), selfSizedStructIn("attr", sched_attr), uint("flags")]),
  row(315, "sched_getattr", [pid("pid"), sizedStructOut("attr", sched_attr, "size"), uint("size"), uint("flags")]),
  row(316, "renameat2", [dirfd("olddirfd"), path("oldpath"), dirfd("newdirfd"), path("newpath"), flags("flags", renameFlags)], ["desc", "file"], "zero", "rename(2)"),
  row(317, "seccomp", [enumeration("operation", seccompOperations), flags("flags", seccompFlags), address("args")], [], "int"),
  row(318, "getrandom", [bufferOut("buf", "buflen"), size("buflen"), flags("flags", getrandomFlags)], [], "size"),
  row(319, "memfd_create", [string("name", 250), flags("flags", memfdFlags)], ["desc"], "fd"),
  row(320, "kexec_file_load", [fd("kernel_fd"), fd("initrd_fd"), ulong("cmdline_len"), sizedPointer("cmdline", "in", "cmdline_len"), ulong("flags")], ["desc"], "zero", "kexec_load(2)"),
  row(321, "bpf", [int("cmd"), sizedPointer("attr", "inout", "size"), uint("size")], ["desc"], "int"),
  row(322, "execveat", [dirfd("dirfd"), path("pathname"), optional(stringArray("argv")), optional(stringArray("envp")), flags("flags", execveAtFlags)], ["desc", "file", "process"]),
  row(323, "userfaultfd", [flags("flags", userfaultfdFlags)], ["desc"], "fd"),
  row(324, "membarrier", [enumeration("cmd", membarrierCommands), uint("flags"), int("cpu_id")], [], "int"),
  row(325, "mlock2", [address("addr"), size("len"), flags("flags", mlock2Flags)], ["memory"], "zero", "mlock(2)"),
  row(326, "copy_file_range", [fd("fd_in"), optional(integerInOut("off_in", i64)), fd("fd_out"), optional(integerInOut("off_out", i64)), size("len"), uint("flags")], ["desc"], "size"),
  row(327, "preadv2", [fd("fd"), iovecOut("iov", "iovcnt"), size("iovcnt"), offset("offset"), unused("pos_h"), flags("flags", preadv2Flags)], ["desc"], "size", "preadv(2)"),
  row(328, "pwritev2", [fd("fd"), iovecIn("iov", "iovcnt"), size("iovcnt"), offset("offset"), unused("pos_h"), flags("flags", preadv2Flags)], ["desc"], "size", "pwritev(2)"),
  row(329, "pkey_mprotect", [address("addr"), size("len"), longFlags("prot", protFlags), int("pkey")], ["memory"], "zero", "mprotect(2)"),
  row(330, "pkey_alloc", [ulong("flags"), longFlags("access_rights", pkeyRights)], [], "int"),
  row(331, "pkey_free", [int("pkey")], [], "zero", "pkey_alloc(2)"),
  row(332, "statx", [dirfd("dirfd"), optional(path("pathname")), flags("flags", statxFlags), flags("mask", statxMask), structOut("statxbuf", statx)], ["desc", "file"]),
  row(333, "io_pgetevents", [address("ctx_id"), long("min_nr"), long("nr"), sizedPointer("events", "out", "nr", 32), optional(structIn("timeout", timespec)), optional(structIn("usig", sigset_argpack))], [], "int"),
  row(334, "rseq", [address("rseq"), uint("rseq_len"), flags("flags", rseqFlags), uint("sig")]),
  row(335, "uretprobe", [], [], "long"),
  row(336, "uprobe", [], [], "long"),
  row(424, "pidfd_send_signal", [fd("pidfd"), signal("sig"), optional(siginfoIn("info")), flags("flags", pidfdSignalFlags)], ["desc", "signal", "process"]),
  row(425, "io_uring_setup", [uint("entries"), pointer("params", "inout", 120)], ["desc"], "fd"),
  row(426, "io_uring_enter", [fd("fd"), uint("to_submit"), uint("min_complete"), uint("flags"), optional(sizedPointer("sig", "in", "sz")), size("sz")], ["desc", "signal"], "int"),
  row(427, "io_uring_register", [fd("fd"), uint("opcode"), address("arg"), uint("nr_args")], ["desc", "memory"], "int"),
  row(428, "open_tree", [dirfd("dirfd"), path("pathname"), flags("flags", openTreeFlags)], ["desc", "file"], "fd"),
  row(429, "move_mount", [dirfd("from_dirfd"), path("from_pathname"), dirfd("to_dirfd"), path("to_pathname"), flags("flags", moveMountFlags)], ["desc", "file"]),
  row(430, "fsopen", [string("fsname"), flags("flags", fsopenFlags)], ["desc"], "fd"),
  row(431, "fsconfig", [fd("fd"), enumeration("cmd", fsconfigCommands), optional(string("key", 256)), address("value"), int("aux")], ["desc", "file"]),
  row(432, "fsmount", [fd("fs_fd"), flags("flags", fsmountFlags), flags("attr_flags", mountAttributes)], ["desc"], "fd"),
  row(433, "fspick", [dirfd("dirfd"), path("path"), flags("flags", fspickFlags)], ["desc", "file"], "fd"),
  row(434, "pidfd_open", [pid("pid"), flags("flags", pidfdOpenFlags)], ["desc"], "fd"),
  row(435, "clone3", [sizedStructIn("cl_args", clone_args, "size"), size("size")], ["process"], "pid"),
  row(436, "close_range", [uint("first"), uint("last"), flags("flags", closeRangeFlags)]),
  row(437, "openat2", [dirfd("dirfd"), path("pathname"), sizedStructIn("how", open_how, "size"), size("size")], ["desc", "file"], "fd"),
  row(438, "pidfd_getfd", [fd("pidfd"), fd("targetfd"), uint("flags")], ["desc"], "fd"),
  row(439, "faccessat2", [dirfd("dirfd"), path("pathname"), flags("mode", accessModes), flags("flags", accessAtFlags)], ["desc", "file"], "zero", "access(2)"),
  row(440, "process_madvise", [fd("pidfd"), sizedPointer("iovec", "in", "vlen", 16), size("vlen"), enumeration("advice", madviseAdvice), uint("flags")], ["desc", "memory"], "size"),
  row(441, "epoll_pwait2", [fd("epfd"), sizedPointer("events", "out", "maxevents", epoll_event.size), int("maxevents"), optional(structIn("timeout", timespec)), optional(sigsetIn("sigmask", "sigsetsize")), size("sigsetsize")], ["desc"], "int", "epoll_wait(2)"),
  row(442, "mount_setattr", [dirfd("dirfd"), path("pathname"), flags("flags", openTreeFlags), sizedStructIn("attr", mount_attr, "size"), size("size")], ["desc", "file"]),
  row(443, "quotactl_fd", [fd("fd"), uint("cmd"), int("id"), address("addr")], ["desc"]),
  row(444, "landlock_create_ruleset", [optional(sizedPointer("attr", "in", "size")), size("size"), uint("flags")], ["desc"], "fd"),
  row(445, "landlock_add_rule", [fd("ruleset_fd"), int("rule_type"), pointer("rule_attr", "in", 12), uint("flags")], ["desc"]),
  row(446, "landlock_restrict_self", [fd("ruleset_fd"), uint("flags")], ["desc"]),
  row(447, "memfd_secret", [uint("flags")], ["desc"], "fd"),
  row(448, "process_mrelease", [fd("pidfd"), uint("flags")], ["desc"]),
  row(449, "futex_waitv", [arrayIn("waiters", futex_waitv, "nr_futexes"), uint("nr_futexes"), uint("flags"), optional(structIn("timeout", timespec)), enumeration("clockid", clocks)], [], "int"),
  row(450, "set_mempolicy_home_node", [address("start"), size("len"), ulong("home_node"), ulong("flags")], ["memory"]),
  row(451, "cachestat", [fd("fd"), structIn("cstat_range", cachestat_range), structOut("cstat", cachestat), uint("flags")], ["desc"]),
  row(452, "fchmodat2", [dirfd("dirfd"), path("pathname"), mode("mode"), flags("flags", chownAtFlags)], ["desc", "file"], "zero", "chmod(2)"),
  row(453, "map_shadow_stack", [address("addr"), size("size"), uint("flags")], ["memory"], "address"),
  row(454, "futex_wake", [address("uaddr"), ulong("mask"), int("nr"), flags("flags", futex2Flags)], [], "int"),
  row(455, "futex_wait", [pointer("uaddr", "in", 4), ulong("val"), ulong("mask"), flags("flags", futex2Flags), optional(structIn("timeout", timespec)), enumeration("clockid", clocks)], [], "int"),
  row(456, "futex_requeue", [pointer("waiters", "in", 2 * futex_waitv.size), uint("flags"), int("nr_wake"), int("nr_requeue")], [], "int"),
  row(457, "statmount", [selfSizedStructIn("req", mnt_id_req), sizedPointer("buf", "out", "bufsize"), size("bufsize"), uint("flags")]),
  row(458, "listmount", [selfSizedStructIn("req", mnt_id_req), sizedPointer("mnt_ids", "out", "nr_mnt_ids", 8), size("nr_mnt_ids"), uint("flags")], [], "size"),
  row(459, "lsm_get_self_attr", [uint("attr"), pointer("ctx", "out", 32), integerInOut("size", u32), uint("flags")], [], "int"),
  row(460, "lsm_set_self_attr", [uint("attr"), sizedPointer("ctx", "in", "size"), uint("size"), uint("flags")]),
  row(461, "lsm_list_modules", [pointer("ids", "out", 8), integerInOut("size", u32), uint("flags")], [], "int"),
  row(462, "mseal", [address("addr"), size("len"), ulong("flags")], ["memory"]),
  row(463, "setxattrat", [dirfd("dirfd"), path("pathname"), flags("at_flags", statAtFlags), string("name", 256), sizedStructIn("args", xattr_args, "size"), size("size")], ["desc", "file"]),
  row(464, "getxattrat", [dirfd("dirfd"), path("pathname"), flags("at_flags", statAtFlags), string("name", 256), sizedStructIn("args", xattr_args, "size"), size("size")], ["desc", "file"], "size"),
  row(465, "listxattrat", [dirfd("dirfd"), path("pathname"), flags("at_flags", statAtFlags), bufferOut("list", "size"), size("size")], ["desc", "file"], "size"),
  row(466, "removexattrat", [dirfd("dirfd"), path("pathname"), flags("at_flags", statAtFlags), string("name", 256)], ["desc", "file"]),
  row(467, "open_tree_attr", [dirfd("dirfd"), path("pathname"), flags("flags", openTreeFlags), optional(sizedStructIn("attr", mount_attr, "size")), size("size")], ["desc", "file"], "fd"),
  row(468, "file_getattr", [dirfd("dirfd"), path("pathname"), sizedStructOut("attr", file_attr, "size"), size("size"), flags("at_flags", statAtFlags)], ["desc", "file"]),
  row(469, "file_setattr", [dirfd("dirfd"), path("pathname"), sizedStructIn("attr", file_attr, "size"), size("size"), flags("at_flags", statAtFlags)], ["desc", "file"]),
  row(470, "listns", [selfSizedStructIn("req", ns_id_req), sizedPointer("ns_ids", "out", "nr_ns_ids", 8), size("nr_ns_ids"), uint("flags")], [], "size"),
  row(471, "rseq_slice_yield", [], [], "int"),
  row(__NR_clone2, "clone2", [structIn("cs", clone_struct), pidList("pids", "cs", "nr_pids")], ["process"], "pid"),
] as const;
