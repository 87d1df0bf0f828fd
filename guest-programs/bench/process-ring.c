/* A byte that goes around a ring of 1,000 processes, each asleep until it comes: one lap an iteration. */
#include "bench.h"

enum { PROCESSES = 1000 };

int main(int argc, char **argv) {
  int first[2], from, next[2];
  char byte = 'r';
  long laps = iterations(argc, argv);
  if (sys_pipe(first)) return 1;
  from = first[0];
  for (int i = 0; i < PROCESSES; i++) {
    if (sys_pipe(next)) return 1;
    long pid = sys_fork();
    if (pid < 0) return 1;
    if (pid == 0) {
      sys_close(first[1]);
      while (sys_read(from, &byte, 1) == 1) sys_write(next[1], &byte, 1);
      sys_exit_group(0);
    }
    sys_close(from);
    sys_close(next[1]);
    from = next[0];
  }
  for (long n = laps; n > 0; n--)
    if (sys_write(first[1], &byte, 1) != 1 || sys_read(from, &byte, 1) != 1) return 1;
  /* The first one sees the end of its pipe, and so does then the next. */
  sys_close(first[1]);
  while (sys_wait4(-1, 0, 0) > 0) {}
  return 0;
}
