/* Programs that want more descriptors, bytes, names or arguments than there may be. The first argument says what. */
#include "sys.h"
#include "text.h"

static char block[1 << 16];

static int descriptors(void) {
  long fd;
  int last = 0;
  while ((fd = sys_open("/tmp/file", O_CREAT | O_RDWR, 0600)) >= 0) last = (int)fd;
  print("last descriptor %d: %s\n", last, errno_name(fd));
  int pair[2];
  print("pipe: %s\n", errno_name(sys_pipe(pair)));
  print("dup: %s\n", errno_name(SYS1(dup, 0)));
  print("dup2 to 1024: %s\n", errno_name(SYS2(dup2, 0, 1024)));
  sys_close(500);
  sys_close(501);
  print("pipe after two are closed: %s\n", sys_pipe(pair) == 0 && pair[0] == 500 ? "ok" : "refused");
  return 0;
}

static int full_pipe(void) {
  int pair[2];
  SYS2(pipe2, pair, O_NONBLOCK);
  long count = 0, written;
  while ((written = sys_write(pair[1], block, 4096)) > 0) count += written;
  print("pipe holds %ld: %s\n", count, errno_name(written));
  for (count = 0; (written = sys_read(pair[0], block, sizeof block)) > 0;) count += written;
  print("pipe gave %ld: %s\n", count, errno_name(written));
  sys_close(pair[0]);
  sys_set_action(SIGPIPE, 1);
  print("without a reader: %ld\n", sys_write(pair[1], block, 1));
  return 0;
}

/* As many full pipes as descriptors, in as many processes as there may be. */
static int pipes(void) {
  int processes = 0;
  for (;;) {
    long pid = sys_fork();
    if (pid < 0) break;
    processes++;
    if (pid > 0) continue;
    int pair[2];
    while (SYS2(pipe2, pair, O_NONBLOCK) == 0) {
      while (sys_write(pair[1], block, sizeof block) > 0) {
      }
    }
    SYS1(alarm, 1);
    for (;;) SYS0(pause);
  }
  while (sys_wait4(-1, 0, 0) > 0) {
  }
  print("pipes of %d processes\n", processes);
  return 0;
}

static int full_disk(void) {
  long fd = sys_open("/tmp/file", O_CREAT | O_RDWR, 0600), written;
  while ((written = sys_write((int)fd, block, sizeof block)) > 0) {
  }
  print("write: %s\n", errno_name(written));
  print("far away: %ld\n", SYS4(pwrite64, fd, block, 1, 0x7fffffffffffffff));
  SYS1(unlink, "/tmp/file");
  sys_close((int)fd);
  fd = sys_open("/tmp/file", O_CREAT | O_RDWR, 0600);
  print("after unlink: %s\n", sys_write((int)fd, block, sizeof block) == sizeof block ? "ok" : "refused");
  return 0;
}

static int names(void) {
  char name[32];
  for (int count = 0; count < 400000; count++) {
    format(name, sizeof name, "/tmp/%d", count);
    long fd = sys_open(name, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) {
      print("names: %s\n", errno_name(fd));
      return 0;
    }
    sys_close((int)fd);
  }
  print("names: no end\n");
  return 0;
}

static int endless_output(void) {
  memset(block, 'x', sizeof block);
  while (sys_write(1, block, sizeof block) > 0) {
  }
  return 1;
}

static int big_arguments(char **argv, char **envp) {
  static char text[131072 + 8];
  memset(text, 'a', sizeof text);
  text[131072] = 0;
  char *too_long[] = {argv[0], text, 0};
  print("a string of 131072: %s\n", errno_name(SYS3(execve, "/proc/self/exe", too_long, envp)));
  text[131071] = 0;
  static char *many[100];
  for (int i = 0; i < 99; i++) many[i] = text;
  print("99 of 131071: %s\n", errno_name(SYS3(execve, "/proc/self/exe", many, envp)));
  many[1] = "done";
  for (int i = 2; i < 12; i++) many[i] = text;
  many[12] = 0;
  print("10 of 131071: %s\n", errno_name(SYS3(execve, "/proc/self/exe", many, envp)));
  return 1;
}

int main(int argc, char **argv, char **envp) {
  const char *which = argc > 1 ? argv[1] : "";
  if (!strcmp(which, "descriptors")) return descriptors();
  if (!strcmp(which, "pipe")) return full_pipe();
  if (!strcmp(which, "pipes")) return pipes();
  if (!strcmp(which, "disk")) return full_disk();
  if (!strcmp(which, "names")) return names();
  if (!strcmp(which, "output")) return endless_output();
  if (!strcmp(which, "arguments")) return big_arguments(argv, envp);
  if (!strcmp(which, "done")) {
    print("%d arguments arrived\n", argc);
    return 0;
  }
  return 2;
}
