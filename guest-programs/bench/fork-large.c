/* fork, exit and wait in a process that has written to 100 MB. */
#include "bench.h"

int main(int argc, char **argv) {
  size_t size = 100 << 20;
  char *memory = (char *)sys_mmap(0, size, 3, 0x22, -1, 0);
  if (is_error((long)memory)) return 1;
  for (size_t at = 0; at < size; at += PAGE_SIZE) memory[at] = 1;
  for (long n = iterations(argc, argv); n > 0; n--) {
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(0);
    if (pid < 0 || sys_wait4(pid, 0, 0) != pid) return 1;
  }
  return 0;
}
