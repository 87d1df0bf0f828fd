/* clone3() as it is, for the cases that are about its own structure. */
#ifndef CONFORMANCE_CLONE3_H
#define CONFORMANCE_CLONE3_H

#include "call.h"

enum { CLONE_ARGS_SIZE_VER0 = 64, CLONE_ARGS_SIZE_VER1 = 80, CLONE_ARGS_SIZE_VER2 = 88 };

/* The child comes back with 0. */
static inline long clone3(const void *args, size_t size) { return SYS2(clone3, args, size); }

/* The child runs the function on its stack. */
static inline long clone3_function(const struct clone_args *args, child_function *function, void *argument) {
  struct call call = {.number = __NR_clone3, .rdi = (long)args, .rsi = sizeof *args};
  return do_call_with_function(&call, function, argument);
}

static inline struct clone_args with_flags(uint64_t flags) { return (struct clone_args){.flags = flags, .exit_signal = SIGCHLD}; }

/* A request with a stack of its own, so that a child that should not be does no harm. */
enum { SPARE_STACK = 16384 };
static inline struct clone_args on_a_stack(uint64_t flags, uint64_t exit_signal) {
  return (struct clone_args){
      .flags = flags, .exit_signal = exit_signal, .stack = (uint64_t)low_memory(SPARE_STACK), .stack_size = SPARE_STACK};
}

static inline long clone3_and_report(const struct clone_args *args, size_t size, struct facts *facts) {
  long pid = clone3(args, size);
  if (pid == 0) {
    report(facts);
    sys_exit_group(0);
  }
  if (pid > 0) reap_good(pid);
  return pid;
}

/* The child exits at once. */
static inline void expect_accepted(const void *args, size_t size) {
  long pid = clone3(args, size);
  if (pid == 0) sys_exit_group(0);
  expect(pid > 0, "clone3 with size %lu: wanted a child, got %s", size, errno_name(pid));
  reap_good(pid);
}

#endif
