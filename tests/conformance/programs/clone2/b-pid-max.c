/* Section B, cases 45 to 47: the end of the number space. They lower pid_max, so they run in the machine only. */
#include "call.h"

enum { SMALL_PID_MAX = 400, FIRST_AFTER_WRAP = 300 };

static long choose(int pid) {
  struct clone_struct how = choosing(1);
  return start_and_report(&how, &pid, &shared->facts[0]);
}

static void pid_max_is_the_first_refused(long unused) {
  (void)unused;
  set_pid_max(SMALL_PID_MAX);
  expect_value(choose(399), 399, "choosing pid_max - 1");
  expect_refused(EINVAL, choose(400));
}

/* Forks and reaps until the automatic sequence starts again from below; gives the first pid after that. */
static int wrap(void) {
  int before = free_pid();
  for (int tries = 0; tries < 2 * SMALL_PID_MAX; tries++) {
    int pid = free_pid();
    if (pid < before) return pid;
    before = pid;
  }
  case_fails(__LINE__, "the automatic sequence never wraps: at %d with pid_max %d", before, SMALL_PID_MAX);
}

/* Children that wait for the end of a pipe: one descriptor for them all. Gives how many there are when no pid is left. */
static int fill_all_pids(int ends[2]) {
  for (int count = 0; count < SMALL_PID_MAX; count++) {
    struct clone_struct how = plain(0);
    long pid = start(&how, 0);
    if (pid == 0) {
      sys_close(ends[1]);
      wait_for_release(ends[0]);
    }
    if (pid == -EAGAIN) return count;
    expect(pid > 0, "the pids are not used up, but there is %s", errno_name(pid));
  }
  case_fails(__LINE__, "%d children, and pid_max is %d", SMALL_PID_MAX, SMALL_PID_MAX);
}

static void uses_up_all_pids(long unused) {
  (void)unused;
  int ends[2], low = 2;
  set_pid_max(SMALL_PID_MAX);
  wrap(); /* the low pids are given out on the first pass only */
  sys_pipe(ends);
  int children = fill_all_pids(ends);

  struct clone_struct how = plain(0);
  expect_refused(EAGAIN, start(&how, 0));
  expect_refused(EAGAIN, choose(0));
  expect_refused(EBUSY, choose(FIRST_AFTER_WRAP));
  while (pid_exists(low)) low++;
  expect(low < FIRST_AFTER_WRAP, "no low pid is left");
  expect_value(choose(low), low, "choosing a free low pid");

  sys_close(ends[1]);
  while (children-- > 0) expect(sys_wait4(-1, 0, 0) > 0, "a child is missing");
}

static void wraps_to_300(long unused) {
  (void)unused;
  struct held held;
  struct clone_struct how = choosing(1);
  int first = FIRST_AFTER_WRAP;
  set_pid_max(SMALL_PID_MAX);
  while (pid_exists(first)) first++;
  expect_value(wrap(), first, "the first pid after the wrap");
  /* Once more, with that one in use. */
  expect_value(start_held(&how, &first, &held), first, "choosing it");
  int second = first + 1;
  while (pid_exists(second)) second++;
  expect_value(wrap(), second, "the first pid after the second wrap");
  release(&held);
}

static const struct test_case cases[] = {
    {45, SETS_PID_MAX, CALL " gives pid 399 and refuses pid 400 with EINVAL when pid_max is 400", pid_max_is_the_first_refused, 0},
    {46, SETS_PID_MAX | SLOW, CALL " gives EAGAIN when every pid is in use, EBUSY for a chosen one, and still a free low one", uses_up_all_pids, 0},
    {47, SETS_PID_MAX | SLOW, "automatic pids start again at the first free one from 300 after pid_max - 1", wraps_to_300, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
