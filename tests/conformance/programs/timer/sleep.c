/* Sleeping and the clocks (nanosleep(2), clock_nanosleep(2), clock_gettime(2)). */
#include "threads.h"

static long sleep_on(int clock, int flags, struct timespec *time, struct timespec *left) {
  return SYS4(clock_nanosleep, clock, flags, time, left);
}

static void expect_slept(long begin, long least) {
  long took = now_us() - begin;
  expect(took >= least && took < least + 1000000, "it took %ld us instead of %ld", took, least);
}

CASE(nanosleep, "nanosleep sleeps at least as long as asked") {
  struct timespec time = from_us(20000);
  long begin = now_us();
  expect_ok(SYS2(nanosleep, &time, 0));
  expect_slept(begin, 20000);
}

CASE(nanosleep_zero, "nanosleep for no time comes back") {
  struct timespec time = {0, 0};
  expect_ok(SYS2(nanosleep, &time, &time));
}

CASE(nanosleep_errors, "nanosleep refuses a negative time and too many nanoseconds with EINVAL, bad pointers with EFAULT") {
  struct timespec bad[] = {{0, 1000000000}, {-1, 0}, {0, -1}};
  for (int i = 0; i < LENGTH(bad); i++) expect_error(EINVAL, SYS2(nanosleep, &bad[i], 0));
  expect_error(EFAULT, SYS2(nanosleep, 8, 0));
}

CASE(until, "clock_nanosleep with TIMER_ABSTIME sleeps until a time, and a time in the past is now") {
  struct timespec time = from_us(now_us() + 20000);
  long begin = now_us();
  expect_ok(sleep_on(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, 0));
  expect_slept(begin, 19900);
  expect_ok(sleep_on(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, 0));
  time = from_us(clock_us(CLOCK_REALTIME) + 10000);
  begin = now_us();
  expect_ok(sleep_on(CLOCK_REALTIME, TIMER_ABSTIME, &time, 0));
  expect_slept(begin, 9000);
}

CASE(other_clocks, "clock_nanosleep knows REALTIME, MONOTONIC, BOOTTIME, TAI and PROCESS_CPUTIME, not THREAD_CPUTIME or RAW") {
  static const int good[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
  struct timespec time = from_us(1000);
  for (int i = 0; i < LENGTH(good); i++) expect_ok(sleep_on(good[i], 0, &time, 0));
  expect_error(EOPNOTSUPP, sleep_on(CLOCK_THREAD_CPUTIME_ID, 0, &time, 0)); /* the man page says EINVAL */
  expect_error(EOPNOTSUPP, sleep_on(CLOCK_MONOTONIC_RAW, 0, &time, 0));
  expect_error(EINVAL, sleep_on(99, 0, &time, 0));
}

CASE(abs_leaves_remainder, "an interrupted absolute sleep does not write the remaining time") {
  struct timespec time = from_us(now_us() + 5000000), left = {77, 88};
  struct itimerval soon = {{0, 0}, {0, 10000}};
  sys_handle(SIGALRM, note_signal, 0);
  expect_ok(SYS3(setitimer, ITIMER_REAL, &soon, 0));
  expect_error(EINTR, sleep_on(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, &left));
  expect(left.tv_sec == 77 && left.tv_nsec == 88, "left: %ld s %ld ns", left.tv_sec, left.tv_nsec);
}

CASE(monotonic, "CLOCK_MONOTONIC never goes back and runs with CLOCK_REALTIME") {
  long last = now_us(), offset = clock_us(CLOCK_REALTIME) - last;
  for (int i = 0; i < 1000; i++) {
    long now = now_us();
    expect(now >= last, "from %ld to %ld", last, now);
    last = now;
  }
  long change = clock_us(CLOCK_REALTIME) - now_us() - offset;
  expect(change > -50000 && change < 50000, "the clocks differ by %ld us", change);
}

CASE(relations, "BOOTTIME is not behind MONOTONIC, the coarse clocks are not ahead of the fine ones") {
  long monotonic = now_us();
  expect(clock_us(CLOCK_BOOTTIME) >= monotonic, "BOOTTIME is behind");
  long coarse = clock_us(CLOCK_MONOTONIC_COARSE), fine = clock_us(CLOCK_MONOTONIC);
  expect(coarse <= fine && coarse > fine - 100000, "coarse %ld, fine %ld", coarse, fine);
  coarse = clock_us(CLOCK_REALTIME_COARSE), fine = clock_us(CLOCK_REALTIME);
  expect(coarse <= fine && coarse > fine - 100000, "coarse %ld, fine %ld", coarse, fine);
}

CASE(resolution, "clock_getres gives 1 ns for the fine clocks and accepts no pointer") {
  struct timespec time = {9, 9};
  expect_ok(SYS2(clock_getres, CLOCK_MONOTONIC, &time));
  expect(time.tv_sec == 0 && time.tv_nsec == 1, "%ld s %ld ns", time.tv_sec, time.tv_nsec);
  expect_ok(SYS2(clock_getres, CLOCK_REALTIME, 0));
  expect_ok(SYS2(clock_getres, CLOCK_MONOTONIC_COARSE, &time));
  expect(time.tv_sec == 0 && time.tv_nsec >= 1000000, "coarse: %ld ns", time.tv_nsec);
  expect_error(EINVAL, SYS2(clock_getres, 99, &time));
}

CASE(clock_errors, "clock_gettime refuses unknown clocks with EINVAL and bad pointers with EFAULT") {
  struct timespec time;
  expect_error(EINVAL, SYS2(clock_gettime, 99, &time));
  expect_error(EINVAL, SYS2(clock_gettime, 10, &time));
  expect_error(EFAULT, SYS2(clock_gettime, CLOCK_MONOTONIC, 8));
  expect_error(EINVAL, SYS2(clock_settime, CLOCK_MONOTONIC, &time));
}

CASE(settime_privilege, "clock_settime by an ordinary user gives EPERM") {
  AS_UNPRIVILEGED {
    struct timespec time = {1, 0};
    expect_error(EPERM, SYS2(clock_settime, CLOCK_REALTIME, &time));
  }
}

CASE(cpu_time, "the CPU-time clocks run while the processor is used and stand while the process sleeps") {
  long process = clock_us(CLOCK_PROCESS_CPUTIME_ID), thread = clock_us(CLOCK_THREAD_CPUTIME_ID);
  sleep_us(30000);
  expect(clock_us(CLOCK_PROCESS_CPUTIME_ID) - process < 20000, "slept, and used %ld us", clock_us(CLOCK_PROCESS_CPUTIME_ID) - process);
  burn_us(20000);
  expect(clock_us(CLOCK_PROCESS_CPUTIME_ID) - process >= 20000, "process clock: %ld us", clock_us(CLOCK_PROCESS_CPUTIME_ID) - process);
  expect(clock_us(CLOCK_THREAD_CPUTIME_ID) - thread >= 20000, "thread clock: %ld us", clock_us(CLOCK_THREAD_CPUTIME_ID) - thread);
}

/* The clock ids that clock_getcpuclockid() and pthread_getcpuclockid() make. */
static int process_clock(int pid) { return (~pid << 3) | 2; }
static int thread_clock(int tid) { return (~tid << 3) | 6; }

CASE(foreign_cpu_clock, "a process's CPU clock can be read by its number, a foreign thread's cannot") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    burn_us(10000);
    shared->words[0] = 1;
    for (;;) SYS0(pause);
  }
  wait_until(shared->words[0], "the child has used its time");
  expect(clock_us(process_clock((int)pid)) >= 10000, "the child's clock says %ld us", clock_us(process_clock((int)pid)));
  struct timespec time;
  expect_error(EINVAL, SYS2(clock_gettime, thread_clock((int)pid), &time));
  expect_ok(SYS2(clock_gettime, thread_clock((int)sys_gettid()), &time));
  expect_error(EINVAL, SYS2(clock_gettime, process_clock(free_pid()), &time));
  sys_kill(pid, SIGKILL);
  reap(pid);
}

CASE(times_of_day, "time, gettimeofday and clock_gettime agree") {
  struct timeval now = {0, 0};
  expect_ok(SYS2(gettimeofday, &now, 0));
  long clock = clock_us(CLOCK_REALTIME), seconds = SYS1(time, 0);
  expect(clock >= now.tv_sec * 1000000 + now.tv_usec, "gettimeofday is ahead");
  expect(seconds >= now.tv_sec && seconds <= now.tv_sec + 1, "time gives %ld instead of %ld", seconds, now.tv_sec);
  expect_error(EFAULT, SYS1(time, 8));
}

MAIN("timer.sleep")
