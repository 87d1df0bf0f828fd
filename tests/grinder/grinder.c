/* Random process-related system calls with hostile arguments from many tasks: tests/grinder/grind.ts counts what the
 * kernel has before and after.
 *
 *   grinder supervise SEED   the supervisor: keeps an arena going until it gets SIGTERM, then clears everything away
 *   grinder                  a worker, as execve(2) makes one of it
 *
 * The arena is a pid namespace, so that nobody inside can name the supervisor; its init keeps a crowd of workers alive,
 * kills one now and then, sometimes all of them, and ends after a while, which ends everybody with it. It would do the
 * same to a real Linux, with root's rights and to its clock: so it refuses to run where there is no clone2. */
#include "sys.h"
#include "text.h"

enum { WORKERS = 24, LIFE = 400, ROUNDS = 60, SLOTS = 64, SLOT = 256, STACKS = 16, STACK = 16384 };

#define SCRATCH 0x10000000UL
#define SCRATCH_PAGES 16UL

struct random {
  uint64_t state;
};

static uint64_t any(struct random *random) {
  uint64_t x = random->state;
  x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  return random->state = x;
}
static uint64_t below(struct random *random, uint64_t limit) { return (any(random) >> 11) % limit; }
static int chance(struct random *random, int one_in) { return below(random, one_in) == 0; }
#define PICK(random, list) (list)[below(random, sizeof(list) / sizeof((list)[0]))]

static uint8_t slots[SLOTS][SLOT] __attribute__((aligned(64)));
static int words[8] __attribute__((aligned(64)));
static uint8_t stacks[STACKS][STACK] __attribute__((aligned(16)));
static int next_stack;
static const char read_only[64] = "read-only";
static volatile int stopped;
static char *self_path = "/proc/self/exe";

static void on_signal(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info, (void)context;
}
static void on_term(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info, (void)context;
  stopped = 1;
}

/* What an argument is, one letter each. */
struct call {
  int number;
  const char *kinds;
};

static const struct call calls[] = {
    {__NR_getpid, ""}, {__NR_gettid, ""}, {__NR_getppid, ""}, {__NR_getpgid, "p"}, {__NR_getsid, "p"},
    {__NR_setpgid, "pp"}, {__NR_setsid, ""}, {__NR_getpgrp, ""},
    {__NR_kill, "ps"}, {__NR_kill, "ps"}, {__NR_tkill, "ps"}, {__NR_tgkill, "pps"}, {__NR_rt_sigqueueinfo, "psP"},
    {__NR_rt_tgsigqueueinfo, "ppsP"}, {__NR_pidfd_send_signal, "fsPi"},
    {__NR_rt_sigaction, "sAPn"}, {__NR_rt_sigaction, "sAz8"}, {__NR_rt_sigaction, "sAP8"},
    {__NR_rt_sigprocmask, "iMP8"}, {__NR_rt_sigprocmask, "iPPn"}, {__NR_rt_sigpending, "Pn"},
    {__NR_rt_sigtimedwait, "MPT8"}, {__NR_rt_sigsuspend, "M8"}, {__NR_sigaltstack, "PP"}, {__NR_pause, ""},
    {__NR_signalfd4, "fM8r"}, {__NR_rt_sigreturn, ""},
    {__NR_wait4, "pPwP"}, {__NR_wait4, "pzwz"}, {__NR_waitid, "ipPwP"}, {__NR_waitid, "ifPwz"}, {__NR_waitid, "jpPwz"},
    {__NR_fork, ""}, {__NR_fork, ""}, {__NR_vfork, ""}, {__NR_clone, "FSPPP"}, {__NR_clone, "FSPPP"},
    {__NR_clone3, "Cn"}, {__NR_clone3, "C9"}, {__NR_clone2, "PP"}, {__NR_clone2, "LQ"},
    {__NR_execve, "ebb"}, {__NR_execve, "evz"}, {__NR_execveat, "febbr"},
    {__NR_exit, "i"}, {__NR_exit_group, "i"},
    {__NR_futex, "xOiTxi"}, {__NR_futex, "xOiTxi"}, {__NR_futex, "xOrTxr"}, {__NR_futex, "aOiPai"},
    {__NR_set_robust_list, "Pn"}, {__NR_set_robust_list, "H7"}, {__NR_get_robust_list, "pPP"},
    {__NR_set_tid_address, "x"}, {__NR_set_tid_address, "a"}, {449, "WiiTc"}, {449, "WjzTj"},
    {334, "P5ir"}, {334, "Pnii"},
    {__NR_nanosleep, "TP"}, {__NR_clock_nanosleep, "ciTP"}, {__NR_clock_gettime, "cP"}, {__NR_clock_getres, "cP"},
    {__NR_alarm, "i"}, {__NR_setitimer, "jUP"}, {__NR_setitimer, "jUz"}, {__NR_getitimer, "jP"}, {__NR_timer_create, "cEP"}, {__NR_timer_create, "jzP"},
    {__NR_timer_settime, "jiUP"}, {__NR_timer_settime, "jzUz"}, {__NR_timer_gettime, "jP"}, {__NR_timer_delete, "j"}, {__NR_timer_getoverrun, "j"},
    {__NR_timerfd_create, "cr"}, {__NR_timerfd_create, "cz"}, {__NR_timerfd_settime, "fiUP"}, {__NR_timerfd_settime, "fjUz"},
    {__NR_timerfd_gettime, "fP"}, {__NR_restart_syscall, ""}, {__NR_times, "P"}, {__NR_getrusage, "iP"},
    {__NR_prctl, "yrrrr"}, {__NR_prctl, "yiPii"}, {__NR_prctl, "yszzz"}, {__NR_arch_prctl, "qa"},
    {__NR_personality, "r"}, {__NR_capget, "KP"}, {__NR_capset, "KP"},
    {__NR_setuid, "u"}, {__NR_setgid, "u"}, {__NR_setresuid, "uuu"}, {__NR_setresgid, "uuu"}, {__NR_setreuid, "uu"},
    {__NR_getresuid, "PPP"}, {__NR_setfsuid, "u"}, {__NR_setgroups, "iP"}, {__NR_getgroups, "iP"},
    {__NR_unshare, "F"}, {__NR_unshare, "F"}, {__NR_setns, "fF"}, {__NR_setns, "fi"},
    {__NR_pidfd_open, "pi"}, {__NR_pidfd_open, "pz"}, {__NR_pidfd_getfd, "ffi"},
    {__NR_process_vm_readv, "pIiIiz"}, {__NR_process_vm_writev, "pIiIiz"}, {__NR_kcmp, "ppirr"},
    {__NR_getpriority, "jp"}, {__NR_setpriority, "jpi"}, {__NR_sched_yield, ""}, {__NR_sched_getaffinity, "pnP"},
    {__NR_sched_setaffinity, "pnP"}, {__NR_sched_getscheduler, "p"}, {__NR_sched_setscheduler, "piP"},
    {__NR_sched_getparam, "pP"}, {__NR_sched_setparam, "pP"}, {__NR_sched_setattr, "pPi"}, {__NR_sched_getattr, "pPni"},
    {__NR_sched_rr_get_interval, "pP"}, {__NR_membarrier, "iii"}, {__NR_getcpu, "PPz"},
    {__NR_getrlimit, "iP"}, {__NR_prlimit64, "piRP"}, {__NR_prlimit64, "pizP"}, {__NR_ioprio_get, "ip"},
    {__NR_pipe2, "Pr"}, {__NR_pipe2, "Pz"}, {__NR_eventfd2, "ir"}, {__NR_eventfd2, "iz"}, {__NR_epoll_create1, "z"},
    {__NR_epoll_ctl, "fifP"}, {__NR_epoll_ctl, "f1fP"}, {__NR_epoll_pwait, "fPiiM8"}, {__NR_memfd_create, "Pi"},
    {__NR_dup, "f"}, {__NR_dup3, "ffr"}, {__NR_dup2, "ff"}, {__NR_close, "f"}, {__NR_close_range, "ffi"},
    {__NR_fcntl, "fir"}, {__NR_fcntl, "fiP"}, {__NR_ioctl, "frP"}, {__NR_read, "fPn"}, {__NR_write, "fPn"},
    {__NR_write, "fP8"}, {__NR_readv, "fIi"}, {__NR_writev, "fIi"}, {__NR_poll, "Bii"}, {__NR_ppoll, "BiTM8"},
    {__NR_select, "iPPPU"}, {__NR_lseek, "fri"}, {__NR_fstat, "fP"}, {__NR_splice, "fzfzni"}, {__NR_tee, "ffni"},
    {__NR_mmap, "mlogfz"}, {__NR_mmap, "mlog-z"}, {__NR_munmap, "ml"}, {__NR_mprotect, "mlo"}, {__NR_mremap, "mllim"},
    {__NR_madvise, "mli"}, {__NR_msync, "mli"}, {__NR_mincore, "mlP"}, {__NR_brk, "k"}, {__NR_mlock, "ml"},
    {__NR_mlockall, "i"}, {__NR_munlockall, ""},
    {__NR_uname, "P"}, {__NR_sysinfo, "P"}, {__NR_getrandom, "Pni"}, {__NR_umask, "i"}, {__NR_vhangup, ""},
    {__NR_ptrace, "ipaa"}, {__NR_signalfd4, "-M8z"}, {__NR_shmget, "inr"}, {__NR_socketpair, "iizP"}, {__NR_socketpair, "1jzP"},
    {__NR_sendto, "fPnizz"}, {__NR_recvfrom, "fPnizz"}, {__NR_shmget, "zlr"}, {__NR_shmat, "jzz"}, {__NR_shmctl, "jjP"},
    {__NR_shmdt, "a"}, {__NR_seccomp, "iiP"},
};

/* Fills a slot with something that some call may take. */
static void fill(struct random *random, uint64_t *to) {
  int kind = below(random, 8);
  for (int at = 0; at < SLOT / 8; at++) {
    switch (kind) {
    case 0: to[at] = any(random); break;
    case 1: to[at] = below(random, 5); break;
    case 2: to[at] = (uint64_t)slots[below(random, SLOTS)]; break;
    case 3: to[at] = below(random, 2) ? below(random, 64) : (uint64_t)slots[below(random, SLOTS)]; break;
    case 4: to[at] = below(random, 8) | below(random, 8) << 32; break;
    case 5: to[at] = 0; break;
    case 6: to[at] = 1UL << below(random, 64); break;
    default: return;
    }
  }
}

static uint64_t *slot(struct random *random) {
  uint64_t *to = (uint64_t *)slots[below(random, SLOTS)];
  if (!chance(random, 3)) fill(random, to);
  return to;
}

static uint64_t hostile_address(struct random *random) {
  const uint64_t list[] = {0, 1, 0xffffffff81000000UL, 0x800000000000UL, ~0UL, TASK_SIZE_MAX - 4, 0x7ffffffde000UL,
                           (uint64_t)read_only, SCRATCH, SCRATCH + SCRATCH_PAGES * PAGE_SIZE - 4, 0x400000, 0xfff};
  return PICK(random, list);
}

static uint64_t pointer(struct random *random) {
  if (chance(random, 8)) return hostile_address(random);
  uint64_t at = (uint64_t)slot(random);
  return chance(random, 8) ? at + below(random, SLOT) : at;
}

/* A few milliseconds at most; sometimes nothing of the kind. */
static uint64_t short_time(struct random *random) {
  if (chance(random, 6)) return pointer(random);
  uint64_t *to = (uint64_t *)slots[below(random, SLOTS)];
  to[0] = chance(random, 50) ? any(random) : 0;
  to[1] = below(random, 2000000);
  to[2] = to[0];
  to[3] = below(random, 2000000);
  return (uint64_t)to;
}

static uint64_t clone_flags(struct random *random) {
  static const uint64_t usual[] = {
      0,
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
      CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
      CLONE_VM | CLONE_VFORK,
      CLONE_NEWPID,
      CLONE_NEWUSER,
      CLONE_NEWUSER | CLONE_NEWPID,
      CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC,
      CLONE_PARENT,
      CLONE_FILES | CLONE_FS,
  };
  uint64_t flags = PICK(random, usual);
  for (int count = below(random, 4); count > 0; count--) flags |= 1UL << (below(random, 26) + 8);
  return flags;
}

static uint64_t stack_top(struct random *random) {
  if (chance(random, 20)) return hostile_address(random);
  return (uint64_t)stacks[__atomic_fetch_add(&next_stack, 1, __ATOMIC_RELAXED) % STACKS] + STACK;
}

static uint64_t argument(struct random *random, char kind, int self) {
  uint64_t *to;
  switch (kind) {
  case 'z': return 0;
  case '-': return -1;
  case '1': case '5': case '7': case '8': return kind == '5' ? 32 : kind == '7' ? 24 : kind - '0';
  case '9': return 88;
  case 'f': {
    static const int list[] = {-1, -100, 1023, 0x7fffffff};
    return chance(random, 12) ? (uint64_t)PICK(random, list) : below(random, chance(random, 4) ? 24 : 12);
  }
  case 'p': {
    static const int list[] = {0, -1, 1, -2, 32768, 0x7fffffff, -2147483647 - 1};
    if (chance(random, 10)) return PICK(random, list);
    if (chance(random, 3)) return self;
    return (chance(random, 12) ? -1 : 1) * (int)(self > 20 ? self - 20 + below(random, 30) : below(random, 60));
  }
  case 's': {
    static const int gentle[] = {0, 1, 10, 12, 14, 17, 18, 20, 23, 28, 33, 34, 35, 40, 64};
    static const int rough[] = {2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 19, 21, 65, -1};
    return chance(random, 8) ? PICK(random, rough) : PICK(random, gentle);
  }
  case 'j': return below(random, 3);
  case 'i': return chance(random, 12) ? any(random) : below(random, 12) - 1;
  case 'n': {
    static const uint64_t list[] = {0, 1, 4, 8, 16, 24, 32, 56, 64, 80, 88, 100, 128, 256, 4096, 65536, ~0UL, 1UL << 31};
    return PICK(random, list);
  }
  case 'r': return chance(random, 2) ? 1UL << below(random, 32) : below(random, 4) ? below(random, 4096) : any(random);
  case 'a': return chance(random, 2) ? hostile_address(random) : pointer(random);
  case 'x': return chance(random, 16) ? hostile_address(random) : (uint64_t)&words[below(random, 4)];
  case 'u': {
    static const uint64_t list[] = {0, 0, 0, 0, 1, 1000, 65534, 0xffffffffUL};
    return PICK(random, list);
  }
  case 'w': {
    static const uint64_t list[] = {1, 1, 1, 3, 5, 9, 0, 0x40000001, 0x80000001, 0x1000005, 0x20000001, 0xd};
    return chance(random, 20) ? any(random) : PICK(random, list);
  }
  case 'c': return chance(random, 10) ? any(random) : chance(random, 8) ? (uint64_t)(~(int64_t)self << 3 | 2) : below(random, 12);
  case 'O': return chance(random, 20) ? any(random) : (below(random, 14) | (chance(random, 2) ? 128 : 0) | (chance(random, 5) ? 256 : 0));
  case 'y': return chance(random, 12) ? any(random) : below(random, 72);
  case 'q': return 0x1000 + below(random, 6);
  case 'F': return clone_flags(random) | (chance(random, 3) ? 0 : 17);
  case 'S': return chance(random, 3) ? 0 : stack_top(random);
  case 'T': case 'U': return short_time(random);
  case 'P': case 'R': case 'E': case 'B': return pointer(random);
  case 'M':
    to = slot(random);
    *to = chance(random, 3) ? any(random) : 1UL << below(random, 64);
    return (uint64_t)to;
  case 'A':
    if (chance(random, 10)) return pointer(random);
    to = slot(random);
    to[0] = below(random, 3) ? (uint64_t)on_signal : below(random, 2);
    to[1] = 0x04000000 | (1UL << below(random, 32) & 0xd8000007);
    to[2] = (uint64_t)sys_return_from_signal;
    to[3] = chance(random, 2) ? 0 : any(random);
    return (uint64_t)to;
  case 'C':
    to = slot(random);
    memset(to, 0, 88);
    to[0] = clone_flags(random);
    to[1] = chance(random, 2) ? pointer(random) : 0;
    to[2] = to[3] = (uint64_t)&words[4 + below(random, 4)];
    to[4] = to[0] & CLONE_THREAD ? 0 : 17;
    if (chance(random, 2)) to[5] = stack_top(random) - STACK, to[6] = STACK;
    if (chance(random, 4)) to[8] = pointer(random), to[9] = below(random, 4);
    if (chance(random, 16)) to[below(random, 11)] = any(random);
    return (uint64_t)to;
  case 'L':
    to = slot(random);
    memset(to, 0, 40);
    to[0] = clone_flags(random) | 17;
    to[1] = chance(random, 2) ? 0 : stack_top(random);
    to[2] = below(random, 4);
    return (uint64_t)to;
  case 'Q':
    to = slot(random);
    for (int at = 0; at < 4; at++) ((int *)to)[at] = chance(random, 3) ? 0 : below(random, 400);
    return (uint64_t)to;
  case 'H':
    /* A robust list with one lock, which is wrong in some way. */
    to = slot(random);
    to[0] = chance(random, 2) ? (uint64_t)to : (uint64_t)(to + 8);
    to[1] = chance(random, 8) ? any(random) : below(random, 4) * 4;
    to[2] = chance(random, 2) ? 0 : pointer(random);
    to[8] = chance(random, 3) ? (uint64_t)(to + 8) : (uint64_t)to;
    return (uint64_t)to;
  case 'W':
    to = slot(random);
    for (int at = 0; at < 4; at++) to[at * 3] = below(random, 2), to[at * 3 + 1] = (uint64_t)&words[at], to[at * 3 + 2] = 2 | below(random, 2) * 128;
    return (uint64_t)to;
  case 'I':
    to = slot(random);
    for (int at = 0; at < 4; at++) to[at * 2] = pointer(random), to[at * 2 + 1] = argument(random, 'n', self);
    return (uint64_t)to;
  case 'K':
    to = slot(random);
    ((uint32_t *)to)[0] = chance(random, 8) ? any(random) : _LINUX_CAPABILITY_VERSION_3;
    ((uint32_t *)to)[1] = chance(random, 2) ? 0 : self;
    return (uint64_t)to;
  case 'm': return chance(random, 30) ? hostile_address(random) : SCRATCH + below(random, SCRATCH_PAGES * 2) * PAGE_SIZE;
  case 'l': return chance(random, 30) ? any(random) : below(random, 8) * PAGE_SIZE + (chance(random, 4) ? below(random, PAGE_SIZE) : 0);
  case 'o': return chance(random, 10) ? any(random) : below(random, 8);
  case 'g': return (chance(random, 4) ? 0 : 0x20) | (chance(random, 2) ? 2 : 1) | (chance(random, 2) ? 0x10 : 0) | (chance(random, 8) ? any(random) & 0x1fffff : 0);
  case 'k': return chance(random, 4) ? any(random) : (uint64_t)SYS1(brk, 0) + (below(random, 8) - 3) * PAGE_SIZE;
  case 'e': return chance(random, 4) ? pointer(random) : (uint64_t)self_path;
  case 'b': case 'v': {
    static const char *arguments[] = {"grinder", 0};
    return kind == 'b' && chance(random, 3) ? pointer(random) : (uint64_t)arguments;
  }
  default: return any(random);
  }
}

static void grind(struct random random, int life);

/* Where a child with a stack of its own begins. */
__attribute__((noreturn, used)) static void begin(uint64_t seed) {
  struct random random = {seed | 1};
  grind(random, 1 + below(&random, LIFE / 4));
  if (chance(&random, 2)) sys_exit(0);
  sys_exit_group(1);
}

/* Makes the call; a child that gets a new stack cannot come back from here. */
static long make_call(long number, const uint64_t *arguments, uint64_t seed) {
  register long r10 __asm__("r10") = arguments[3];
  register long r8 __asm__("r8") = arguments[4];
  register long r9 __asm__("r9") = arguments[5];
  register long r12 __asm__("r12") = seed;
  register long r13 __asm__("r13");
  long result;
  __asm__ volatile("mov %%rsp, %%r13\n"
                   "syscall\n"
                   "test %%rax, %%rax\n"
                   "jnz 1f\n"
                   "cmp %%rsp, %%r13\n"
                   "je 1f\n"
                   "and $-16, %%rsp\n"
                   "mov %%r12, %%rdi\n"
                   "call begin\n"
                   "1:"
                   : "=a"(result), "=r"(r13)
                   : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(r10), "r"(r8), "r"(r9),
                     "r"(r12)
                   : "rcx", "r11", "memory");
  return result;
}

static int makes_tasks(long number) {
  return number == __NR_fork || number == __NR_vfork || number == __NR_clone || number == __NR_clone3 ||
         number == __NR_clone2;
}

static void misbehave(struct random *random) {
  switch (below(random, 6)) {
  case 0: *(volatile int *)hostile_address(random) = 1; break;
  case 1: (void)*(volatile int *)hostile_address(random); break;
  case 2: __asm__ volatile("ud2"); break;
  case 3: __asm__ volatile("int3"); break;
  case 4: __asm__ volatile("hlt"); break;
  default: *(volatile uint64_t *)(SCRATCH + below(random, SCRATCH_PAGES) * PAGE_SIZE) = any(random); break;
  }
}

/* Something to name by a descriptor. */
static void open_some(struct random *random, int self) {
  uint64_t mask = 1UL << 11;
  int fds[2];
  sys_pipe(fds);
  SYS2(eventfd2, 3, 0x800);
  SYS1(epoll_create1, 0);
  SYS2(timerfd_create, 1, 0);
  SYS4(signalfd4, -1, &mask, 8, 0);
  SYS2(memfd_create, "memory", 0);
  SYS4(socketpair, 1, 1, 0, fds);
  SYS2(pidfd_open, self, 0);
  SYS2(pidfd_open, 1 + below(random, 30), 0);
}

static void grind(struct random random, int life) {
  int self = sys_gettid();
  if (chance(&random, 2)) open_some(&random, self);
  sys_mmap((void *)SCRATCH, SCRATCH_PAGES * PAGE_SIZE, 3, 0x32, -1, 0);
  for (; life > 0; life--) {
    const struct call *call = &PICK(&random, calls);
    /* Ends and sleeps for ever are rarer than the rest, or hardly anything would happen. */
    int rare = call->number == __NR_exit || call->number == __NR_exit_group || call->number == __NR_pause ||
               call->number == __NR_rt_sigreturn || call->number == __NR_rt_sigsuspend || call->number == __NR_execve;
    if (rare && !chance(&random, 12)) continue;
    uint64_t arguments[6] = {0};
    for (int at = 0; call->kinds[at]; at++) arguments[at] = argument(&random, call->kinds[at], self);
    if (makes_tasks(call->number)) {
      /* Two tasks on one stack destroy each other; that is fun, but seldom. */
      if (call->number == __NR_clone && (arguments[0] & (CLONE_VM | CLONE_VFORK)) == CLONE_VM && arguments[1] == 0 &&
          !chance(&random, 30))
        arguments[1] = stack_top(&random);
      long result = make_call(call->number, arguments, any(&random));
      if (result == 0) {
        random.state ^= 0x9e3779b97f4a7c15UL;
        begin(any(&random));
      }
    } else {
      long result = make_call(call->number, arguments, 0);
      if (call->number == __NR_shmat && !is_error(result)) *(volatile char *)result = 1;
    }
    if (chance(&random, 200)) misbehave(&random);
    if (chance(&random, 4)) __atomic_store_n(&words[below(&random, 4)], below(&random, 2) ? self : (int)below(&random, 3), __ATOMIC_RELAXED);
  }
}

/* Pid 1 of the arena. */
__attribute__((noreturn)) static void arena(uint64_t seed) {
  struct random random = {seed | 1};
  int alive = 0;
  /* kill(0) reaches the process group, outside of the namespace too. */
  SYS0(setsid);
  for (int fd = 0; fd < 64; fd++) sys_close(fd);
  for (int round = 0; round < ROUNDS; round++) {
    int newest = 0;
    while (alive < WORKERS) {
      uint64_t child_seed = any(&random);
      long pid = sys_fork();
      if (pid == 0) {
        struct random own = {child_seed | 1};
        grind(own, 1 + below(&own, LIFE));
        sys_exit_group(0);
      }
      if (pid < 0) break;
      newest = pid;
      alive++;
    }
    sleep_us(1 + below(&random, 3000));
    while (sys_wait4(-1, 0, 0x40000001) > 0) alive--;
    if (alive < 0) alive = 0;
    if (chance(&random, 4)) sys_kill(newest - below(&random, WORKERS), 9);
    if (chance(&random, 12)) sys_kill(-1, 9);
  }
  sys_exit_group(0);
}

static int supervise(uint64_t seed) {
  sys_handle(SIGTERM, on_term, 0);
  struct random random = {seed * 2 + 1};
  for (int at = 0; at < 20; at++) any(&random);
  /* What the loop below writes to is touched once before the first count. */
  sleep_us(1);
  print("ready\n");
  while (!stopped) {
    uint64_t arena_seed = any(&random);
    long pid = SYS5(clone, CLONE_NEWPID | CLONE_NEWIPC | 17, 0, 0, 0, 0);
    if (pid == 0) arena(arena_seed);
    if (pid < 0) {
      sleep_us(1000);
      continue;
    }
    while (sys_wait4(pid, 0, 1) == 0) {
      if (stopped) sys_kill(pid, 9);
      sleep_us(1000);
    }
  }
  while (sys_wait4(-1, 0, 0) > 0) {}
  print("done\n");
  return 0;
}

int main(int argc, char **argv, char **envp) {
  (void)envp;
  if (SYS2(clone2, 0, 0) == -ENOSYS) {
    print("grinder: this is not Trapgate, and what follows would harm a real system\n");
    return 2;
  }
  if (argc == 3 && strcmp(argv[1], "supervise") == 0) return supervise(parse_number(argv[2]));
  uint64_t seed = 0;
  SYS3(getrandom, &seed, 8, 0);
  struct random random = {seed | 1};
  grind(random, 1 + below(&random, LIFE));
  return 0;
}
