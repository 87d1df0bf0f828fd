/* Section B: one pid chosen, in the outermost namespace. (Cases 45 to 47 are in b-pid-max.c.) */
#include <limits.h>

#include "call.h"

static long choose_and_report(int pid, struct facts *facts) {
  struct clone_struct how = choosing(1);
  return start_and_report(&how, &pid, facts);
}

/* The call with a list of one pid; for expect_refused. */
static long choose(int pid) {
  struct clone_struct how = choosing(1);
  return start(&how, &pid);
}

static void expect_choosable(int pid) { expect_value(choose_and_report(pid, &shared->facts[0]), pid, "choosing a free pid"); }

static void gives_the_chosen_pid(long unused) {
  (void)unused;
  int chosen = free_pid();
  char path[32];
  struct clone_struct how = choosing(1);
  int ends[2];
  sys_pipe(ends);
  struct facts *child = &shared->facts[0];
  long pid = start(&how, &chosen);
  if (pid == 0) {
    report(child);
    wait_for_release(ends[0]);
  }
  expect_value(pid, chosen, "the result");
  wait_until(child->pid, "the child has reported");
  expect_value(child->pid, chosen, "the child's getpid()");
  expect_value(child->tid, chosen, "the child's gettid()");
  format(path, sizeof path, "/proc/%d/status", chosen);
  long fd = sys_open(path, O_RDONLY, 0);
  expect(fd >= 0, "%s: %s", path, errno_name(fd));
  sys_close((int)fd);
  struct held held = {pid, ends[1]};
  release(&held);
  expect(!pid_exists(chosen), "pid %d is still there after its child was reaped", chosen);
}

static void leaves_the_choice_to_the_kernel(long unused) {
  (void)unused;
  struct facts *child = &shared->facts[0];
  int before = free_pid();
  long pid = expect_created(choose_and_report(0, child));
  expect_value(child->pid, pid, "the child's getpid()");
  if (on_trapgate) expect_value(pid, before + 1, "the next pid");
}

enum { OWN_PID = INT_MAX - 1, PID_MAX = INT_MAX - 2 };

static int number_for(long row) {
  if (row == OWN_PID) return (int)sys_getpid();
  if (row == PID_MAX) return (int)read_number("/proc/sys/kernel/pid_max");
  return (int)row;
}

static void finds_it_taken(long row) { expect_refused(TAKEN, choose(number_for(row))); }
static void finds_it_invalid(long row) { expect_refused(EINVAL, choose(number_for(row))); }

static void gives_the_last_pid(long unused) {
  (void)unused;
  int last = (int)read_number("/proc/sys/kernel/pid_max") - 1;
  if (pid_exists(last)) case_skips("pid_max - 1 is in use");
  expect_choosable(last);
}

static void gives_a_low_pid(long unused) {
  (void)unused;
  int low = 2;
  while (low < 300 && pid_exists(low)) low++;
  if (low == 300) case_skips("every pid below 300 is in use");
  expect_choosable(low);
}

static void does_not_move_the_sequence(long unused) {
  (void)unused;
  int before = free_pid(), chosen = before + 1000;
  if (chosen >= read_number("/proc/sys/kernel/pid_max") || pid_exists(chosen)) case_skips("the pid 1000 further on is not free");
  expect_choosable(chosen);
  int after = free_pid();
  if (on_trapgate) expect_value(after, before + 1, "the next automatic pid");
  else expect(after < chosen, "the automatic sequence went from %d to %d by choosing %d", before, after, chosen);
}

static void automatic_pids_skip_a_chosen_one(long unused) {
  (void)unused;
  struct held held;
  struct clone_struct how = choosing(1);
  int before = free_pid(), next = before + 1;
  long pid = start_held(&how, &next, &held);
  if (pid == -TAKEN && !on_trapgate) case_skips("somebody else took the next pid");
  expect_value(pid, next, "choosing the next automatic pid");
  int after = free_pid();
  if (on_trapgate) expect_value(after, before + 2, "the next automatic pid");
  else expect(after != next, "pid %d was given twice", next);
  release(&held);
}

static void a_zombie_keeps_its_pid(long unused) {
  (void)unused;
  long zombie = sys_fork();
  if (zombie == 0) sys_exit_group(0);
  wait_for_zombie(zombie);
  expect_refused(TAKEN, choose((int)zombie));
  reap_good(zombie);
  expect_choosable((int)zombie);
}

/* A leader starts a session (or only a group), makes a member that is our child, and exits. The number of a leader that is
 * dead and buried stays in use while the member still belongs to it. */
static void a_member_keeps_the_leaders_number(long makes_session) {
  int ends[2];
  sys_pipe(ends);
  volatile int *member = &shared->words[0];
  long leader = sys_fork();
  if (leader == 0) {
    expect(!is_error(makes_session ? SYS0(setsid) : SYS2(setpgid, 0, 0)), "setsid or setpgid failed");
    long pid = SYS5(clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) wait_for_release(ends[0]);
    *member = (int)pid;
    sys_exit_group(0);
  }
  reap_good(leader);
  expect(*member > 0, "clone(CLONE_PARENT): %s", errno_name(*member));
  expect_refused(TAKEN, choose((int)leader));

  sys_write(ends[1], "", 1);
  wait_for_zombie(*member);
  expect_refused(TAKEN, choose((int)leader));
  reap_good(*member);
  expect_choosable((int)leader);
}

static int wait_for_word(void *word, unsigned long rsp) {
  (void)rsp;
  while (!*(volatile int *)word) sleep_us(500);
  return 0;
}

#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

static void a_thread_keeps_its_number(long unused) {
  (void)unused;
  struct clone_struct thread = {.flags = THREAD, .child_stack = (uint64_t)new_stack()};
  long tid = expect_created(start_function(&thread, 0, wait_for_word, (void *)&shared->words[0]));
  expect_refused(TAKEN, choose((int)tid));
  shared->words[0] = 1;
  long result;
  wait_until((result = choose_and_report((int)tid, &shared->facts[0])) != -TAKEN, "the thread's number is free");
  expect_value(result, tid, "choosing the number of a thread that is gone");
}

static void needs_privilege_for(long row) {
  int pid = row ? (int)row : free_pid();
  AS_UNPRIVILEGED { expect_refused(EPERM, choose(pid)); }
}

static void needs_privilege_for_zero(long unused) {
  (void)unused;
  AS_UNPRIVILEGED { expect_refused(EPERM, choose(0)); }
}

/* set_tid is content with a second capability, which is given up as well there. */
static void refuses_root_without_it(long unused) {
  (void)unused;
  int pid = free_pid();
  IN_CHILD {
    drop_capability(CAP_SYS_ADMIN);
    if (THROUGH) drop_capability(CAP_CHECKPOINT_RESTORE);
    expect_refused(EPERM, choose(pid));
  }
}

static void refuses_another_capability(long capability) {
  int pid = free_pid();
  IN_CHILD {
    keep_only_capability((int)capability);
    expect_refused(EPERM, choose(pid));
  }
}

static void capability_is_enough(long unused) {
  (void)unused;
  int pid = free_pid();
  IN_CHILD {
    SYS2(prctl, PR_SET_KEEPCAPS, 1);
    become_unprivileged(1000);
    keep_only_capability(CAP_SYS_ADMIN);
    expect_value(SYS0(getuid), 1000, "getuid()");
    expect_choosable(pid);
  }
}

static void refuses_a_list_of(long count) {
  struct clone_struct how = choosing(0);
  int pids[] = {free_pid(), free_pid()};
  how.nr_pids = (uint32_t)count;
  expect_refused(EINVAL, start(&how, pids));
}

static void gives_the_same_pid_again(long unused) {
  (void)unused;
  int chosen = free_pid();
  for (int i = 0; i < 100; i++) expect_value(choose_and_report(chosen, &shared->facts[0]), chosen, "choosing the same pid again");
}

static const struct test_case cases[] = {
    {21, SHARED, CALL " gives the pid that was asked for", gives_the_chosen_pid, 0},
    {22, 0, CALL " with entry 0 leaves the choice to the kernel", leaves_the_choice_to_the_kernel, 0},
    {23, SHARED, CALL " refuses the caller's own pid as taken", finds_it_taken, OWN_PID},
    {24, SHARED, CALL " refuses pid 1 as taken", finds_it_taken, 1},
    {25, SHARED, CALL " refuses pid -1 with EINVAL", finds_it_invalid, -1},
    {26, SHARED, CALL " refuses the smallest int as a pid with EINVAL", finds_it_invalid, INT_MIN},
    {27, SHARED, CALL " refuses pid_max with EINVAL", finds_it_invalid, PID_MAX},
    {28, SHARED, CALL " gives pid_max - 1 when it is free", gives_the_last_pid, 0},
    {29, SHARED, CALL " refuses the largest int as a pid with EINVAL", finds_it_invalid, INT_MAX},
    {30, SHARED, CALL " gives a low pid that is free", gives_a_low_pid, 0},
    {31, SHARED, CALL " with a chosen pid does not move the automatic sequence", does_not_move_the_sequence, 0},
    {32, SHARED, "automatic pids skip one that was chosen with " CALL, automatic_pids_skip_a_chosen_one, 0},
    {33, SHARED, CALL " finds the pid of a zombie taken, and free once it is reaped", a_zombie_keeps_its_pid, 0},
    {34, SHARED, CALL " finds the number of a dead session leader taken while a member lives or is a zombie", a_member_keeps_the_leaders_number, 1},
    {35, SHARED, CALL " finds the number of a dead group leader taken while a member lives or is a zombie", a_member_keeps_the_leaders_number, 0},
    {36, SHARED, CALL " finds the number of a thread taken", a_thread_keeps_its_number, 0},
    {37, SHARED, CALL " refuses to choose a pid without privilege with EPERM", needs_privilege_for, 0},
    {38, 0, CALL " refuses a list holding only 0 without privilege with EPERM", needs_privilege_for_zero, 0},
    {39, SHARED, CALL " refuses uid 0 without CAP_SYS_ADMIN with EPERM", refuses_root_without_it, 0},
    {40, SHARED, CALL " lets a uid other than 0 with CAP_SYS_ADMIN choose", capability_is_enough, 0},
    {41, 0, CALL " refuses CAP_CHECKPOINT_RESTORE alone with EPERM", refuses_another_capability, CAP_CHECKPOINT_RESTORE},
    {42, SHARED, CALL " refuses two entries in the outermost namespace with EINVAL", refuses_a_list_of, 2},
    {43, 0, CALL " refuses nr_pids 0x80000000 with EINVAL", refuses_a_list_of, 0x80000000},
    {44, 0, CALL " refuses nr_pids 0xffffffff with EINVAL and copies no such list", refuses_a_list_of, 0xffffffff},
    {48, SHARED, CALL " gives the same free pid a hundred times in a row", gives_the_same_pid_again, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
