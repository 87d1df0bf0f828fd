/* User namespaces: maps, capabilities, and what they do not give (user_namespaces(7), capabilities(7)). */
#include "proc.h"
#include "threads.h"

static uint64_t effective(void) {
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct cap_data data[2] = {{0}};
  expect_ok(SYS2(capget, &header, data));
  return (uint64_t)data[1].effective << 32 | data[0].effective;
}
static long write_map(long pid, const char *which, const char *text) {
  char path[48];
  format(path, sizeof path, "/proc/%ld/%s", pid, which);
  return write_text(path, text);
}

/* A child in a new user namespace; it waits until its parent has written its maps. */
static long start_inside(void (*function)(void)) {
  long pid = SYS5(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    wait_until(shared->words[50], "the maps are written");
    function();
    sys_exit_group(0);
  }
  return expect_ok(pid);
}
static void go_on(long pid) {
  shared->words[50] = 1;
  reap_good(pid);
}

static void see_overflow_ids(void) {
  expect_value(SYS0(getuid), 65534, "getuid");
  expect_value(SYS0(getgid), 65534, "getgid");
  expect_value(effective() & (1UL << CAP_SYS_ADMIN), 1UL << CAP_SYS_ADMIN, "CAP_SYS_ADMIN");
}
CASE(unmapped, "without a map ids are 65534, and the first process has all capabilities") { go_on(start_inside(see_overflow_ids)); }

static void see_mapped_ids(void) {
  expect_value(SYS0(getuid), 0, "getuid");
  expect_value(SYS0(getgid), 100, "getgid");
}
CASE(mapped, "uid_map and gid_map translate the ids") {
  long pid = start_inside(see_mapped_ids);
  expect_ok(write_map(pid, "uid_map", "0 0 1\n1 1000 10\n"));
  expect_ok(write_map(pid, "gid_map", "100 0 1"));
  go_on(pid);
}

static void see_own_map(void) {
  char text[256];
  expect_ok(read_file("/proc/self/uid_map", text, sizeof text));
  expect(strcmp(text, "         0       1000          5\n") == 0, "the map is \"%s\"", text);
}
CASE(map_text, "uid_map is read as three columns of ten characters") {
  long pid = start_inside(see_own_map);
  expect_ok(write_map(pid, "uid_map", "0 1000 5"));
  go_on(pid);
}

static void nothing(void) {}
CASE(map_once, "a map can be written once: the second time gives EPERM") {
  long pid = start_inside(nothing);
  expect_ok(write_map(pid, "uid_map", "0 0 1"));
  expect_error(EPERM, write_map(pid, "uid_map", "0 0 1"));
  go_on(pid);
}

CASE(map_errors, "maps that are empty, overlap, overflow or make no sense give EINVAL") {
  static const char *const bad[] = {"", "0 0", "0 0 0", "x 0 1", "0 0 1 1", "0 0 10\n5 100 10", "0 0 10\n20 5 10", "4294967295 0 1", "0 0 4294967296"};
  long pid = start_inside(nothing);
  for (int i = 1; i < LENGTH(bad); i++) {
    long result = write_map(pid, "uid_map", bad[i]);
    expect(result == -EINVAL, "\"%s\": %ld instead of EINVAL", bad[i], result);
  }
  go_on(pid);
}

CASE(by_a_user, "an ordinary user may map only their own id, and gid_map only after \"deny\" in setgroups") {
  AS_UNPRIVILEGED {
    /* A process that changed its ids is not dumpable, so its files in /proc are root's. */
    expect_ok(SYS2(prctl, PR_SET_DUMPABLE, 1));
    long pid = start_inside(nothing);
    expect_error(EPERM, write_map(pid, "uid_map", "0 0 1"));
    expect_error(EPERM, write_map(pid, "uid_map", "0 1000 2"));
    expect_ok(write_map(pid, "uid_map", "0 1000 1"));
    expect_error(EPERM, write_map(pid, "gid_map", "0 1000 1"));
    expect_ok(write_map(pid, "setgroups", "deny"));
    expect_ok(write_map(pid, "gid_map", "0 1000 1"));
    go_on(pid);
  }
}

static void try_setgroups(void) {
  int group = 0;
  shared->words[1] = (int)SYS2(setgroups, 1, &group);
}
CASE(setgroups_denied, "after \"deny\" setgroups gives EPERM inside, and \"allow\" cannot be written any more") {
  long pid = start_inside(try_setgroups);
  expect_ok(write_map(pid, "uid_map", "0 0 1"));
  expect_ok(write_map(pid, "setgroups", "deny"));
  expect_error(EPERM, write_map(pid, "setgroups", "allow"));
  expect_ok(write_map(pid, "gid_map", "0 0 1"));
  go_on(pid);
  expect_value(shared->words[1], -EPERM, "setgroups");
}
CASE(setgroups_before_map, "setgroups inside gives EPERM before gid_map is written") {
  go_on(start_inside(try_setgroups));
  expect_value(shared->words[1], -EPERM, "setgroups");
}
CASE(setgroups_allowed, "setgroups inside works with a gid map that root has written") {
  long pid = start_inside(try_setgroups);
  expect_ok(write_map(pid, "uid_map", "0 0 1"));
  expect_ok(write_map(pid, "gid_map", "0 0 1"));
  expect_error(EPERM, write_map(pid, "setgroups", "deny"));
  go_on(pid);
  expect_value(shared->words[1], 0, "setgroups");
}

static void be_root_inside(void) {
  expect_ok(SYS1(unshare, CLONE_NEWUTS));
  expect_ok(SYS2(sethostname, "inside", 6));
  expect_ok(SYS1(unshare, CLONE_NEWNS));
  expect_error(EINVAL, SYS3(setresuid, 5, 5, 5)); /* not in the map */
  expect_ok(SYS3(setresuid, 1, 1, 1));
  expect_value(SYS0(getuid), 1, "getuid");
  expect_value(effective(), 0, "capabilities after leaving uid 0");
}
CASE(capabilities_inside, "capabilities count inside: new namespaces, a host name, and changes to mapped ids") {
  AS_UNPRIVILEGED {
    expect_ok(SYS2(prctl, PR_SET_DUMPABLE, 1));
    long pid = start_inside(nothing);
    expect_ok(write_map(pid, "uid_map", "0 1000 1"));
    go_on(pid);
  }
  shared->words[50] = 0;
  long pid = start_inside(be_root_inside);
  expect_ok(write_map(pid, "uid_map", "0 0 1\n1 1000 1"));
  expect_ok(write_map(pid, "gid_map", "0 0 1"));
  go_on(pid);
}

CASE(not_outside, "capabilities in a user namespace do not count for what belongs to its parent") {
  struct held held = hold_fork();
  IN_CHILD {
    expect_ok(SYS1(unshare, CLONE_NEWUSER));
    expect_error(EPERM, SYS2(sethostname, "x", 1));
    struct timespec time = {1, 0};
    expect_error(EPERM, SYS2(clock_settime, CLOCK_REALTIME, &time));
    expect_error(EPERM, SYS5(mount, "none", "/tmp", "tmpfs", 0, 0));
    expect_error(EPERM, SYS1(chroot, "/proc") == 0 ? SYS2(sethostname, "x", 1) : -EPERM);
  }
  release(&held);
}

CASE(inspect_outside, "a process in a user namespace may not look into a process of its own user outside: EACCES") {
  struct held held = hold_fork();
  char path[48], link[64];
  format(path, sizeof path, "/proc/%ld/ns/uts", held.pid);
  IN_CHILD {
    expect_ok(SYS1(unshare, CLONE_NEWUSER));
    expect_error(EACCES, SYS3(readlink, path, link, sizeof link));
  }
  release(&held);
}

CASE(kill_outside, "a process in a user namespace may still signal processes of its own user outside") {
  struct held held = hold_fork();
  IN_CHILD {
    expect_ok(SYS1(unshare, CLONE_NEWUSER));
    expect_ok(sys_kill(held.pid, 0));
  }
  release(&held);
}

CASE(owner_may, "the creator of a user namespace has all capabilities over it from outside") {
  AS_UNPRIVILEGED {
    expect_ok(SYS2(prctl, PR_SET_DUMPABLE, 1));
    long pid = start_inside(nothing);
    char path[32];
    format(path, sizeof path, "/proc/%ld/ns/user", pid);
    int fd = (int)expect_ok(sys_open(path, O_RDONLY, 0));
    IN_CHILD {
      expect_ok(SYS2(setns, fd, CLONE_NEWUSER));
      expect((effective() & 1UL << CAP_SYS_ADMIN) != 0, "capabilities 0x%lx", effective());
    }
    go_on(pid);
  }
}

CASE(with_others, "with CLONE_NEWUSER a user may make all other namespaces in the same call") {
  AS_UNPRIVILEGED {
    long pid = SYS5(clone, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) sys_exit_group(sys_getpid() == 1 ? 0 : 1);
    reap_good(expect_ok(pid));
  }
}

CASE(map_needs_privilege, "uid_map of a namespace can be written by its parent's root or by its own, not by a stranger") {
  long pid = start_inside(nothing);
  AS_UNPRIVILEGED {
    long result = write_map(pid, "uid_map", "0 1000 1");
    expect(result == -EPERM || result == -EACCES, "%ld", result);
  }
  go_on(pid);
}

CASE(initial_map, "the first user namespace maps everything to itself") {
  char text[256];
  expect_ok(read_file("/proc/self/uid_map", text, sizeof text));
  skip_unless(strcmp(text, "         0          0 4294967295\n") == 0, "this is not the first user namespace");
  expect(strcmp(text, "         0          0 4294967295\n") == 0, "the map is \"%s\"", text);
}

MAIN("namespace.user")
