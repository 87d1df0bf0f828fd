/* Namespaces by unshare and setns, and how /proc shows them (namespaces(7), setns(2), unshare(2)). */
#include "proc.h"
#include "threads.h"

static const struct {
  const char *name;
  unsigned flag;
} types[] = {{"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET},
             {"cgroup", CLONE_NEWCGROUP}, {"user", CLONE_NEWUSER}, {"pid", CLONE_NEWPID}, {"time", CLONE_NEWTIME}};
enum { UTS, IPC, MNT, NET, CGROUP, USER, PID, TIME };

/* The link of /proc/WHO/ns/TYPE, as "uts:[4026531838]". pid and time are those for new children. */
static void link_of(const char *who, int type, char *to, size_t size) {
  char path[64];
  format(path, sizeof path, "/proc/%s/ns/%s%s", who, types[type].name, type == PID || type == TIME ? "_for_children" : "");
  memset(to, 0, size);
  long length = SYS3(readlink, path, to, size - 1);
  expect(length > 0, "%s: %s", path, errno_name(length));
}
static int open_namespace(const char *who, const char *name) {
  char path[64];
  format(path, sizeof path, "/proc/%s/ns/%s", who, name);
  return (int)expect_ok(sys_open(path, O_RDONLY | O_CLOEXEC, 0));
}
static int is_same(const char *one, const char *two, int type) {
  char left[64], right[64];
  link_of(one, type, left, sizeof left);
  link_of(two, type, right, sizeof right);
  return strcmp(left, right) == 0;
}
static const char *number_text(long number) {
  static char text[24];
  format(text, sizeof text, "%ld", number);
  return text;
}

CASE(links, "each link in /proc/PID/ns has the form type:[number], and stat gives the same inode") {
  for (int i = 0; i < LENGTH(types); i++) {
    char link[64], wanted[64], path[64];
    link_of("self", i, link, sizeof link);
    format(path, sizeof path, "/proc/self/ns/%s", types[i].name);
    uint64_t stat[18];
    expect_ok(SYS2(stat, path, stat));
    format(wanted, sizeof wanted, "%s:[%lu]", types[i].name, stat[1]);
    expect(strcmp(link, wanted) == 0, "%s instead of %s", link, wanted);
  }
}

static void unshare_one(long type) {
  char before[LENGTH(types)][64], after[64];
  for (int i = 0; i < LENGTH(types); i++) link_of("self", i, before[i], sizeof before[i]);
  IN_CHILD {
    for (int i = 0; i < LENGTH(types); i++) {
      link_of("self", i, after, sizeof after);
      expect(strcmp(before[i], after) == 0, "a child of fork has a %s namespace of its own", types[i].name);
    }
    expect_ok(SYS1(unshare, types[type].flag));
    if (type == PID) {
      /* It cannot be named before its init has been made. */
      expect_error(ENOENT, SYS3(readlink, "/proc/self/ns/pid_for_children", after, sizeof after));
      long init = expect_ok(sys_fork());
      if (init == 0) sys_exit_group(0);
      wait_for_zombie(init);
    }
    for (int i = 0; i < LENGTH(types); i++) {
      link_of("self", i, after, sizeof after);
      int same = strcmp(before[i], after) == 0;
      expect(same == (i != type), "the %s namespace %s", types[i].name, same ? "is still the same" : "has changed too");
    }
  }
}
CASE_ROW(unshare_uts, unshare_one, UTS, "unshare makes a uts namespace and no other")
CASE_ROW(unshare_ipc, unshare_one, IPC, "unshare makes an ipc namespace and no other")
CASE_ROW(unshare_mnt, unshare_one, MNT, "unshare makes a mount namespace and no other")
CASE_ROW(unshare_net, unshare_one, NET, "unshare makes a net namespace and no other")
CASE_ROW(unshare_cgroup, unshare_one, CGROUP, "unshare makes a cgroup namespace and no other")
CASE_ROW(unshare_user, unshare_one, USER, "unshare makes a user namespace and no other")
CASE_ROW(unshare_pid, unshare_one, PID, "unshare makes a pid namespace for children and no other")
CASE_ROW(unshare_time, unshare_one, TIME, "unshare makes a time namespace for children and no other")

static void enter_by(long argument) {
  int type = (int)(argument & 0xff), by_pidfd = (int)(argument >> 8);
  int ends[2];
  sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    expect_ok(SYS1(unshare, types[type].flag));
    if (type == PID || type == TIME) {
      /* The namespace must have somebody in it, who is the one to be joined. */
      long child = expect_ok(sys_fork());
      shared->words[0] = child ? (int)child : shared->words[0];
      if (child == 0) wait_for_release(ends[0]);
      reap(child);
      sys_exit_group(0);
    }
    shared->words[0] = (int)sys_getpid();
    wait_for_release(ends[0]);
  }
  wait_until(shared->words[0], "the other is there");
  IN_CHILD {
    const char *who = number_text(shared->words[0]);
    int fd = by_pidfd ? (int)expect_ok(SYS2(pidfd_open, shared->words[0], 0)) : open_namespace(who, types[type].name);
    expect_ok(SYS2(setns, fd, types[type].flag));
    expect(is_same("self", who, type), "not the same namespace after setns");
  }
  sys_write(ends[1], "", 1);
  reap_good(pid);
}
CASE_ROW(fd_uts, enter_by, UTS, "setns by a descriptor of /proc/PID/ns enters a uts namespace")
CASE_ROW(fd_ipc, enter_by, IPC, "setns by descriptor enters an ipc namespace")
CASE_ROW(fd_mnt, enter_by, MNT, "setns by descriptor enters a mount namespace")
CASE_ROW(fd_net, enter_by, NET, "setns by descriptor enters a net namespace")
CASE_ROW(fd_cgroup, enter_by, CGROUP, "setns by descriptor enters a cgroup namespace")
CASE_ROW(fd_user, enter_by, USER, "setns by descriptor enters a user namespace")
CASE_ROW(fd_pid, enter_by, PID, "setns by descriptor sets the pid namespace for children")
CASE_ROW(fd_time, enter_by, TIME, "setns by descriptor sets the time namespace")
CASE_ROW(pidfd_uts, enter_by, UTS | 256, "setns by a pidfd enters a uts namespace")
CASE_ROW(pidfd_ipc, enter_by, IPC | 256, "setns by a pidfd enters an ipc namespace")
CASE_ROW(pidfd_mnt, enter_by, MNT | 256, "setns by a pidfd enters a mount namespace")
CASE_ROW(pidfd_net, enter_by, NET | 256, "setns by a pidfd enters a net namespace")
CASE_ROW(pidfd_cgroup, enter_by, CGROUP | 256, "setns by a pidfd enters a cgroup namespace")
CASE_ROW(pidfd_user, enter_by, USER | 256, "setns by a pidfd enters a user namespace")
CASE_ROW(pidfd_pid, enter_by, PID | 256, "setns by a pidfd sets the pid namespace for children")

CASE(several, "setns by a pidfd enters several namespaces at once") {
  int ends[2];
  sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    expect_ok(SYS1(unshare, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET));
    shared->words[0] = 1;
    wait_for_release(ends[0]);
  }
  wait_until(shared->words[0], "the other is there");
  IN_CHILD {
    expect_ok(SYS2(setns, expect_ok(SYS2(pidfd_open, pid, 0)), CLONE_NEWUTS | CLONE_NEWIPC));
    expect(is_same("self", number_text(pid), UTS) && is_same("self", number_text(pid), IPC), "not in the namespaces");
    expect(!is_same("self", number_text(pid), NET), "in the net namespace too");
  }
  sys_write(ends[1], "", 1);
  reap_good(pid);
}

CASE(setns_errors, "setns refuses the wrong type with EINVAL, other descriptors with EINVAL and none with EBADF") {
  int ends[2], fd = open_namespace("self", "uts");
  sys_pipe(ends);
  expect_error(EINVAL, SYS2(setns, fd, CLONE_NEWIPC));
  expect_error(EINVAL, SYS2(setns, ends[0], 0));
  expect_error(EBADF, SYS2(setns, 999, 0));
  expect_error(EINVAL, SYS2(setns, expect_ok(SYS2(pidfd_open, sys_getpid(), 0)), 0));
  expect_error(EINVAL, SYS2(setns, expect_ok(SYS2(pidfd_open, sys_getpid(), 0)), CLONE_VM));
  expect_ok(SYS2(setns, fd, 0));
  expect_ok(SYS2(setns, fd, CLONE_NEWUTS));
  expect_error(EINVAL, SYS2(setns, open_namespace("self", "user"), 0)); /* its own user namespace */
}

CASE(privilege, "without CAP_SYS_ADMIN unshare and setns give EPERM, but for a user namespace") {
  int fd = open_namespace("self", "uts");
  AS_UNPRIVILEGED {
    for (int i = 0; i < LENGTH(types); i++)
      if (i != USER) expect_error(EPERM, SYS1(unshare, types[i].flag));
    expect_error(EPERM, SYS2(setns, fd, 0));
  }
}

CASE(unshare_errors, "unshare refuses flags it does not know with EINVAL and accepts none") {
  expect_error(EINVAL, SYS1(unshare, CLONE_VFORK));
  expect_error(EINVAL, SYS1(unshare, SIGCHLD));
  expect_error(EINVAL, SYS1(unshare, CLONE_PIDFD));
  expect_ok(SYS1(unshare, 0));
  expect_ok(SYS1(unshare, CLONE_FS | CLONE_FILES));
}

CASE(unshare_alone, "unshare of CLONE_VM, SIGHAND and THREAD is accepted from a single thread, since it does nothing") {
  expect_ok(SYS1(unshare, CLONE_THREAD));
  expect_ok(SYS1(unshare, CLONE_SIGHAND));
  expect_ok(SYS1(unshare, CLONE_VM));
}

static int try_in_thread(void *unused) {
  (void)unused;
  shared->words[0] = (int)SYS1(unshare, CLONE_NEWUSER);
  shared->words[1] = (int)SYS1(unshare, CLONE_VM);
  shared->words[2] = (int)SYS1(unshare, CLONE_NEWUTS);
  return 0;
}
CASE(unshare_threaded, "in a process with threads unshare of user namespace and memory gives EINVAL, of uts it works for the thread alone") {
  struct thread *thread = start_thread(try_in_thread, 0);
  join_thread(thread);
  expect_value(shared->words[0], -EINVAL, "unshare(CLONE_NEWUSER)");
  expect_value(shared->words[1], -EINVAL, "unshare(CLONE_VM)");
  expect_value(shared->words[2], 0, "unshare(CLONE_NEWUTS)");
}

CASE(uts, "a new uts namespace has a copy of the names, and a change in one is not seen in the other") {
  struct utsname before, inside, after;
  expect_ok(SYS1(uname, &before));
  IN_CHILD {
    expect_ok(SYS1(unshare, CLONE_NEWUTS));
    expect_ok(SYS1(uname, &inside));
    expect(strcmp(inside.nodename, before.nodename) == 0, "the name is %s at first", inside.nodename);
    expect_ok(SYS2(sethostname, "elsewhere", 9));
    expect_ok(SYS2(setdomainname, "example", 7));
    expect_ok(SYS1(uname, &inside));
    expect(strcmp(inside.nodename, "elsewhere") == 0, "the name is %s", inside.nodename);
    expect(strcmp(inside.domainname, "example") == 0, "the domain is %s", inside.domainname);
  }
  expect_ok(SYS1(uname, &after));
  expect(strcmp(after.nodename, before.nodename) == 0, "the name outside is %s", after.nodename);
}

CASE(uts_errors, "sethostname refuses names of more than 64 bytes with EINVAL, bad pointers with EFAULT, users with EPERM") {
  static char name[65] = "x";
  expect_ok(SYS1(unshare, CLONE_NEWUTS));
  expect_error(EINVAL, SYS2(sethostname, name, 65));
  expect_error(EINVAL, SYS2(sethostname, name, -1));
  expect_error(EFAULT, SYS2(sethostname, 8, 4));
  AS_UNPRIVILEGED expect_error(EPERM, SYS2(sethostname, name, 1));
}

CASE(mounts, "a mount in a new mount namespace is not seen outside") {
  int lines = count_lines("/proc/self/mounts");
  IN_CHILD {
    own_folder();
    make_file("inside", "x", 1, 0644);
    expect(count_lines("/proc/self/mounts") > lines, "the mount is not in the list");
  }
  expect_value(count_lines("/proc/self/mounts"), lines, "mounts outside");
  expect_error(ENOENT, sys_open("/tmp/inside", O_RDONLY, 0));
}

CASE(mount_cwd, "unshare of the mount namespace keeps the working directory") {
  char before[128] = {0}, after[128] = {0};
  SYS1(chdir, "/proc");
  SYS2(getcwd, before, sizeof before);
  expect_ok(SYS1(unshare, CLONE_NEWNS));
  SYS2(getcwd, after, sizeof after);
  expect(strcmp(before, after) == 0, "%s instead of %s", after, before);
}

static int block_thread(void *unused) {
  (void)unused;
  while (!shared->words[5]) sleep_us(500);
  return 0;
}

CASE(chroot_unshare, "a task that shares its fs with another may not enter a mount namespace: EINVAL") {
  int fd = open_namespace("self", "mnt");
  struct thread *thread = start_thread(block_thread, 0);
  expect_error(EINVAL, SYS2(setns, fd, CLONE_NEWNS));
  shared->words[5] = 1;
  join_thread(thread);
}
CASE(pid_for_children, "after unshare of the pid namespace the next child is its pid 1, the caller stays where it is") {
  long pid = sys_getpid();
  expect_ok(SYS1(unshare, CLONE_NEWPID));
  expect_value(sys_getpid(), pid, "the caller's pid");
  long child = expect_ok(sys_fork());
  if (child == 0) {
    shared->words[0] = (int)sys_getpid();
    shared->words[1] = (int)sys_getppid();
    long grandchild = expect_ok(sys_fork());
    if (grandchild == 0) sys_exit_group(sys_getpid() == 2 && sys_getppid() == 1 ? 0 : 1);
    reap_good(grandchild);
    sys_exit_group(0);
  }
  reap_good(child);
  expect_value(shared->words[0], 1, "the child's pid");
  expect_value(shared->words[1], 0, "the child's parent, who is not visible");
  expect_error(ENOMEM, sys_fork()); /* its init is dead */
}

CASE(pid_twice, "the pid namespace for children can be unshared again only after it has been entered: EINVAL") {
  expect_ok(SYS1(unshare, CLONE_NEWPID));
  expect_error(EINVAL, SYS1(unshare, CLONE_NEWPID));
}

CASE(pid_only_downwards, "setns to the parent's pid namespace from inside gives EINVAL") {
  int fd = open_namespace("self", "pid");
  IN_NEW_PID_NS(1) expect_error(EINVAL, SYS2(setns, fd, CLONE_NEWPID));
}

CASE(no_threads_after, "after unshare of the pid namespace a thread cannot be made: EINVAL") {
  expect_ok(SYS1(unshare, CLONE_NEWPID));
  expect_error(EINVAL, SYS5(clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, new_stack(), 0, 0, 0));
}

CASE(descriptor_keeps, "a descriptor keeps a namespace alive that has no member") {
  int ends[2];
  sys_pipe(ends);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    expect_ok(SYS1(unshare, CLONE_NEWUTS));
    expect_ok(SYS2(sethostname, "ghost", 5));
    shared->words[0] = 1;
    wait_for_release(ends[0]);
  }
  wait_until(shared->words[0], "the other is there");
  int fd = open_namespace(number_text(pid), "uts");
  sys_write(ends[1], "", 1);
  reap_good(pid);
  struct utsname name;
  expect_ok(SYS2(setns, fd, CLONE_NEWUTS));
  expect_ok(SYS1(uname, &name));
  expect(strcmp(name.nodename, "ghost") == 0, "the name is %s", name.nodename);
}

CASE(exec_keeps, "namespaces survive fork and are those of the whole family") {
  expect_ok(SYS1(unshare, CLONE_NEWUTS));
  struct held held = hold_fork();
  expect(is_same("self", number_text(held.pid), UTS), "the child is elsewhere");
  release(&held);
}

MAIN("namespace.unshare")
