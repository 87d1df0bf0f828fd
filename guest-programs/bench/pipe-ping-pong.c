/* One byte there and one byte back between two processes: two context switches an iteration. */
#include "bench.h"

int main(int argc, char **argv) {
  int there[2], back[2];
  char byte = 'p';
  long count = iterations(argc, argv);
  if (sys_pipe(there) || sys_pipe(back)) return 1;
  long pid = sys_fork();
  if (pid == 0) {
    for (long n = count; n > 0; n--)
      if (sys_read(there[0], &byte, 1) != 1 || sys_write(back[1], &byte, 1) != 1) return 1;
    return 0;
  }
  for (long n = count; n > 0; n--)
    if (sys_write(there[1], &byte, 1) != 1 || sys_read(back[0], &byte, 1) != 1) return 1;
  int status = -1;
  return sys_wait4(pid, &status, 0) != pid || status != 0;
}
