/* What an operation costs while a crowd of other tasks is alive: scaling OPERATION CROWD COUNT prints nanoseconds for
 * one, by its own watch. The crowd are children of the measuring process, asleep in four different ways: in pause(2), in
 * a read of one common pipe, in a long nanosleep(2), at one common futex. For the operations on threads it is threads. */
#include "../guest-programs/bench/bench.h"

enum { THREAD_STACK = 4096, ROUNDS = 5 };

static int *common;
static int crowd_pipe[2];
static int *pids;

static long now(void) {
  struct timespec time;
  SYS2(clock_gettime, 1, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static __attribute__((noreturn)) void sleep_somehow(int number) {
  struct timespec long_time = {100000, 0};
  char byte;
  for (;;) switch (number % 4) {
    case 0: SYS0(pause); break;
    case 1: sys_read(crowd_pipe[0], &byte, 1); break;
    case 2: SYS2(nanosleep, &long_time, 0); break;
    default: sys_futex(common, FUTEX_WAIT, 0, 0); break;
    }
}

static void gather(int crowd) {
  for (int i = 0; i < crowd; i++) {
    pids[i] = sys_fork();
    if (pids[i] == 0) {
      SYS5(prctl, 1, 9, 0, 0, 0); /* dies with its parent */
      sleep_somehow(i);
    }
    if (pids[i] < 0) {
      print("the crowd ended at %d: %d\n", i, pids[i]);
      sys_exit_group(1);
    }
  }
  /* Everybody gets to where it sleeps. */
  for (int i = 0; i < crowd + 10; i++) SYS0(sched_yield);
  sleep_us(1000);
}

static void disperse(int crowd) {
  for (int i = 0; i < crowd; i++) sys_kill(pids[i], SIGKILL);
  for (int i = 0; i < crowd; i++) sys_wait4(pids[i], 0, 0);
}

#define THREAD_FLAGS \
  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | \
   CLONE_CHILD_CLEARTID)

/* The child calls `entry` on its own stack and ends. */
static long start_thread(char *stack_top, int *tid, void (*entry)(void)) {
  register int *child_tid __asm__("r10") = tid;
  register long tls __asm__("r8") = 0;
  register void (*function)(void) __asm__("r12") = entry;
  long result;
  __asm__ volatile("syscall\n"
                   "test %%rax, %%rax\n"
                   "jnz 1f\n"
                   "call *%%r12\n"
                   "mov $60, %%eax\n"
                   "xor %%edi, %%edi\n"
                   "syscall\n"
                   "1:"
                   : "=a"(result)
                   : "a"(__NR_clone), "D"(THREAD_FLAGS), "S"(stack_top), "d"(tid), "r"(child_tid), "r"(tls), "r"(function)
                   : "rcx", "r11", "memory");
  return result;
}

static void join(int *tid) {
  int seen;
  while ((seen = __atomic_load_n(tid, __ATOMIC_ACQUIRE)) != 0) sys_futex(tid, FUTEX_WAIT, seen, 0);
}

static void nothing(void) {}
static void park(void) {
  for (;;) sys_futex(common, FUTEX_WAIT, 0, 0);
}

static long ping_pong(long count) {
  int there[2], back[2];
  char byte = 'p';
  sys_pipe(there), sys_pipe(back);
  long pid = sys_fork();
  if (pid == 0) {
    while (sys_read(there[0], &byte, 1) == 1) sys_write(back[1], &byte, 1);
    sys_exit_group(0);
  }
  long start = now();
  for (long n = count; n > 0; n--) sys_write(there[1], &byte, 1), sys_read(back[0], &byte, 1);
  long time = now() - start;
  sys_kill(pid, SIGKILL);
  sys_wait4(pid, 0, 0);
  return time / 2;
}

static long futex_ping_pong(long count) {
  int *turn = common + 16;
  long pid = sys_fork();
  if (pid == 0)
    for (;;) {
      while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == 0) sys_futex(turn, FUTEX_WAIT, 0, 0);
      __atomic_store_n(turn, 0, __ATOMIC_RELEASE);
      sys_futex(turn, FUTEX_WAKE, 1, 0);
    }
  long start = now();
  for (long n = count; n > 0; n--) {
    __atomic_store_n(turn, 1, __ATOMIC_RELEASE);
    sys_futex(turn, FUTEX_WAKE, 1, 0);
    while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == 1) sys_futex(turn, FUTEX_WAIT, 1, 0);
  }
  long time = now() - start;
  sys_kill(pid, SIGKILL);
  sys_wait4(pid, 0, 0);
  return time / 2;
}

static volatile int handled;
static void handle(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info, (void)context;
  handled++;
}

static char *stacks;
static int *tids;

/* The crowd as threads of one process; the last stack is for more. */
static void gather_threads(int crowd) {
  stacks = (char *)sys_mmap(0, (crowd + 1L) * THREAD_STACK, 3, 0x22, -1, 0);
  tids = (int *)sys_mmap(0, (crowd + 1L) * sizeof(int), 3, 0x22, -1, 0);
  for (int i = 0; i < crowd; i++)
    if (start_thread(stacks + (i + 1L) * THREAD_STACK, &tids[i], park) < 0) {
      print("the crowd ended at %d\n", i);
      sys_exit_group(1);
    }
  for (int i = 0; i < crowd + 10; i++) SYS0(sched_yield);
}

static long measure(const char *operation, int crowd, long count) {
  long start = now();
  if (strcmp(operation, "getpid") == 0) {
    for (long n = count; n > 0; n--) SYS0(getpid);
  } else if (strcmp(operation, "fork") == 0) {
    for (long n = count; n > 0; n--) {
      long pid = sys_fork();
      if (pid == 0) sys_exit_group(0);
      sys_wait4(pid, 0, 0);
    }
  } else if (strcmp(operation, "switch") == 0) {
    return ping_pong(count);
  } else if (strcmp(operation, "futex") == 0) {
    return futex_ping_pong(count);
  } else if (strcmp(operation, "kill") == 0) {
    sys_handle(SIGUSR1, handle, 0);
    long self = sys_getpid();
    start = now();
    for (long n = count; n > 0; n--) sys_kill(self, SIGUSR1);
  } else if (strcmp(operation, "thread") == 0) {
    for (long n = count; n > 0; n--) {
      start_thread(stacks + (crowd + 1L) * THREAD_STACK, &tids[crowd], nothing);
      join(&tids[crowd]);
    }
  } else if (strcmp(operation, "wait4") == 0) {
    for (long n = count; n > 0; n--) sys_wait4(pids[n % crowd], 0, 1);
  } else if (strcmp(operation, "wait4-any") == 0) {
    for (long n = count; n > 0; n--) sys_wait4(-1, 0, 1);
  } else if (strcmp(operation, "wake-all") == 0) {
    /* Everybody at the common futex wakes, sees that nothing has changed, and sleeps again. */
    for (long n = count; n > 0; n--) {
      sys_futex(common, FUTEX_WAKE, 0x7fffffff, 0);
      for (int i = 0; i < 2; i++) SYS0(sched_yield);
    }
  } else if (strcmp(operation, "write-all") == 0) {
    /* Of those that read the common pipe one gets the byte. */
    char byte = 'b';
    for (long n = count; n > 0; n--) sys_write(crowd_pipe[1], &byte, 1), SYS0(sched_yield);
  } else {
    print("unknown operation %s\n", operation);
    sys_exit_group(2);
  }
  return now() - start;
}

/* The best of a few: whatever translates code on the way, ours or V8, has done so by then. */
static long best(const char *operation, int crowd, long count) {
  long least = measure(operation, crowd, count);
  for (int round = 1; round < ROUNDS; round++) {
    long time = measure(operation, crowd, count);
    if (time < least) least = time;
  }
  return least;
}

static void leave_when_told(void) {
  while (__atomic_load_n(common, __ATOMIC_ACQUIRE) == 0) sys_futex(common, FUTEX_WAIT, 0, 0);
}

/* A whole crowd is made, told to end at once, and waited for: the time for each. */
static long whole_crowd(const char *operation, int crowd) {
  stacks = (char *)sys_mmap(0, crowd * (long)THREAD_STACK, 3, 0x22, -1, 0);
  tids = (int *)sys_mmap(0, crowd * sizeof(int), 3, 0x22, -1, 0);
  long start = now();
  if (strcmp(operation, "processes") == 0) {
    gather(crowd);
    disperse(crowd);
  } else {
    for (int i = 0; i < crowd; i++) start_thread(stacks + (i + 1L) * THREAD_STACK, &tids[i], leave_when_told);
    __atomic_store_n(common, 1, __ATOMIC_RELEASE);
    sys_futex(common, FUTEX_WAKE, 0x7fffffff, 0);
    for (int i = 0; i < crowd; i++) join(&tids[i]);
  }
  return (now() - start) / crowd;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const char *operation = argv[1];
  int crowd = parse_number(argv[2]);
  long count = parse_number(argv[3]);
  common = (int *)sys_mmap(0, PAGE_SIZE, 3, 0x21, -1, 0);
  pids = (int *)sys_mmap(0, crowd * sizeof(int), 3, 0x22, -1, 0);
  sys_pipe(crowd_pipe);
  if (strcmp(operation, "processes") == 0 || strcmp(operation, "threads") == 0) {
    print("%ld\n", whole_crowd(operation, crowd));
    return 0;
  }
  if (strcmp(operation, "thread") == 0) {
    gather_threads(crowd);
    print("%ld\n", best(operation, crowd, count) / count);
    return 0;
  }
  gather(crowd);
  print("%ld\n", best(operation, crowd, count) / count);
  disperse(crowd);
  return 0;
}
