/* Who may send what to whom: kill, tkill, tgkill, rt_sigqueueinfo (kill(2), tgkill(2), rt_sigqueueinfo(2)). */
#include "threads.h"

static long queue(long pid, int signal, int code) {
  struct siginfo info = {.si_code = code};
  return SYS3(rt_sigqueueinfo, pid, signal, &info);
}
static long queue_thread(long pid, long tid, int signal, int code) {
  struct siginfo info = {.si_code = code};
  return SYS4(rt_tgsigqueueinfo, pid, tid, signal, &info);
}

/* A child that runs as this user and waits. */
static struct held hold_user(int uid) {
  struct held held;
  int ends[2], ready[2];
  sys_pipe(ends), sys_pipe(ready);
  held.pid = expect_ok(sys_fork());
  if (held.pid == 0) {
    become_unprivileged(uid);
    sys_write(ready[1], "", 1);
    wait_for_release(ends[0]);
  }
  char byte;
  sys_read(ready[0], &byte, 1);
  held.release_fd = ends[1];
  return held;
}

CASE(signal_zero, "signal 0 only asks whether the process is there") {
  struct held held = hold_fork();
  expect_value(sys_kill(held.pid, 0), 0, "a living process");
  release(&held);
  expect_error(ESRCH, sys_kill(held.pid, 0));
}

CASE(zombie, "a signal to a zombie succeeds and does nothing") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(3);
  wait_for_zombie(pid);
  expect_value(sys_kill(pid, SIGKILL), 0, "kill");
  expect_value(SYS3(tgkill, pid, pid, SIGKILL), 0, "tgkill");
  expect_value(reap(pid), 3 << 8, "the wait status");
}

CASE(bad_signals, "signal numbers below 0 and above 64 give EINVAL everywhere") {
  long pid = sys_getpid(), tid = sys_gettid();
  static const int bad[] = {-1, 65, 128, 0x7fffffff};
  for (int i = 0; i < LENGTH(bad); i++) {
    expect_error(EINVAL, sys_kill(pid, bad[i]));
    expect_error(EINVAL, SYS2(tkill, tid, bad[i]));
    expect_error(EINVAL, SYS3(tgkill, pid, tid, bad[i]));
    expect_error(EINVAL, queue(pid, bad[i], SI_QUEUE));
  }
}

CASE(missing, "kill, tkill and tgkill say ESRCH when nobody has the number") {
  int pid = free_pid();
  expect_error(ESRCH, sys_kill(pid, SIGTERM));
  expect_error(ESRCH, sys_kill(-pid, SIGTERM));
  expect_error(ESRCH, SYS2(tkill, pid, SIGTERM));
  expect_error(ESRCH, SYS3(tgkill, pid, pid, SIGTERM));
  expect_error(ESRCH, SYS3(tgkill, sys_getpid(), pid, SIGTERM));
  expect_error(ESRCH, queue(pid, SIGTERM, SI_QUEUE));
  expect_error(ESRCH, sys_kill((int)0x80000000, SIGTERM));
}

CASE(non_positive, "tkill and tgkill refuse ids that are not positive with EINVAL") {
  expect_error(EINVAL, SYS2(tkill, 0, 0));
  expect_error(EINVAL, SYS2(tkill, -1, 0));
  expect_error(EINVAL, SYS3(tgkill, 0, sys_gettid(), 0));
  expect_error(EINVAL, SYS3(tgkill, -1, sys_gettid(), 0));
  expect_error(EINVAL, SYS3(tgkill, sys_getpid(), 0, 0));
  expect_error(EINVAL, queue_thread(0, sys_gettid(), SIGUSR1, SI_QUEUE));
  expect_error(EINVAL, queue_thread(sys_getpid(), -1, SIGUSR1, SI_QUEUE));
}

CASE(wrong_group, "tgkill says ESRCH when the thread is not in that group") {
  struct held held = hold_fork();
  expect_error(ESRCH, SYS3(tgkill, sys_getpid(), held.pid, 0));
  expect_value(SYS3(tgkill, held.pid, held.pid, 0), 0, "the right group");
  expect_value(SYS2(tkill, held.pid, 0), 0, "tkill");
  release(&held);
}

static int wait_for_word(void *unused) {
  (void)unused;
  while (!shared->words[0]) sleep_us(500);
  return 0;
}

CASE(kill_by_thread_id, "kill with a thread's number reaches its process") {
  sys_handle(SIGUSR1, note_signal, 0);
  struct thread *thread = start_thread(wait_for_word, 0);
  expect_value(sys_kill(thread->number, SIGUSR1), 0, "kill");
  wait_until(noted.count, "the handler has run");
  shared->words[0] = 1;
  join_thread(thread);
}

CASE(group_kill, "kill with 0 and with a negative number reaches every process of the group") {
  IN_CHILD {
    SYS2(setpgid, 0, 0);
    set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
    long child = expect_ok(sys_fork());
    if (child == 0) sys_exit_group(await_signal(signal_bit(SIGUSR1), 0) == SIGUSR1 && await_signal(signal_bit(SIGUSR1), 0) == SIGUSR1 ? 0 : 1);
    expect_value(sys_kill(0, SIGUSR1), 0, "kill(0)");
    expect_value(await_signal(signal_bit(SIGUSR1), 0), SIGUSR1, "in the caller");
    wait_until((status_number("self", "ShdPnd", 16) & signal_bit(SIGUSR1)) == 0, "nothing is pending");
    char path[32];
    format(path, sizeof path, "%ld", child);
    wait_until((status_number(path, "ShdPnd", 16) & signal_bit(SIGUSR1)) == 0, "the child has taken it");
    expect_value(sys_kill(-sys_getpid(), SIGUSR1), 0, "kill(-pgid)");
    reap_good(child);
  }
}

CASE(all_but_self, "kill with -1 reaches everybody in the namespace but its init and the caller") {
  IN_NEW_PID_NS(1) {
    struct held one = hold_fork(), two = hold_fork();
    long killer = expect_ok(sys_fork());
    if (killer == 0) {
      expect_value(sys_kill(-1, SIGTERM), 0, "kill(-1)");
      sys_exit_group(0);
    }
    reap_good(killer);
    expect_value(reap(one.pid), SIGTERM, "the first one");
    expect_value(reap(two.pid), SIGTERM, "the second one");
  }
}

CASE(all_alone, "kill with -1 and nobody else says ESRCH") {
  IN_NEW_PID_NS(1) expect_error(ESRCH, sys_kill(-1, SIGTERM));
}

CASE(foreign_user, "a user may not signal another user's process: EPERM for kill, tkill, tgkill and sigqueue") {
  struct held held = hold_user(1001);
  AS_UNPRIVILEGED {
    expect_error(EPERM, sys_kill(held.pid, SIGTERM));
    expect_error(EPERM, sys_kill(held.pid, 0));
    expect_error(EPERM, SYS2(tkill, held.pid, SIGTERM));
    expect_error(EPERM, SYS3(tgkill, held.pid, held.pid, SIGTERM));
    expect_error(EPERM, queue(held.pid, SIGTERM, SI_QUEUE));
  }
  release(&held);
}

CASE(same_user, "a user may signal their own processes, by real or saved uid of the target") {
  struct held held = hold_user(1000);
  AS_UNPRIVILEGED expect_value(sys_kill(held.pid, 0), 0, "kill");
  release(&held);
}

CASE(effective_target, "the target's effective uid does not count") {
  int ready[2], ends[2];
  sys_pipe(ready), sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    expect_ok(SYS3(setresuid, 1001, 1000, 1001));
    sys_write(ready[1], "", 1);
    wait_for_release(ends[0]);
  }
  char byte;
  sys_read(ready[0], &byte, 1);
  AS_UNPRIVILEGED expect_error(EPERM, sys_kill(pid, 0));
  sys_write(ends[1], "", 1);
  reap_good(pid);
}

CASE(cap_kill, "CAP_KILL alone allows signals to anybody") {
  struct held held = hold_user(1001);
  IN_CHILD {
    expect_ok(SYS2(prctl, PR_SET_KEEPCAPS, 1));
    become_unprivileged(1000);
    keep_only_capability(CAP_KILL);
    expect_value(sys_kill(held.pid, 0), 0, "kill");
    drop_capability(CAP_KILL);
    expect_error(EPERM, sys_kill(held.pid, 0));
  }
  release(&held);
}

CASE(cont_in_session, "SIGCONT may be sent to any process of the same session") {
  struct held held = hold_user(1001);
  AS_UNPRIVILEGED {
    expect_value(sys_kill(held.pid, SIGCONT), 0, "in the same session");
    expect_ok(SYS0(setsid));
    expect_error(EPERM, sys_kill(held.pid, SIGCONT));
  }
  release(&held);
}

CASE(group_partly, "a signal to a group succeeds when at least one member may be signalled, else EPERM") {
  struct held held = hold_user(1001);
  expect_ok(SYS2(setpgid, held.pid, held.pid));
  AS_UNPRIVILEGED {
    expect_error(EPERM, sys_kill(-held.pid, 0));
    struct held own = hold_fork();
    expect_ok(SYS2(setpgid, own.pid, held.pid));
    expect_value(sys_kill(-held.pid, 0), 0, "with an own process in the group");
    release(&own);
  }
  release(&held);
}

CASE(forged_codes, "to another process only negative si_codes other than SI_TKILL may be queued: EPERM for what the kernel alone says") {
  struct held held = hold_fork();
  expect_error(EPERM, queue(held.pid, SIGUSR1, SI_USER));
  expect_error(EPERM, queue(held.pid, SIGUSR1, SI_KERNEL));
  expect_error(EPERM, queue(held.pid, SIGUSR1, SI_TKILL));
  expect_error(EPERM, queue_thread(held.pid, held.pid, SIGUSR1, SI_USER));
  expect_value(queue(held.pid, 0, SI_QUEUE), 0, "SI_QUEUE");
  expect_value(queue(held.pid, 0, -60), 0, "a code nobody knows");
  release(&held);
}

CASE(own_codes, "to itself a process may queue any si_code") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  static const int codes[] = {SI_USER, SI_KERNEL, SI_TKILL, 4};
  for (int i = 0; i < LENGTH(codes); i++) {
    expect_value(queue(sys_getpid(), SIGUSR1, codes[i]), 0, "rt_sigqueueinfo");
    expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
    expect_value(info.si_code, codes[i], "si_code");
  }
}

CASE(bad_pointer, "rt_sigqueueinfo with a bad pointer gives EFAULT") {
  expect_error(EFAULT, SYS3(rt_sigqueueinfo, sys_getpid(), SIGUSR1, 8));
  expect_error(EFAULT, SYS4(rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), SIGUSR1, 8));
}

/* --- SIGPIPE -------------------------------------------------------------------------------------------------------- */

CASE(sigpipe_kills, "writing a pipe nobody reads kills with SIGPIPE, or gives EPIPE when the signal is ignored") {
  int ends[2];
  sys_pipe(ends);
  sys_close(ends[0]);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sys_write(ends[1], "x", 1);
    sys_exit_group(0);
  }
  expect_value(reap(pid), SIGPIPE, "the wait status");
  sys_set_action(SIGPIPE, SIG_IGN);
  expect_error(EPIPE, sys_write(ends[1], "x", 1));
}

CASE(sigpipe_handled, "a SIGPIPE handler runs and the write gives EPIPE, even with SA_RESTART") {
  int ends[2];
  sys_pipe(ends);
  sys_close(ends[0]);
  handle(SIGPIPE, note_signal, SA_RESTART, 0);
  expect_error(EPIPE, sys_write(ends[1], "x", 1));
  expect_value(noted.count, 1, "deliveries");
}

MAIN("signal.send")
