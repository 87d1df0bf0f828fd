/* Sessions and process groups (setpgid(2), setsid(2), credentials(7)). */
#include "threads.h"

CASE(inherited, "a child has its parent's group and session") {
  long group = SYS1(getpgid, 0), session = SYS1(getsid, 0);
  IN_CHILD {
    expect_value(SYS1(getpgid, 0), group, "group");
    expect_value(SYS0(getpgrp), group, "getpgrp");
    expect_value(SYS1(getsid, 0), session, "session");
  }
}

CASE(own_group, "setpgid(0, 0) makes a group with the caller's number") {
  IN_CHILD {
    expect_ok(SYS2(setpgid, 0, 0));
    expect_value(SYS1(getpgid, 0), sys_getpid(), "group");
    expect_ok(SYS2(setpgid, 0, 0)); /* again: no harm */
  }
}

CASE(childs_group, "a parent may move its child to a new group and to an existing one of the session") {
  struct held one = hold_fork(), two = hold_fork();
  expect_ok(SYS2(setpgid, one.pid, one.pid));
  expect_value(SYS1(getpgid, one.pid), one.pid, "the first one's group");
  expect_ok(SYS2(setpgid, two.pid, one.pid));
  expect_value(SYS1(getpgid, two.pid), one.pid, "the second one's group");
  release(&one);
  expect_value(SYS1(getpgid, two.pid), one.pid, "the group without its leader");
  release(&two);
}

CASE(no_such_group, "a group that does not exist in the session gives EPERM") {
  IN_CHILD {
    expect_error(EPERM, SYS2(setpgid, 0, free_pid()));
    struct held held = hold_fork();
    expect_error(EPERM, SYS2(setpgid, 0, held.pid)); /* a process, but no group */
    release(&held);
  }
}

CASE(other_sessions_group, "a group of another session gives EPERM") {
  int ends[2];
  sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    expect_ok(SYS0(setsid));
    shared->words[0] = 1;
    wait_for_release(ends[0]);
  }
  wait_until(shared->words[0], "the session is there");
  IN_CHILD expect_error(EPERM, SYS2(setpgid, 0, pid));
  expect_error(EPERM, SYS2(setpgid, pid, 0)); /* the child is in another session, and a session leader */
  sys_write(ends[1], "", 1);
  reap_good(pid);
}

CASE(foreign, "only oneself and one's children can be moved: ESRCH for all others, EINVAL for negative numbers") {
  expect_error(ESRCH, SYS2(setpgid, sys_getppid(), 0));
  expect_error(ESRCH, SYS2(setpgid, free_pid(), 0));
  expect_error(EINVAL, SYS2(setpgid, 0, -1));
  expect_error(EINVAL, SYS2(setpgid, -1, 0));
  expect_error(ESRCH, SYS2(setpgid, -1, 5));
  expect_error(ESRCH, SYS1(getpgid, free_pid()));
  expect_error(ESRCH, SYS1(getsid, free_pid()));
  expect_error(ESRCH, SYS1(getpgid, -1));
}

CASE(after_exec, "a child that has executed another program cannot be moved: EACCES") {
  int ends[2];
  sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    /* A script whose interpreter is this program is not needed: the suite itself with no such case ends at once, and a
     * zombie still counts as one that has called execve. */
    char *arguments[] = {"session", "999999", 0};
    sys_close(1);
    expect_ok(SYS3(execve, "/proc/self/exe", arguments, 0));
  }
  wait_for_zombie(pid);
  expect_error(EACCES, SYS2(setpgid, pid, pid));
  reap_good(pid);
}

CASE(new_session, "setsid makes a session and a group with the caller's number") {
  IN_CHILD {
    expect_value(SYS0(setsid), sys_getpid(), "setsid");
    expect_value(SYS1(getsid, 0), sys_getpid(), "session");
    expect_value(SYS1(getpgid, 0), sys_getpid(), "group");
    expect_error(EPERM, SYS0(setsid));
    expect_error(EPERM, SYS2(setpgid, 0, 0));
  }
}

CASE(leader_has_no_session, "setsid of a group leader gives EPERM, also while only others are left in the group") {
  IN_CHILD {
    expect_ok(SYS2(setpgid, 0, 0));
    expect_error(EPERM, SYS0(setsid));
    struct held held = hold_fork();
    expect_ok(SYS2(setpgid, 0, SYS1(getpgid, sys_getppid())));
    expect_error(EPERM, SYS0(setsid)); /* its number is still that of a group */
    release(&held);
    expect_ok(SYS0(setsid));
  }
}

CASE(no_terminal, "a new session has no controlling terminal: opening /dev/tty gives ENXIO") {
  IN_CHILD {
    expect_ok(SYS0(setsid));
    expect_error(ENXIO, sys_open("/dev/tty", O_RDWR, 0));
  }
}

CASE(group_survives, "a group lives on in its members when its leader has been reaped, and its number is not reused") {
  long leader = expect_ok(sys_fork());
  if (leader == 0) {
    expect_ok(SYS2(setpgid, 0, 0));
    long member = expect_ok(sys_fork());
    if (member == 0) {
      wait_until(shared->words[0], "the leader is gone");
      shared->words[1] = (int)SYS1(getpgid, 0);
      shared->words[2] = (int)sys_kill(-SYS1(getpgid, 0), 0);
      shared->words[3] = 1;
      sys_exit_group(0);
    }
    sys_exit_group(0);
  }
  reap_good(leader);
  shared->words[0] = 1;
  wait_until(shared->words[3], "the member is done");
  expect_value(shared->words[1], leader, "its group");
  expect_value(shared->words[2], 0, "kill of the group");
}

MAIN("process.session")
