/* Ends and waiting: exit, wait4, waitid, zombies, orphans (wait(2), exit(2)). */
#include "threads.h"

static long exiting_child(int status) {
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(status);
  return pid;
}

CASE(exit_status, "wait4 gives the low eight bits of the exit status") {
  static const int statuses[] = {0, 1, 255, 256, 0x1234, -1};
  for (int i = 0; i < LENGTH(statuses); i++) expect_value(reap(exiting_child(statuses[i])), (statuses[i] & 255) << 8, "the wait status");
}

CASE(no_children, "without children wait4 and waitid give ECHILD") {
  expect_error(ECHILD, sys_wait4(-1, 0, 0));
  expect_error(ECHILD, SYS5(waitid, P_ALL, 0, 0, WEXITED, 0));
  expect_error(ECHILD, sys_wait4(sys_getppid(), 0, 0));
}

CASE(nohang, "WNOHANG gives 0 while the child lives") {
  struct siginfo info = {.si_signo = 55};
  info.si_pid = 55;
  struct held held = hold_fork();
  expect_value(sys_wait4(-1, 0, WNOHANG), 0, "wait4");
  expect_value(SYS5(waitid, P_PID, held.pid, &info, WEXITED | WNOHANG, 0), 0, "waitid");
  expect_value(info.si_pid, 0, "si_pid");
  expect_value(info.si_signo, 0, "si_signo");
  release(&held);
}

CASE(wait_errors, "unknown options give EINVAL, the smallest number ESRCH, bad pointers EFAULT") {
  expect_error(EINVAL, sys_wait4(-1, 0, 0x100));
  expect_error(EINVAL, SYS5(waitid, P_ALL, 0, 0, 0, 0));
  expect_error(EINVAL, SYS5(waitid, P_ALL, 0, 0, WNOHANG, 0));
  expect_error(EINVAL, SYS5(waitid, P_ALL, 0, 0, WEXITED | 0x100, 0));
  expect_error(EINVAL, SYS5(waitid, 99, 0, 0, WEXITED, 0));
  expect_error(EINVAL, SYS5(waitid, P_PID, 0, 0, WEXITED, 0));
  expect_error(EINVAL, SYS5(waitid, P_PID, -1, 0, WEXITED, 0));
  expect_error(EINVAL, SYS5(waitid, P_PGID, -1, 0, WEXITED, 0));
  expect_error(ESRCH, sys_wait4((int)0x80000000, 0, 0));
}

CASE(status_fault, "a child is gone even when wait4 cannot store its status: EFAULT") {
  long pid = exiting_child(0);
  wait_for_zombie(pid);
  expect_error(EFAULT, SYS4(wait4, pid, 8, 0, 0));
  expect_error(ECHILD, sys_wait4(pid, 0, 0));
}

CASE(by_group, "wait4 with 0 and negative numbers and waitid with P_PGID wait for a process group") {
  long own = exiting_child(1), other = exiting_child(2);
  SYS2(setpgid, other, other);
  wait_for_zombie(other);
  struct siginfo info = {0};
  long led = expect_ok(sys_fork());
  if (led == 0) {
    SYS2(setpgid, 0, 0);
    sys_exit_group(3);
  }
  wait_for_zombie(led), wait_for_zombie(own);
  expect_value(sys_wait4(-led, 0, 0), led, "wait4(-pgid)");
  expect_error(ECHILD, sys_wait4(-led, 0, 0));
  long own_group = SYS1(getpgid, 0);
  expect_value(SYS5(waitid, P_PGID, own_group, &info, WEXITED | WNOWAIT, 0), 0, "waitid");
  expect_value(SYS5(waitid, P_PGID, 0, &info, WEXITED | WNOWAIT, 0), 0, "waitid with 0, the caller's group");
  expect(sys_wait4(0, 0, 0) > 0, "wait4(0) found nobody");
}

CASE(nowait, "WNOWAIT leaves the zombie") {
  struct siginfo info;
  long pid = exiting_child(9);
  for (int i = 0; i < 3; i++) {
    expect_value(SYS5(waitid, P_PID, pid, &info, WEXITED | WNOWAIT, 0), 0, "waitid");
    expect_value(info.si_status, 9, "si_status");
  }
  expect_value(reap(pid), 9 << 8, "the wait status");
}

CASE(usage, "wait4 and waitid give the child's resource usage, and RUSAGE_CHILDREN adds it up") {
  struct rusage child, all;
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    burn_us(30000);
    sys_exit_group(0);
  }
  int status;
  expect_value(SYS4(wait4, pid, &status, 0, &child), pid, "wait4");
  long used = (child.ru_utime.tv_sec + child.ru_stime.tv_sec) * 1000000 + child.ru_utime.tv_usec + child.ru_stime.tv_usec;
  expect(used >= 20000 && used < 3000000, "the child used %ld us", used);
  expect_ok(SYS2(getrusage, RUSAGE_CHILDREN, &all));
  long total = (all.ru_utime.tv_sec + all.ru_stime.tv_sec) * 1000000 + all.ru_utime.tv_usec + all.ru_stime.tv_usec;
  expect(total >= used, "children used %ld us, this child alone %ld", total, used);
}

CASE(usage_fields, "getrusage counts time, faults and memory of the process, and refuses unknown kinds") {
  struct rusage before, after;
  expect_ok(SYS2(getrusage, RUSAGE_SELF, &before));
  char *memory = low_memory(100 * PAGE_SIZE);
  for (int i = 0; i < 100; i++) memory[(size_t)i * PAGE_SIZE] = 1;
  burn_us(20000);
  expect_ok(SYS2(getrusage, RUSAGE_SELF, &after));
  long faults = after.ru_minflt - before.ru_minflt;
  expect(faults >= 1, "%ld page faults", faults);
  expect(after.ru_maxrss >= 200, "maxrss is %ld KiB", after.ru_maxrss);
  expect(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec + after.ru_stime.tv_usec >= 10000, "user time %ld us", after.ru_utime.tv_usec);
  expect_ok(SYS2(getrusage, RUSAGE_THREAD, &after));
  expect_error(EINVAL, SYS2(getrusage, 5, &after));
  expect_error(EFAULT, SYS2(getrusage, RUSAGE_SELF, 8));
}

CASE(times, "times counts in hundredths of a second and gives a clock that runs") {
  int64_t times[4], now = SYS1(times, times);
  burn_us(50000);
  int64_t later[4], then = SYS1(times, later);
  expect(then - now >= 4 && then - now < 500, "the clock went from %ld to %ld", now, then);
  expect(later[0] + later[1] - times[0] - times[1] >= 3, "used %ld ticks", later[0] + later[1] - times[0] - times[1]);
  expect_ok(SYS1(times, 0));
}

CASE(wclone, "__WCLONE waits for children with another exit signal only, __WALL for all") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  long plain = exiting_child(0), other = SYS5(clone, SIGUSR1, 0, 0, 0, 0);
  if (other == 0) sys_exit_group(0);
  wait_for_zombie(plain), wait_for_zombie(other);
  expect_value(sys_wait4(-1, 0, __WCLONE), other, "wait4 with __WCLONE");
  expect_error(ECHILD, sys_wait4(-1, 0, __WCLONE));
  expect_value(sys_wait4(-1, 0, __WALL), plain, "wait4 with __WALL");
}

static int wait_in_thread(void *pid) {
  shared->words[0] = (int)sys_wait4((long)pid, 0, 0);
  return 0;
}
CASE(any_thread_waits, "a thread may wait for a child of another thread, unless it says __WNOTHREAD") {
  struct held held = hold_fork();
  struct thread *thread = start_thread(wait_in_thread, (void *)held.pid);
  wait_until_asleep(thread->number);
  sys_write(held.release_fd, "", 1);
  join_thread(thread);
  expect_value(shared->words[0], held.pid, "the thread's result");
}

static int wait_notthread(void *pid) {
  shared->words[0] = (int)sys_wait4((long)pid, 0, __WNOTHREAD | WNOHANG);
  return 0;
}
CASE(wnothread, "__WNOTHREAD leaves out the children of other threads: ECHILD") {
  struct held held = hold_fork();
  join_thread(start_thread(wait_notthread, (void *)held.pid));
  expect_value(shared->words[0], -ECHILD, "the thread's result");
  expect_value(sys_wait4(held.pid, 0, __WNOTHREAD | WNOHANG), 0, "the parent's own");
  release(&held);
}

CASE(two_waiters, "of two threads that wait for one child one gets it and the other ECHILD") {
  struct held held = hold_fork();
  struct thread *one = start_thread(wait_in_thread, (void *)held.pid);
  wait_until_asleep(one->number);
  sys_write(held.release_fd, "", 1);
  long result = sys_wait4(held.pid, 0, 0);
  join_thread(one);
  expect((result == held.pid) != (shared->words[0] == held.pid), "results %ld and %d", result, shared->words[0]);
  expect(result == -ECHILD || shared->words[0] == -ECHILD, "results %ld and %d", result, shared->words[0]);
}

/* --- zombies and orphans -------------------------------------------------------------------------------------------- */

CASE(zombie_state, "a child that has ended is a zombie until it is waited for: state Z, and its pid is taken") {
  long pid = exiting_child(0);
  wait_for_zombie(pid);
  expect_value(state_of(pid), 'Z', "the state");
  expect_ok(sys_kill(pid, 0));
  expect_value(SYS1(getpgid, pid), SYS1(getpgid, 0), "the zombie's group");
  reap_good(pid);
  expect_error(ESRCH, sys_kill(pid, 0));
}

CASE(subreaper, "orphans become children of the nearest subreaper, which is not inherited") {
  IN_CHILD {
    expect_ok(SYS5(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    long middle = expect_ok(sys_fork());
    if (middle == 0) {
      int is = 9;
      expect_ok(SYS2(prctl, PR_GET_CHILD_SUBREAPER, &is));
      expect_value(is, 0, "PR_GET_CHILD_SUBREAPER in the child");
      long orphan = expect_ok(sys_fork());
      if (orphan == 0) {
        wait_until(shared->words[0], "the parent is gone");
        shared->words[1] = (int)sys_getppid();
        sys_exit_group(8);
      }
      shared->words[2] = (int)orphan;
      sys_exit_group(0);
    }
    reap_good(middle);
    shared->words[0] = 1;
    expect_value(reap(shared->words[2]), 8 << 8, "the orphan's wait status");
    expect_value(shared->words[1], sys_getpid(), "the orphan's parent");
  }
}

CASE(namespace_init_reaps, "in a pid namespace orphans become children of its init") {
  IN_NEW_PID_NS(1) {
    long middle = expect_ok(sys_fork());
    if (middle == 0) {
      long orphan = expect_ok(sys_fork());
      if (orphan == 0) {
        wait_until(shared->words[0], "the parent is gone");
        sys_exit_group(sys_getppid() == 1 ? 6 : 7);
      }
      sys_exit_group(0);
    }
    reap_good(middle);
    shared->words[0] = 1;
    int status;
    expect(sys_wait4(-1, &status, 0) > 0, "no orphan");
    expect_value(status, 6 << 8, "its wait status");
  }
}

CASE(zombie_orphan, "a zombie whose parent ends is given to the reaper, which gets SIGCHLD") {
  IN_CHILD {
    expect_ok(SYS5(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    long middle = expect_ok(sys_fork());
    if (middle == 0) {
      long pid = exiting_child(5);
      wait_for_zombie(pid);
      shared->words[0] = (int)pid;
      sys_exit_group(0);
    }
    reap_good(middle);
    expect_value(reap(shared->words[0]), 5 << 8, "the zombie's status");
  }
}

CASE(pdeathsig, "PR_SET_PDEATHSIG sends its signal when the parent ends") {
  long middle = expect_ok(sys_fork());
  if (middle == 0) {
    long pid = expect_ok(sys_fork());
    if (pid == 0) {
      set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
      expect_ok(SYS2(prctl, PR_SET_PDEATHSIG, SIGUSR1));
      shared->words[0] = 1;
      shared->words[1] = (int)await_signal(signal_bit(SIGUSR1), 0);
      shared->words[2] = 1;
      sys_exit_group(0);
    }
    wait_until(shared->words[0], "the child is ready");
    sys_exit_group(0);
  }
  reap_good(middle);
  wait_until(shared->words[2], "the orphan is done");
  expect_value(shared->words[1], SIGUSR1, "sigtimedwait");
}

CASE(pdeathsig_rules, "pdeathsig is not inherited by fork, refuses numbers above 64, and is cleared by a change of uid") {
  int signal = 9;
  expect_error(EINVAL, SYS2(prctl, PR_SET_PDEATHSIG, 65));
  expect_ok(SYS2(prctl, PR_SET_PDEATHSIG, SIGUSR1));
  IN_CHILD {
    expect_ok(SYS2(prctl, PR_GET_PDEATHSIG, &signal));
    expect_value(signal, 0, "in the child");
  }
  expect_ok(SYS3(setresuid, -1, 1000, -1));
  expect_ok(SYS2(prctl, PR_GET_PDEATHSIG, &signal));
  expect_value(signal, 0, "after a change of the effective uid");
}

/* --- threads -------------------------------------------------------------------------------------------------------- */

static int exit_alone(void *unused) {
  (void)unused;
  wait_until(shared->words[0], "it may go");
  sys_exit(33);
}
CASE(leader_exits_first, "a process ends with its last thread, and its status is that thread's") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    start_thread(exit_alone, 0);
    sys_exit(21);
  }
  wait_until_state(pid, 'Z');
  expect_value(sys_wait4(pid, 0, WNOHANG), 0, "wait4 while a thread lives");
  shared->words[0] = 1;
  expect_value(reap(pid), 33 << 8, "the wait status");
}

static int end_all(void *status) { sys_exit_group((int)(long)status); }
CASE(exit_group, "exit_group in any thread ends them all with its status") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    start_thread(end_all, (void *)17);
    for (;;) SYS0(pause);
  }
  expect_value(reap(pid), 17 << 8, "the wait status");
}

CASE(first_exit_group, "of several exit_groups the first decides") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    for (long i = 1; i <= 4; i++) start_thread(end_all, (void *)i);
    sys_exit_group(5);
  }
  int status = reap(pid);
  expect(WIFEXITED(status) && WEXITSTATUS(status) >= 1 && WEXITSTATUS(status) <= 5, "wait status 0x%x", (unsigned)status);
}

static int fork_and_leave(void *unused) {
  (void)unused;
  long pid = sys_fork();
  if (pid == 0) {
    wait_until(shared->words[0], "it may go");
    shared->words[1] = (int)sys_getppid();
    sys_exit_group(0);
  }
  shared->words[2] = (int)pid;
  return 0;
}
CASE(childs_of_thread, "a child made by a thread belongs to the process and stays when the thread ends") {
  join_thread(start_thread(fork_and_leave, 0));
  shared->words[0] = 1;
  reap_good(shared->words[2]);
  expect_value(shared->words[1], sys_getpid(), "the child's parent");
}

static int fork_in_thread(void *unused) {
  (void)unused;
  long pid = sys_fork();
  if (pid == 0) {
    shared->words[0] = sys_gettid() == sys_getpid();
    shared->words[1] = (int)status_number("self", "Threads", 10);
    sys_exit_group(0);
  }
  reap_good(pid);
  return 0;
}
CASE(fork_copies_one_thread, "fork copies the calling thread only, which is the leader of the new process") {
  join_thread(start_thread(fork_in_thread, 0));
  expect_value(shared->words[0], 1, "tid is pid");
  expect_value(shared->words[1], 1, "threads");
}

CASE(parent_clone, "CLONE_PARENT makes a sibling: the caller's parent is its parent") {
  IN_CHILD {
    long middle = expect_ok(sys_fork());
    if (middle == 0) {
      long sibling = SYS5(clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
      if (sibling == 0) {
        shared->words[0] = (int)sys_getppid();
        sys_exit_group(4);
      }
      expect_error(ECHILD, sys_wait4(sibling, 0, __WALL));
      shared->words[1] = (int)sibling;
      sys_exit_group(0);
    }
    reap_good(middle);
    expect_value(reap(shared->words[1]), 4 << 8, "the sibling's status");
    expect_value(shared->words[0], sys_getpid(), "its parent");
  }
}

CASE(vfork, "vfork shares the memory and the parent sleeps until the child ends") {
  volatile int word = 1;
  long pid = SYS5(clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    sleep_us(5000);
    word = 2;
    sys_exit_group(0);
  }
  expect_value(word, 2, "the word");
  reap_good(pid);
}

CASE(core_flag, "with RLIMIT_CORE 0 no death has the core flag") {
  static const int signals[] = {SIGQUIT, SIGABRT, SIGSEGV, SIGTRAP, SIGSYS};
  struct rlimit none = {0, 0};
  expect_ok(SYS2(setrlimit, RLIMIT_CORE, &none));
  for (int i = 0; i < LENGTH(signals); i++) {
    long pid = expect_ok(sys_fork());
    if (pid == 0) {
      sys_kill(sys_getpid(), signals[i]);
      sys_exit_group(0);
    }
    expect_value(reap(pid), signals[i], "the wait status");
  }
}

MAIN("process.wait")
