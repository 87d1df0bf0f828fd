/* A system call with a descriptor, a buffer and a file behind it that throws everything away. */
#include "bench.h"

int main(int argc, char **argv) {
  static const char block[64];
  int fd = (int)sys_open("/dev/null", O_WRONLY, 0);
  if (fd < 0) return 1;
  for (long n = iterations(argc, argv); n > 0; n--)
    if (sys_write(fd, block, sizeof block) != sizeof block) return 1;
  return 0;
}
