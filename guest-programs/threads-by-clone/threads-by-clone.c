/* Threads without a thread library: clone() with a shared address space, and a futex to wait for the end.
 *
 * To the kernel a thread is a task like any other that shares nearly everything with its creator. What a library adds is
 * small: a stack for each thread, and a way to join. The way to join is CLONE_CHILD_CLEARTID: when the thread is gone and
 * its stack is no longer in use, the *kernel* writes 0 to a word and wakes whoever waits there. */
#include "sys.h"
#include "text.h"

enum { THREADS = 4, ROUNDS = 10000, STACK_SIZE = 16384 };

#define THREAD_FLAGS                                                                                     \
  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | \
   CLONE_CHILD_CLEARTID)

struct thread {
  int tid; /* set by the kernel at birth, cleared by the kernel at the end */
  int number;
  char stack[STACK_SIZE] __attribute__((aligned(16)));
};

static struct thread threads[THREADS];
static int counter, lock, same_pid, own_tids;

/* The child has an empty stack, so there is nothing to return to: a C function cannot simply continue after clone().
 * Function and argument are put into registers which the child inherits, and the child calls from there. */
static long start_thread(struct thread *thread, void (*function)(struct thread *)) {
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
      "mov $60, %%eax\n" /* exit(0): this thread only */
      "xor %%edi, %%edi\n"
      "syscall\n"
      "1:"
      : "=a"(result)
      : "a"(__NR_clone), "D"(THREAD_FLAGS), "S"(thread->stack + STACK_SIZE), "d"(&thread->tid), "r"(child_tid), "r"(tls),
        "r"(entry), "r"(argument)
      : "rcx", "r11", "memory");
  return result;
}

/* A mutex in one word: 0 free, 1 taken, 2 taken and somebody may sleep. The kernel is only asked when it must be. */
static void acquire(void) {
  int seen = 0;
  if (__atomic_compare_exchange_n(&lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(&lock, 2, __ATOMIC_ACQUIRE) != 0) sys_futex(&lock, FUTEX_WAIT, 2, 0);
}

static void release(void) {
  if (__atomic_exchange_n(&lock, 0, __ATOMIC_RELEASE) == 2) sys_futex(&lock, FUTEX_WAKE, 1, 0);
}

static long group;

static void work(struct thread *thread) {
  for (int i = 0; i < ROUNDS; i++) {
    acquire();
    counter++; /* a plain increment: only the lock makes it come out right */
    release();
  }
  acquire();
  same_pid += sys_getpid() == group;
  own_tids += sys_gettid() == thread->tid && sys_gettid() != group;
  release();
}

/* Sleeps until the kernel has cleared the word. FUTEX_WAIT looks at the value again before it sleeps, so an end that
 * comes in between is not missed. */
static void join(struct thread *thread) {
  for (int tid; (tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)) != 0;) sys_futex(&thread->tid, FUTEX_WAIT, tid, 0);
}

int main(void) {
  group = sys_getpid();
  for (int i = 0; i < THREADS; i++) {
    threads[i].number = i;
    long tid = start_thread(&threads[i], work);
    if (tid < 0) {
      print("clone: %s\n", errno_name(tid));
      return 1;
    }
  }
  for (int i = 0; i < THREADS; i++) join(&threads[i]);

  print("%d threads, %d rounds each: counter = %d (expected %d)\n", THREADS, ROUNDS, counter, THREADS * ROUNDS);
  print("%d of %d saw the same getpid() as the main thread\n", same_pid, THREADS);
  print("%d of %d have a gettid() of their own, equal to the word the kernel stored\n", own_tids, THREADS);
  long result = sys_wait4(-1, 0, __WALL);
  print("threads are not children: wait4 says %s\n", errno_name(result));
  return counter == THREADS * ROUNDS && same_pid == THREADS && own_tids == THREADS && result == -ECHILD ? 0 : 1;
}
