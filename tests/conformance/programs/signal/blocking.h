/* Every call that sleeps, for the programs that interrupt, stop and kill the sleeper.
 *
 * `prepare` runs in the process that watches, before it forks; `sleep_in` is the call; `let_go` gives the sleeper what it
 * waits for. The row says what a handler does to the call (signal(7), "Interruption of system calls and library functions by
 * signal handlers"): with SA_RESTART some go on and some give EINTR; without it all but one give EINTR. */
#ifndef CONFORMANCE_SIGNAL_BLOCKING_H
#define CONFORMANCE_SIGNAL_BLOCKING_H

#include "threads.h"

enum { GOES_ON, INTERRUPTED };

/* name, sentence, with SA_RESTART, after stop and continue without a handler */
#define BLOCKING_CALLS(X)                                                                        \
  X(READ_PIPE, "a read from an empty pipe", GOES_ON, GOES_ON)                                    \
  X(READV_PIPE, "a readv from an empty pipe", GOES_ON, GOES_ON)                                  \
  X(WRITE_PIPE, "a write to a full pipe", GOES_ON, GOES_ON)                                      \
  X(OPEN_FIFO, "opening a fifo that nobody writes", GOES_ON, GOES_ON)                            \
  X(WAIT4, "wait4", GOES_ON, GOES_ON)                                                            \
  X(WAITID, "waitid", GOES_ON, GOES_ON)                                                          \
  X(FUTEX, "a futex wait", GOES_ON, GOES_ON)                                                     \
  X(FUTEX_TIMEOUT, "a futex wait with a timeout", INTERRUPTED, GOES_ON)                          \
  X(FUTEX_BITSET, "a futex bitset wait with an absolute timeout", INTERRUPTED, GOES_ON)          \
  X(NANOSLEEP, "nanosleep", INTERRUPTED, GOES_ON)                                                \
  X(CLOCK_NANOSLEEP, "clock_nanosleep until a time", INTERRUPTED, GOES_ON)                       \
  X(POLL, "poll", INTERRUPTED, GOES_ON)                                                          \
  X(POLL_TIMEOUT, "poll with a timeout and no descriptors", INTERRUPTED, GOES_ON)                \
  X(PPOLL, "ppoll", INTERRUPTED, GOES_ON)                                                        \
  X(SELECT, "select", INTERRUPTED, GOES_ON)                                                      \
  X(PSELECT, "pselect", INTERRUPTED, GOES_ON)                                                    \
  X(EPOLL_WAIT, "epoll_wait", INTERRUPTED, INTERRUPTED)                                          \
  X(EPOLL_PWAIT, "epoll_pwait", INTERRUPTED, INTERRUPTED)                                        \
  X(PAUSE, "pause", INTERRUPTED, GOES_ON)                                                        \
  X(SIGSUSPEND, "sigsuspend", INTERRUPTED, GOES_ON)                                              \
  X(SIGTIMEDWAIT, "sigtimedwait", INTERRUPTED, INTERRUPTED)                                      \
  X(READ_SIGNALFD, "a read from a signalfd", GOES_ON, GOES_ON)                                   \
  X(READ_TIMERFD, "a read from a timerfd", GOES_ON, GOES_ON)                                     \
  X(READ_EVENTFD, "a read from an eventfd", GOES_ON, GOES_ON)                                    \
  X(WRITE_EVENTFD, "a write to a full eventfd", GOES_ON, GOES_ON)                                \
  X(RECORD_LOCK, "waiting for a record lock", GOES_ON, GOES_ON)                                  \
  X(FILE_LOCK, "waiting for flock", GOES_ON, GOES_ON)                                            \
  X(SPLICE, "a splice from an empty pipe", GOES_ON, GOES_ON)                                     \
  X(FUTEX_WAITV, "futex_waitv", GOES_ON, GOES_ON)

#define NAME_OF_CALL(name, sentence, restart, stop) name,
enum blocking { BLOCKING_CALLS(NAME_OF_CALL) BLOCKING_COUNT };
#undef NAME_OF_CALL

/* Words that sleeper and watcher share. */
enum { RESULT, READY, HANDLED, DONE, GRANDCHILD, WORD };

static struct {
  int ends[2], other[2], fd, fd2;
} fds;

static char page_of_bytes[4096];

static void fill_pipe(void) {
  SYS3(fcntl, fds.ends[1], F_SETFL, O_NONBLOCK);
  while (sys_write(fds.ends[1], page_of_bytes, sizeof page_of_bytes) > 0);
  SYS3(fcntl, fds.ends[1], F_SETFL, 0);
}

static inline void prepare(enum blocking which) {
  expect_ok(sys_pipe(fds.ends));
  expect_ok(sys_pipe(fds.other));
  if (which == WRITE_PIPE) fill_pipe();
  if (which == OPEN_FIFO) {
    own_folder();
    expect_ok(SYS3(mknod, "fifo", S_IFIFO | 0600, 0));
  }
  if (which == EPOLL_WAIT || which == EPOLL_PWAIT) {
    struct epoll_event event = {EPOLLIN, 0};
    fds.fd = (int)expect_ok(SYS1(epoll_create1, 0));
    expect_ok(SYS4(epoll_ctl, fds.fd, EPOLL_CTL_ADD, fds.ends[0], &event));
  }
  if (which == READ_SIGNALFD || which == SIGTIMEDWAIT) set_mask(SIG_BLOCK, signal_bit(SIGUSR2));
  uint64_t usr2 = signal_bit(SIGUSR2);
  if (which == READ_SIGNALFD) fds.fd = (int)expect_ok(SYS4(signalfd4, -1, &usr2, 8, 0));
  if (which == READ_TIMERFD) fds.fd = (int)expect_ok(SYS2(timerfd_create, CLOCK_MONOTONIC, 0));
  if (which == READ_EVENTFD || which == WRITE_EVENTFD) fds.fd = (int)expect_ok(SYS2(eventfd2, 0, 0));
  uint64_t full = ~0UL - 1;
  if (which == WRITE_EVENTFD) expect_value(sys_write(fds.fd, &full, 8), 8, "filling the eventfd");
  if (which == RECORD_LOCK || which == FILE_LOCK) {
    own_folder();
    make_file("file", "x", 1, 0600);
    fds.fd = (int)expect_ok(sys_open("file", O_RDWR, 0));
    struct { int16_t type, whence; int64_t start, length; int32_t pid; } lock = {1 /* F_WRLCK */, 0, 0, 0, 0};
    if (which == RECORD_LOCK) expect_ok(SYS3(fcntl, fds.fd, F_SETLK, &lock));
    else expect_ok(SYS2(flock, fds.fd, LOCK_EX));
  }
}

static inline long sleep_in(enum blocking which) {
  static char buffer[4096];
  struct timespec long_time = {100, 0}, late = {0, 0};
  struct pollfd poll = {fds.ends[0], POLLIN, 0};
  struct epoll_event event;
  uint64_t usr2 = signal_bit(SIGUSR2), none = 0, value = 1;
  uint64_t set[16] = {0};
  set[fds.ends[0] / 64] |= 1UL << (fds.ends[0] % 64);
  SYS2(clock_gettime, CLOCK_MONOTONIC, &late);
  late.tv_sec += 100;
  struct { int16_t type, whence; int64_t start, length; int32_t pid; } lock = {1, 0, 0, 0, 0};
  struct iovec vector = {buffer, 1};
  int *word = (int *)&shared->words[WORD];
  struct futex_waitv waiters[1] = {{0, (uint64_t)word, FUTEX2_SIZE_U32, 0}};
  if (which == WAIT4 || which == WAITID) {
    long pid = sys_fork();
    if (pid == 0) {
      sys_set_action(SIGUSR1, SIG_IGN);
      for (;;) SYS0(pause);
    }
    shared->words[GRANDCHILD] = (int)pid;
  }
  long file = which == FILE_LOCK ? sys_open("file", O_RDWR, 0) : -1;
  shared->words[READY] = 1;
  switch (which) {
    case READ_PIPE: return sys_read(fds.ends[0], buffer, 1);
    case READV_PIPE: return SYS3(readv, fds.ends[0], &vector, 1);
    case WRITE_PIPE: return sys_write(fds.ends[1], buffer, sizeof buffer);
    case OPEN_FIFO: return sys_open("fifo", O_RDONLY, 0);
    case WAIT4: return sys_wait4(-1, 0, 0);
    case WAITID: return SYS5(waitid, P_ALL, 0, 0, WEXITED, 0);
    case FUTEX: return sys_futex(word, FUTEX_WAIT, 0, 0);
    case FUTEX_TIMEOUT: return sys_futex(word, FUTEX_WAIT, 0, &long_time);
    case FUTEX_BITSET: return SYS6(futex, word, FUTEX_WAIT_BITSET, 0, &late, 0, 1);
    case NANOSLEEP: return SYS2(nanosleep, &long_time, 0);
    case CLOCK_NANOSLEEP: return SYS4(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &late, 0);
    case POLL: return SYS3(poll, &poll, 1, -1);
    case POLL_TIMEOUT: return SYS3(poll, 0, 0, 100000);
    case PPOLL: return SYS5(ppoll, &poll, 1, 0, &none, 8);
    case SELECT: return SYS5(select, fds.ends[0] + 1, set, 0, 0, 0);
    case PSELECT: return SYS6(pselect6, fds.ends[0] + 1, set, 0, 0, 0, 0);
    case EPOLL_WAIT: return SYS4(epoll_wait, fds.fd, &event, 1, -1);
    case EPOLL_PWAIT: return SYS6(epoll_pwait, fds.fd, &event, 1, -1, &none, 8);
    case PAUSE: return SYS0(pause);
    case SIGSUSPEND: return SYS2(rt_sigsuspend, &none, 8);
    case SIGTIMEDWAIT: return SYS4(rt_sigtimedwait, &usr2, 0, 0, 8);
    case READ_SIGNALFD: return sys_read(fds.fd, buffer, 128);
    case READ_TIMERFD:
    case READ_EVENTFD: return sys_read(fds.fd, buffer, 8);
    case WRITE_EVENTFD: return sys_write(fds.fd, &value, 8);
    case RECORD_LOCK: return SYS3(fcntl, fds.fd, F_SETLKW, &lock);
    case FILE_LOCK: return SYS2(flock, file, LOCK_EX);
    case SPLICE: return SYS6(splice, fds.ends[0], 0, fds.other[1], 0, 1, 0);
    case FUTEX_WAITV: return SYS5(futex_waitv, waiters, 1, 0, 0, CLOCK_MONOTONIC);
    default: return -ENOSYS;
  }
}

/* Ends the sleep of a sleeper, where somebody else can. Gives the result that it must have, -1 where nobody can. */
static inline long let_go(enum blocking which, long pid) {
  uint64_t one = 1;
  struct itimerspec now = {{0, 0}, {0, 1}};
  struct { int16_t type, whence; int64_t start, length; int32_t pid; } unlock = {2 /* F_UNLCK */, 0, 0, 0, 0};
  static char bin[65536];
  switch (which) {
    case READ_PIPE:
    case READV_PIPE:
    case POLL:
    case PPOLL:
    case SELECT:
    case PSELECT:
    case EPOLL_WAIT:
    case EPOLL_PWAIT:
    case SPLICE: return sys_write(fds.ends[1], "x", 1);
    case WRITE_PIPE: return sys_read(fds.ends[0], bin, sizeof bin), 4096;
    case OPEN_FIFO: return expect_ok(sys_open("fifo", O_WRONLY | O_NONBLOCK, 0)), fds.other[1] + 1;
    case WAIT4: return sys_kill(shared->words[GRANDCHILD], SIGKILL), shared->words[GRANDCHILD];
    case WAITID: return sys_kill(shared->words[GRANDCHILD], SIGKILL);
    case FUTEX:
    case FUTEX_TIMEOUT:
    case FUTEX_BITSET:
    case FUTEX_WAITV: return sys_futex((int *)&shared->words[WORD], FUTEX_WAKE, 1, 0) - 1;
    case SIGTIMEDWAIT: return sys_kill(pid, SIGUSR2), SIGUSR2;
    case READ_SIGNALFD: return sys_kill(pid, SIGUSR2), 128;
    case READ_TIMERFD: return SYS4(timerfd_settime, fds.fd, 0, &now, 0), 8;
    case READ_EVENTFD: return sys_write(fds.fd, &one, 8);
    case WRITE_EVENTFD: return sys_read(fds.fd, bin, 8);
    case RECORD_LOCK: return SYS3(fcntl, fds.fd, F_SETLK, &unlock);
    case FILE_LOCK: return SYS2(flock, fds.fd, LOCK_UN);
    default: return -1;
  }
}

#endif
