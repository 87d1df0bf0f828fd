/* vfork() and execve() of this very program with the argument "exit": what a shell does for every command. */
#include "bench.h"

int main(int argc, char **argv, char **envp) {
  if (argc > 1 && strcmp(argv[1], "exit") == 0) return 0;
  char *arguments[] = {argv[0], "exit", 0};
  for (long n = iterations(argc, argv); n > 0; n--) {
    /* vfork() written out: the child borrows our stack, so it must not return from a function, and inline it does not. */
    long pid = SYS0(vfork);
    if (pid == 0) {
      SYS3(execve, argv[0], arguments, envp);
      sys_exit(1);
    }
    int status = -1;
    if (pid < 0 || sys_wait4(pid, &status, 0) != pid || status != 0) return 1;
  }
  return 0;
}
