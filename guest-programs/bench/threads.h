/* Threads made by clone() itself, for programs that measure what threads cost. */
#ifndef GUEST_BENCH_THREADS_H
#define GUEST_BENCH_THREADS_H

#include "bench.h"

enum { THREAD_STACK = 16384 };

struct thread {
  int tid; /* set by the kernel at birth, cleared by it at the end */
  long argument;
  char stack[THREAD_STACK] __attribute__((aligned(16)));
};

#define THREAD_FLAGS                                                                                         \
  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | \
   CLONE_CHILD_CLEARTID)

/* The child has an empty stack: it finds function and argument in registers. */
static inline long start_thread(struct thread *thread, void (*function)(struct thread *)) {
  register int *child_tid __asm__("r10") = &thread->tid;
  register long tls __asm__("r8") = 0;
  register void (*entry)(struct thread *) __asm__("r12") = function;
  register struct thread *argument __asm__("r13") = thread;
  long result;
  __asm__ volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "mov %%r13, %%rdi\n"
      "call *%%r12\n"
      "mov $60, %%eax\n"
      "xor %%edi, %%edi\n"
      "syscall\n"
      "1:"
      : "=a"(result)
      : "a"(__NR_clone), "D"(THREAD_FLAGS), "S"(thread->stack + THREAD_STACK), "d"(&thread->tid), "r"(child_tid), "r"(tls),
        "r"(entry), "r"(argument)
      : "rcx", "r11", "memory");
  return result;
}

static inline void join_thread(struct thread *thread) {
  int seen;
  while ((seen = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)) != 0) sys_futex(&thread->tid, FUTEX_WAIT, seen, 0);
}

/* A mutex in one word: 0 free, 1 taken, 2 taken and somebody may sleep. */
static inline void acquire(int *lock) {
  int seen = 0;
  if (__atomic_compare_exchange_n(lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0) sys_futex(lock, FUTEX_WAIT, 2, 0);
}

static inline void release(int *lock) {
  if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2) sys_futex(lock, FUTEX_WAKE, 1, 0);
}

#endif
