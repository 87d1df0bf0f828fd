/* Section C: pid namespaces inside one another. "Level 0" is where the program was started. */
#include "call.h"

/* One call with this list; the child reports itself. */
#define CHOOSE(facts, extra, ...)                                                                      \
  ({                                                                                                   \
    const int pids_[] = {__VA_ARGS__};                                                                 \
    struct clone_struct how_ = {.flags = SIGCHLD | (extra), .nr_pids = sizeof pids_ / sizeof *pids_};  \
    start_and_report(&how_, pids_, facts);                                                             \
  })

#define FIRST (&shared->facts[0])

static void new_namespace_begins_with_1(long chooses) {
  int chosen = free_pid();
  long pid;
  if (chooses) {
    pid = CHOOSE(FIRST, CLONE_NEWPID, chosen);
    expect_value(pid, chosen, "the result");
  } else {
    struct clone_struct how = plain(CLONE_NEWPID);
    pid = expect_created(start_and_report(&how, 0, FIRST));
  }
  expect_value(FIRST->pid, 1, "getpid() in the new namespace");
  expect_value(FIRST->ppid, 0, "getppid() in the new namespace");
  expect_pids(FIRST, (int)pid, 1);
}

static void does_not_count_the_new_namespace(long unused) {
  (void)unused;
  expect_refused(EINVAL, CHOOSE(FIRST, CLONE_NEWPID, free_pid(), 1));
}

static void one_entry_is_for_the_own_namespace(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) {
    expect_value(CHOOSE(FIRST, 0, 50), 50, "the result");
    expect_value(FIRST->pid, 50, "the child's getpid()");
    expect_pids(FIRST, 0, 50);
  }
}

static void chooses_on_two_levels(long unused) {
  (void)unused;
  int outer = free_pid();
  IN_NEW_PID_NS(1) {
    expect_value(CHOOSE(FIRST, 0, outer, 60), 60, "the result");
    expect_pids(FIRST, outer, 60);
  }
}

static void outer_entry_0_is_automatic(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) {
    expect_value(CHOOSE(FIRST, 0, 0, 60), 60, "the result");
    expect_pids(FIRST, 0, 60);
    expect(FIRST->nspid[FIRST->levels - 2] > 0, "no pid at the outer level");
  }
}

static void inner_entry_0_is_automatic(long unused) {
  (void)unused;
  int outer = free_pid();
  IN_NEW_PID_NS(1) {
    long pid = expect_created(CHOOSE(FIRST, 0, outer, 0));
    expect_pids(FIRST, outer, (int)pid);
    expect_value(pid, 2, "the next pid of a namespace that holds only its init");
  }
}

static void refuses_more_entries_than_levels(long unused) {
  (void)unused;
  int outer = free_pid();
  IN_NEW_PID_NS(1) expect_refused(EINVAL, CHOOSE(FIRST, 0, outer, 60, 61));
}

static void fewer_entries_are_for_the_innermost(long unused) {
  (void)unused;
  IN_NEW_PID_NS(2) {
    expect_value(CHOOSE(FIRST, 0, 77, 99), 99, "the result");
    expect_pids(FIRST, 0, 77, 99);
  }
}

static void order_is_outermost_first(long unused) {
  (void)unused;
  int outer = free_pid();
  while (outer == 77 || outer == 99) outer = free_pid();
  IN_NEW_PID_NS(2) {
    expect_value(CHOOSE(FIRST, 0, outer, 77, 99), 99, "the result");
    expect_pids(FIRST, outer, 77, 99);
    long reversed = CHOOSE(FIRST, 0, 99, 77, outer);
    if (reversed == -TAKEN && !on_trapgate) case_skips("pid 99 is in use outside");
    expect_value(reversed, outer, "the result of the reversed list");
    expect_pids(FIRST, 99, 77, outer);
  }
}

static void gives_the_inner_pid_back(long outer_is_taken) {
  int outer = outer_is_taken ? (int)sys_getpid() : -1;
  IN_NEW_PID_NS(1) {
    expect_refused(outer_is_taken ? TAKEN : EINVAL, CHOOSE(FIRST, 0, outer, 61));
    expect_value(CHOOSE(FIRST, 0, 61), 61, "choosing the inner pid alone");
  }
}

static void looks_at_the_inner_level_first(long unused) {
  (void)unused;
  int outer = (int)sys_getpid();
  IN_NEW_PID_NS(1) expect_refused(EINVAL, CHOOSE(FIRST, 0, outer, -1));
}

static void finds_the_inner_pid_taken_first(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) expect_refused(TAKEN, CHOOSE(FIRST, 0, -1, 1));
}

static void finds_the_init_taken(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) expect_refused(TAKEN, CHOOSE(FIRST, 0, 1));
}

/* Both members live at the same time: each waits until the other has arrived. */
static void siblings_use_the_same_number(long unused) {
  (void)unused;
  volatile int *arrived = &shared->words[0];
  long inits[2];
  for (int i = 0; i < 2; i++) {
    inits[i] = SYS5(clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    expect(inits[i] >= 0, "clone(CLONE_NEWPID): %s", errno_name(inits[i]));
    if (inits[i] > 0) continue;
    struct clone_struct how = choosing(1);
    int pid = 50;
    long result = start(&how, &pid);
    if (result == 0) {
      __atomic_fetch_add((int *)arrived, 1, __ATOMIC_SEQ_CST);
      wait_until(*arrived == 2, "the member of the other namespace is there too");
      sys_exit_group(sys_getpid() == 50 ? 0 : 1);
    }
    expect_value(result, 50, "the result");
    reap_good(result);
    sys_exit_group(0);
  }
  for (int i = 0; i < 2; i++) reap_good(inits[i]);
}

static void chooses_for_the_init_of_a_deeper_one(long unused) {
  (void)unused;
  int outer = free_pid();
  IN_NEW_PID_NS(1) {
    expect_value(CHOOSE(FIRST, CLONE_NEWPID, outer, 70), 70, "the result");
    expect_value(FIRST->pid, 1, "getpid() in the new namespace");
    expect_pids(FIRST, outer, 70, 1);
  }
}

static void each_namespace_has_its_pid_max(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) {
    set_pid_max(400);
    expect_refused(EINVAL, CHOOSE(FIRST, 0, 400));
    expect_value(CHOOSE(FIRST, 0, 399), 399, "pid_max - 1 of the own namespace");
    expect_created(CHOOSE(FIRST, 0, 5000, 0));
    expect_pids(FIRST, 5000, 0);
  }
  expect(read_number("/proc/sys/kernel/pid_max") > 5000, "the inner pid_max is seen outside");
}

/* The namespace exists already when the outer limit goes down. Outside, the kernel chooses, below that limit. */
static void the_outer_pid_max_does_not_count_inside(long unused) {
  (void)unused;
  volatile int *lowered = &shared->words[0], *inside = &shared->words[1];
  long init = SYS5(clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (init == 0) {
    *inside = 1;
    wait_until(*lowered, "the outer pid_max is lowered");
    expect_value(CHOOSE(FIRST, 0, 5000), 5000, "the result");
    expect_pids(FIRST, 0, 5000);
    sys_exit_group(0);
  }
  expect(init > 0, "clone(CLONE_NEWPID): %s", errno_name(init));
  wait_until(*inside, "the namespace has its init");
  set_pid_max(400);
  *lowered = 1;
  reap_good(init);
}

/* A member creates children as fast as it can while its init dies. Whatever the race gives, nobody survives. */
static void nobody_survives_the_init(long unused) {
  (void)unused;
  for (int round = 0; round < 10; round++) {
    volatile int *calls = &shared->words[0];
    *calls = 0;
    long init = SYS5(clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (init == 0) {
      SYS0(setsid); /* so that the survivors could be addressed together */
      if (sys_fork() == 0)
        for (int pid = 10;; pid = pid % 200 + 10) {
          struct clone_struct how = choosing(1);
          long result = start(&how, &pid);
          if (result == 0) SYS0(pause);
          if (result == -ENOMEM) sys_exit_group(0);
          ++*calls;
        }
      wait_until(*calls > 5 + round, "the member is at work");
      sys_exit_group(0);
    }
    expect(init > 0, "clone(CLONE_NEWPID): %s", errno_name(init));
    wait_for_zombie(init);
    /* The zombie init itself is still a member of its session; after it is reaped nobody may be. */
    reap_good(init);
    expect_value(sys_kill(-init, 0), -ESRCH, "kill(session of the dead namespace)");
    expect_value(count_children(), 0, "children that were left over");
  }
}

/* Each init makes the next namespace, until the kernel says that it is deep enough. */
static void nest(int level) {
  struct clone_struct how = plain(CLONE_NEWPID);
  long pid = start(&how, 0);
  if (pid == 0) {
    shared->words[0] = level + 1;
    nest(level + 1);
    sys_exit_group(0);
  }
  if (pid < 0) shared->words[1] = (int)pid;
  else reap_good(pid);
}

static void allows_32_levels(long unused) {
  (void)unused;
  nest(0);
  expect_value(shared->words[0], 32, "the deepest level");
  expect_value(shared->words[1], -ENOSPC, "one level more");
}

static void unshare_pid_ns(void) {
  long result = SYS1(unshare, CLONE_NEWPID);
  if (result == -EPERM) case_skips("no privilege to make a pid namespace");
  expect_value(result, 0, "unshare(CLONE_NEWPID)");
}

static void an_empty_namespace_begins_with_1(long unused) {
  (void)unused;
  IN_CHILD {
    unshare_pid_ns();
    expect_refused(EINVAL, CHOOSE(FIRST, 0, 5));
    struct clone_struct how = plain(0);
    expect_created(start_and_report(&how, 0, FIRST));
    expect_value(FIRST->pid, 1, "the first child's getpid()");
  }
}

static void chooses_in_an_unshared_namespace(long unused) {
  (void)unused;
  IN_CHILD {
    unshare_pid_ns();
    struct held init = hold_fork();
    expect_created(CHOOSE(FIRST, 0, 5));
    expect_value(FIRST->pid, 5, "the child's getpid()");
    expect_pids(FIRST, 0, 5);
    release(&init);
  }
}

static void refuses_newpid_after_unshare(long unused) {
  (void)unused;
  IN_CHILD {
    unshare_pid_ns();
    struct clone_struct how = plain(CLONE_NEWPID);
    expect_refused(EINVAL, start(&how, 0));
  }
}

static const struct test_case cases[] = {
    {49, SHARED, CALL " with CLONE_NEWPID gives the child pid 1 and parent 0 there, and the caller its own level's pid", new_namespace_begins_with_1, 0},
    {50, SHARED, CALL " with CLONE_NEWPID and one entry chooses the pid in the caller's namespace", new_namespace_begins_with_1, 1},
    {51, 0, CALL " does not count the namespace it makes: an entry for it is EINVAL", does_not_count_the_new_namespace, 0},
    {52, SHARED, CALL " with one entry chooses in the own namespace and leaves the outer one to the kernel", one_entry_is_for_the_own_namespace, 0},
    {53, SHARED, CALL " with two entries chooses on both levels", chooses_on_two_levels, 0},
    {54, SHARED, CALL " with 0 for the outer level leaves that one to the kernel", outer_entry_0_is_automatic, 0},
    {55, 0, CALL " with 0 for the inner level leaves that one to the kernel", inner_entry_0_is_automatic, 0},
    {56, SHARED, CALL " refuses three entries on level 1 with EINVAL", refuses_more_entries_than_levels, 0},
    {57, SHARED, CALL " with two entries on level 2 speaks of levels 1 and 2", fewer_entries_are_for_the_innermost, 0},
    {58, SHARED, CALL " assigns the list outermost first: reversed, the pids are reversed", order_is_outermost_first, 0},
    {59, SHARED, CALL " gives the inner pid back when the outer one is taken", gives_the_inner_pid_back, 1},
    {60, SHARED, CALL " gives the inner pid back when the outer one is negative", gives_the_inner_pid_back, 0},
    {61, SHARED, CALL " says EINVAL for a negative inner pid before it sees the outer one taken", looks_at_the_inner_level_first, 0},
    {62, SHARED, CALL " finds the inner pid taken before it sees the outer one negative", finds_the_inner_pid_taken_first, 0},
    {63, SHARED, CALL " finds pid 1 taken in a namespace with an init", finds_the_init_taken, 0},
    {64, SHARED, CALL " gives the same number in two sibling namespaces at once", siblings_use_the_same_number, 0},
    {65, SHARED, CALL " with CLONE_NEWPID on level 1 chooses on levels 0 and 1, and the child is 1 on level 2", chooses_for_the_init_of_a_deeper_one, 0},
    {66, SETS_PID_MAX, CALL " measures each entry with the pid_max of its own namespace", each_namespace_has_its_pid_max, 0},
    {67, SETS_PID_MAX, CALL " gives a pid beyond the outer pid_max in an inner namespace", the_outer_pid_max_does_not_count_inside, 0},
    {68, SHARED, CALL " leaves no child behind in a namespace whose init dies", nobody_survives_the_init, 0},
    {69, SHARED, CALL " with CLONE_NEWPID makes 32 nested levels and refuses one more with ENOSPC", allows_32_levels, 0},
    {70, SHARED, CALL " after unshare(CLONE_NEWPID) refuses a pid other than 1 with EINVAL, and the first child is 1", an_empty_namespace_begins_with_1, 0},
    {71, SHARED, CALL " after unshare(CLONE_NEWPID) chooses in the new namespace once it has its init", chooses_in_an_unshared_namespace, 0},
    {72, SHARED, CALL " with CLONE_NEWPID after unshare(CLONE_NEWPID) is EINVAL", refuses_newpid_after_unshare, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
