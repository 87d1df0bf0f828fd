/* Processes as descriptors (pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2)). */
#include "proc.h"
#include "threads.h"

static int open_pid(long pid, unsigned flags) { return (int)expect_ok(SYS2(pidfd_open, pid, flags)); }
static int is_readable(int fd) {
  struct pollfd poll = {fd, POLLIN, 0};
  return SYS3(poll, &poll, 1, 0) == 1;
}
static long send(int fd, int signal) { return SYS4(pidfd_send_signal, fd, signal, 0, 0); }

CASE(cloexec, "a pidfd is close-on-exec") {
  int fd = open_pid(sys_getpid(), 0);
  expect_value(SYS2(fcntl, fd, F_GETFD), FD_CLOEXEC, "descriptor flags");
}

CASE(open_errors, "pidfd_open refuses numbers that are not positive and unknown flags with EINVAL, a free number with ESRCH") {
  expect_error(EINVAL, SYS2(pidfd_open, 0, 0));
  expect_error(EINVAL, SYS2(pidfd_open, -1, 0));
  expect_error(EINVAL, SYS2(pidfd_open, sys_getpid(), 1));
  expect_error(ESRCH, SYS2(pidfd_open, free_pid(), 0));
}

static int wait_for_word(void *unused) {
  (void)unused;
  while (!shared->words[0]) sleep_us(500);
  return 0;
}
CASE(thread, "pidfd_open refuses a thread that is not the leader") {
  /* EINVAL up to Linux 6.14, ENOENT since 6.15. */
  struct thread *thread = start_thread(wait_for_word, 0);
  long result = SYS2(pidfd_open, thread->number, 0);
  expect(result == -EINVAL || result == -ENOENT, "pidfd_open: %ld", result);
  shared->words[0] = 1;
  join_thread(thread);
}

CASE(zombie, "a zombie can be opened, and is readable at once") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(0);
  wait_for_zombie(pid);
  expect(is_readable(open_pid(pid, 0)), "not readable");
  reap_good(pid);
}

CASE(polls, "a pidfd becomes readable when the process ends, and poll wakes up") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sleep_us(10000);
    sys_exit_group(0);
  }
  int fd = open_pid(pid, 0);
  struct pollfd poll = {fd, POLLIN, 0};
  expect_value(SYS3(poll, &poll, 1, 5000), 1, "poll");
  expect_value(poll.revents, POLLIN, "revents");
  reap_good(pid);
}

CASE(hangs_up, "once the process has been reaped a pidfd says POLLHUP too") {
  /* Since Linux 6.9; before, only POLLIN. */
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(0);
  int fd = open_pid(pid, 0);
  reap_good(pid);
  struct pollfd poll = {fd, POLLIN, 0};
  expect_value(SYS3(poll, &poll, 1, 0), 1, "poll");
  expect((poll.revents & POLLIN) != 0 && (poll.revents & ~(POLLIN | POLLHUP)) == 0, "revents 0x%x", (unsigned)poll.revents);
}

CASE(epolls, "epoll reports the end of a process") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sleep_us(10000);
    sys_exit_group(0);
  }
  struct epoll_event event = {EPOLLIN, 9};
  long epoll = expect_ok(SYS1(epoll_create1, 0));
  expect_ok(SYS4(epoll_ctl, epoll, EPOLL_CTL_ADD, open_pid(pid, 0), &event));
  expect_value(SYS4(epoll_wait, epoll, &event, 1, 5000), 1, "epoll_wait");
  reap_good(pid);
}

CASE(multithreaded_end, "a pidfd is not readable when only the leader has ended") {
  int ends[2];
  sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    start_thread(wait_for_word, 0);
    sys_exit(0);
  }
  int fd = open_pid(pid, 0);
  wait_until_state(pid, 'Z');
  expect(!is_readable(fd), "readable while a thread lives");
  shared->words[0] = 1;
  wait_until(is_readable(fd), "it is readable");
  reap(pid);
}

CASE(waits, "waitid with P_PIDFD waits for that child and gives its siginfo") {
  struct siginfo info = {0};
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(3);
  int fd = open_pid(pid, 0);
  expect_value(SYS5(waitid, P_PIDFD, fd, &info, WEXITED | WNOWAIT, 0), 0, "waitid");
  expect_value(info.si_pid, pid, "si_pid");
  expect_value(info.si_status, 3, "si_status");
  expect_value(SYS5(waitid, P_PIDFD, fd, &info, WEXITED, 0), 0, "waitid");
  expect_error(ECHILD, SYS5(waitid, P_PIDFD, fd, &info, WEXITED, 0));
}

CASE(wait_errors, "waitid with P_PIDFD says EBADF for other descriptors and ECHILD for processes that are no children") {
  int ends[2];
  sys_pipe(ends);
  expect_error(EBADF, SYS5(waitid, P_PIDFD, ends[0], 0, WEXITED, 0));
  expect_error(EBADF, SYS5(waitid, P_PIDFD, 999, 0, WEXITED, 0));
  expect_error(EINVAL, SYS5(waitid, P_PIDFD, -1, 0, WEXITED, 0));
  expect_error(ECHILD, SYS5(waitid, P_PIDFD, open_pid(sys_getppid(), 0), 0, WEXITED, 0));
}

CASE(nonblock, "waitid on a PIDFD_NONBLOCK descriptor gives EAGAIN while the child lives") {
  struct held held = hold_fork();
  int fd = open_pid(held.pid, PIDFD_NONBLOCK);
  expect((SYS2(fcntl, fd, F_GETFL) & O_NONBLOCK) != 0, "the flag is not there");
  expect_error(EAGAIN, SYS5(waitid, P_PIDFD, fd, 0, WEXITED, 0));
  release(&held);
}

CASE(sends, "pidfd_send_signal sends as kill does") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  expect_ok(send(open_pid(sys_getpid(), 0), SIGUSR1));
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
  expect_value(info.si_code, SI_USER, "si_code");
  expect_value(info.si_pid, sys_getpid(), "si_pid");
}

CASE(sends_info, "pidfd_send_signal carries a siginfo whose number must fit") {
  struct siginfo info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
  set_si_value(&info, 77);
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  int fd = open_pid(sys_getpid(), 0);
  expect_ok(SYS4(pidfd_send_signal, fd, SIGUSR1, &info, 0));
  expect_value(take_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
  expect_value(si_value(&info), 77, "the value");
  info.si_signo = SIGUSR2;
  expect_error(EINVAL, SYS4(pidfd_send_signal, fd, SIGUSR1, &info, 0));
}

CASE(send_errors, "pidfd_send_signal refuses other descriptors, bad signals and unknown flags") {
  int ends[2], fd = open_pid(sys_getpid(), 0);
  sys_pipe(ends);
  expect_error(EBADF, send(ends[0], 0));
  expect_error(EBADF, send(999, 0));
  expect_error(EINVAL, send(fd, 65));
  expect_error(EINVAL, SYS4(pidfd_send_signal, fd, 0, 0, 0x100));
  expect_ok(send(fd, 0));
}

CASE(send_to_dead, "pidfd_send_signal says ESRCH once the process has been reaped, whoever has its number now") {
  struct held held = hold_fork();
  int fd = open_pid(held.pid, 0);
  release(&held);
  expect_error(ESRCH, send(fd, 0));
  expect_error(ESRCH, send(fd, SIGKILL));
}

CASE(send_permission, "pidfd_send_signal needs the permission of kill, not that of opening") {
  struct held held = hold_fork();
  int fd = open_pid(held.pid, 0);
  AS_UNPRIVILEGED {
    expect_error(EPERM, send(fd, SIGTERM));
    expect_ok(SYS2(pidfd_open, held.pid, 0));
  }
  release(&held);
}

CASE(proc_descriptor, "pidfd_send_signal accepts a descriptor of /proc/PID") {
  struct held held = hold_fork();
  char path[32];
  format(path, sizeof path, "/proc/%ld", held.pid);
  int fd = (int)expect_ok(sys_open(path, O_DIRECTORY | O_RDONLY, 0));
  expect_ok(send(fd, SIGKILL));
  expect_value(reap(held.pid), SIGKILL, "the wait status");
}

CASE(getfd, "pidfd_getfd copies a descriptor of another process, close-on-exec") {
  int ends[2];
  sys_pipe(ends);
  struct held held = hold_fork();
  int fd = (int)expect_ok(SYS3(pidfd_getfd, open_pid(held.pid, 0), ends[1], 0));
  expect_value(SYS2(fcntl, fd, F_GETFD), FD_CLOEXEC, "descriptor flags");
  char byte = 0;
  expect_value(sys_write(fd, "y", 1), 1, "write");
  expect_value(sys_read(ends[0], &byte, 1), 1, "read");
  expect_value(byte, 'y', "the byte");
  release(&held);
}

CASE(getfd_errors, "pidfd_getfd refuses flags, descriptors that are not there, dead processes and foreign ones") {
  struct held held = hold_fork();
  int fd = open_pid(held.pid, 0);
  expect_error(EINVAL, SYS3(pidfd_getfd, fd, 0, 1));
  expect_error(EBADF, SYS3(pidfd_getfd, fd, 999, 0));
  expect_error(EBADF, SYS3(pidfd_getfd, 998, 0, 0));
  AS_UNPRIVILEGED expect_error(EPERM, SYS3(pidfd_getfd, fd, 0, 0));
  release(&held);
  expect_error(ESRCH, SYS3(pidfd_getfd, fd, 0, 0));
}

/* The number in the fdinfo line "Pid:", which may be negative. */
static long pid_line(int fd, const char *name) {
  char path[48], text[1024];
  format(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  expect_ok(read_file(path, text, sizeof text));
  for (const char *line = text; *line; line++)
    if ((line == text || line[-1] == '\n') && starts_with(line, name)) {
      line += strlen(name);
      while (*line == ' ' || *line == '\t') line++;
      return *line == '-' ? -parse_number(line + 1) : parse_number(line);
    }
  case_fails(__LINE__, "no line %s in %s", name, text);
}

CASE(fdinfo, "fdinfo of a pidfd says Pid and NSpid, -1 when the process is gone") {
  struct held held = hold_fork();
  int fd = open_pid(held.pid, 0);
  expect_value(pid_line(fd, "Pid:"), held.pid, "Pid");
  expect_value(pid_line(fd, "NSpid:"), held.pid, "NSpid");
  release(&held);
  expect_value(pid_line(fd, "Pid:"), -1, "Pid afterwards");
}

CASE(other_namespace, "pidfd_send_signal refuses a process that is not visible in the caller's namespace with EINVAL") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  int fd = open_pid(sys_getpid(), 0);
  IN_NEW_PID_NS(1) expect_error(EINVAL, send(fd, SIGUSR1));
  expect_value(pending_signals(), 0, "pending");
}

CASE(no_io, "a pidfd can neither be read nor written") {
  char byte = 0;
  int fd = open_pid(sys_getpid(), 0);
  expect_error(EINVAL, sys_read(fd, &byte, 1));
  expect_error(EINVAL, sys_write(fd, &byte, 1));
}

CASE(inherited, "a pidfd survives fork and names the same process there") {
  int fd = open_pid(sys_getpid(), 0);
  long pid = sys_getpid();
  IN_CHILD {
    expect_value(pid_line(fd, "Pid:"), pid, "Pid");
    expect_ok(send(fd, 0));
  }
}

MAIN("pidfd")
