/* Pending signals: which are kept, how many times, and in which order they arrive (signal(7), sigqueue(3)). */
#include "threads.h"

static uint64_t range(int first, int last) {
  uint64_t set = 0;
  for (int signal = first; signal <= last; signal++) set |= signal_bit(signal);
  return set;
}

static long queue_value(long pid, int signal, uint64_t value) {
  struct siginfo info = {.si_signo = signal, .si_code = SI_QUEUE};
  info.si_pid = (int)sys_getpid();
  set_si_value(&info, value);
  return SYS3(rt_sigqueueinfo, pid, signal, &info);
}

CASE(standard_once, "a standard signal sent three times while blocked arrives once") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  sys_handle(SIGUSR1, note_signal, 0);
  for (int i = 0; i < 3; i++) expect_value(sys_kill(sys_getpid(), SIGUSR1), 0, "kill");
  set_mask(SIG_UNBLOCK, signal_bit(SIGUSR1));
  expect_value(noted.count, 1, "deliveries");
}

CASE(standard_keeps_first, "a standard signal queued twice with values keeps the first value") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  expect_ok(queue_value(sys_getpid(), SIGUSR1, 11));
  expect_ok(queue_value(sys_getpid(), SIGUSR1, 22));
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
  expect_value(si_value(&info), 11, "the value");
  expect_error(EAGAIN, take_signal(signal_bit(SIGUSR1), 0));
}

CASE(realtime_every, "a real-time signal queued ten times arrives ten times, first in first out") {
  int signal = SIGRTMIN + 5;
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(signal));
  for (int i = 0; i < 10; i++) expect_ok(queue_value(sys_getpid(), signal, 100 + (uint64_t)i));
  for (int i = 0; i < 10; i++) {
    expect_value(take_signal(signal_bit(signal), &info), signal, "sigtimedwait");
    expect_value(si_value(&info), 100 + i, "the value");
  }
  expect_error(EAGAIN, take_signal(signal_bit(signal), 0));
}

CASE(lowest_first, "of several pending signals the lowest number is taken first, standard before real-time") {
  static const int sent[] = {SIGRTMAX, 40, SIGTERM, 34, SIGUSR1, SIGHUP};
  static const int order[] = {SIGHUP, SIGUSR1, SIGTERM, 34, 40, SIGRTMAX};
  set_mask(SIG_BLOCK, ~0UL);
  for (int i = 0; i < LENGTH(sent); i++) sys_kill(sys_getpid(), sent[i]);
  for (int i = 0; i < LENGTH(order); i++) expect_value(take_signal(~0UL, 0), order[i], "sigtimedwait");
}

CASE(faults_first, "synchronous fault signals are taken before lower-numbered ones") {
  set_mask(SIG_BLOCK, ~0UL);
  SYS2(tkill, sys_gettid(), SIGHUP);
  SYS2(tkill, sys_gettid(), SIGSEGV);
  SYS2(tkill, sys_gettid(), SIGTRAP);
  expect_value(take_signal(~0UL, 0), SIGTRAP, "first");
  expect_value(take_signal(~0UL, 0), SIGSEGV, "second");
  expect_value(take_signal(~0UL, 0), SIGHUP, "third");
}

/* Each handler interrupts the one before at its first instruction, so the last to be delivered runs first. */
CASE(handlers_nest, "several signals unblocked at once run their handlers nested: the lowest is entered first and runs last") {
  set_mask(SIG_BLOCK, range(SIGRTMIN + 2, SIGRTMIN + 4));
  for (int i = 4; i >= 2; i--) {
    sys_handle(SIGRTMIN + i, note_signal, 0);
    sys_kill(sys_getpid(), SIGRTMIN + i);
  }
  set_mask(SIG_UNBLOCK, range(SIGRTMIN + 2, SIGRTMIN + 4));
  expect_value(noted.count, 3, "deliveries");
  expect_value(noted.signals[0], SIGRTMIN + 4, "the first to run");
  expect_value(noted.signals[1], SIGRTMIN + 3, "the second to run");
  expect_value(noted.signals[2], SIGRTMIN + 2, "the third to run");
}

CASE(thread_before_process, "a signal pending for the thread is taken before one pending for the process") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(tkill, sys_gettid(), SIGUSR2);
  expect_value(take_signal(signal_bit(SIGUSR1) | signal_bit(SIGUSR2), &info), SIGUSR2, "first");
  expect_value(info.si_code, SI_TKILL, "si_code");
  expect_value(take_signal(signal_bit(SIGUSR1) | signal_bit(SIGUSR2), &info), SIGUSR1, "second");
}

CASE(both_queues, "the same standard signal may be pending once for the thread and once for the process") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(tkill, sys_gettid(), SIGUSR1);
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "first");
  expect_value(info.si_code, SI_TKILL, "the first one's si_code");
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "second");
  expect_value(info.si_code, SI_USER, "the second one's si_code");
  expect_error(EAGAIN, take_signal(signal_bit(SIGUSR1), 0));
}

CASE(pending_set, "sigpending gives the blocked pending signals of thread and process, and not the others") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1) | signal_bit(SIGUSR2) | signal_bit(50));
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(tkill, sys_gettid(), 50);
  expect(pending_signals() == (signal_bit(SIGUSR1) | signal_bit(50)), "pending: 0x%lx", pending_signals());
}

CASE(pending_size, "rt_sigpending accepts a smaller set size and refuses a larger one with EINVAL") {
  uint64_t set = ~0UL;
  expect_error(EINVAL, SYS2(rt_sigpending, &set, 16));
  expect_value(SYS2(rt_sigpending, &set, 4), 0, "4 bytes");
  expect(set == 0xffffffff00000000UL, "the set is 0x%lx", set);
  expect_error(EFAULT, SYS2(rt_sigpending, 8, 8));
}

static int look_at_pending(void *unused) {
  (void)unused;
  shared->words[0] = (pending_signals() & signal_bit(SIGUSR1)) != 0;
  shared->words[1] = (pending_signals() & signal_bit(SIGUSR2)) != 0;
  return 0;
}

CASE(pending_of_threads, "another thread sees what is pending for the process and not what is pending for its sister") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(tkill, sys_gettid(), SIGUSR2);
  join_thread(start_thread(look_at_pending, 0));
  expect_value(shared->words[0], 1, "the process's SIGUSR1");
  expect_value(shared->words[1], 0, "the leader's SIGUSR2");
}

CASE(child_has_none, "a child of fork inherits the mask and none of the pending signals") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(tkill, sys_gettid(), SIGUSR2);
  IN_CHILD {
    expect(pending_signals() == 0, "pending: 0x%lx", pending_signals());
    expect((current_mask() & signal_bit(SIGUSR1)) != 0, "the mask is 0x%lx", current_mask());
  }
}

CASE(kill_not_blockable, "SIGKILL and SIGSTOP cannot be blocked: the mask drops them silently") {
  set_mask(SIG_SETMASK, ~0UL);
  expect(current_mask() == ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP)), "the mask is 0x%lx", current_mask());
}

CASE(mask_operations, "sigprocmask blocks, unblocks and replaces, and gives the old mask") {
  set_mask(SIG_SETMASK, range(1, 4));
  expect_value(set_mask(SIG_BLOCK, range(5, 6)), range(1, 4), "the old mask");
  expect_value(set_mask(SIG_UNBLOCK, range(1, 2)), range(1, 6), "the old mask");
  expect_value(set_mask(SIG_SETMASK, 0), range(3, 6), "the old mask");
  expect_value(current_mask(), 0, "the mask");
}

CASE(mask_errors, "sigprocmask refuses an unknown operation and a wrong size with EINVAL, a bad pointer with EFAULT") {
  uint64_t set = 0;
  expect_error(EINVAL, SYS4(rt_sigprocmask, 3, &set, 0, 8));
  expect_error(EINVAL, SYS4(rt_sigprocmask, SIG_BLOCK, &set, 0, 4));
  expect_error(EINVAL, SYS4(rt_sigprocmask, SIG_BLOCK, &set, 0, 16));
  expect_error(EFAULT, SYS4(rt_sigprocmask, SIG_BLOCK, 8, 0, 8));
  expect_error(EFAULT, SYS4(rt_sigprocmask, SIG_BLOCK, 0, 8, 8));
  expect_value(SYS4(rt_sigprocmask, 99, 0, &set, 8), 0, "no new set: the operation does not matter");
}

static int block_all_and_report(void *unused) {
  (void)unused;
  shared->words[0] = (current_mask() & signal_bit(SIGUSR1)) != 0;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR2));
  return 0;
}

CASE(mask_per_thread, "a thread inherits its creator's mask and changes only its own") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  join_thread(start_thread(block_all_and_report, 0));
  expect_value(shared->words[0], 1, "SIGUSR1 blocked in the thread");
  expect((current_mask() & signal_bit(SIGUSR2)) == 0, "the thread's mask came back to its creator");
}

static int wait_with_open_mask(void *unused) {
  (void)unused;
  set_mask(SIG_UNBLOCK, signal_bit(SIGUSR1));
  shared->words[0] = 1;
  while (!shared->words[1]) sleep_us(500);
  return 0;
}

CASE(open_thread_takes, "a signal for the process goes to a thread that does not block it") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  sys_handle(SIGUSR1, note_signal, 0);
  struct thread *thread = start_thread(wait_with_open_mask, 0);
  wait_until(shared->words[0], "the thread is ready");
  sys_kill(sys_getpid(), SIGUSR1);
  wait_until(noted.count, "the handler has run");
  expect_value(noted.tids[0], thread->number, "the thread that ran it");
  shared->words[1] = 1;
  join_thread(thread);
}

CASE(directed, "tgkill runs the handler in the thread it names") {
  sys_handle(SIGUSR1, note_signal, 0);
  struct thread *thread = start_thread(wait_with_open_mask, 0);
  wait_until(shared->words[0], "the thread is ready");
  expect_ok(SYS3(tgkill, sys_getpid(), thread->number, SIGUSR1));
  wait_until(noted.count, "the handler has run");
  expect_value(noted.tids[0], thread->number, "the thread that ran it");
  shared->words[1] = 1;
  join_thread(thread);
}

CASE(ignored_vanish, "a blocked pending signal vanishes when its action becomes SIG_IGN") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  sys_kill(sys_getpid(), SIGUSR1);
  sys_set_action(SIGUSR1, SIG_IGN);
  expect(pending_signals() == 0, "pending: 0x%lx", pending_signals());
}

CASE(default_ignored_vanish, "a blocked pending SIGCHLD vanishes when its action becomes SIG_DFL, which ignores it") {
  set_mask(SIG_BLOCK, signal_bit(SIGCHLD));
  sys_handle(SIGCHLD, note_signal, 0);
  sys_kill(sys_getpid(), SIGCHLD);
  expect(pending_signals() == signal_bit(SIGCHLD), "pending: 0x%lx", pending_signals());
  sys_set_action(SIGCHLD, SIG_DFL);
  expect(pending_signals() == 0, "pending afterwards: 0x%lx", pending_signals());
}

CASE(blocked_ignored_stays, "a blocked signal is kept even when its action is SIG_IGN at the time") {
  sys_set_action(SIGUSR1, SIG_IGN);
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  sys_kill(sys_getpid(), SIGUSR1);
  expect(pending_signals() == signal_bit(SIGUSR1), "pending: 0x%lx", pending_signals());
}

CASE(stop_cancels_cont, "SIGCONT discards pending stop signals, and a stop signal discards a pending SIGCONT") {
  uint64_t stops = signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
  sys_handle(SIGCONT, note_signal, 0);
  set_mask(SIG_BLOCK, stops | signal_bit(SIGCONT));
  sys_kill(sys_getpid(), SIGTSTP);
  SYS2(tkill, sys_gettid(), SIGTTIN);
  sys_kill(sys_getpid(), SIGCONT);
  expect(pending_signals() == signal_bit(SIGCONT), "after SIGCONT: 0x%lx", pending_signals());
  sys_kill(sys_getpid(), SIGTTOU);
  expect(pending_signals() == signal_bit(SIGTTOU), "after SIGTTOU: 0x%lx", pending_signals());
}

CASE(limit, "at RLIMIT_SIGPENDING sigqueue fails with EAGAIN, kill does not, and a real-time signal of kill has lost its siginfo") {
  int signal = SIGRTMIN + 1;
  struct rlimit limit = {3, 3};
  struct siginfo info;
  AS_UNPRIVILEGED {
    expect_ok(SYS4(prlimit64, 0, RLIMIT_SIGPENDING, &limit, 0));
    set_mask(SIG_BLOCK, ~0UL);
    int queued = 0;
    long result;
    while ((result = queue_value(sys_getpid(), signal, 1)) == 0 && queued < 10) queued++;
    expect_value(result, -EAGAIN, "sigqueue at the limit");
    expect_value(queued, 3, "signals queued");
    expect_ok(sys_kill(sys_getpid(), SIGUSR1));
    expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "the standard signal sent by kill");
    expect_value(info.si_pid, sys_getpid(), "its si_pid: standard signals from kill are above the limit");
    expect_ok(sys_kill(sys_getpid(), 50));
    expect_value(take_signal(signal_bit(50), &info), 50, "the real-time signal sent by kill");
    expect_value(info.si_code, SI_USER, "its si_code");
    expect_value(info.si_pid, 0, "its si_pid: there was no room for it");
    expect_value(take_signal(signal_bit(signal), &info), signal, "one taken");
    expect_ok(queue_value(sys_getpid(), signal, 1));
  }
}

CASE(many, "a thousand real-time signals keep their order through a handler") {
  int signal = SIGRTMIN + 9;
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(signal));
  for (int i = 0; i < 1000; i++) expect_ok(queue_value(sys_getpid(), signal, (uint64_t)i));
  for (int i = 0; i < 1000; i++) {
    expect_value(take_signal(signal_bit(signal), &info), signal, "sigtimedwait");
    expect_value(si_value(&info), i, "the value");
  }
}

CASE(sigq_in_status, "SigPnd, ShdPnd, SigBlk, SigIgn and SigCgt in /proc/self/status say what is the case") {
  sys_handle(SIGUSR1, note_signal, 0);
  sys_set_action(SIGHUP, SIG_IGN);
  set_mask(SIG_SETMASK, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(tkill, sys_gettid(), SIGUSR2);
  expect_value(status_number("self", "SigPnd", 16), signal_bit(SIGUSR2), "SigPnd");
  expect_value(status_number("self", "ShdPnd", 16), signal_bit(SIGUSR1), "ShdPnd");
  expect_value(status_number("self", "SigBlk", 16), signal_bit(SIGUSR1) | signal_bit(SIGUSR2), "SigBlk");
  expect((status_number("self", "SigIgn", 16) & signal_bit(SIGHUP)) != 0, "SIGHUP is not in SigIgn");
  expect_value(status_number("self", "SigCgt", 16), signal_bit(SIGUSR1), "SigCgt");
}

MAIN("signal.queue")
