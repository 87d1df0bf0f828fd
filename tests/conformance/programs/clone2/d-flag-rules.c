/* Section D, first part: combinations of flags that are refused, and in which order. (Cases 87 to 96 and 98 are in
 * d-flag-effects.c.) Flags are written without CLONE_ in the names of the cases. */
#include "call.h"

static void is_invalid(long flags) { expect_flags_refused(EINVAL, (unsigned long)flags | SIGCHLD); }

/* The combination is looked at before the privilege. */
static void is_invalid_for_all(long flags) {
  is_invalid(flags);
  AS_UNPRIVILEGED { is_invalid(flags); }
}

/* The privilege is looked at before the combination. */
static void is_invalid_for_the_privileged(long flags) {
  is_invalid(flags);
  AS_UNPRIVILEGED { expect_flags_refused(EPERM, (unsigned long)flags | SIGCHLD); }
}

static void makes_a_sibling(long unused) {
  (void)unused;
  struct facts *sibling = &shared->facts[0];
  volatile int *pid = &shared->words[0];
  IN_NEW_PID_NS(1) { expect_flags_refused(EINVAL, CLONE_PARENT | SIGCHLD); }
  IN_CHILD {
    struct clone_struct how = plain(CLONE_PARENT);
    long result = start(&how, 0);
    if (result == 0) {
      report(sibling);
      sys_exit_group(0);
    }
    *pid = (int)expect_created(result);
    expect_value(sys_wait4(-1, 0, WNOHANG | __WALL), -ECHILD, "wait4 in the caller");
  }
  reap_good(*pid);
  expect_value(sibling->pid, *pid, "the sibling's getpid()");
  expect_value(sibling->ppid, sys_getpid(), "the sibling's getppid()");
}

static void each_namespace_needs_privilege(long unused) {
  (void)unused;
  static const struct {
    unsigned long flag;
    const char *name;
  } kinds[] = {{CLONE_NEWNS, "NEWNS"},   {CLONE_NEWUTS, "NEWUTS"}, {CLONE_NEWIPC, "NEWIPC"},
               {CLONE_NEWPID, "NEWPID"}, {CLONE_NEWNET, "NEWNET"}, {CLONE_NEWCGROUP, "NEWCGROUP"}};
  AS_UNPRIVILEGED {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
      struct clone_struct how = plain(kinds[i].flag);
      long result = start(&how, 0);
      if (result == 0) sys_exit_group(0);
      expect(result == -EPERM, "%s: wanted EPERM, got %ld %s", kinds[i].name, result, errno_name(result));
    }
    expect_value(count_children(), 0, "children");
  }
}

/* With a place for the descriptor, so that nothing but the combination is wrong. */
static void pidfd_is_invalid_with(long flags) {
  struct clone_struct how = plain((unsigned long)flags | CLONE_PIDFD);
  int *word = (int *)low_memory(PAGE_SIZE);
  int files = count_open_files();
  *word = -7;
  how.parent_tid = (uint32_t)(unsigned long)word;
  how.child_stack = (uint64_t)new_stack();
  expect_refused(EINVAL, start_function(&how, 0, exit_quietly, 0));
  expect_value(*word, -7, "the word at parent_tid");
  expect_value(count_open_files(), files, "open files");
}

static void obeys_rlimit_nproc(long unused) {
  (void)unused;
  IN_CHILD {
    /* A uid of our own, so that nobody else's processes count. */
    struct rlimit one = {1, 1};
    become_unprivileged(54321);
    expect_value(SYS2(setrlimit, RLIMIT_NPROC, &one), 0, "setrlimit");
    struct clone_struct how = plain(0);
    expect_refused(EAGAIN, start(&how, 0));
    how.flags = SIGCHLD | CLONE_SIGHAND;
    expect_refused(EINVAL, start(&how, 0));
    how.flags = SIGCHLD | CLONE_NEWNS;
    expect_refused(EAGAIN, start(&how, 0));
  }
}

#define THREAD (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

static const struct test_case cases[] = {
    {73, SHARED, CALL " refuses SIGHAND without VM with EINVAL", is_invalid, CLONE_SIGHAND},
    {74, SHARED, CALL " refuses THREAD without SIGHAND with EINVAL", is_invalid, CLONE_THREAD | CLONE_VM},
    {75, SHARED, CALL " refuses THREAD|SIGHAND without VM with EINVAL", is_invalid, CLONE_THREAD | CLONE_SIGHAND},
    {76, SHARED, CALL " refuses NEWNS|FS with EINVAL, also without privilege", is_invalid_for_all, CLONE_NEWNS | CLONE_FS},
    {77, SHARED, CALL " refuses NEWUSER|FS with EINVAL", is_invalid, CLONE_NEWUSER | CLONE_FS},
    {78, SHARED, CALL " refuses NEWUSER for a thread with EINVAL", is_invalid, CLONE_NEWUSER | THREAD},
    {79, SHARED, CALL " refuses NEWPID for a thread with EINVAL, also without privilege", is_invalid_for_all, CLONE_NEWPID | THREAD},
    {80, 0, CALL " refuses NEWPID|PARENT with EINVAL, and with EPERM without privilege", is_invalid_for_the_privileged, CLONE_NEWPID | CLONE_PARENT},
    {81, SHARED, CALL " refuses NEWIPC|SYSVSEM with EINVAL, and with EPERM without privilege", is_invalid_for_the_privileged, CLONE_NEWIPC | CLONE_SYSVSEM},
    {82, SHARED, CALL " refuses PARENT to pid 1 with EINVAL, and makes a sibling for others", makes_a_sibling, 0},
    {83, SHARED, CALL " refuses each new namespace without privilege with EPERM", each_namespace_needs_privilege, 0},
    {84, SHARED, CALL " refuses PIDFD|PARENT_SETTID with EINVAL", pidfd_is_invalid_with, CLONE_PARENT_SETTID},
    {85, SHARED, CALL " refuses PIDFD|DETACHED with EINVAL", pidfd_is_invalid_with, CLONE_DETACHED},
    {86, 0, CALL " refuses PIDFD for a thread with EINVAL", pidfd_is_invalid_with, THREAD},
    {97, SHARED, CALL " gives EAGAIN when RLIMIT_NPROC is reached, after the flag rules and before privilege", obeys_rlimit_nproc, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
