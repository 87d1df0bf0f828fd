/* SIGKILL, exit_group and exec end every sleep: one case for each call that sleeps. */
#include "blocking.h"

static void killed(long which) {
  prepare((enum blocking)which);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    set_mask(SIG_BLOCK, ~0UL);
    sleep_in((enum blocking)which);
    sys_exit_group(99);
  }
  wait_until(shared->words[READY], "the sleeper is ready");
  wait_until_asleep(pid);
  expect_ok(sys_kill(pid, SIGKILL));
  expect_value(reap(pid), SIGKILL, "the wait status");
}

static int sleep_in_thread(void *which) {
  sleep_in((enum blocking)(long)which);
  shared->words[DONE] = 1;
  return 0;
}

static void left_by_group(long which) {
  prepare((enum blocking)which);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct thread *thread = start_thread(sleep_in_thread, (void *)which);
    wait_until(shared->words[READY], "the sleeper is ready");
    wait_until_asleep(thread->number);
    sys_exit_group(5);
  }
  expect_value(reap(pid), 5 << 8, "the wait status");
  expect_value(shared->words[DONE], 0, "the sleeper came back");
}

#define KILLED(name, sentence, restart, stop) CASE_ROW(kill_##name, killed, name, "SIGKILL ends " sentence)
#define LEFT(name, sentence, restart, stop) \
  CASE_ROW(group_##name, left_by_group, name, "exit_group of the leader ends a thread in " sentence)

BLOCKING_CALLS(KILLED)
BLOCKING_CALLS(LEFT)

CASE(vfork_parent, "SIGKILL ends a parent that waits for its vfork child, other signals wait") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sys_handle(SIGUSR1, note_signal, 0);
    if (SYS5(clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) == 0) {
      shared->words[GRANDCHILD] = (int)sys_getpid();
      for (;;) SYS0(pause);
    }
    sys_exit_group(98);
  }
  wait_until(shared->words[GRANDCHILD], "the vfork child runs");
  wait_until_asleep(shared->words[GRANDCHILD]);
  sys_kill(pid, SIGUSR1);
  sleep_us(3000);
  expect_value(sys_wait4(pid, 0, WNOHANG | __WALL), 0, "wait4: the parent still waits");
  sys_kill(pid, SIGKILL);
  expect_value(reap(pid), SIGKILL, "the wait status");
}

CASE(stopped, "SIGKILL ends a stopped process, other deadly signals wait for SIGCONT") {
  long pid = expect_ok(sys_fork());
  if (pid == 0)
    for (;;) SYS0(pause);
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sys_kill(pid, SIGTERM);
  sleep_us(3000);
  expect_value(state_of(pid), 'T', "the state after SIGTERM");
  sys_kill(pid, SIGKILL);
  expect_value(reap(pid), SIGKILL, "the wait status");
}

CASE(stopped_term, "a stopped process dies of a pending SIGTERM when it is continued") {
  long pid = expect_ok(sys_fork());
  if (pid == 0)
    for (;;) SYS0(pause);
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sys_kill(pid, SIGTERM);
  sys_kill(pid, SIGCONT);
  expect_value(reap(pid), SIGTERM, "the wait status");
}

static __attribute__((noreturn)) int spin(void *unused) {
  (void)unused;
  shared->words[READY]++;
  for (;;);
}

CASE(spinning_threads, "SIGKILL ends a process whose threads never make a system call") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    for (int i = 0; i < 3; i++) start_thread(spin, 0);
    for (;;);
  }
  wait_until(shared->words[READY] > 0, "a thread spins");
  sys_kill(pid, SIGKILL);
  expect_value(reap(pid), SIGKILL, "the wait status");
}

MAIN("signal.kill-blocked")
