/* Programs that want more processes, threads, signals or execs than anybody should have. The first argument says which;
 * each ends by itself with a line that says what stopped it, but for the two that must be stopped from outside. */
#include "sys.h"
#include "text.h"

enum { FIRST_REAL_TIME = 34 };
enum { STACK = 4096, FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };

static void wait_for_children(void) {
  while (sys_wait4(-1, 0, 0) > 0) {
  }
}

/* Children that do nothing, as many as there may be. */
static int fork_until_refused(void) {
  static long pids[4096];
  long pid;
  int count = 0;
  while (count < 4096 && (pid = sys_fork()) > 0) pids[count++] = pid;
  if (pid == 0) {
    for (;;) SYS0(pause);
  }
  print("fork %d: %s\n", count, errno_name(pid));
  for (int i = 0; i < count; i++) sys_kill(pids[i], SIGKILL);
  wait_for_children();
  pid = sys_fork();
  if (pid == 0) sys_exit_group(0);
  print("fork again: %s\n", pid > 0 ? "ok" : "refused");
  return 0;
}

/* Everybody forks for ever. */
static void fork_for_ever(void) {
  for (;;) sys_fork();
}

/* Children that end at once and are never waited for. */
static int zombies(void) {
  long pid;
  int count = 0;
  while ((pid = sys_fork()) > 0) count++;
  if (pid == 0) sys_exit_group(0);
  print("zombies %d: %s\n", count, errno_name(pid));
  wait_for_children();
  return 0;
}

/* A thread needs no more than the instructions of pause() in a loop. */
static long start_thread(char *stack) {
  register long none10 __asm__("r10") = 0;
  register long none8 __asm__("r8") = 0;
  long result;
  __asm__ volatile(
      "syscall\n"
      "test %%eax, %%eax\n"
      "jnz 2f\n"
      "1: mov $34, %%eax\n"
      "syscall\n"
      "jmp 1b\n"
      "2:\n"
      : "=a"(result)
      : "a"(__NR_clone), "D"(FLAGS), "S"(stack + STACK), "d"(0), "r"(none10), "r"(none8)
      : "rcx", "r11", "memory");
  return result;
}

static int threads(void) {
  int count = 0;
  long result;
  char *stack = (char *)sys_mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  while ((result = start_thread(stack)) > 0) count++;
  print("threads %d: %s\n", count, errno_name(result));
  return 0;
}

/* Real-time signals that nobody takes. */
static int queued_signals(void) {
  uint64_t mask = signal_bit(FIRST_REAL_TIME);
  SYS4(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  char info[128];
  memset(info, 0, sizeof info);
  *(int *)info = FIRST_REAL_TIME;
  *(int *)(info + 8) = -1; /* SI_QUEUE */
  int count = 0;
  long result;
  while ((result = SYS3(rt_sigqueueinfo, sys_getpid(), FIRST_REAL_TIME, info)) == 0) count++;
  print("signals %d: %s\n", count, errno_name(result));
  return 0;
}

/* A program that becomes itself, `count` times or, with 0, for ever. */
static int exec_self(char **argv, char **envp) {
  long count = parse_number(argv[2]);
  if (count == 1) {
    print("exec: done\n");
    return 0;
  }
  char number[24];
  format(number, sizeof number, "%ld", count == 0 ? 0 : count - 1);
  char *next[] = {argv[0], argv[1], number, 0};
  print("exec: %s\n", errno_name(SYS3(execve, "/proc/self/exe", next, envp)));
  return 1;
}

/* A handler that cannot be entered: its stack is nowhere. */
static void handler(int signal, struct siginfo *info, struct ucontext *context) { (void)signal, (void)info, (void)context; }
static int signal_without_stack(void) {
  sys_handle(SIGSEGV, handler, 0);
  __asm__ volatile("mov $0x1000, %rsp\n push %rax\n");
  return 0;
}

int main(int argc, char **argv, char **envp) {
  const char *which = argc > 1 ? argv[1] : "";
  if (!strcmp(which, "fork")) return fork_until_refused();
  if (!strcmp(which, "fork-for-ever")) fork_for_ever();
  if (!strcmp(which, "zombies")) return zombies();
  if (!strcmp(which, "threads")) return threads();
  if (!strcmp(which, "signals")) return queued_signals();
  if (!strcmp(which, "exec") && argc > 2) return exec_self(argv, envp);
  if (!strcmp(which, "no-stack")) return signal_without_stack();
  return 2;
}
