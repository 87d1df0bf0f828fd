/* clone3(): the structure and its size, the fields, the flags. What it does with set_tid is in set-tid.c. */
#include "clone3.h"

/* A structure longer than the kernel's: `tail` is what lies behind it. */
struct long_args {
  struct clone_args args;
  unsigned char tail[4104 - sizeof(struct clone_args)];
};

static const struct long_args *long_args(size_t marked) {
  static struct long_args request;
  memset(&request, 0, sizeof request);
  request.args.exit_signal = SIGCHLD;
  if (marked) ((unsigned char *)&request)[marked] = 1;
  return &request;
}

static void accepts_every_version(long unused) {
  (void)unused;
  static const size_t sizes[] = {CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER1, CLONE_ARGS_SIZE_VER2};
  for (int i = 0; i < 3; i++) expect_accepted(long_args(0), sizes[i]);
}

static void refuses_less_than_the_first_version(long unused) {
  (void)unused;
  static const size_t sizes[] = {0, 56, 63};
  for (int i = 0; i < 3; i++) expect_refused(EINVAL, clone3(long_args(0), sizes[i]));
}

static void accepts_sizes_between(long unused) {
  (void)unused;
  for (size_t size = 65; size < 88; size++) expect_accepted(long_args(0), size);
}

static void accepts_up_to_a_page(long unused) {
  (void)unused;
  expect_accepted(long_args(0), 4096);
  expect_refused(E2BIG, clone3(long_args(0), 4097));
  expect_refused(E2BIG, clone3(long_args(0), 4104));
}

static void accepts_a_zero_tail(long unused) {
  (void)unused;
  expect_accepted(long_args(0), 96);
}

static void refuses_a_tail_it_does_not_know(long unused) {
  (void)unused;
  expect_refused(E2BIG, clone3(long_args(96), 104));
  expect_refused(E2BIG, clone3(long_args(88), 89));
}

static void reads_exactly_the_size(long unused) {
  (void)unused;
  char *end = guard(1);
  memcpy(end - 88, long_args(0), 88);
  expect_accepted(end - 88, 88);
  expect_refused(EFAULT, clone3(end - 88, 89));
  memset(end - 100, 0, 100);
  expect_refused(EFAULT, clone3(end - 87, 88));
}

static void looks_at_the_size_before_the_pointer(long unused) {
  (void)unused;
  void *nowhere = (void *)1;
  expect_refused(EFAULT, clone3(nowhere, 88));
  expect_refused(EFAULT, clone3(0, 88));
  expect_refused(EFAULT, clone3((void *)0xffffffff81000000, 88));
  expect_refused(EINVAL, clone3(nowhere, 0));
  expect_refused(E2BIG, clone3(nowhere, 8192));
}

static void checks_the_exit_signal(long unused) {
  (void)unused;
  static const uint64_t bad[] = {0xbadc0ded00000000, 0x80000000, 0x100, 0xf0, 65}, good[] = {64, 0};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct clone_args args = {.exit_signal = bad[i]};
    expect_refused(EINVAL, clone3(&args, sizeof args));
  }
  uint64_t all = ~0UL;
  SYS4(rt_sigprocmask, SIG_BLOCK, &all, 0, 8); /* signal 64 would kill us */
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct clone_args args = {.exit_signal = good[i]};
    expect_accepted(&args, sizeof args);
  }
}

static void refuses_unknown_flags(long unused) {
  (void)unused;
  for (int bit = 0; bit < 64; bit++) {
    if (bit > 6 && bit != 22 && bit < 34) continue;
    struct clone_args args = with_flags(1UL << bit);
    expect_refused(EINVAL, clone3(&args, sizeof args));
  }
}

static void knows_newtime(long unused) {
  (void)unused;
  struct clone_args args = with_flags(CLONE_NEWTIME);
  long pid = clone3(&args, sizeof args);
  if (pid == 0) sys_exit_group(0);
  expect(pid > 0 || pid == -EINVAL, "wanted a child or EINVAL, got %s", errno_name(pid));
  if (pid > 0) reap_good(pid);
}

static void refuses_clear_sighand_with_sighand(long unused) {
  (void)unused;
  struct clone_args args = on_a_stack(CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, SIGCHLD);
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));
}

static uint64_t handler_of(int signal) {
  struct kernel_sigaction action = {0};
  SYS4(rt_sigaction, signal, 0, &action, 8);
  return action.handler;
}

static void do_nothing(int signal, struct siginfo *info, struct ucontext *context) { (void)signal, (void)info, (void)context; }

static void clears_handlers(long unused) {
  (void)unused;
  struct clone_args args = with_flags(CLONE_CLEAR_SIGHAND);
  sys_handle(SIGUSR1, do_nothing, 0);
  sys_set_action(SIGUSR2, SIG_IGN);
  long pid = clone3(&args, sizeof args);
  if (pid == 0) {
    expect_value(handler_of(SIGUSR1), SIG_DFL, "the child's action for a handled signal");
    expect_value(handler_of(SIGUSR2), SIG_IGN, "the child's action for an ignored signal");
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect_value(handler_of(SIGUSR1), do_nothing, "the parent's action");
}

#define THREAD (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

static int set_word(void *word, unsigned long rsp) {
  (void)rsp;
  *(volatile int *)word = 1;
  return 0;
}

static void threads_and_siblings_name_no_signal(long unused) {
  (void)unused;
  struct clone_args args = on_a_stack(THREAD, SIGCHLD);
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));
  args = on_a_stack(CLONE_PARENT, SIGCHLD);
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));

  args = on_a_stack(THREAD, 0);
  expect_created(clone3_function(&args, set_word, (void *)&shared->words[0]));
  wait_until(shared->words[0], "the thread has run");
  IN_CHILD {
    args = on_a_stack(CLONE_PARENT, 0);
    shared->words[1] = (int)expect_created(clone3_function(&args, exit_quietly, 0));
  }
  reap_good(shared->words[1]);
}

static int store_rsp(void *to, unsigned long rsp) {
  *(volatile unsigned long *)to = rsp;
  return 0;
}

static void adds_base_and_size(long unused) {
  (void)unused;
  volatile unsigned long rsp = 0;
  struct clone_args args = with_flags(0);
  args.stack_size = 4;
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));
  args.stack = 0x10000, args.stack_size = 0;
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));
  args.stack = TASK_SIZE_MAX - 4096, args.stack_size = 8192;
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));
  args.stack = (uint64_t)-4096, args.stack_size = 8192;
  expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));

  args = on_a_stack(CLONE_VM, SIGCHLD);
  reap_good(expect_created(clone3_function(&args, store_rsp, (void *)&rsp)));
  expect(rsp == args.stack + args.stack_size, "rsp was 0x%lx, stack + size is 0x%lx", rsp, args.stack + args.stack_size);
}

static void refuses_bad_combinations(long unused) {
  (void)unused;
  static const uint64_t flags[] = {CLONE_SIGHAND, CLONE_THREAD | CLONE_VM, CLONE_FS | CLONE_NEWNS};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    struct clone_args args = on_a_stack(flags[i], flags[i] & CLONE_THREAD ? 0 : SIGCHLD);
    expect_refused(EINVAL, clone3_function(&args, exit_quietly, 0));
  }
}

static void stores_a_pidfd(long unused) {
  (void)unused;
  int fd = -7, tid = 0, files = count_open_files();
  struct clone_args args = with_flags(CLONE_PIDFD);
  args.pidfd = (uint64_t)&fd;
  expect_created(clone3_and_report(&args, sizeof args, &shared->facts[0]));
  expect_value(SYS2(fcntl, fd, F_GETFD), FD_CLOEXEC, "the descriptor's flags");
  sys_close(fd);

  args.pidfd = 1;
  expect_refused(EFAULT, clone3(&args, sizeof args));
  args.flags |= CLONE_PARENT_SETTID;
  args.pidfd = args.parent_tid = (uint64_t)&fd;
  expect_refused(EINVAL, clone3(&args, sizeof args));
  expect_value(count_open_files(), files, "open files");

  args.parent_tid = (uint64_t)&tid;
  long pid = expect_created(clone3_and_report(&args, sizeof args, &shared->facts[0]));
  expect_value(tid, pid, "the word at parent_tid");
  expect(fd > 2, "the word at pidfd is %d", fd);
}

static void settls_takes_the_field(long unused) {
  (void)unused;
  static char block[64];
  unsigned long *seen = (unsigned long *)&shared->words[0];
  struct clone_args args = with_flags(CLONE_SETTLS);
  args.tls = (uint64_t)block;
  long pid = clone3(&args, sizeof args);
  if (pid == 0) {
    SYS2(arch_prctl, ARCH_GET_FS, seen);
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect_value(*seen, block, "the child's FS base");
  args.tls = TASK_SIZE_MAX;
  expect_refused(EPERM, clone3(&args, sizeof args));
}

static void first_version_has_no_set_tid(long unused) {
  (void)unused;
  struct clone_args args = with_flags(0);
  args.set_tid = 1, args.set_tid_size = 77, args.cgroup = ~0UL;
  expect_accepted(&args, CLONE_ARGS_SIZE_VER0);
  expect_refused(EINVAL, clone3(&args, CLONE_ARGS_SIZE_VER2));
}

static void checks_the_cgroup(long unused) {
  (void)unused;
  struct clone_args args = with_flags(CLONE_INTO_CGROUP);
  args.cgroup = 12345;
  expect_refused(EINVAL, clone3(&args, CLONE_ARGS_SIZE_VER1));
  expect_refused(EBADF, clone3(&args, CLONE_ARGS_SIZE_VER2));
  args.cgroup = 0x80000000;
  expect_refused(EINVAL, clone3(&args, CLONE_ARGS_SIZE_VER2));
}

static void answers_criu(long unused) {
  (void)unused;
  struct clone_args args = {.set_tid = ~0UL};
  expect_refused(EINVAL, clone3(&args, sizeof args));
}

static const struct test_case cases[] = {
    {1, 0, "clone3 accepts its three versions: sizes 64, 80 and 88", accepts_every_version, 0},
    {2, 0, "clone3 refuses sizes below 64 with EINVAL", refuses_less_than_the_first_version, 0},
    {3, 0, "clone3 accepts every size from 65 to 87", accepts_sizes_between, 0},
    {4, 0, "clone3 accepts a size of 4096 with zeros behind and refuses more with E2BIG", accepts_up_to_a_page, 0},
    {5, 0, "clone3 accepts a zero tail", accepts_a_zero_tail, 0},
    {6, 0, "clone3 refuses a tail that is not zero with E2BIG", refuses_a_tail_it_does_not_know, 0},
    {7, 0, "clone3 reads exactly the given size", reads_exactly_the_size, 0},
    {8, 0, "clone3 looks at the size before the pointer", looks_at_the_size_before_the_pointer, 0},
    {9, 0, "clone3 refuses an exit signal above 64 with EINVAL", checks_the_exit_signal, 0},
    {10, 0, "clone3 refuses unknown flags, DETACHED and the low bits with EINVAL", refuses_unknown_flags, 0},
    {11, 0, "clone3 makes a time namespace or says EINVAL", knows_newtime, 0},
    {12, 0, "clone3 refuses CLEAR_SIGHAND|SIGHAND with EINVAL", refuses_clear_sighand_with_sighand, 0},
    {13, 0, "clone3 with CLEAR_SIGHAND resets handlers and keeps ignored signals", clears_handlers, 0},
    {14, 0, "clone3 refuses an exit signal with THREAD or PARENT with EINVAL", threads_and_siblings_name_no_signal, 0},
    {15, 0, "clone3 starts the child at stack + stack_size and refuses half a stack or one in the kernel's half", adds_base_and_size, 0},
    {16, 0, "clone3 obeys the flag rules", refuses_bad_combinations, 0},
    {17, 0, "clone3 stores a pidfd, says EFAULT where it cannot, and refuses parent_tid at the same place", stores_a_pidfd, 0},
    {18, 0, "clone3 with SETTLS takes the FS base from the structure", settls_takes_the_field, 0},
    {36, 0, "clone3 with size 64 does not look at set_tid", first_version_has_no_set_tid, 0},
    {37, 0, "clone3 with INTO_CGROUP says EINVAL when the size has no cgroup and EBADF for a bad descriptor", checks_the_cgroup, 0},
    {38, 0, "clone3 says EINVAL to CRIU's probe", answers_criu, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C8", SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
