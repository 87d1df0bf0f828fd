/* Executes every file named by the arguments, each in a child, and prints what became of it: an errno, an exit code or a
 * signal. A child that runs on is killed after a while. */
#include "sys.h"
#include "text.h"

static void on_alarm(int signal, struct siginfo *info, struct ucontext *context) { (void)signal, (void)info, (void)context; }

int main(int argc, char **argv, char **envp) {
  long shared = sys_mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (is_error(shared)) return 1;
  volatile long *error = (long *)shared;
  sys_handle(SIGALRM, on_alarm, 0);
  for (int i = 1; i < argc; i++) {
    *error = 0;
    long pid = sys_fork();
    if (pid < 0) return 1;
    if (pid == 0) {
      char *arguments[] = {argv[i], 0};
      *error = SYS3(execve, argv[i], arguments, envp);
      sys_exit_group(126);
    }
    int status = 0;
    SYS1(alarm, 2);
    if (sys_wait4(pid, &status, 0) != pid) {
      sys_kill(pid, SIGKILL);
      sys_wait4(pid, &status, 0);
      print("%s hangs\n", argv[i]);
      continue;
    }
    if (*error) print("%s errno %ld\n", argv[i], -*error);
    else if (WIFSIGNALED(status)) print("%s signal %d\n", argv[i], WTERMSIG(status));
    else print("%s exit %d\n", argv[i], WEXITSTATUS(status));
  }
  return 0;
}
