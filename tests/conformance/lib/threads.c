#include "threads.h"
#include "call.h"
#include "proc.h"

/* --- threads -------------------------------------------------------------------------------------------------------- */

enum { THREAD_STACK = 65536 };

struct start {
  int (*function)(void *);
  void *argument;
};

static int run_thread(void *argument, unsigned long rsp) {
  (void)rsp;
  struct start start = *(struct start *)argument;
  return start.function(start.argument);
}

/* The record lies at the bottom of the thread's stack; nobody unmaps it, the case's end does. */
struct thread *start_thread(int (*function)(void *), void *argument) {
  long memory = sys_mmap(0, THREAD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  expect(!is_error(memory), "mmap for a thread: %s", errno_name(memory));
  struct thread *thread = (struct thread *)memory;
  struct start *start = (struct start *)(thread + 1);
  *start = (struct start){function, argument};
  struct call call = {.number = __NR_clone,
                      .rdi = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                             CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                      .rsi = memory + THREAD_STACK,
                      .rdx = memory,
                      .r10 = memory};
  long tid = do_call_with_function(&call, run_thread, start);
  expect(tid > 0, "clone for a thread: %s", errno_name(tid));
  thread->number = (int)tid;
  return thread;
}

void join_thread(struct thread *thread) {
  for (int tid; (tid = thread->tid) != 0;) sys_futex((int *)&thread->tid, FUTEX_WAIT, tid, 0);
}

/* --- waiting for others --------------------------------------------------------------------------------------------- */

char state_of(long tid) {
  char path[64], text[512];
  format(path, sizeof path, "/proc/%ld/stat", tid);
  if (read_file(path, text, sizeof text) <= 0) return 0;
  const char *behind = 0;
  for (const char *byte = text; *byte; byte++)
    if (*byte == ')') behind = byte + 1;
  return behind && behind[0] ? behind[1] : 0;
}

void wait_until_state(long tid, char state) {
  char seen = 0;
  for (int tries = 0; (seen = state_of(tid)) != state; tries++) {
    if (tries > 5000) case_fails(__LINE__, "waited in vain until task %ld has state %c; it has %c", tid, state, seen ? seen : '-');
    sleep_us(1000);
  }
}

void wait_until_asleep(long tid) { wait_until_state(tid, 'S'); }

/* --- signals -------------------------------------------------------------------------------------------------------- */

void handle(int signal, void (*handler)(int, struct siginfo *, struct ucontext *), uint64_t flags, uint64_t mask) {
  struct kernel_sigaction action = {(uint64_t)handler, flags | SA_SIGINFO | SA_RESTORER, (uint64_t)sys_return_from_signal, mask};
  expect_value(SYS4(rt_sigaction, signal, &action, 0, 8), 0, "rt_sigaction");
}

long take_signal(uint64_t set, struct siginfo *info) {
  struct timespec none = {0, 0};
  return SYS4(rt_sigtimedwait, &set, info, &none, 8);
}

long await_signal(uint64_t set, struct siginfo *info) {
  struct timespec patience = {5, 0};
  long result;
  do result = SYS4(rt_sigtimedwait, &set, info, &patience, 8);
  while (result == -EINTR);
  return result;
}

volatile struct noted noted;

void note_signal(int signal, struct siginfo *info, struct ucontext *context) {
  (void)context;
  int at = __atomic_fetch_add((int *)&noted.count, 1, __ATOMIC_SEQ_CST);
  if (at >= 32) return;
  noted.signals[at] = signal;
  memcpy((void *)&noted.infos[at], info, sizeof *info);
  noted.tids[at] = (int)sys_gettid();
}

/* --- time ----------------------------------------------------------------------------------------------------------- */

long clock_us(int clock) {
  struct timespec time = {0, 0};
  expect_value(SYS2(clock_gettime, clock, &time), 0, "clock_gettime");
  return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

long now_us(void) { return clock_us(CLOCK_MONOTONIC); }

void burn_us(long us) {
  long end = clock_us(CLOCK_THREAD_CPUTIME_ID) + us;
  while (clock_us(CLOCK_THREAD_CPUTIME_ID) < end)
    for (volatile int i = 0; i < 1000; i++);
}

/* --- other ---------------------------------------------------------------------------------------------------------- */

long write_text(const char *path, const char *text) {
  long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long written = sys_write((int)fd, text, strlen(text));
  sys_close((int)fd);
  return written < 0 ? written : 0;
}

void make_file(const char *path, const void *content, size_t size, int mode) {
  long fd = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  expect(fd >= 0, "creating %s: %s", path, errno_name(fd));
  expect_value(sys_write((int)fd, content, size), size, "write");
  sys_close((int)fd);
  expect_value(SYS2(chmod, path, mode), 0, "chmod");
}

/* A tmpfs in a mount namespace of the case's own vanishes with it. */
const char *own_folder(void) {
  expect_value(SYS1(unshare, CLONE_NEWNS), 0, "unshare(CLONE_NEWNS)");
  SYS5(mount, 0, "/", 0, MS_REC | MS_PRIVATE, 0);
  expect_value(SYS5(mount, "none", "/tmp", "tmpfs", 0, 0), 0, "mounting a tmpfs on /tmp");
  expect_value(SYS1(chdir, "/tmp"), 0, "chdir");
  expect_value(SYS2(chmod, "/tmp", 01777), 0, "chmod");
  return "/tmp";
}

unsigned long status_number(const char *who, const char *name, int base) {
  char path[64], text[4096];
  format(path, sizeof path, "/proc/%s/status", who);
  if (read_file(path, text, sizeof text) <= 0) return -1UL;
  for (const char *line = text; *line;) {
    if (starts_with(line, name) && line[strlen(name)] == ':') {
      const char *digit = line + strlen(name) + 1;
      while (*digit == ' ' || *digit == '\t') digit++;
      unsigned long value = 0;
      for (;; digit++) {
        int d = *digit >= '0' && *digit <= '9' ? *digit - '0' : *digit >= 'a' && *digit <= 'f' ? *digit - 'a' + 10 : 99;
        if (d >= base) return value;
        value = value * (unsigned long)base + (unsigned long)d;
      }
    }
    while (*line && *line != '\n') line++;
    if (*line) line++;
  }
  return -1UL;
}
