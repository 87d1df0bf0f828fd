/* A mutex that nobody else wants: two atomic instructions, and no system call. */
#include "threads.h"

static int lock;
static volatile long guarded;

int main(int argc, char **argv) {
  long count = iterations(argc, argv);
  for (long n = count; n > 0; n--) {
    acquire(&lock);
    guarded++;
    release(&lock);
  }
  return guarded != count;
}
