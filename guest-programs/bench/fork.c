/* fork(), exit() and wait4(): a process is made, does nothing, and is buried. */
#include "bench.h"

int main(int argc, char **argv) {
  for (long n = iterations(argc, argv); n > 0; n--) {
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(0);
    if (pid < 0 || sys_wait4(pid, 0, 0) != pid) return 1;
  }
  return 0;
}
