/* Resource limits and what they do (setrlimit(2)). */
#include "proc.h"
#include "threads.h"

static void limit(int which, uint64_t soft) {
  struct rlimit now;
  expect_ok(SYS4(prlimit64, 0, which, 0, &now));
  now.rlim_cur = soft;
  if (now.rlim_max < soft) now.rlim_max = soft;
  expect_ok(SYS4(prlimit64, 0, which, &now, 0));
}

CASE(get_and_set, "a limit is read as it was set, and inherited by children") {
  struct rlimit set = {1000, 2000}, got = {0, 0};
  expect_ok(SYS2(setrlimit, RLIMIT_MEMLOCK, &set));
  expect_ok(SYS2(getrlimit, RLIMIT_MEMLOCK, &got));
  expect(got.rlim_cur == 1000 && got.rlim_max == 2000, "%lu and %lu", got.rlim_cur, got.rlim_max);
  IN_CHILD {
    expect_ok(SYS2(getrlimit, RLIMIT_MEMLOCK, &got));
    expect_value(got.rlim_cur, 1000, "in the child");
  }
}

CASE(errors, "unknown limits and a soft one above the hard one give EINVAL, bad pointers EFAULT") {
  struct rlimit bad = {2000, 1000}, got;
  expect_error(EINVAL, SYS2(setrlimit, RLIMIT_AS, &bad));
  expect_error(EINVAL, SYS2(getrlimit, 16, &got));
  expect_error(EINVAL, SYS2(setrlimit, -1, &got));
  expect_error(EFAULT, SYS2(setrlimit, RLIMIT_AS, 8));
  expect_error(EFAULT, SYS2(getrlimit, RLIMIT_AS, 8));
}

CASE(raising, "an ordinary user may lower the hard limit and not raise it: EPERM") {
  AS_UNPRIVILEGED {
    struct rlimit low = {100, 100}, high = {100, 101}, lower = {50, 100};
    expect_ok(SYS2(setrlimit, RLIMIT_MEMLOCK, &low));
    expect_error(EPERM, SYS2(setrlimit, RLIMIT_MEMLOCK, &high));
    expect_ok(SYS2(setrlimit, RLIMIT_MEMLOCK, &lower));
    lower.rlim_cur = 100;
    expect_ok(SYS2(setrlimit, RLIMIT_MEMLOCK, &lower));
  }
}

CASE(of_others, "prlimit reads and sets the limits of another process, with the permission for it") {
  struct held held = hold_fork();
  struct rlimit set = {111, 222}, got;
  expect_ok(SYS4(prlimit64, held.pid, RLIMIT_MEMLOCK, &set, 0));
  expect_ok(SYS4(prlimit64, held.pid, RLIMIT_MEMLOCK, 0, &got));
  expect_value(got.rlim_max, 222, "the hard limit");
  AS_UNPRIVILEGED expect_error(EPERM, SYS4(prlimit64, held.pid, RLIMIT_MEMLOCK, 0, &got));
  expect_error(ESRCH, SYS4(prlimit64, free_pid(), RLIMIT_MEMLOCK, 0, &got));
  release(&held);
}

CASE(in_proc, "/proc/self/limits shows the limits") {
  static char text[4096];
  struct rlimit set = {1234567, 7654321};
  expect_ok(SYS2(setrlimit, RLIMIT_MEMLOCK, &set));
  expect_ok(read_file("/proc/self/limits", text, sizeof text));
  int found = 0;
  for (char *line = text; *line; line++)
    if (starts_with(line, "Max locked memory         1234567              7654321              bytes")) found = 1;
  expect(found, "no such line in %s", text);
}

CASE(nofile, "at RLIMIT_NOFILE new descriptors give EMFILE, dup2 beyond it EBADF, and those that are open stay") {
  int ends[2];
  sys_pipe(ends);
  expect_ok(SYS3(dup3, ends[0], 50, 0));
  limit(RLIMIT_NOFILE, 20);
  long last = 0, result;
  while ((result = SYS1(dup, ends[0])) >= 0) last = result;
  expect_value(result, -EMFILE, "dup at the limit");
  expect_value(last, 19, "the last descriptor");
  expect_error(EMFILE, sys_open("/proc/self/status", O_RDONLY, 0));
  expect_error(EMFILE, sys_pipe(ends));
  expect_error(EBADF, SYS2(dup2, 50, 20));
  expect_error(EINVAL, SYS3(fcntl, 50, F_DUPFD, 20));
  expect_ok(SYS2(fcntl, 50, F_GETFD));
}

CASE(fsize, "at RLIMIT_FSIZE a write is cut short, then gives SIGXFSZ and EFBIG") {
  own_folder();
  sys_handle(SIGXFSZ, note_signal, 0);
  static char block[1000];
  int fd = (int)expect_ok(sys_open("file", O_RDWR | O_CREAT, 0600));
  limit(RLIMIT_FSIZE, 1500);
  expect_value(sys_write(fd, block, 1000), 1000, "first write");
  expect_value(sys_write(fd, block, 1000), 500, "second write");
  expect_value(noted.count, 0, "signals");
  expect_error(EFBIG, sys_write(fd, block, 1000));
  expect_value(noted.count, 1, "signals");
  expect_error(EFBIG, SYS2(ftruncate, fd, 2000));
  expect_value(noted.count, 2, "signals");
}

CASE(fsize_kills, "SIGXFSZ kills by default") {
  own_folder();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    int fd = (int)expect_ok(sys_open("file", O_RDWR | O_CREAT, 0600));
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    sys_write(fd, "x", 1);
    sys_exit_group(0);
  }
  expect_value(reap(pid), SIGXFSZ, "the wait status");
}

CASE(nproc, "at RLIMIT_NPROC an ordinary user's fork gives EAGAIN, root's does not") {
  IN_CHILD {
    /* A user nobody else has; the limit counts all processes of a user. */
    struct rlimit few = {3, 3};
    become_unprivileged(31234);
    struct held one = hold_fork(), two = hold_fork();
    expect_ok(SYS2(setrlimit, RLIMIT_NPROC, &few));
    expect_error(EAGAIN, sys_fork());
    release(&one);
    release(&two);
  }
  struct rlimit none = {1, 1};
  IN_CHILD {
    expect_ok(SYS2(setrlimit, RLIMIT_NPROC, &none));
    long pid = expect_ok(sys_fork());
    if (pid == 0) sys_exit_group(0);
    reap_good(pid);
  }
}

CASE(address_space, "beyond RLIMIT_AS mmap, brk and mremap give ENOMEM") {
  long map = expect_ok(sys_mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  limit(RLIMIT_AS, 64 << 20);
  expect_error(ENOMEM, sys_mmap(0, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  expect_ok(sys_mmap(0, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  expect_error(ENOMEM, SYS4(mremap, map, 4096, 128 << 20, MREMAP_MAYMOVE));
  long end = SYS1(brk, 0);
  expect_value(SYS1(brk, end + (128 << 20)), end, "brk");
}

CASE(data, "RLIMIT_DATA limits brk and private writable memory") {
  long end = SYS1(brk, 0);
  limit(RLIMIT_DATA, 8 << 20);
  expect_value(SYS1(brk, end + (16 << 20)), end, "brk");
  expect_error(ENOMEM, sys_mmap(0, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  expect_ok(sys_mmap(0, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  expect_ok(sys_mmap(0, 16 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static __attribute__((noinline)) int grow(int pages) {
  volatile char page[4096];
  page[0] = (char)pages;
  return pages == 0 ? page[0] : grow(pages - 1) + page[0];
}
CASE(stack, "the stack grows up to RLIMIT_STACK, then SIGSEGV comes") {
  long good = expect_ok(sys_fork());
  if (good == 0) {
    limit(RLIMIT_STACK, 2 << 20);
    grow(300);
    sys_exit_group(0);
  }
  reap_good(good);
  long bad = expect_ok(sys_fork());
  if (bad == 0) {
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_STACK, 256 << 10);
    grow(300);
    sys_exit_group(0);
  }
  expect_value(reap(bad), SIGSEGV, "the wait status");
}

CASE(cpu, "at RLIMIT_CPU SIGXCPU comes, at the hard limit SIGKILL") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct rlimit second = {1, RLIM_INFINITY};
    sys_handle(SIGXCPU, note_signal, 0);
    expect_ok(SYS2(getrlimit, RLIMIT_CPU, &second));
    second.rlim_cur = 1;
    expect_ok(SYS2(setrlimit, RLIMIT_CPU, &second));
    long begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    while (!noted.count && clock_us(CLOCK_PROCESS_CPUTIME_ID) < begin + 3000000) burn_us(10000);
    sys_exit_group(noted.count == 1 && noted.signals[0] == SIGXCPU ? 0 : 1);
  }
  reap_good(pid);
}

CASE(cpu_kills, "at the hard limit of RLIMIT_CPU the process is killed") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct rlimit second = {1, 1};
    sys_set_action(SIGXCPU, SIG_IGN);
    expect_ok(SYS2(setrlimit, RLIMIT_CPU, &second));
    burn_us(4000000);
    sys_exit_group(0);
  }
  expect_value(reap(pid), SIGKILL, "the wait status");
}

CASE(nice_limit, "an ordinary user may raise nice and lower it again only down to what RLIMIT_NICE allows: EACCES") {
  AS_UNPRIVILEGED {
    struct rlimit none = {0, 0};
    expect_ok(SYS2(setrlimit, RLIMIT_NICE, &none));
    expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 10));
    expect_error(EACCES, SYS3(setpriority, PRIO_PROCESS, 0, 5));
    expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 19));
  }
}

MAIN("process.limits")
