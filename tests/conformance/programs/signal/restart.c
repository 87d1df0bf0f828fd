/* What becomes of a sleeping call when a handler runs, or when its process is stopped and goes on (signal(7)). */
#include "blocking.h"

static void count_handled(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info, (void)context;
  shared->words[HANDLED]++;
}

static long start_sleeper(enum blocking which, uint64_t flags) {
  prepare(which);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    handle(SIGUSR1, count_handled, flags, 0);
    shared->words[RESULT] = (int)sleep_in(which);
    shared->words[DONE] = 1;
    for (;;) SYS0(pause);
  }
  wait_until(shared->words[READY], "the sleeper is ready");
  wait_until_asleep(pid);
  expect(!shared->words[DONE], "the call did not sleep: its result is %d %s", shared->words[RESULT], errno_name(shared->words[RESULT]));
  return pid;
}

static void expect_result(long pid, long wanted) {
  wait_until(shared->words[DONE], "the call is done");
  expect_value(shared->words[RESULT], wanted, "the call's result");
  sys_kill(pid, SIGKILL);
  reap(pid);
}

static void expect_still_sleeping(long pid, enum blocking which) {
  wait_until_asleep(pid);
  sleep_us(2000);
  expect(!shared->words[DONE], "the call ended with %d %s", shared->words[RESULT], errno_name(shared->words[RESULT]));
  long wanted = let_go(which, pid);
  if (wanted >= 0) return expect_result(pid, wanted);
  sys_kill(pid, SIGKILL);
  reap(pid);
}

static void interrupt(long which) {
  long pid = start_sleeper((enum blocking)which, 0);
  expect_ok(sys_kill(pid, SIGUSR1));
  expect_result(pid, -EINTR);
  expect_value(shared->words[HANDLED], 1, "handler calls");
}

static void interrupt_with_restart(long argument) {
  enum blocking which = (enum blocking)(argument & 0xff);
  long pid = start_sleeper(which, SA_RESTART);
  expect_ok(sys_kill(pid, SIGUSR1));
  wait_until(shared->words[HANDLED] == 1, "the handler has run");
  if (argument >> 8 == INTERRUPTED) expect_result(pid, -EINTR);
  else expect_still_sleeping(pid, which);
}

static void stop_and_continue(long argument) {
  enum blocking which = (enum blocking)(argument & 0xff);
  long pid = start_sleeper(which, 0);
  int status;
  expect_ok(sys_kill(pid, SIGSTOP));
  expect_value(sys_wait4(pid, &status, WUNTRACED | __WALL), pid, "wait4 for the stop");
  expect(WIFSTOPPED(status), "wait status 0x%x", (unsigned)status);
  expect_ok(sys_kill(pid, SIGCONT));
  if (argument >> 8 == INTERRUPTED) expect_result(pid, -EINTR);
  else expect_still_sleeping(pid, which);
}

static void ignored(long which) {
  long pid = start_sleeper((enum blocking)which, 0);
  expect_ok(sys_kill(pid, SIGWINCH));
  expect_still_sleeping(pid, (enum blocking)which);
}

#define WITHOUT_RESTART(name, sentence, restart, stop) \
  CASE_ROW(plain_##name, interrupt, name, sentence " gives EINTR when a handler without SA_RESTART has run")
#define SAY_GOES_ON " goes on after a handler with SA_RESTART"
#define SAY_INTERRUPTED " gives EINTR even after a handler with SA_RESTART"
#define WITH_RESTART(name, sentence, restart, stop) \
  CASE_ROW(restart_##name, interrupt_with_restart, name | restart << 8, sentence SAY_##restart)
#define SAY_STOP_GOES_ON " goes on when its process is stopped and continued"
#define SAY_STOP_INTERRUPTED " gives EINTR when its process is stopped and continued"
#define STOPPED(name, sentence, restart, stop) \
  CASE_ROW(stop_##name, stop_and_continue, name | stop << 8, sentence SAY_STOP_##stop)

BLOCKING_CALLS(WITHOUT_RESTART)
BLOCKING_CALLS(WITH_RESTART)
BLOCKING_CALLS(STOPPED)

CASE_ROW(ignored_read, ignored, READ_PIPE, "an ignored signal does not disturb a read")
CASE_ROW(ignored_pause, ignored, PAUSE, "an ignored signal does not end pause")
CASE_ROW(ignored_epoll, ignored, EPOLL_WAIT, "an ignored signal does not end epoll_wait")

static int own_lock(void *unused) {
  (void)unused;
  sys_futex((int *)&shared->words[WORD], FUTEX_LOCK_PI, 0, 0);
  shared->words[READY] = 2;
  wait_until(shared->words[READY] == 3, "it may let go");
  sys_futex((int *)&shared->words[WORD], FUTEX_UNLOCK_PI, 0, 0);
  return 0;
}
CASE(lock_pi, "FUTEX_LOCK_PI goes on after a handler, with SA_RESTART and without") {
  for (int i = 0; i < 2; i++) {
    shared->words[HANDLED] = shared->words[DONE] = shared->words[WORD] = 0;
    struct thread *owner = start_thread(own_lock, 0);
    wait_until(shared->words[READY] == 2, "the lock is held");
    long pid = expect_ok(sys_fork());
    if (pid == 0) {
      handle(SIGUSR1, count_handled, i ? SA_RESTART : 0, 0);
      shared->words[RESULT] = (int)sys_futex((int *)&shared->words[WORD], FUTEX_LOCK_PI, 0, 0);
      sys_exit_group(0);
    }
    wait_until_asleep(pid);
    sys_kill(pid, SIGUSR1);
    wait_until(shared->words[HANDLED] == 1, "the handler has run");
    wait_until_asleep(pid);
    shared->words[READY] = 3;
    reap_good(pid);
    join_thread(owner);
    expect_value(shared->words[RESULT], 0, "the result");
  }
}

CASE(remaining, "an interrupted nanosleep says how much time is left") {
  struct timespec wanted = {2, 0}, left = {9, 9};
  struct itimerval soon = {{0, 0}, {0, 30000}};
  sys_handle(SIGALRM, note_signal, 0);
  expect_ok(SYS3(setitimer, ITIMER_REAL, &soon, 0));
  expect_error(EINTR, SYS2(nanosleep, &wanted, &left));
  expect(left.tv_sec == 1 && left.tv_nsec > 500000000 && left.tv_nsec < 1000000000, "left: %ld s %ld ns", left.tv_sec, left.tv_nsec);
}

CASE(sleeps_its_time, "a nanosleep that is stopped and continued ends at its first deadline") {
  long begin = now_us();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sleep_us(150000);
    sys_exit_group(0);
  }
  wait_until_asleep(pid);
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sleep_us(30000);
  sys_kill(pid, SIGCONT);
  reap_good(pid);
  long took = now_us() - begin;
  expect(took >= 150000 && took < 600000, "it took %ld us", took);
}

CASE(partial_write, "an interrupted write that has written something gives the number of bytes, not EINTR") {
  prepare(READ_PIPE);
  fill_pipe();
  static char bin[8192];
  expect_value(sys_read(fds.ends[0], bin, 8192), 8192, "room for two pages");
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    static char data[3 * 4096];
    sys_handle(SIGUSR1, note_signal, SA_RESTART);
    shared->words[RESULT] = (int)sys_write(fds.ends[1], data, sizeof data);
    sys_exit_group(0);
  }
  wait_until_asleep(pid);
  sys_kill(pid, SIGUSR1);
  reap_good(pid);
  expect_value(shared->words[RESULT], 8192, "the result");
}

CASE(two_signals, "of two handlers the one delivered first decides about the restart") {
  /* Both are delivered before user code runs; the call is restarted or not when the first, lowest one is set up. */
  prepare(READ_PIPE);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    handle(SIGUSR1, count_handled, 0, 0);
    handle(SIGUSR2, count_handled, SA_RESTART, 0);
    char byte;
    shared->words[RESULT] = (int)sys_read(fds.ends[0], &byte, 1);
    sys_exit_group(0);
  }
  wait_until_asleep(pid);
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sys_kill(pid, SIGUSR2);
  sys_kill(pid, SIGUSR1);
  sys_kill(pid, SIGCONT);
  wait_until(shared->words[HANDLED] == 2, "both handlers have run");
  reap_good(pid);
  expect_value(shared->words[RESULT], -EINTR, "the result");
}

CASE(poll_keeps_deadline, "a poll with a timeout that is stopped and continued ends at its first deadline") {
  long begin = now_us();
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(SYS3(poll, 0, 0, 120) == 0 ? 0 : 1);
  wait_until_asleep(pid);
  sys_kill(pid, SIGSTOP);
  wait_until_state(pid, 'T');
  sleep_us(20000);
  sys_kill(pid, SIGCONT);
  reap_good(pid);
  long took = now_us() - begin;
  expect(took >= 120000 && took < 600000, "it took %ld us", took);
}

CASE(sigsuspend_mask, "sigsuspend runs the handler with the given mask's signals blocked and puts the old mask back") {
  set_mask(SIG_SETMASK, signal_bit(SIGUSR1));
  sys_handle(SIGUSR1, note_signal, 0);
  sys_handle(SIGUSR2, note_signal, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  sys_kill(sys_getpid(), SIGUSR2);
  noted.count = 0;
  uint64_t during = signal_bit(SIGUSR2);
  expect_error(EINTR, SYS2(rt_sigsuspend, &during, 8));
  expect_value(noted.count, 1, "deliveries");
  expect_value(noted.signals[0], SIGUSR1, "the signal");
  expect_value(current_mask(), signal_bit(SIGUSR1), "the mask afterwards");
}

CASE(ppoll_mask, "ppoll and epoll_pwait install their mask for the time of the wait") {
  uint64_t none = 0;
  set_mask(SIG_SETMASK, signal_bit(SIGUSR1));
  sys_handle(SIGUSR1, note_signal, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.count, 0, "deliveries while blocked");
  expect_error(EINTR, SYS5(ppoll, 0, 0, 0, &none, 8));
  expect_value(noted.count, 1, "deliveries");
  expect_value(current_mask(), signal_bit(SIGUSR1), "the mask afterwards");
  struct epoll_event event;
  long fd = expect_ok(SYS1(epoll_create1, 0));
  sys_kill(sys_getpid(), SIGUSR1);
  expect_error(EINTR, SYS6(epoll_pwait, fd, &event, 1, -1, &none, 8));
  expect_value(noted.count, 2, "deliveries");
}

MAIN("signal.restart")
