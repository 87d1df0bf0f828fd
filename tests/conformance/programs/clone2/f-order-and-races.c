/* Section F, second part: which errno wins when several things are wrong, that nothing leaks, and what happens when others
 * change the request meanwhile. */
#include "call.h"

static const int *const NOWHERE = (const int *)1;

/* A request that would not harm us if it were granted. */
static struct clone_struct request(unsigned long flags, uint32_t count) {
  return (struct clone_struct){.flags = flags | SIGCHLD, .child_stack = (uint64_t)new_stack(), .nr_pids = count};
}

static long try_request(struct clone_struct how, const int *pids) { return start_function(&how, pids, exit_quietly, 0); }

static void bad_list_before_privilege(long unused) {
  (void)unused;
  AS_UNPRIVILEGED { expect_refused(EFAULT, try_request(request(0, 1), NOWHERE)); }
}

static void count_before_bad_list(long unused) {
  (void)unused;
  AS_UNPRIVILEGED { expect_refused(EINVAL, try_request(request(0, 2), NOWHERE)); }
}

static void privilege_before_flags(long unused) {
  (void)unused;
  int pid = free_pid();
  AS_UNPRIVILEGED { expect_refused(EPERM, try_request(request(CLONE_SIGHAND, 1), &pid)); }
}

static void flags_without_list(long unused) {
  (void)unused;
  AS_UNPRIVILEGED { expect_refused(EINVAL, try_request(request(CLONE_SIGHAND, 0), 0)); }
}

static void flags_before_taken(long unused) {
  (void)unused;
  int own = (int)sys_getpid();
  expect_refused(EINVAL, try_request(request(CLONE_SIGHAND, 1), &own));
}

static void tls_before_taken(long unused) {
  (void)unused;
  int own = (int)sys_getpid();
  struct clone_struct how = {.flags = SIGCHLD | CLONE_SETTLS, .nr_pids = 1};
  expect_refused(EPERM, start_with_tls(&how, &own, TASK_SIZE_MAX));
}

static void structure_first_of_all(long unused) {
  (void)unused;
  struct clone_struct how = request(0, 77);
  how.reserved1 = 1;
  expect_refused(EINVAL, try_request(how, NOWHERE));
  AS_UNPRIVILEGED {
    expect_refused(EINVAL, try_request(how, NOWHERE));
    expect_refused(EFAULT, sys_clone2(0, NOWHERE));
  }
  char *half = guard(1) - 24; /* nr_pids is readable and too large, the reserved fields are not there */
  memset(half, 0xff, 24);
  expect_refused(EFAULT, sys_clone2(half, NOWHERE));
}

/* --- nothing leaks ---------------------------------------------------------------------------------------------------- */

struct possessions {
  int files, mappings, processes;
  long children;
};

static struct possessions count_possessions(void) {
  return (struct possessions){count_open_files(), count_lines("/proc/self/maps"), count_processes(), count_children()};
}

static void fail_in_every_way(int *low) {
  static char stack[16384];
  int own[] = {(int)sys_getpid()}, negative[] = {-1}, free[] = {free_pid()};
  const struct {
    struct clone_struct how;
    const int *pids;
    int errno_value;
  } rows[] = {
      {{.flags = SIGCHLD, .nr_pids = 1}, own, EBUSY},
      {{.flags = SIGCHLD, .nr_pids = 1}, negative, EINVAL},
      {{.flags = SIGCHLD, .nr_pids = 2}, own, EINVAL},
      {{.flags = SIGCHLD, .nr_pids = 1}, NOWHERE, EFAULT},
      {{.flags = SIGCHLD | CLONE_NEWPID, .nr_pids = 1}, own, EBUSY},
      {{.flags = SIGCHLD | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC, .nr_pids = 1}, own, EBUSY},
      {{.flags = SIGCHLD | CLONE_SIGHAND}, 0, EINVAL},
      {{.flags = SIGCHLD | CLONE_FILES | CLONE_FS, .nr_pids = 1}, own, EBUSY},
      {{.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .nr_pids = 1, .child_stack = (uint64_t)(stack + sizeof stack)}, own, EBUSY},
      {{.flags = SIGCHLD | CLONE_PIDFD, .nr_pids = 1, .parent_tid = (uint32_t)(unsigned long)low}, own, EBUSY},
      {{.flags = SIGCHLD | CLONE_PIDFD, .nr_pids = 1, .parent_tid = 1}, free, EFAULT},
      {{.flags = SIGCHLD | CLONE_PARENT_SETTID, .nr_pids = 1, .parent_tid = (uint32_t)(unsigned long)low}, own, EBUSY},
      {{.flags = SIGCHLD, .reserved2 = 1}, 0, EINVAL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    long result = start_function(&rows[i].how, rows[i].pids, exit_quietly, 0);
    expect(result == -rows[i].errno_value, "row %lu: wanted %s, got %ld %s", i, errno_name(rows[i].errno_value), result,
           errno_name(result));
  }
  expect_value(start_and_report(&rows[0].how, free, &shared->facts[0]), free[0], "choosing the pid that was free all the time");
}

static void failures_leave_nothing(long unused) {
  (void)unused;
  int *low = (int *)low_memory(PAGE_SIZE);
  *low = -7;
  fail_in_every_way(low); /* once before counting, for what is allocated only once */
  struct possessions before = count_possessions();
  for (int i = 0; i < 20; i++) fail_in_every_way(low);
  struct possessions after = count_possessions();
  expect_value(*low, -7, "the word at parent_tid");
  expect_value(after.files, before.files, "open files");
  expect_value(after.mappings, before.mappings, "mappings");
  expect_value(after.children, before.children, "children");
  if (on_trapgate) expect_value(after.processes, before.processes, "processes");
}

/* --- races ------------------------------------------------------------------------------------------------------------ */

enum { RACING_CALLS = 10000, RACE_ROUNDS = 50 };

/* Two requests which another thread writes over each other all the time: a good one, and one with everything wrong. */
struct flipping {
  volatile int stop;
  int pid; /* chosen by the good one */
  struct clone_struct good, bad, how;
  int pids[1];
};

static int flip(void *argument, unsigned long rsp) {
  (void)rsp;
  struct flipping *flipping = argument;
  volatile struct clone_struct *how = &flipping->how;
  for (unsigned i = 0; !flipping->stop; i++) {
    const struct clone_struct *next = i & 1 ? &flipping->good : &flipping->bad;
    how->flags = next->flags;
    how->child_stack = next->child_stack;
    how->nr_pids = next->nr_pids;
    how->reserved1 = next->reserved1;
    *(volatile int *)flipping->pids = i & 1 ? flipping->pid : -1;
    /* Somewhere else each time, also where there is only one CPU to share. */
    if (i % 7 == 0) SYS0(sched_yield);
  }
  return 0;
}

static int note_rsp(void *to, unsigned long rsp) {
  *(volatile unsigned long *)to = rsp;
  return 0;
}

static void survives_a_flipping_request(long unused) {
  (void)unused;
  static struct flipping flipping;
  unsigned long vfork = CLONE_VM | CLONE_VFORK | SIGCHLD;
  flipping.pid = free_pid();
  flipping.good = (struct clone_struct){.flags = vfork, .child_stack = (uint64_t)new_stack(), .nr_pids = 1};
  flipping.bad = (struct clone_struct){.flags = vfork, .child_stack = (uint64_t)new_stack(), .nr_pids = 0xffffffff, .reserved1 = 1};
  flipping.how = flipping.good;
  flipping.pids[0] = flipping.pid;
  struct clone_struct thread = {.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, .child_stack = (uint64_t)new_stack()};
  expect_created(start_function(&thread, 0, flip, &flipping));

  volatile unsigned long rsp = 0;
  int created = 0;
  for (int i = 0; i < RACING_CALLS; i++) {
    long pid = start_function(&flipping.how, flipping.pids, note_rsp, (void *)&rsp);
    if (pid == -EINVAL) continue;
    expect(pid == flipping.pid, "call %d: neither the chosen pid %d nor EINVAL but %ld %s", i, flipping.pid, pid, errno_name(pid));
    expect(rsp == flipping.good.child_stack || rsp == flipping.bad.child_stack, "call %d: the child's rsp was 0x%lx", i, rsp);
    reap_good(pid);
    created++;
  }
  flipping.stop = 1;
  expect(created > 0, "not one of %d calls met the good request", RACING_CALLS);
}

/* Both wait for the sign, then ask for the same pid. The winner's child lives until both have their answer. */
static void one_of_two_wins(long unused) {
  (void)unused;
  volatile int *go = &shared->words[0], *answers = &shared->words[1], *results = &shared->words[2];
  int chosen = free_pid();
  for (int round = 1; round <= RACE_ROUNDS; round++) {
    long racers[2];
    *answers = 0;
    for (int i = 0; i < 2; i++) {
      racers[i] = sys_fork();
      if (racers[i] != 0) continue;
      struct clone_struct how = choosing(1);
      while (*go != round) SYS0(sched_yield);
      long pid = start(&how, &chosen);
      if (pid == 0) {
        wait_until(*answers == 2, "both racers have their answer");
        sys_exit_group(0);
      }
      results[i] = (int)pid;
      __atomic_fetch_add((int *)answers, 1, __ATOMIC_SEQ_CST);
      if (pid > 0) reap_good(pid);
      sys_exit_group(0);
    }
    *go = round;
    for (int i = 0; i < 2; i++) reap_good(racers[i]);
    int wins = (results[0] == chosen) + (results[1] == chosen), losses = (results[0] == -TAKEN) + (results[1] == -TAKEN);
    expect(wins == 1 && losses == 1, "round %d: the racers got %d and %d", round, results[0], results[1]);
  }
}

static void ignores_the_other_registers(long unused) {
  (void)unused;
  struct clone_struct how = choosing(1);
  int chosen = free_pid();
  long pid = syscall6(__NR_clone2, (long)&how, (long)&chosen, -1, (long)0xdead000000000000UL, -1, 0x7fffffffffffffff);
  if (pid == 0) sys_exit_group(0);
  expect_value(pid, chosen, "the result");
  reap_good(pid);
}

static const struct test_case cases[] = {
    {125, 0, CALL " says EFAULT for a bad list before EPERM", bad_list_before_privilege, 0},
    {126, 0, CALL " says EINVAL for too many entries before it looks at the list", count_before_bad_list, 0},
    {127, 0, CALL " says EPERM for choosing before EINVAL for the flags", privilege_before_flags, 0},
    {128, SHARED, CALL " says EINVAL for the flags when nothing is chosen, also without privilege", flags_without_list, 0},
    {129, SHARED, CALL " says EINVAL for the flags before it finds the pid taken", flags_before_taken, 0},
    {130, SHARED, CALL " says EPERM for a bad TLS before it finds the pid taken", tls_before_taken, 0},
    {131, 0, CALL " looks at the structure first: unreadable is EFAULT, reserved is EINVAL, whatever else is wrong", structure_first_of_all, 0},
    {132, 0, CALL " leaves files, mappings, pids and processes as they were when it fails", failures_leave_nothing, 0},
    {133, SLOW, CALL " reads the request once: 10000 calls with a request that changes meanwhile are good or refused", survives_a_flipping_request, 0},
    {134, SHARED, CALL " gives a pid to exactly one of two racing tasks", one_of_two_wins, 0},
    {135, 0, CALL " ignores the registers that are no arguments", ignores_the_other_registers, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
