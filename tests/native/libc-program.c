/* Touches what differs between C libraries: start-up, environment, stdio, floating point, malloc, threads of execution,
 * signals, time, directories. Prints the same natively and in the machine; ends with exit code 7. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int handled;

static void on_signal(int number) { handled += number; }

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("fault: signal %d at %p\n", number, info->si_addr);
  siglongjmp(back, 1);
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void memory(void) {
  char *blocks[64];
  unsigned long sum = 0;
  for (int i = 0; i < 64; i++) {
    size_t size = (size_t)1 << (i % 20);
    blocks[i] = calloc(1, size);
    memset(blocks[i], i, size);
    sum += (unsigned char)blocks[i][size - 1];
  }
  for (int i = 0; i < 64; i += 2) free(blocks[i]);
  for (int i = 0; i < 64; i += 2) blocks[i] = realloc(0, 100000);
  for (int i = 0; i < 64; i++) free(blocks[i]);
  char *map = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(map + 4090, "across a page");
  printf("memory: %lu %s\n", sum, map + 4090);
  munmap(map, 1 << 20);
}

static void numbers(void) {
  volatile double x = 2.0, third = 1.0 / 3.0;
  printf("numbers: %.10f %.10f %g %a %Lf %d\n", sqrt(x), third, 1e-300 * 1e-10, 0.1, 1.25L, (int)(x * 1e5));
  int list[] = {5, 3, 9, 1, 7};
  qsort(list, 5, sizeof *list, compare);
  printf("sorted: %d %d %d %d %d %s\n", list[0], list[1], list[2], list[3], list[4], strerror(ENOENT));
}

static void signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &fault, 0);
  if (!sigsetjmp(back, 1)) *(volatile int *)16 = 1;
  printf("signals: %d\n", handled);
}

static void processes(void) {
  int ends[2], status = 0;
  char text[64] = {0};
  fflush(stdout);
  if (pipe(ends)) abort();
  pid_t pid = fork();
  if (pid == 0) {
    dprintf(ends[1], "from the child");
    _exit(3);
  }
  close(ends[1]);
  ssize_t length = read(ends[0], text, sizeof text);
  waitpid(pid, &status, 0);
  printf("processes: %zd %s, exit %d\n", length, text, WEXITSTATUS(status));
}

static void files(void) {
  FILE *file = fopen("sub/file", "w+");
  for (int i = 0; i < 1000; i++) fprintf(file, "line %d\n", i);
  fseek(file, -9, SEEK_END);
  char line[32], *got = fgets(line, sizeof line, file);
  struct stat info;
  fflush(file);
  fstat(fileno(file), &info);
  fclose(file);
  int entries = 0;
  DIR *folder = opendir("sub");
  while (readdir(folder)) entries++;
  closedir(folder);
  printf("files: %s%ld bytes, %d entries\n", got, (long)info.st_size, entries);
  unlink("sub/file");
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  printf("environment: %s %s\n", getenv("TZ"), getenv("LC_ALL"));
  time_t then = 1000000000;
  char text[64];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %A", gmtime(&then));
  printf("time: %s %s\n", text, time(0) > then ? "later" : "earlier");
  memory();
  numbers();
  signals();
  processes();
  files();
  fprintf(stderr, "to standard error\n");
  return 7;
}
