/* alarm, setitimer and timer_create (alarm(2), setitimer(2), timer_create(2)). */
#include "threads.h"

static struct itimerval it(long value_us, long interval_us) {
  return (struct itimerval){{interval_us / 1000000, interval_us % 1000000}, {value_us / 1000000, value_us % 1000000}};
}
static struct itimerspec its(long value_us, long interval_us) { return (struct itimerspec){from_us(interval_us), from_us(value_us)}; }
static void block(int signal) { set_mask(SIG_BLOCK, signal_bit(signal)); }

CASE(alarm_result, "alarm gives the seconds that were left of the one before, rounded, and 0 cancels it") {
  expect_value(SYS1(alarm, 100), 0, "first");
  expect_value(SYS1(alarm, 50), 100, "second");
  expect_value(SYS1(alarm, 0), 50, "third");
  expect_value(SYS1(alarm, 0), 0, "fourth");
}

CASE(alarm_not_inherited, "an alarm is not inherited by a child of fork") {
  SYS1(alarm, 100);
  IN_CHILD expect_value(SYS1(alarm, 0), 0, "alarm in the child");
  expect_value(SYS1(alarm, 0), 100, "alarm in the parent");
}

CASE(alarm_is_itimer, "alarm and ITIMER_REAL are the same timer") {
  struct itimerval now;
  SYS1(alarm, 100);
  expect_ok(SYS2(getitimer, ITIMER_REAL, &now));
  expect(now.it_value.tv_sec >= 99 && now.it_value.tv_sec <= 100, "left: %ld s", now.it_value.tv_sec);
  struct itimerval off = it(0, 0);
  expect_ok(SYS3(setitimer, ITIMER_REAL, &off, &now));
  expect(now.it_value.tv_sec >= 99, "the old value: %ld s", now.it_value.tv_sec);
  expect_value(SYS1(alarm, 0), 0, "alarm afterwards");
}

CASE(real_repeats, "ITIMER_REAL with an interval sends SIGALRM again and again") {
  struct itimerval timer = it(5000, 5000);
  sys_handle(SIGALRM, note_signal, 0);
  long begin = now_us();
  expect_ok(SYS3(setitimer, ITIMER_REAL, &timer, 0));
  while (noted.count < 4) sleep_us(1000);
  long took = now_us() - begin;
  expect(took >= 20000 && took < 2000000, "it took %ld us", took);
}

static void uses_cpu_time(long argument) {
  int which = (int)(argument & 0xff), signal = (int)(argument >> 8);
  struct itimerval timer = it(20000, 0);
  sys_handle(signal, note_signal, 0);
  expect_ok(SYS3(setitimer, which, &timer, 0));
  sleep_us(60000);
  expect_value(noted.count, 0, "signals after a sleep");
  long begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
  /* In user mode only: ITIMER_VIRTUAL does not count the kernel's time. */
  while (!noted.count && clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin < 5000000)
    for (volatile int i = 0; i < 200000 && !noted.count; i++);
  expect_value(noted.count, 1, "signals after work");
  expect_value(noted.signals[0], signal, "the signal");
}
CASE_ROW(virtual, uses_cpu_time, ITIMER_VIRTUAL | SIGVTALRM << 8, "ITIMER_VIRTUAL counts the time in user mode and sends SIGVTALRM")
CASE_ROW(prof, uses_cpu_time, ITIMER_PROF | SIGPROF << 8, "ITIMER_PROF counts CPU time and sends SIGPROF")

CASE(itimer_errors, "setitimer refuses unknown timers and too many microseconds with EINVAL, bad pointers with EFAULT") {
  struct itimerval bad = {{0, 0}, {0, 1000000}}, good = it(0, 0);
  expect_error(EINVAL, SYS3(setitimer, 3, &good, 0));
  expect_error(EINVAL, SYS2(getitimer, 3, &good));
  expect_error(EINVAL, SYS3(setitimer, ITIMER_REAL, &bad, 0));
  bad.it_value.tv_usec = -1;
  expect_error(EINVAL, SYS3(setitimer, ITIMER_REAL, &bad, 0));
  expect_error(EFAULT, SYS3(setitimer, ITIMER_REAL, 8, 0));
  expect_error(EFAULT, SYS2(getitimer, ITIMER_REAL, 8));
}

/* --- timer_create --------------------------------------------------------------------------------------------------- */

static int make_timer(int clock, int notify, int signal, uint64_t value) {
  struct sigevent event = {.sigev_value = value, .sigev_signo = signal, .sigev_notify = notify};
  event.sigev_notify_thread_id = (int)sys_gettid();
  int id = -1;
  expect_ok(SYS3(timer_create, clock, &event, &id));
  return id;
}
static void set_timer(int id, long value_us, long interval_us) {
  struct itimerspec time = its(value_us, interval_us);
  expect_ok(SYS4(timer_settime, id, 0, &time, 0));
}

CASE(ids_count_up, "timer_create gives different numbers, and they are the process's own: a child has none of them") {
  int one = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0), two = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  struct itimerspec time;
  expect(one >= 0 && one != two, "ids %d and %d", one, two);
  IN_CHILD expect_error(EINVAL, SYS2(timer_gettime, one, &time));
}

CASE(default_event, "without a sigevent a timer sends SIGALRM with its id as value") {
  int id;
  struct siginfo info;
  block(SIGALRM);
  expect_ok(SYS3(timer_create, CLOCK_REALTIME, 0, &id));
  set_timer(id, 1000, 0);
  expect_value(await_signal(signal_bit(SIGALRM), &info), SIGALRM, "sigtimedwait");
  expect_value(info.si_code, SI_TIMER, "si_code");
  expect_value((int)si_value(&info), id, "the value");
}

CASE(gettime, "timer_gettime tells what is left and the interval; a timer that is off has 0") {
  /* Not SIGEV_NONE: what such a timer says after it was switched off is a left-over in Linux. */
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
  struct itimerspec now = {{9, 9}, {9, 9}};
  expect_ok(SYS2(timer_gettime, id, &now));
  expect(!now.it_value.tv_sec && !now.it_value.tv_nsec && !now.it_interval.tv_sec, "a new timer runs");
  set_timer(id, 100000000, 7000000);
  expect_ok(SYS2(timer_gettime, id, &now));
  expect(now.it_value.tv_sec == 99 && now.it_interval.tv_sec == 7, "left %ld s, interval %ld s", now.it_value.tv_sec, now.it_interval.tv_sec);
  struct itimerspec off = its(0, 0), old;
  expect_ok(SYS4(timer_settime, id, 0, &off, &old));
  expect_value(old.it_value.tv_sec, 99, "the old value");
  expect_ok(SYS2(timer_gettime, id, &now));
  expect(!now.it_value.tv_sec && !now.it_value.tv_nsec, "the timer still runs");
}

CASE(absolute, "timer_settime with TIMER_ABSTIME fires at a time, at once when it is past") {
  block(SIGUSR1);
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
  struct itimerspec time = {{0, 0}, from_us(now_us() + 15000)};
  long begin = now_us();
  expect_ok(SYS4(timer_settime, id, TIMER_ABSTIME, &time, 0));
  expect_value(await_signal(signal_bit(SIGUSR1), 0), SIGUSR1, "sigtimedwait");
  expect(now_us() - begin >= 14900, "after %ld us", now_us() - begin);
  time.it_value = (struct timespec){0, 1};
  expect_ok(SYS4(timer_settime, id, TIMER_ABSTIME, &time, 0));
  expect_value(await_signal(signal_bit(SIGUSR1), 0), SIGUSR1, "sigtimedwait");
}

CASE(overrun, "a blocked periodic timer sends one signal and counts the other expirations as its overrun") {
  struct siginfo info;
  block(SIGUSR1);
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
  set_timer(id, 2000, 2000);
  sleep_us(50000);
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
  expect(si_overrun(&info) >= 15 && si_overrun(&info) < 2000, "si_overrun is %d", si_overrun(&info));
  long overrun = SYS1(timer_getoverrun, id);
  expect_value(overrun, si_overrun(&info), "timer_getoverrun");
}

CASE(queued_twice, "two timers with one signal are both delivered, though the signal is a standard one") {
  struct siginfo info;
  block(SIGUSR1);
  int one = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 11), two = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 22);
  set_timer(one, 1000, 0);
  sleep_us(3000);
  set_timer(two, 1000, 0);
  sleep_us(5000);
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "first");
  expect_value(si_value(&info), 11, "the first value");
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "second");
  expect_value(si_value(&info), 22, "the second value");
}

CASE(deleted, "after timer_delete at most the signal comes that was pending already") {
  block(SIGUSR1);
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
  set_timer(id, 1000, 1000);
  sleep_us(5000);
  expect_ok(SYS1(timer_delete, id));
  expect_error(EINVAL, SYS1(timer_delete, id));
  /* Since Linux 6.13 it is taken back. */
  long result = take_signal(signal_bit(SIGUSR1), 0);
  expect(result == -EAGAIN || result == SIGUSR1, "sigtimedwait: %ld", result);
  sleep_us(3000);
  expect_error(EAGAIN, take_signal(signal_bit(SIGUSR1), 0));
}

static int wait_for_own_timer(void *unused) {
  (void)unused;
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_THREAD_ID | SIGEV_SIGNAL, SIGUSR1, 5);
  set_timer(id, 1000, 0);
  while (!shared->words[0]) sleep_us(500);
  return 0;
}
CASE(thread_id, "SIGEV_THREAD_ID sends to the thread it names") {
  sys_handle(SIGUSR1, note_signal, 0);
  struct thread *thread = start_thread(wait_for_own_timer, 0);
  wait_until(noted.count, "the handler has run");
  shared->words[0] = 1;
  join_thread(thread);
  expect_value(noted.tids[0], thread->number, "the thread that ran it");
}

CASE(none, "SIGEV_NONE counts down and sends nothing") {
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  struct itimerspec now;
  set_timer(id, 2000, 0);
  sleep_us(10000);
  expect_ok(SYS2(timer_gettime, id, &now));
  expect(!now.it_value.tv_sec && !now.it_value.tv_nsec, "the timer still runs");
}

CASE(cpu_timer, "a timer on CLOCK_PROCESS_CPUTIME_ID fires after that much work") {
  sys_handle(SIGUSR1, note_signal, 0);
  int id = make_timer(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 1);
  set_timer(id, 20000, 0);
  sleep_us(40000);
  expect_value(noted.count, 0, "signals after a sleep");
  for (int i = 0; i < 200 && !noted.count; i++) burn_us(5000);
  expect_value(noted.count, 1, "signals after work");
}

CASE(create_errors, "timer_create refuses unknown clocks, notifications and signals with EINVAL") {
  struct sigevent event = {.sigev_signo = SIGUSR1, .sigev_notify = SIGEV_SIGNAL};
  int id;
  expect_error(EINVAL, SYS3(timer_create, 99, &event, &id));
  event.sigev_signo = 0;
  expect_error(EINVAL, SYS3(timer_create, CLOCK_MONOTONIC, &event, &id));
  event.sigev_signo = 65;
  expect_error(EINVAL, SYS3(timer_create, CLOCK_MONOTONIC, &event, &id));
  event.sigev_signo = SIGUSR1, event.sigev_notify = 99;
  expect_error(EINVAL, SYS3(timer_create, CLOCK_MONOTONIC, &event, &id));
  event.sigev_notify = SIGEV_THREAD_ID, event.sigev_notify_thread_id = free_pid();
  expect_error(EINVAL, SYS3(timer_create, CLOCK_MONOTONIC, &event, &id));
  expect_error(EFAULT, SYS3(timer_create, CLOCK_MONOTONIC, 8, &id));
  event.sigev_notify = SIGEV_SIGNAL;
  expect_error(EFAULT, SYS3(timer_create, CLOCK_MONOTONIC, &event, 8));
}

CASE(settime_errors, "timer_settime and its sisters refuse unknown timers and bad times") {
  struct itimerspec time = its(1000, 0);
  int id = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  expect_error(EINVAL, SYS4(timer_settime, 12345, 0, &time, 0));
  expect_error(EINVAL, SYS2(timer_gettime, 12345, &time));
  expect_error(EINVAL, SYS1(timer_getoverrun, 12345));
  expect_error(EINVAL, SYS4(timer_settime, id, 0, 0, 0));
  expect_error(EFAULT, SYS4(timer_settime, id, 0, 8, 0));
  time.it_value.tv_nsec = 1000000000;
  expect_error(EINVAL, SYS4(timer_settime, id, 0, &time, 0));
}

CASE(after_exec, "getitimer works on a timer that was never set") {
  struct itimerval now = {{1, 1}, {1, 1}};
  expect_ok(SYS2(getitimer, ITIMER_PROF, &now));
  expect(!now.it_value.tv_sec && !now.it_value.tv_usec && !now.it_interval.tv_sec, "it runs");
}

MAIN("timer.interval")
