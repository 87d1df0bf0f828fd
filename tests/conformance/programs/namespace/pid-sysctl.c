/* pid_max and ns_last_pid of a pid namespace. They are settings of the whole computer up to Linux 6.13, so these cases run
 * only in the machine, which has them for each namespace. */
#include "threads.h"

CASE_TAGGED(last_pid, SETS_PID_MAX, "ns_last_pid chooses the next pid of the caller's namespace") {
  IN_NEW_PID_NS(1) {
    expect_ok(write_number("/proc/sys/kernel/ns_last_pid", 499));
    long pid = expect_ok(sys_fork());
    if (pid == 0) sys_exit_group(0);
    expect_value(pid, 500, "the child's pid");
    reap_good(pid);
    expect_value(read_number("/proc/sys/kernel/ns_last_pid"), 500, "ns_last_pid");
  }
}

CASE_TAGGED(last_pid_outside, SETS_PID_MAX, "ns_last_pid of an inner namespace does not touch the outer one") {
  long before = read_number("/proc/sys/kernel/ns_last_pid");
  IN_NEW_PID_NS(1) expect_ok(write_number("/proc/sys/kernel/ns_last_pid", 20000));
  long after = read_number("/proc/sys/kernel/ns_last_pid");
  expect(after > before && after < before + 10, "from %ld to %ld", before, after);
}

CASE_TAGGED(last_pid_privilege, SETS_PID_MAX, "ns_last_pid is not for ordinary users") {
  AS_UNPRIVILEGED {
    long result = write_number("/proc/sys/kernel/ns_last_pid", 1000);
    expect(result == -EPERM || result == -EACCES, "%ld", result);
  }
}

CASE_TAGGED(wraps, SETS_PID_MAX, "behind pid_max the numbers begin again above the reserved ones") {
  IN_NEW_PID_NS(1) {
    long limit = read_number("/proc/sys/kernel/pid_max");
    expect_ok(write_number("/proc/sys/kernel/ns_last_pid", limit - 1));
    long pid = expect_ok(sys_fork());
    if (pid == 0) sys_exit_group(0);
    expect_value(pid, 300, "the child's pid");
    reap_good(pid);
  }
}

MAIN("namespace.pid-sysctl")
