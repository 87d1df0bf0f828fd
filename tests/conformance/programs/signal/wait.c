/* Waiting for signals: sigtimedwait, sigsuspend, signalfd (sigwaitinfo(2), signalfd(2)). */
#include "threads.h"

static uint64_t usr(void) { return signal_bit(SIGUSR1) | signal_bit(SIGUSR2); }

static long make_signalfd(uint64_t set, int flags) { return SYS4(signalfd4, -1, &set, 8, flags); }

/* A child that sends the signal after a moment. */
static long send_later(int signal, long delay_us) {
  long parent = sys_getpid(), pid = expect_ok(sys_fork());
  if (pid) return pid;
  sleep_us(delay_us);
  sys_kill(parent, signal);
  sys_exit_group(0);
}

CASE(pending_at_once, "sigtimedwait takes a pending signal at once, without running a handler") {
  set_mask(SIG_BLOCK, usr());
  sys_handle(SIGUSR1, note_signal, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(take_signal(usr(), 0), SIGUSR1, "sigtimedwait");
  set_mask(SIG_UNBLOCK, usr());
  expect_value(noted.count, 0, "handler calls");
}

CASE(times_out, "sigtimedwait gives EAGAIN when the time is over, not before") {
  uint64_t set = usr();
  set_mask(SIG_BLOCK, set);
  struct timespec time = {0, 30000000};
  long begin = now_us();
  expect_error(EAGAIN, SYS4(rt_sigtimedwait, &set, 0, &time, 8));
  expect(now_us() - begin >= 30000, "after %ld us", now_us() - begin);
}

CASE(wakes, "sigtimedwait sleeps until the signal is sent and gives its siginfo") {
  uint64_t set = usr();
  struct siginfo info;
  set_mask(SIG_BLOCK, set);
  long pid = send_later(SIGUSR2, 10000);
  expect_value(SYS4(rt_sigtimedwait, &set, &info, 0, 8), SIGUSR2, "sigwaitinfo");
  expect_value(info.si_pid, pid, "si_pid");
  reap_good(pid);
}

CASE(wait_unblocked, "sigtimedwait takes a signal of its set even when the signal is not blocked") {
  uint64_t set = usr();
  sys_handle(SIGUSR1, note_signal, 0);
  long pid = send_later(SIGUSR1, 10000);
  expect_value(SYS4(rt_sigtimedwait, &set, 0, 0, 8), SIGUSR1, "sigwaitinfo");
  expect_value(noted.count, 0, "handler calls");
  reap_good(pid);
}

CASE(other_signal, "a handler for another signal ends sigtimedwait with EINTR") {
  uint64_t set = usr();
  set_mask(SIG_BLOCK, set);
  sys_handle(SIGTERM, note_signal, SA_RESTART);
  long pid = send_later(SIGTERM, 10000);
  expect_error(EINTR, SYS4(rt_sigtimedwait, &set, 0, 0, 8));
  reap_good(pid);
}

CASE(wait_errors, "sigtimedwait refuses a bad time and a bad size with EINVAL, bad pointers with EFAULT") {
  uint64_t set = usr();
  struct timespec bad = {0, 1000000000}, negative = {-1, 0};
  set_mask(SIG_BLOCK, set);
  expect_error(EINVAL, SYS4(rt_sigtimedwait, &set, 0, &bad, 8));
  expect_error(EINVAL, SYS4(rt_sigtimedwait, &set, 0, &negative, 8));
  expect_error(EINVAL, SYS4(rt_sigtimedwait, &set, 0, 0, 4));
  expect_error(EFAULT, SYS4(rt_sigtimedwait, 8, 0, 0, 8));
  expect_error(EFAULT, SYS4(rt_sigtimedwait, &set, 0, 8, 8));
}

CASE(info_fault, "a signal is gone when sigtimedwait cannot store its siginfo: EFAULT") {
  set_mask(SIG_BLOCK, usr());
  sys_kill(sys_getpid(), SIGUSR1);
  expect_error(EFAULT, take_signal(usr(), (struct siginfo *)8));
  expect_value(pending_signals(), 0, "pending");
}

CASE(kill_not_awaited, "SIGKILL in the set of sigtimedwait is left out without complaint") {
  struct timespec none = {0, 0};
  uint64_t set = signal_bit(SIGKILL) | signal_bit(SIGSTOP);
  expect_error(EAGAIN, SYS4(rt_sigtimedwait, &set, 0, &none, 8));
}

static int wait_in_thread(void *unused) {
  (void)unused;
  shared->words[0] = (int)await_signal(signal_bit(SIGUSR1), 0);
  return 0;
}

CASE(thread_waits, "a signal for the process wakes the thread that waits for it") {
  set_mask(SIG_BLOCK, usr());
  struct thread *thread = start_thread(wait_in_thread, 0);
  wait_until_asleep(thread->number);
  sys_kill(sys_getpid(), SIGUSR1);
  join_thread(thread);
  expect_value(shared->words[0], SIGUSR1, "the thread's result");
  expect_value(pending_signals(), 0, "pending");
}

CASE(one_of_two, "of two waiting threads one takes the signal and the other goes on waiting") {
  set_mask(SIG_BLOCK, usr());
  struct thread *one = start_thread(wait_in_thread, 0), *two = start_thread(wait_in_thread, 0);
  wait_until_asleep(one->number), wait_until_asleep(two->number);
  sys_kill(sys_getpid(), SIGUSR1);
  wait_until(!one->tid || !two->tid, "a thread has ended");
  sleep_us(2000);
  expect(one->tid || two->tid, "both threads have ended");
  sys_kill(sys_getpid(), SIGUSR1);
  join_thread(one), join_thread(two);
}

/* --- signalfd ------------------------------------------------------------------------------------------------------- */

CASE(fd_reads, "a signalfd reads 128 bytes a signal, several at once, lowest first") {
  struct signalfd_siginfo infos[4];
  set_mask(SIG_BLOCK, usr() | signal_bit(40));
  long fd = expect_ok(make_signalfd(usr() | signal_bit(40), 0));
  sys_kill(sys_getpid(), 40);
  sys_kill(sys_getpid(), SIGUSR2);
  sys_kill(sys_getpid(), SIGUSR1);
  sys_kill(sys_getpid(), 40);
  expect_value(sys_read((int)fd, infos, sizeof infos + 100), 4 * 128, "read");
  expect_value(infos[0].ssi_signo, SIGUSR1, "first");
  expect_value(infos[1].ssi_signo, SIGUSR2, "second");
  expect_value(infos[2].ssi_signo, 40, "third");
  expect_value(infos[3].ssi_signo, 40, "fourth");
  expect_value(infos[0].ssi_pid, sys_getpid(), "ssi_pid");
  expect_value(infos[0].ssi_code, SI_USER, "ssi_code");
  expect_value(pending_signals(), 0, "pending");
}

CASE(fd_fields, "a signalfd tells ssi_int and ssi_ptr of a queued signal, and status of a child") {
  struct signalfd_siginfo info;
  struct siginfo sent = {.si_code = SI_QUEUE};
  set_si_value(&sent, 0x100000002);
  set_mask(SIG_BLOCK, usr() | signal_bit(SIGCHLD));
  long fd = expect_ok(make_signalfd(usr() | signal_bit(SIGCHLD), 0));
  expect_ok(SYS3(rt_sigqueueinfo, sys_getpid(), SIGUSR1, &sent));
  expect_value(sys_read((int)fd, &info, sizeof info), 128, "read");
  expect_value(info.ssi_code, SI_QUEUE, "ssi_code");
  expect_value(info.ssi_ptr, 0x100000002, "ssi_ptr");
  expect_value(info.ssi_int, 2, "ssi_int");
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(6);
  expect_value(sys_read((int)fd, &info, sizeof info), 128, "read");
  expect_value(info.ssi_signo, SIGCHLD, "ssi_signo");
  expect_value(info.ssi_pid, pid, "ssi_pid");
  expect_value(info.ssi_status, 6, "ssi_status");
  expect_value(info.ssi_code, CLD_EXITED, "ssi_code");
  reap(pid);
}

CASE(fd_nonblock, "a non-blocking signalfd gives EAGAIN, and EINVAL when less than 128 bytes fit") {
  struct signalfd_siginfo info;
  set_mask(SIG_BLOCK, usr());
  long fd = expect_ok(make_signalfd(usr(), SFD_NONBLOCK | SFD_CLOEXEC));
  expect_value(SYS2(fcntl, fd, F_GETFD), FD_CLOEXEC, "descriptor flags");
  expect_error(EAGAIN, sys_read((int)fd, &info, sizeof info));
  expect_error(EINVAL, sys_read((int)fd, &info, 127));
}

CASE(fd_polls, "a signalfd polls readable while a signal of its set is pending") {
  set_mask(SIG_BLOCK, usr());
  long fd = expect_ok(make_signalfd(signal_bit(SIGUSR1), 0));
  struct pollfd poll = {(int)fd, POLLIN, 0};
  sys_kill(sys_getpid(), SIGUSR2);
  expect_value(SYS3(poll, &poll, 1, 0), 0, "poll with another signal pending");
  long pid = send_later(SIGUSR1, 5000);
  expect_value(SYS3(poll, &poll, 1, 5000), 1, "poll");
  expect_value(poll.revents, POLLIN, "revents");
  reap_good(pid);
}

CASE(fd_epoll, "epoll reports a signalfd") {
  set_mask(SIG_BLOCK, usr());
  long fd = expect_ok(make_signalfd(signal_bit(SIGUSR1), 0)), poll = expect_ok(SYS1(epoll_create1, 0));
  struct epoll_event event = {EPOLLIN, 42};
  expect_ok(SYS4(epoll_ctl, poll, EPOLL_CTL_ADD, fd, &event));
  expect_value(SYS4(epoll_wait, poll, &event, 1, 0), 0, "epoll_wait before");
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(SYS4(epoll_wait, poll, &event, 1, 1000), 1, "epoll_wait");
  expect_value(event.data, 42, "data");
}

CASE(fd_changes, "signalfd changes the set of an existing descriptor") {
  struct signalfd_siginfo info;
  uint64_t set = signal_bit(SIGUSR2);
  set_mask(SIG_BLOCK, usr());
  long fd = expect_ok(make_signalfd(signal_bit(SIGUSR1), SFD_NONBLOCK));
  expect_value(SYS4(signalfd4, fd, &set, 8, 0), fd, "signalfd4");
  sys_kill(sys_getpid(), SIGUSR1);
  expect_error(EAGAIN, sys_read((int)fd, &info, sizeof info));
  sys_kill(sys_getpid(), SIGUSR2);
  expect_value(sys_read((int)fd, &info, sizeof info), 128, "read");
}

CASE(fd_reader_counts, "a signalfd read by a child gives the child's signals, not those of its maker") {
  struct signalfd_siginfo info;
  set_mask(SIG_BLOCK, usr());
  long fd = expect_ok(make_signalfd(usr(), SFD_NONBLOCK));
  sys_kill(sys_getpid(), SIGUSR1);
  IN_CHILD {
    expect_error(EAGAIN, sys_read((int)fd, &info, sizeof info));
    sys_kill(sys_getpid(), SIGUSR2);
    expect_value(sys_read((int)fd, &info, sizeof info), 128, "read");
    expect_value(info.ssi_signo, SIGUSR2, "ssi_signo");
  }
  expect_value(sys_read((int)fd, &info, sizeof info), 128, "read in the parent");
}

CASE(fd_errors, "signalfd4 refuses unknown flags, bad sizes and descriptors of other kinds with EINVAL") {
  uint64_t set = usr();
  int ends[2];
  sys_pipe(ends);
  expect_error(EINVAL, SYS4(signalfd4, -1, &set, 8, 1));
  expect_error(EINVAL, SYS4(signalfd4, -1, &set, 4, 0));
  expect_error(EINVAL, SYS4(signalfd4, ends[0], &set, 8, 0));
  expect_error(EBADF, SYS4(signalfd4, 999, &set, 8, 0));
}

CASE(suspend_errors, "sigsuspend refuses a wrong size with EINVAL and a bad pointer with EFAULT") {
  uint64_t set = 0;
  expect_error(EINVAL, SYS2(rt_sigsuspend, &set, 4));
  expect_error(EFAULT, SYS2(rt_sigsuspend, 8, 8));
}

MAIN("signal.wait")
