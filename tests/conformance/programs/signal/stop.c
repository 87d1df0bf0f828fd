/* Stopping and going on, with threads too; and what SIGCHLD does by its action (signal(7), wait(2)). */
#include "threads.h"

static long stopped_child(void) {
  long pid = expect_ok(sys_fork());
  if (pid == 0)
    for (;;) SYS0(pause);
  int status;
  sys_kill(pid, SIGSTOP);
  expect_value(sys_wait4(pid, &status, WUNTRACED | __WALL), pid, "wait4");
  expect_value(status, SIGSTOP << 8 | 0x7f, "the wait status");
  return pid;
}
static void kill_and_reap(long pid) {
  sys_kill(pid, SIGKILL);
  reap(pid);
}

CASE(reported_once, "a stop is reported once by wait4 with WUNTRACED") {
  long pid = stopped_child();
  expect_value(sys_wait4(pid, 0, WUNTRACED | WNOHANG | __WALL), 0, "the second wait4");
  kill_and_reap(pid);
}

CASE(not_without_flag, "wait4 without WUNTRACED does not report a stop, waitid without WSTOPPED neither") {
  long pid = expect_ok(sys_fork());
  if (pid == 0)
    for (;;) SYS0(pause);
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  struct siginfo info = {.si_signo = 99};
  expect_value(sys_wait4(pid, 0, WNOHANG), 0, "wait4");
  expect_value(SYS5(waitid, P_PID, pid, &info, WEXITED | WCONTINUED | WNOHANG, 0), 0, "waitid");
  expect_value(info.si_signo, 0, "si_signo");
  kill_and_reap(pid);
}

CASE(continued, "SIGCONT is reported once with WCONTINUED: status 0xffff, CLD_CONTINUED") {
  int status = 0;
  struct siginfo info = {0};
  long pid = stopped_child();
  sys_kill(pid, SIGCONT);
  expect_value(SYS5(waitid, P_PID, pid, &info, WCONTINUED | WNOWAIT, 0), 0, "waitid with WNOWAIT");
  expect_value(info.si_code, CLD_CONTINUED, "si_code");
  expect_value(info.si_status, SIGCONT, "si_status");
  expect_value(sys_wait4(pid, &status, WCONTINUED), pid, "wait4");
  expect_value(status, 0xffff, "the wait status");
  expect_value(sys_wait4(pid, &status, WCONTINUED | WNOHANG), 0, "the second wait4");
  kill_and_reap(pid);
}

CASE(nowait_stop, "waitid with WSTOPPED and WNOWAIT leaves the report for the next one") {
  struct siginfo info = {0};
  long pid = expect_ok(sys_fork());
  if (pid == 0)
    for (;;) SYS0(pause);
  sys_kill(pid, SIGSTOP);
  for (int i = 0; i < 2; i++) {
    info.si_pid = 0;
    expect_value(SYS5(waitid, P_PID, pid, &info, WSTOPPED | WNOWAIT, 0), 0, "waitid");
    expect_value(info.si_pid, pid, "si_pid");
    expect_value(info.si_code, CLD_STOPPED, "si_code");
  }
  kill_and_reap(pid);
}

CASE(cont_wakes_blocked, "SIGCONT continues a process that blocks or ignores it, and the handler runs when there is one") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    set_mask(SIG_BLOCK, signal_bit(SIGCONT));
    shared->words[0] = 1;
    for (;;) SYS0(pause);
  }
  wait_until(shared->words[0], "the child is ready");
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sys_kill(pid, SIGCONT);
  wait_until_asleep(pid);
  kill_and_reap(pid);
}

CASE(handled_tstp, "a SIGTSTP with a handler does not stop") {
  sys_handle(SIGTSTP, note_signal, 0);
  sys_kill(sys_getpid(), SIGTSTP);
  expect_value(noted.count, 1, "handler calls");
}

static volatile int turns[3];
static int turn(void *which) {
  for (;;) {
    turns[(long)which]++;
    shared->words[(long)which] = turns[(long)which];
    for (volatile int i = 0; i < 100; i++);
  }
  return 0;
}

static long busy_threads(void) {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    start_thread(turn, (void *)0);
    start_thread(turn, (void *)1);
    turn((void *)2);
  }
  wait_until(shared->words[0] && shared->words[1] && shared->words[2], "all threads run");
  return pid;
}

CASE(all_threads_stop, "SIGSTOP stops all threads of a process, with one report, and SIGCONT continues them all") {
  long pid = busy_threads();
  int status;
  sys_kill(pid, SIGSTOP);
  expect_value(sys_wait4(pid, &status, WUNTRACED), pid, "wait4");
  int before[3] = {shared->words[0], shared->words[1], shared->words[2]};
  sleep_us(20000);
  for (int i = 0; i < 3; i++) expect_value(shared->words[i], before[i], "turns of a stopped thread");
  expect_value(sys_wait4(pid, &status, WUNTRACED | WNOHANG), 0, "a second report");
  sys_kill(pid, SIGCONT);
  for (int i = 0; i < 3; i++) wait_until(shared->words[i] != before[i], "a thread goes on");
  kill_and_reap(pid);
}

CASE(thread_directed_stop, "SIGSTOP sent to one thread stops the whole process") {
  long pid = busy_threads();
  int status;
  expect_ok(SYS2(tkill, pid, SIGSTOP));
  expect_value(sys_wait4(pid, &status, WUNTRACED), pid, "wait4");
  int before = shared->words[0];
  sleep_us(5000);
  expect_value(shared->words[0], before, "turns of another thread");
  kill_and_reap(pid);
}

CASE(stop_before_all_stopped, "SIGCONT right behind SIGSTOP leaves the process running") {
  long pid = busy_threads();
  for (int i = 0; i < 50; i++) {
    sys_kill(pid, SIGSTOP);
    sys_kill(pid, SIGCONT);
  }
  int before = shared->words[1];
  wait_until(shared->words[1] != before, "the threads run");
  kill_and_reap(pid);
}

CASE(parent_stays_stopped, "a stopped process gets its signals when it is continued, SIGCONT's handler among them") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sys_handle(SIGUSR1, note_signal, 0);
    sys_handle(SIGCONT, note_signal, 0);
    shared->words[0] = 1;
    while (noted.count < 2) sleep_us(1000);
    shared->words[1] = noted.count;
    sys_exit_group(0);
  }
  wait_until(shared->words[0], "the child is ready");
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sys_kill(pid, SIGUSR1);
  sleep_us(2000);
  expect_value(shared->words[1], 0, "handled while stopped");
  sys_kill(pid, SIGCONT);
  reap_good(pid);
}

/* --- orphaned groups ------------------------------------------------------------------------------------------------ */

CASE(orphan_does_not_stop, "in an orphaned process group SIGTSTP, SIGTTIN and SIGTTOU do not stop, SIGSTOP does") {
  IN_CHILD {
    expect_ok(SYS0(setsid));
    sys_kill(sys_getpid(), SIGTSTP);
    sys_kill(sys_getpid(), SIGTTIN);
    sys_kill(sys_getpid(), SIGTTOU);
    shared->words[0] = 1;
  }
  expect_value(shared->words[0], 1, "the child went on");
}

CASE(orphaned_by_exit, "when a group becomes orphaned and has a stopped member, it gets SIGHUP and SIGCONT") {
  long leader = expect_ok(sys_fork());
  if (leader == 0) {
    /* A session of its own, a child in a group of its own, which is stopped when we go. */
    expect_ok(SYS0(setsid));
    long pid = expect_ok(sys_fork());
    if (pid == 0) {
      SYS2(setpgid, 0, 0);
      sys_handle(SIGHUP, note_signal, 0);
      sys_handle(SIGCONT, note_signal, 0);
      shared->words[0] = 1;
      sys_kill(sys_getpid(), SIGSTOP);
      wait_until(noted.count == 2, "both signals are here");
      uint64_t both = signal_bit(noted.signals[0]) | signal_bit(noted.signals[1]);
      shared->words[1] = both == (signal_bit(SIGHUP) | signal_bit(SIGCONT));
      shared->words[2] = 1;
      sys_exit_group(0);
    }
    int status;
    expect_value(sys_wait4(pid, &status, WUNTRACED), pid, "wait4");
    sys_exit_group(0);
  }
  reap_good(leader);
  wait_until(shared->words[2], "the orphan has its signals");
  expect_value(shared->words[1], 1, "they are SIGHUP and SIGCONT");
}

CASE(running_orphan, "a group that becomes orphaned without a stopped member gets nothing") {
  long leader = expect_ok(sys_fork());
  if (leader == 0) {
    expect_ok(SYS0(setsid));
    long pid = expect_ok(sys_fork());
    if (pid == 0) {
      SYS2(setpgid, 0, 0);
      sys_handle(SIGHUP, note_signal, 0);
      shared->words[0] = 1;
      wait_until(shared->words[3], "the leader is gone");
      sleep_us(3000);
      shared->words[1] = noted.count;
      shared->words[2] = 1;
      sys_exit_group(0);
    }
    wait_until(shared->words[0], "the child is ready");
    sys_exit_group(0);
  }
  reap_good(leader);
  shared->words[3] = 1;
  wait_until(shared->words[2], "the orphan is done");
  expect_value(shared->words[1], 0, "signals");
}

/* --- SIGCHLD -------------------------------------------------------------------------------------------------------- */

static void expect_no_zombie(void) {
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(0);
  expect_error(ECHILD, sys_wait4(-1, 0, 0)); /* sleeps until the last child is gone */
  /* wait4 may be woken a moment before the number is given back. */
  wait_until(sys_kill(pid, 0) == -ESRCH, "the pid is gone");
}

CASE(ignored, "with SIGCHLD ignored children leave no zombies and wait4 gives ECHILD when the last is gone") {
  sys_set_action(SIGCHLD, SIG_IGN);
  expect_no_zombie();
}

CASE(nocldwait, "with SA_NOCLDWAIT children leave no zombies but SIGCHLD is sent") {
  handle(SIGCHLD, note_signal, SA_NOCLDWAIT, 0);
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(0);
  wait_until(noted.count == 1, "the handler has run");
  expect_error(ECHILD, sys_wait4(-1, 0, WNOHANG));
}

CASE(default_keeps, "with SIGCHLD at its default, which ignores it too, children stay zombies") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(0);
  wait_for_zombie(pid);
  expect_value(sys_wait4(pid, 0, 0), pid, "wait4");
}

CASE(nocldstop, "with SA_NOCLDSTOP no SIGCHLD comes for stops and continues, but one for the end") {
  handle(SIGCHLD, note_signal, SA_NOCLDSTOP, 0);
  long pid = stopped_child();
  expect_value(noted.count, 0, "SIGCHLDs after the stop");
  sys_kill(pid, SIGCONT);
  expect_value(sys_wait4(pid, 0, WCONTINUED), pid, "wait4");
  expect_value(noted.count, 0, "SIGCHLDs after the continue");
  kill_and_reap(pid);
  expect_value(noted.count, 1, "SIGCHLDs after the end");
}

CASE(ignored_stop, "a child's stop is reported to wait4 even when SIGCHLD is ignored") {
  sys_set_action(SIGCHLD, SIG_IGN);
  long pid = stopped_child();
  sys_kill(pid, SIGKILL);
  expect_error(ECHILD, sys_wait4(pid, 0, 0));
}

CASE(other_exit_signal, "a child made with another exit signal sends that one, with the child's siginfo") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  long pid = SYS5(clone, SIGUSR1, 0, 0, 0, 0);
  if (pid == 0) sys_exit_group(4);
  expect_value(await_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
  expect_value(info.si_pid, pid, "si_pid");
  expect_value(info.si_code, CLD_EXITED, "si_code");
  expect_value(info.si_status, 4, "si_status");
  expect_error(ECHILD, sys_wait4(pid, 0, 0));
  expect_value(sys_wait4(pid, 0, __WCLONE), pid, "wait4 with __WCLONE");
}

CASE(no_exit_signal, "a child made without an exit signal ends silently and is waited for with __WALL") {
  set_mask(SIG_BLOCK, ~0UL);
  long pid = SYS5(clone, 0, 0, 0, 0, 0);
  if (pid == 0) sys_exit_group(4);
  expect_value(sys_wait4(pid, 0, __WALL), pid, "wait4");
  expect_value(pending_signals(), 0, "pending");
}

CASE(usage_in_info, "SIGCHLD is pending when wait4 returns, and one may stand for several children") {
  sys_handle(SIGCHLD, note_signal, 0);
  set_mask(SIG_BLOCK, signal_bit(SIGCHLD));
  long one = expect_ok(sys_fork());
  if (one == 0) sys_exit_group(0);
  long two = expect_ok(sys_fork());
  if (two == 0) sys_exit_group(0);
  reap_good(one), reap_good(two);
  expect_value(pending_signals(), signal_bit(SIGCHLD), "pending");
  set_mask(SIG_UNBLOCK, signal_bit(SIGCHLD));
  expect_value(noted.count, 1, "handler calls");
}

MAIN("signal.stop")
