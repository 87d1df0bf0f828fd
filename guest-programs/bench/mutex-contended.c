/* Four threads that want one mutex, each an equal part of the times. */
#include "threads.h"

enum { THREADS = 4 };

static struct thread threads[THREADS];
static int lock;
static volatile long guarded;

static void add(struct thread *self) {
  for (long n = self->argument; n > 0; n--) {
    acquire(&lock);
    guarded++;
    release(&lock);
  }
}

int main(int argc, char **argv) {
  long each = (iterations(argc, argv) + THREADS - 1) / THREADS;
  for (int i = 0; i < THREADS; i++) {
    threads[i].argument = each;
    if (start_thread(&threads[i], add) < 0) return 1;
  }
  for (int i = 0; i < THREADS; i++) join_thread(&threads[i]);
  return guarded != each * THREADS;
}
