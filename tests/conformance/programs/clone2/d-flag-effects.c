/* Section D, second part: what the flags do. */
#include "call.h"

static int *low_word(void) { return (int *)low_memory(PAGE_SIZE); }
static uint32_t low_address(volatile void *pointer) { return (uint32_t)(unsigned long)pointer; }

static int is_readable(int fd) {
  struct pollfd poll = {fd, POLLIN, 0};
  return SYS3(poll, &poll, 1, 0) == 1 && (poll.revents & POLLIN);
}

static void pidfd_works(long unused) {
  (void)unused;
  int *word = low_word(), ends[2];
  struct clone_struct how = plain(CLONE_PIDFD);
  sys_pipe(ends);
  *word = -7;
  how.parent_tid = low_address(word);
  long pid = start(&how, 0);
  if (pid == 0) wait_for_release(ends[0]);
  expect_created(pid);
  int fd = *word;
  expect(fd >= 0, "the word at parent_tid is %d", fd);
  expect_value(SYS2(fcntl, fd, F_GETFD), FD_CLOEXEC, "the descriptor's flags");
  expect(!is_readable(fd), "the pidfd is readable while the child lives");
  sys_write(ends[1], "", 1);
  wait_until(is_readable(fd), "the pidfd is readable");
  struct siginfo info = {0};
  expect_value(SYS5(waitid, P_PIDFD, fd, &info, WEXITED, 0), 0, "waitid(P_PIDFD)");
  expect_value(info.si_pid, pid, "si_pid");
  expect_value(info.si_code, CLD_EXITED, "si_code");
  expect_value(info.si_status, 0, "si_status");
  expect_value(sys_close(fd), 0, "close");
}

static void pidfd_store_can_fail(long unused) {
  (void)unused;
  char *page = low_memory(PAGE_SIZE);
  SYS3(mprotect, page, PAGE_SIZE, PROT_READ);
  int chosen = free_pid(), files = count_open_files();
  struct clone_struct how = plain(CLONE_PIDFD);
  how.parent_tid = low_address(page);
  expect_refused(EFAULT, start(&how, 0));
  expect_value(count_open_files(), files, "open files");
  how.nr_pids = 1;
  expect_refused(EFAULT, start(&how, &chosen));
  expect_value(count_open_files(), files, "open files");
  how.flags = SIGCHLD;
  expect_value(start_and_report(&how, &chosen, &shared->facts[0]), chosen, "the same pid afterwards");
}

static int set_word_late(void *word, unsigned long rsp) {
  (void)rsp;
  sleep_us(20000);
  *(volatile int *)word = 1;
  return 0;
}

static void vfork_waits_and_shares(long unused) {
  (void)unused;
  volatile int word = 0;
  struct clone_struct how = plain(CLONE_VFORK | CLONE_VM);
  how.child_stack = (uint64_t)new_stack();
  long pid = expect_created(start_function(&how, 0, set_word_late, (void *)&word));
  expect_value(word, 1, "the child's variable when the parent goes on");
  reap_good(pid);
}

static void vfork_waits_without_sharing(long unused) {
  (void)unused;
  volatile int own = 0;
  struct clone_struct how = plain(CLONE_VFORK);
  long pid = start(&how, 0);
  if (pid == 0) {
    own = 1;
    sleep_us(20000);
    shared->words[0] = 1;
    sys_exit_group(0);
  }
  expect_created(pid);
  expect_value(shared->words[0], 1, "the shared word when the parent goes on");
  expect_value(own, 0, "the parent's own variable");
  reap_good(pid);
}

#define THREAD (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

static int report_and_wait(void *facts, unsigned long rsp) {
  (void)rsp;
  report(facts);
  while (!shared->words[0]) sleep_us(500);
  return 0;
}

static void chooses_a_threads_number(long unused) {
  (void)unused;
  struct facts *thread = &shared->facts[0];
  char path[48];
  uint64_t all = ~0UL, pending = 0;
  SYS4(rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
  int chosen = free_pid();
  SYS4(rt_sigtimedwait, &all, 0, (&(struct timespec){0, 0}), 8); /* takes free_pid()'s SIGCHLD away */
  struct clone_struct how = {.flags = THREAD | SIGCHLD, .child_stack = (uint64_t)new_stack(), .nr_pids = 1};
  expect_value(start_function(&how, &chosen, report_and_wait, thread), chosen, "the result");
  wait_until(thread->pid, "the thread has reported");
  expect_value(thread->tid, chosen, "gettid() in the thread");
  expect_value(thread->pid, sys_getpid(), "getpid() in the thread");
  format(path, sizeof path, "/proc/self/task/%d/status", chosen);
  long fd = sys_open(path, O_RDONLY, 0);
  expect(fd >= 0, "%s: %s", path, errno_name(fd));
  sys_close((int)fd);

  shared->words[0] = 1;
  how = choosing(1);
  long result;
  wait_until((result = start(&how, &chosen)) != -TAKEN, "the thread's number is free again");
  if (result == 0) sys_exit_group(0);
  expect_value(result, chosen, "choosing it for a process");
  wait_for_zombie(result);
  SYS2(rt_sigpending, &pending, 8);
  expect(pending == signal_bit(SIGCHLD), "pending signals are 0x%lx: more than the process's SIGCHLD", pending);
  reap_good(result);
  expect_value(sys_wait4(-1, 0, WNOHANG | __WALL), -ECHILD, "wait4: a thread is no child");
}

static int open_null(void) {
  long fd = sys_open("/dev/null", O_RDONLY, 0);
  return (int)(fd < 0 ? sys_open("/proc/self/status", O_RDONLY, 0) : fd);
}

static void files_are_shared(long shares) {
  struct clone_struct how = plain(shares ? CLONE_FILES : 0);
  long pid = start(&how, 0);
  if (pid == 0) {
    shared->words[0] = open_null();
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect(shared->words[0] > 2, "the child cannot open a file: %s", errno_name(shared->words[0]));
  long flags = SYS2(fcntl, shared->words[0], F_GETFD);
  expect_value(flags, shares ? 0 : -EBADF, "the child's new descriptor in the parent");
}

static void files(long unused) {
  (void)unused;
  files_are_shared(0);
  files_are_shared(1);
}

static void directory_is_shared(long shares) {
  char path[64] = {0};
  SYS1(chdir, "/");
  struct clone_struct how = plain(shares ? CLONE_FS : 0);
  long pid = start(&how, 0);
  if (pid == 0) sys_exit_group(SYS1(chdir, "/proc") == 0 ? 0 : 1);
  reap_good(expect_created(pid));
  SYS2(getcwd, path, sizeof path);
  expect(strcmp(path, shares ? "/proc" : "/") == 0, "the parent is in %s", path);
}

static void directory(long unused) {
  (void)unused;
  directory_is_shared(0);
  directory_is_shared(1);
}

static int ignore_usr2(void *unused, unsigned long rsp) {
  (void)unused, (void)rsp;
  return sys_set_action(SIGUSR2, SIG_IGN) == 0 ? 0 : 1;
}

static void actions_are_shared(long shares) {
  struct kernel_sigaction action = {0};
  struct clone_struct how = plain(CLONE_VM | (shares ? CLONE_SIGHAND : 0));
  sys_set_action(SIGUSR2, SIG_DFL);
  how.child_stack = (uint64_t)new_stack();
  reap_good(expect_created(start_function(&how, 0, ignore_usr2, 0)));
  SYS4(rt_sigaction, SIGUSR2, 0, &action, 8);
  expect_value(action.handler, shares ? SIG_IGN : SIG_DFL, "the parent's action");
}

static void actions(long unused) {
  (void)unused;
  actions_are_shared(0);
  actions_are_shared(1);
}

static void succeeds_alone(long unused) {
  (void)unused;
  static const unsigned long flags[] = {CLONE_SYSVSEM, CLONE_IO, CLONE_UNTRACED, CLONE_PTRACE};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    struct clone_struct how = plain(flags[i]);
    expect_created(start_and_report(&how, 0, &shared->facts[0]));
  }
}

static unsigned long fs_base(void) {
  unsigned long base = 1;
  expect_value(SYS2(arch_prctl, ARCH_GET_FS, &base), 0, "arch_prctl(ARCH_GET_FS)");
  return base;
}

/* The FS base of a child made with these flags and this value in r8. */
static unsigned long child_fs_base(unsigned long flags, unsigned long r8) {
  unsigned long *seen = (unsigned long *)&shared->words[0];
  struct clone_struct how = plain(flags);
  *seen = 1;
  long pid = start_with_tls(&how, 0, r8);
  if (pid == 0) {
    *seen = fs_base();
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  return *seen;
}

static void settls_takes_r8(long unused) {
  (void)unused;
  static char block[64];
  unsigned long own = (unsigned long)block, other = own + 32;
  struct clone_struct how = plain(CLONE_SETTLS);
  expect_value(SYS2(arch_prctl, ARCH_SET_FS, own), 0, "arch_prctl(ARCH_SET_FS)");
  expect_value(child_fs_base(CLONE_SETTLS, other), other, "the child's FS base");
  expect_value(fs_base(), own, "the parent's FS base");
  expect_value(child_fs_base(0, 0xdead000000000000), own, "the FS base of a child without SETTLS");
  expect_value(child_fs_base(CLONE_SETTLS, TASK_SIZE_MAX - 8), TASK_SIZE_MAX - 8, "the last possible FS base");
  expect_refused(EPERM, start_with_tls(&how, 0, TASK_SIZE_MAX));
  expect_refused(EPERM, start_with_tls(&how, 0, 0x0000800000000000));
}

/* Case 98. The tracee does one call and exits; the tracer notes which event stopped it and what the event's message was. */
struct trace {
  int event, message, result, events;
};

static int status_event(int status) { return WIFSTOPPED(status) ? status >> 16 : 0; }

static long begin_tracee(unsigned long flags, volatile int *result) {
  long tracee = sys_fork();
  if (tracee != 0) return tracee;
  struct clone_struct how = {.flags = flags};
  sys_set_action(SIGUSR1, SIG_IGN); /* a child's exit signal in one of the rows */
  expect_value(SYS4(ptrace, PTRACE_TRACEME, 0, 0, 0), 0, "ptrace(PTRACE_TRACEME)");
  sys_kill(sys_getpid(), SIGSTOP);
  long pid = start(&how, 0);
  if (pid == 0) sys_exit_group(0);
  *result = (int)pid;
  sys_wait4(pid, 0, __WALL);
  sys_exit_group(0);
}

static struct trace trace_call(unsigned long flags) {
  struct trace trace = {0};
  int status = 0;
  unsigned long message = 0;
  shared->words[0] = 0;
  long tracee = begin_tracee(flags, &shared->words[0]), pid;
  expect_value(sys_wait4(tracee, &status, __WALL), tracee, "wait4 for the tracee");
  expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the tracee is not stopped: wait status 0x%x", (unsigned)status);
  long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  expect_value(SYS4(ptrace, PTRACE_SETOPTIONS, tracee, 0, options), 0, "ptrace(PTRACE_SETOPTIONS)");
  expect_value(SYS4(ptrace, PTRACE_CONT, tracee, 0, 0), 0, "ptrace(PTRACE_CONT)");
  while ((pid = sys_wait4(-1, &status, __WALL)) > 0) {
    if (!WIFSTOPPED(status)) continue;
    int signal = 0;
    if (pid == tracee && status_event(status)) {
      trace.events++;
      trace.event = status_event(status);
      expect_value(SYS4(ptrace, PTRACE_GETEVENTMSG, pid, 0, &message), 0, "ptrace(PTRACE_GETEVENTMSG)");
      trace.message = (int)message;
    } else if (WSTOPSIG(status) != SIGSTOP) {
      signal = WSTOPSIG(status);
    }
    SYS4(ptrace, PTRACE_CONT, pid, 0, signal);
  }
  trace.result = shared->words[0];
  expect(trace.result > 0, "the tracee's call: %s", errno_name(trace.result));
  return trace;
}

static void tracer_sees_the_event(long unused) {
  (void)unused;
  static const struct {
    unsigned long flags;
    int event;
    const char *name;
  } rows[] = {{SIGCHLD, PTRACE_EVENT_FORK, "fork"},
              {SIGCHLD | CLONE_VFORK, PTRACE_EVENT_VFORK, "vfork"},
              {SIGUSR1, PTRACE_EVENT_CLONE, "clone"},
              {0, PTRACE_EVENT_CLONE, "clone"}};
  IN_CHILD {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      struct trace trace = trace_call(rows[i].flags);
      expect(trace.event == rows[i].event && trace.events == 1, "wanted one %s event (%d), got %d events, the last was %d",
             rows[i].name, rows[i].event, trace.events, trace.event);
      expect_value(trace.message, trace.result, "the event's message");
    }
    expect_value(trace_call(SIGCHLD | CLONE_UNTRACED).events, 0, "events with UNTRACED");
  }
}

static const struct test_case cases[] = {
    {87, SHARED, CALL " with PIDFD stores a close-on-exec descriptor that polls readable at exit and can be waited for", pidfd_works, 0},
    {88, SHARED, CALL " with PIDFD and an unwritable parent_tid gives EFAULT, and no descriptor or pid is lost", pidfd_store_can_fail, 0},
    {89, SHARED, CALL " with VFORK|VM lets the parent go on after the child's exit, with the child's variables", vfork_waits_and_shares, 0},
    {90, SHARED, CALL " with VFORK alone lets the parent wait and shares no memory", vfork_waits_without_sharing, 0},
    {91, SHARED, CALL " chooses the number of a thread, which dies without signal and zombie", chooses_a_threads_number, 0},
    {92, SHARED, CALL " with FILES shares the descriptor table, without it copies it", files, 0},
    {93, SHARED, CALL " with FS shares the working directory, without it copies it", directory, 0},
    {94, SHARED, CALL " with SIGHAND shares signal actions, without it copies them", actions, 0},
    {95, SHARED, CALL " accepts SYSVSEM, IO, UNTRACED and PTRACE alone", succeeds_alone, 0},
    {96, SHARED, CALL " with SETTLS sets the child's FS base from r8 and refuses kernel addresses with EPERM", settls_takes_r8, 0},
    {98, SHARED, CALL " shows a tracer the event that fits its flags, and none with UNTRACED", tracer_sees_the_event, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
