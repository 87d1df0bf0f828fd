/* Timers as descriptors (timerfd_create(2)). */
#include "threads.h"

static int make(int clock, int flags) { return (int)expect_ok(SYS2(timerfd_create, clock, flags)); }
static void set(int fd, long value_us, long interval_us) {
  struct itimerspec time = {from_us(interval_us), from_us(value_us)};
  expect_ok(SYS4(timerfd_settime, fd, 0, &time, 0));
}
static uint64_t expirations(int fd) {
  uint64_t count = 0;
  expect_value(sys_read(fd, &count, 8), 8, "read");
  return count;
}

CASE(once, "a blocking read sleeps until the timer expires and gives 1") {
  int fd = make(CLOCK_MONOTONIC, 0);
  long begin = now_us();
  set(fd, 20000, 0);
  expect_value(expirations(fd), 1, "expirations");
  expect(now_us() - begin >= 20000, "after %ld us", now_us() - begin);
}

CASE(nonblocking, "a non-blocking read gives EAGAIN before the timer expires, and again after it was read") {
  uint64_t count;
  int fd = make(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  expect_value(SYS2(fcntl, fd, F_GETFD), FD_CLOEXEC, "descriptor flags");
  expect_error(EAGAIN, sys_read(fd, &count, 8));
  set(fd, 1000, 0);
  sleep_us(5000);
  expect_value(expirations(fd), 1, "expirations");
  expect_error(EAGAIN, sys_read(fd, &count, 8));
}

CASE(periodic, "a periodic timer counts its expirations between reads") {
  int fd = make(CLOCK_MONOTONIC, 0);
  set(fd, 2000, 2000);
  sleep_us(50000);
  uint64_t count = expirations(fd);
  expect(count >= 15 && count < 2000, "%lu expirations", count);
  long begin = now_us();
  for (int i = 0; i < 5; i++) expirations(fd);
  expect(now_us() - begin < 1000000, "five more took %ld us", now_us() - begin);
}

CASE(absolute, "TFD_TIMER_ABSTIME expires at a time, at once when it is past") {
  int fd = make(CLOCK_MONOTONIC, 0);
  struct itimerspec time = {{0, 0}, from_us(now_us() + 15000)};
  long begin = now_us();
  expect_ok(SYS4(timerfd_settime, fd, TFD_TIMER_ABSTIME, &time, 0));
  expirations(fd);
  expect(now_us() - begin >= 14900, "after %ld us", now_us() - begin);
  time.it_value = from_us(1);
  expect_ok(SYS4(timerfd_settime, fd, TFD_TIMER_ABSTIME, &time, 0));
  expirations(fd);
}

CASE(absolute_periodic, "a periodic timer that begins in the past has counted what it missed") {
  int fd = make(CLOCK_MONOTONIC, 0);
  struct itimerspec time = {from_us(1000), from_us(now_us() - 20000)};
  expect_ok(SYS4(timerfd_settime, fd, TFD_TIMER_ABSTIME, &time, 0));
  uint64_t count = expirations(fd);
  expect(count >= 20 && count < 1000, "%lu expirations", count);
}

CASE(polls, "poll and epoll see the expiration") {
  int fd = make(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct pollfd poll = {fd, POLLIN, 0};
  expect_value(SYS3(poll, &poll, 1, 0), 0, "poll before");
  set(fd, 10000, 0);
  expect_value(SYS3(poll, &poll, 1, 5000), 1, "poll");
  expect_value(poll.revents, POLLIN, "revents");
  struct epoll_event event = {EPOLLIN, 1};
  long epoll = expect_ok(SYS1(epoll_create1, 0));
  expirations(fd);
  expect_ok(SYS4(epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event));
  set(fd, 10000, 0);
  expect_value(SYS4(epoll_wait, epoll, &event, 1, 5000), 1, "epoll_wait");
}

CASE(gettime, "timerfd_gettime and the old value of timerfd_settime tell what is left") {
  int fd = make(CLOCK_MONOTONIC, 0);
  struct itimerspec now, off = {{0, 0}, {0, 0}};
  set(fd, 100000000, 5000000);
  expect_ok(SYS2(timerfd_gettime, fd, &now));
  expect(now.it_value.tv_sec == 99 && now.it_interval.tv_sec == 5, "left %ld s, interval %ld s", now.it_value.tv_sec, now.it_interval.tv_sec);
  expect_ok(SYS4(timerfd_settime, fd, 0, &off, &now));
  expect_value(now.it_value.tv_sec, 99, "the old value");
  expect_ok(SYS2(timerfd_gettime, fd, &now));
  expect_value(now.it_value.tv_sec, 0, "a timer that is off");
}

CASE(rearm_forgets, "setting the timer again forgets expirations nobody has read") {
  uint64_t count;
  int fd = make(CLOCK_MONOTONIC, TFD_NONBLOCK);
  set(fd, 1000, 0);
  sleep_us(4000);
  set(fd, 100000000, 0);
  expect_error(EAGAIN, sys_read(fd, &count, 8));
}

CASE(shared_by_fork, "a child shares the timer, and an expiration is read once") {
  uint64_t count;
  int fd = make(CLOCK_MONOTONIC, TFD_NONBLOCK);
  IN_CHILD set(fd, 1000, 0);
  sleep_us(4000);
  expect_value(expirations(fd), 1, "expirations");
  IN_CHILD expect_error(EAGAIN, sys_read(fd, &count, 8));
}

CASE(errors, "timerfd calls refuse unknown clocks, flags, descriptors and times") {
  struct itimerspec time = {{0, 0}, {0, 1000000000}};
  char bytes[8];
  int fd = make(CLOCK_MONOTONIC, TFD_NONBLOCK), ends[2];
  sys_pipe(ends);
  expect_error(EINVAL, SYS2(timerfd_create, 99, 0));
  expect_error(EINVAL, SYS2(timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0));
  expect_error(EINVAL, SYS2(timerfd_create, CLOCK_MONOTONIC, 1));
  expect_error(EINVAL, SYS4(timerfd_settime, fd, 0, &time, 0));
  expect_error(EINVAL, SYS4(timerfd_settime, fd, 99, &time, 0));
  expect_error(EFAULT, SYS4(timerfd_settime, fd, 0, 8, 0));
  time.it_value.tv_nsec = 0;
  expect_error(EINVAL, SYS4(timerfd_settime, ends[0], 0, &time, 0));
  expect_error(EBADF, SYS4(timerfd_settime, 999, 0, &time, 0));
  expect_error(EINVAL, SYS2(timerfd_gettime, ends[0], &time));
  expect_error(EINVAL, sys_read(fd, bytes, 7));
  expect_error(EINVAL, sys_write(fd, bytes, 8));
}

CASE(other_clocks, "timers run on CLOCK_REALTIME and CLOCK_BOOTTIME too") {
  static const int clocks[] = {CLOCK_REALTIME, CLOCK_BOOTTIME};
  for (int i = 0; i < 2; i++) {
    int fd = make(clocks[i], 0);
    set(fd, 2000, 0);
    expect_value(expirations(fd), 1, "expirations");
  }
}

MAIN("timer.timerfd")
