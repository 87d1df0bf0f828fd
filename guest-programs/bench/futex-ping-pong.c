/* Two threads that take turns by a futex: two wake-ups an iteration. */
#include "threads.h"

static struct thread thread;
static int turn;

static void pass(int from, int to) {
  while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != from) sys_futex(&turn, FUTEX_WAIT, to, 0);
  __atomic_store_n(&turn, to, __ATOMIC_RELEASE);
  sys_futex(&turn, FUTEX_WAKE, 1, 0);
}

static void answer(struct thread *self) {
  for (long n = self->argument; n > 0; n--) pass(1, 0);
}

int main(int argc, char **argv) {
  thread.argument = iterations(argc, argv);
  if (start_thread(&thread, answer) < 0) return 1;
  for (long n = thread.argument; n > 0; n--) pass(0, 1);
  join_thread(&thread);
  return 0;
}
