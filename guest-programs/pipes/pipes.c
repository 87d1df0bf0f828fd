/* Pipes: bytes from one process to another, in order, through a buffer in the kernel.
 *
 * Three processes in a row, as a shell would start `numbers | square | sum`, and then the two ways in which a pipe ends:
 *  - a reader gets 0 ("end of file") when nobody can write any more;
 *  - a writer gets EPIPE and SIGPIPE when nobody can read any more. */
#include "sys.h"
#include "text.h"

enum { NUMBERS = 1000 };

/* A pipe hands over bytes, not messages: a read may give less than asked for, so read until it is all there. */
static int read_number(int fd, int *number) {
  size_t have = 0;
  while (have < sizeof *number) {
    long got = sys_read(fd, (char *)number + have, sizeof *number - have);
    if (got <= 0) return 0;
    have += (size_t)got;
  }
  return 1;
}

static void numbers(int out) {
  for (int i = 1; i <= NUMBERS; i++) sys_write(out, &i, sizeof i);
}

static void square(int in, int out) {
  for (int number; read_number(in, &number);) {
    number *= number;
    sys_write(out, &number, sizeof number);
  }
}

static long sum(int in) {
  long total = 0;
  for (int number; read_number(in, &number);) total += number;
  return total;
}

static long pipeline(void) {
  int first[2], second[2];
  sys_pipe(first);
  sys_pipe(second);
  if (sys_fork() == 0) {
    numbers(first[1]);
    sys_exit_group(0);
  }
  if (sys_fork() == 0) {
    /* Each process closes the ends it does not use. Were this writer left open here, `square` would wait for its own
     * next number for ever: a pipe ends only when its last writer is gone. */
    sys_close(first[1]);
    square(first[0], second[1]);
    sys_exit_group(0);
  }
  sys_close(first[0]);
  sys_close(first[1]);
  sys_close(second[1]);
  long total = sum(second[0]);
  sys_close(second[0]);
  sys_wait4(-1, 0, 0);
  sys_wait4(-1, 0, 0);
  return total;
}

/* Gives the signal that killed a child which writes to a pipe without a reader. */
static int write_to_nobody(void) {
  int ends[2], status = 0;
  sys_pipe(ends);
  sys_close(ends[0]);
  if (sys_fork() == 0) {
    sys_write(ends[1], "x", 1);
    sys_exit_group(0);
  }
  sys_close(ends[1]);
  sys_wait4(-1, &status, 0);
  return WTERMSIG(status);
}

/* How much fits in before the writer must wait? Linux says 16 pages; O_NONBLOCK makes the full pipe say EAGAIN. */
static long capacity(void) {
  int ends[2];
  char block[4096] = {0};
  SYS2(pipe2, ends, 04000 /* O_NONBLOCK */);
  long total = 0, written;
  while ((written = sys_write(ends[1], block, sizeof block)) > 0) total += written;
  sys_close(ends[0]);
  sys_close(ends[1]);
  return written == -EAGAIN ? total : -1;
}

int main(void) {
  long total = pipeline();
  long expected = (long)NUMBERS * (NUMBERS + 1) * (2 * NUMBERS + 1) / 6;
  print("numbers | square | sum = %ld (expected %ld)\n", total, expected);
  int signal = write_to_nobody();
  print("writing to a pipe nobody reads: killed by signal %d (SIGPIPE is %d)\n", signal, SIGPIPE);
  long room = capacity();
  print("a pipe holds %ld bytes\n", room);
  return total == expected && signal == SIGPIPE && room == 65536 ? 0 : 1;
}
