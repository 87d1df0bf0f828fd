/* A thread that ends at once, made and joined. */
#include "threads.h"

static struct thread thread;

static void nothing(struct thread *self) { (void)self; }

int main(int argc, char **argv) {
  for (long n = iterations(argc, argv); n > 0; n--) {
    if (start_thread(&thread, nothing) < 0) return 1;
    join_thread(&thread);
  }
  return 0;
}
