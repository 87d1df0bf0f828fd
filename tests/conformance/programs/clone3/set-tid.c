/* clone3() with set_tid: the list is in the other order than clone2's, innermost first, and a new namespace is part of it. */
#include <limits.h>

#include "clone3.h"

#define FIRST (&shared->facts[0])

static struct clone_args choosing_tids(uint64_t flags, const int *tids, uint64_t count) {
  struct clone_args args = with_flags(flags);
  args.set_tid = (uint64_t)tids, args.set_tid_size = count;
  return args;
}

static long choose_list(uint64_t flags, const int *tids, uint64_t count, struct facts *facts) {
  struct clone_args args = choosing_tids(flags, tids, count);
  return clone3_and_report(&args, sizeof args, facts);
}

#define CHOOSE(extra, ...)                                              \
  ({                                                                    \
    const int tids_[] = {__VA_ARGS__};                                  \
    choose_list(extra, tids_, sizeof tids_ / sizeof *tids_, FIRST);     \
  })

static void list_and_size_belong_together(long unused) {
  (void)unused;
  static const int list[] = {1};
  expect_refused(EINVAL, choose_list(0, 0, 1, FIRST));
  expect_refused(EINVAL, choose_list(0, list, 0, FIRST));
}

/* One entry more than a pid can have levels, and further on; whatever the entries are. */
static void refuses_more_than_32_entries(long unused) {
  (void)unused;
  static const uint64_t sizes[] = {33, 64, 65, 1344};
  static int zeros[1344], ones[1344];
  memset(ones, 0xff, sizeof ones);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    expect_refused(EINVAL, choose_list(0, zeros, sizes[i], FIRST));
    expect_refused(EINVAL, choose_list(0, ones, sizes[i], FIRST));
  }
}

static void refuses_more_entries_than_levels(long count) {
  int list[31];
  for (int i = 0; i < count; i++) list[i] = free_pid();
  expect_refused(EINVAL, choose_list(0, list, (uint64_t)count, FIRST));
}

static void bad_list_is_efault(long unused) {
  (void)unused;
  const int *nowhere = (const int *)1;
  expect_refused(EFAULT, choose_list(0, nowhere, 1, FIRST));
  expect_refused(EFAULT, choose_list(CLONE_DETACHED, nowhere, 1, FIRST));
  struct clone_args args = choosing_tids(0, nowhere, 1);
  args.exit_signal = 65;
  expect_refused(EINVAL, clone3(&args, sizeof args));
}

static void refuses_impossible_pids(long unused) {
  (void)unused;
  int pid_max = (int)read_number("/proc/sys/kernel/pid_max");
  expect_refused(EINVAL, CHOOSE(0, 0));
  expect_refused(EINVAL, CHOOSE(0, -1));
  expect_refused(EINVAL, CHOOSE(0, pid_max));
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, 0));
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, -1));
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, INT_MAX));
}

static void finds_pid_1_taken(long unused) {
  (void)unused;
  expect_refused(EEXIST, CHOOSE(0, 1));
}

static void counts_the_new_namespace(long unused) {
  (void)unused;
  expect_created(CHOOSE(CLONE_NEWPID, 1));
  expect_value(FIRST->pid, 1, "getpid() in the new namespace");
}

static void new_namespace_needs_its_1(long unused) {
  (void)unused;
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, free_pid()));
}

static void gives_the_chosen_pid(long unused) {
  (void)unused;
  int chosen = free_pid();
  expect_value(CHOOSE(0, chosen), chosen, "the result");
  expect_value(FIRST->pid, chosen, "the child's getpid()");
}

static void chooses_outside_too(long unused) {
  (void)unused;
  int chosen = free_pid();
  expect_value(CHOOSE(CLONE_NEWPID, 1, chosen), chosen, "the result");
  expect_value(FIRST->pid, 1, "getpid() in the new namespace");
  expect_pids(FIRST, chosen, 1);
}

static void order_is_innermost_first(long unused) {
  (void)unused;
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, free_pid(), 1));
}

static void choose_inside(int outer) {
  expect_refused(EINVAL, CHOOSE(0, 43, -1));
  expect_value(CHOOSE(0, 43, outer), 43, "{43, outer}");
  expect_pids(FIRST, outer, 43);
  expect_value(CHOOSE(0, 2), 2, "{2}");
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, 1, -1, outer));
  expect_value(CHOOSE(CLONE_NEWPID, 1, 42, outer), 42, "{1, 42, outer}");
  expect_pids(FIRST, outer, 42, 1);
  expect_refused(EINVAL, CHOOSE(CLONE_NEWPID, 1, 42, outer, outer + 1));
}

static void chooses_in_an_unshared_namespace(long unused) {
  (void)unused;
  int outer = free_pid();
  IN_CHILD {
    long result = SYS1(unshare, CLONE_NEWPID);
    if (result == -EPERM) case_skips("no privilege to make a pid namespace");
    expect_value(result, 0, "unshare");
    expect_refused(EINVAL, CHOOSE(0, outer));
    IN_CHILD { choose_inside(outer); }
  }
}

static void privilege_is_between_range_and_taken(long unused) {
  (void)unused;
  int free = free_pid(), pid_max = (int)read_number("/proc/sys/kernel/pid_max");
  AS_UNPRIVILEGED {
    expect_refused(EPERM, CHOOSE(0, free));
    expect_refused(EPERM, CHOOSE(0, (int)sys_getpid()));
    expect_refused(EINVAL, CHOOSE(0, 0));
    expect_refused(EINVAL, CHOOSE(0, pid_max));
  }
}

static void either_capability_is_enough(long unused) {
  (void)unused;
  static const int capabilities[] = {CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN};
  for (int i = 0; i < 2; i++) {
    int chosen = free_pid();
    IN_CHILD {
      keep_only_capability(capabilities[i]);
      expect_value(CHOOSE(0, chosen), chosen, "the result");
    }
  }
}

/* In a user namespace of our own we had every capability, and gave them up. */
static void namespaces_need_privilege(long unused) {
  (void)unused;
  static const uint64_t flags[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};
  static const int one[] = {1};
  struct clone_args new_user = with_flags(CLONE_NEWUSER);
  long pid = clone3(&new_user, sizeof new_user);
  if (pid == -EINVAL || pid == -ENOSPC || pid == -EPERM) case_skips("no user namespaces here");
  if (pid == 0) {
    keep_only_capability(-1);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
      expect_refused(EPERM, choose_list(flags[i], 0, 0, FIRST));
      expect_refused(EPERM, choose_list(flags[i], one, 1, FIRST));
    }
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
}

static void does_not_move_the_sequence(long unused) {
  (void)unused;
  int before = free_pid(), chosen = before + 1000;
  if (chosen >= read_number("/proc/sys/kernel/pid_max") || pid_exists(chosen)) case_skips("the pid 1000 further on is not free");
  expect_value(CHOOSE(0, chosen), chosen, "the result");
  int after = free_pid();
  if (on_trapgate) expect_value(after, before + 1, "the next automatic pid");
  else expect(after < chosen, "the automatic sequence went from %d to %d by choosing %d", before, after, chosen);
}

/* The same request in both languages, one level further in. */
static void says_the_same_as_clone2(long unused) {
  (void)unused;
  if (sys_clone2(0, 0) == -ENOSYS && !on_trapgate) case_skips("clone2 is not in this kernel");
  int outer = free_pid();
  IN_NEW_PID_NS(1) {
    struct clone_struct how = choosing(2);
    int outermost_first[] = {outer, 60};
    struct call call;
    prepare_call(&call, &how, outermost_first, 0, 0);
    long pid = do_call(&call);
    if (pid == 0) {
      report(&shared->facts[1]);
      sys_exit_group(0);
    }
    expect_value(pid, 60, "clone2's result");
    reap_good(pid);
    expect_value(CHOOSE(0, 60, outer), 60, "clone3's result");
    expect_pids(&shared->facts[1], outer, 60);
    expect_pids(FIRST, outer, 60);

    outermost_first[1] = 1;
    expect_refused(EBUSY, do_call(&call));
    expect_refused(EEXIST, CHOOSE(0, 1, outer));
  }
}

static const struct test_case cases[] = {
    {19, 0, "clone3 refuses a set_tid without a size, and a size without set_tid, with EINVAL", list_and_size_belong_together, 0},
    {20, 0, "clone3 refuses more than 32 entries with EINVAL", refuses_more_than_32_entries, 0},
    {21, 0, "clone3 refuses 31 entries in the outermost namespace with EINVAL", refuses_more_entries_than_levels, 31},
    {22, 0, "clone3 says EFAULT for a bad list, after the exit signal and before the flags", bad_list_is_efault, 0},
    {23, 0, "clone3 refuses pids 0, -1 and pid_max with EINVAL", refuses_impossible_pids, 0},
    {24, 0, "clone3 refuses two entries in the outermost namespace with EINVAL", refuses_more_entries_than_levels, 2},
    {25, 0, "clone3 finds pid 1 taken: EEXIST", finds_pid_1_taken, 0},
    {26, 0, "clone3 with NEWPID and {1} makes the init of the new namespace", counts_the_new_namespace, 0},
    {27, 0, "clone3 refuses a pid other than 1 for the first task of a namespace with EINVAL", new_namespace_needs_its_1, 0},
    {28, 0, "clone3 gives the pid that was asked for", gives_the_chosen_pid, 0},
    {29, 0, "clone3 with NEWPID and {1, N} chooses the caller's level too", chooses_outside_too, 0},
    {30, 0, "clone3 takes the list innermost first: {N, 1} is EINVAL", order_is_innermost_first, 0},
    {31, 0, "clone3 chooses on two and three levels in an unshared namespace", chooses_in_an_unshared_namespace, 0},
    {32, 0, "clone3 asks for privilege after the range and before it looks whether the pid is taken", privilege_is_between_range_and_taken, 0},
    {33, 0, "clone3 is content with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN alone", either_capability_is_enough, 0},
    {34, 0, "clone3 refuses every new namespace to a user namespace's task without capabilities with EPERM", namespaces_need_privilege, 0},
    {35, 0, "clone3 with a chosen pid does not move the automatic sequence", does_not_move_the_sequence, 0},
    {39, 0, "clone2 and clone3 give the same pids for the same request, and EBUSY and EEXIST for a taken one", says_the_same_as_clone2, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C8", SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
