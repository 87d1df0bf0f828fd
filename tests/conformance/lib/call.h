/* The call under test.
 *
 * The cases are written for clone2(). Compiled with -DTHROUGH_CLONE3 (see programs/clone/) the same request is put into the
 * words of calls that Linux has: clone() when no pid is chosen, clone3() with set_tid when one is. What holds for both can so
 * be checked on a real kernel, and the tests themselves with it. */
#ifndef CONFORMANCE_CALL_H
#define CONFORMANCE_CALL_H

#include "family.h"

#ifdef THROUGH_CLONE3
#define CALL "clone/clone3"
#define TAKEN EEXIST /* the errno for a pid in use */
#define THROUGH_SUITE .needs_clone2 = 0, .only_tag = SHARED
#else
#define CALL "clone2"
#define TAKEN EBUSY
#define THROUGH_SUITE .needs_clone2 = 1
#endif

/* A function for a child with a stack of its own. It gets the stack pointer as it was when the child came back from the call;
 * its result becomes the child's exit status. */
typedef int child_function(void *argument, unsigned long rsp);

/* A system call of the clone family: number and arguments rdi, rsi, rdx, r10, r8 (CLONE_SETTLS: the new FS base is in r8). */
struct call {
  long number, rdi, rsi, rdx, r10, r8;
  /* What the number's own argument structures are kept in, when the call is a translation. */
  struct clone_args clone_args;
  int set_tid[36];
};

/* Translates the request into a system call. */
void prepare_call(struct call *call, const struct clone_struct *how, const int *pids, unsigned long tls, int through_clone3);
/* Does the call. The child comes back here with 0, so this is for children with a stack of their own copy (no CLONE_VM). */
long do_call(const struct call *call);
/* Does the call. The child runs the function, on its new stack if it has one, and exits (the thread only). */
long do_call_with_function(const struct call *call, child_function *function, void *argument);

#ifdef THROUGH_CLONE3
#define THROUGH 1
#else
#define THROUGH 0
#endif

static inline long start_with_tls(const struct clone_struct *how, const int *pids, unsigned long tls) {
  struct call call;
  prepare_call(&call, how, pids, tls, THROUGH);
  return do_call(&call);
}

/* As fork(): the child comes back with 0. */
static inline long start(const struct clone_struct *how, const int *pids) { return start_with_tls(how, pids, 0); }

/* The child runs the function. */
static inline long start_function(const struct clone_struct *how, const int *pids, child_function *function, void *argument) {
  struct call call;
  prepare_call(&call, how, pids, 0, THROUGH);
  return do_call_with_function(&call, function, argument);
}

/* The child reports itself and exits; the parent reaps it. Gives the child's pid or the errno. */
static inline long start_and_report(const struct clone_struct *how, const int *pids, struct facts *facts) {
  long pid = start(how, pids);
  if (pid == 0) {
    report(facts);
    sys_exit_group(0);
  }
  if (pid > 0) reap_good(pid);
  return pid;
}

/* The child lives until it is released. */
static inline long start_held(const struct clone_struct *how, const int *pids, struct held *held) {
  int ends[2];
  expect_value(sys_pipe(ends), 0, "pipe2");
  held->pid = start(how, pids);
  if (held->pid == 0) wait_for_release(ends[0]);
  sys_close(ends[0]);
  held->release_fd = ends[1];
  if (held->pid < 0) sys_close(ends[1]);
  return held->pid;
}

/* One chosen pid in the caller's namespace. */
static inline struct clone_struct choosing(int count) { return (struct clone_struct){.flags = SIGCHLD, .nr_pids = (uint32_t)count}; }
static inline struct clone_struct plain(unsigned long flags) { return (struct clone_struct){.flags = flags | SIGCHLD}; }

/* Does nothing: the child of a call that should have failed. */
int exit_quietly(void *argument, unsigned long rsp);
/* A request with these flags (no SIGCHLD added) must be refused. It has a stack of its own, so that a child which comes to
 * life all the same does no harm. */
#define expect_flags_refused(errno_value, wanted_flags)                                        \
  do {                                                                                         \
    struct clone_struct how_ = {.flags = (wanted_flags), .child_stack = (uint64_t)new_stack()}; \
    expect_refused(errno_value, start_function(&how_, 0, exit_quietly, 0));                    \
  } while (0)

#endif
