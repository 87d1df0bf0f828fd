/* Runs a command and prints what it took: wall nanoseconds, peak resident KiB, exit code, processor nanoseconds.
 *
 *     measure [-o FILE] [-t SECONDS] [--] COMMAND [ARGS...]
 *
 * Standard output goes to FILE or nowhere. After SECONDS the command and its children are killed, and the exit code is 124.
 * A program of its own, because neither a shell nor Node can tell the peak memory of one child. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t late;

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long nanoseconds(struct timeval time) { return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL; }

/* The command is a process group of its own: what it started goes with it. */
static void stop(int signal) {
  late = signal == SIGALRM;
  kill(-child, SIGKILL);
  if (!late) _exit(128 + signal);
}

int main(int argc, char **argv) {
  const char *output = "/dev/null";
  unsigned limit = 0;
  int option;
  while ((option = getopt(argc, argv, "+o:t:")) != -1) {
    if (option == 'o') output = optarg;
    else if (option == 't') limit = (unsigned)atoi(optarg);
    else return 2;
  }
  if (optind >= argc) return 2;
  long long start = now();
  child = fork();
  if (child == 0) {
    setpgid(0, 0);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
    execv(argv[optind], argv + optind);
    _exit(127);
  }
  if (child < 0) return 1;
  signal(SIGALRM, stop);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  alarm(limit);
  int status = 0;
  struct rusage usage = {0};
  if (wait4(child, &status, 0, &usage) != child) return 1;
  long long wall = now() - start;
  int code = late ? 124 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  printf("%lld %ld %d %lld\n", wall, usage.ru_maxrss, code, nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime));
  return 0;
}
