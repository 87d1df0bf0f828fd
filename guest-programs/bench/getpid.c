/* The price of entering and leaving the kernel: getpid() does nothing else. */
#include "bench.h"

int main(int argc, char **argv) {
  for (long n = iterations(argc, argv); n > 0; n--) sys_getpid();
  return 0;
}
