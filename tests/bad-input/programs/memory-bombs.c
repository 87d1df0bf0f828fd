/* Programs that want more memory than there is. The first argument says how. */
#include "sys.h"
#include "text.h"

enum { PAGE = 4096, MEGABYTE = 1 << 20 };

static long map(size_t size, int protection, int flags) {
  return sys_mmap(0, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void touch_for_ever(void) {
  for (;;) {
    long memory = map(MEGABYTE, PROT_READ | PROT_WRITE, 0);
    if (is_error(memory)) sys_exit_group(42);
    for (long at = 0; at < MEGABYTE; at += PAGE) *(volatile char *)(memory + at) = 1;
  }
}

/* The child takes everything; the parent, which is small, must live to tell. */
static int touch_all(void) {
  for (int round = 1; round <= 3; round++) {
    long pid = sys_fork();
    if (pid == 0) touch_for_ever();
    int status = 0;
    sys_wait4(pid, &status, 0);
    if (WIFSIGNALED(status)) print("bomb %d: killed by %d\n", round, WTERMSIG(status));
    else print("bomb %d: exited with %d\n", round, WEXITSTATUS(status));
  }
  return 0;
}

/* One page every 2 MiB: most of what it takes are page tables. */
static int sparse(void) {
  long pid = sys_fork();
  if (pid == 0) {
    long memory = map(1L << 40, PROT_READ, MAP_NORESERVE);
    for (long at = 0; at < 1L << 40; at += 2 * MEGABYTE) (void)*(volatile char *)(memory + at);
    sys_exit_group(42);
  }
  int status = 0;
  sys_wait4(pid, &status, 0);
  print("sparse: %s\n", WIFSIGNALED(status) && WTERMSIG(status) == 9 ? "killed" : "not killed");
  return 0;
}

static int refused(void) {
  print("10 GB: %s\n", errno_name(map(10L << 30, PROT_READ | PROT_WRITE, 0)));
  print("all of user space: %s\n", errno_name(map(0x7ffffffff000, PROT_NONE, MAP_NORESERVE)));
  long result = map(1L << 45, PROT_NONE, MAP_NORESERVE);
  print("32 TB of nothing: %s\n", is_error(result) ? errno_name(result) : "ok");
  char vector[PAGE];
  print("mincore of it: %s\n", errno_name(SYS3(mincore, result, 1L << 45, vector)));
  print("mlock of it: %s\n", errno_name(SYS2(mlock, result, 1L << 45)));
  return 0;
}

/* Areas that cannot be joined, made by mmap and by mprotect. */
static int areas(void) {
  long result = 0;
  int count = 0;
  while (!is_error(result = map(PAGE, count % 2 ? PROT_READ : PROT_NONE, 0))) count++;
  print("mmap %s: %s\n", count > 65000 && count < 65531 ? "about 65530" : "another number", errno_name(result));
  print("munmap: %s\n", SYS2(munmap, 0x7ff000000000, 0xff7fff000) == 0 && map(PAGE, PROT_READ, 0) > 0 ? "ok" : "refused");
  return 0;
}

static int cuts(void) {
  long memory = map(1L << 30, PROT_READ, MAP_NORESERVE), result = 0;
  int count = 0;
  for (long at = PAGE; at < 1L << 30 && result == 0; at += 2 * PAGE) {
    result = SYS3(mprotect, memory + at, PAGE, PROT_NONE);
    if (result == 0) count++;
  }
  print("mprotect %s: %s\n", count > 32000 && count < 32766 ? "about 32765" : "another number", errno_name(result));
  return 0;
}

static __attribute__((noinline)) int recurse(int depth) {
  volatile char room[256];
  room[0] = (char)depth;
  /* Never true, but the compiler cannot know. */
  if (sys_getpid() < 0) return 0;
  return recurse(depth + 1) + room[0];
}

static int heap(void) {
  long start = SYS1(brk, 0), end = start;
  for (;;) {
    long next = SYS1(brk, end + MEGABYTE);
    if (next != end + MEGABYTE) break;
    for (; end < next; end += PAGE) *(volatile char *)end = 1;
  }
  print("the break stops\n");
  return 0;
}

int main(int argc, char **argv) {
  const char *which = argc > 1 ? argv[1] : "";
  if (!strcmp(which, "touch")) return touch_all();
  if (!strcmp(which, "sparse")) return sparse();
  if (!strcmp(which, "refused")) return refused();
  if (!strcmp(which, "areas")) return areas();
  if (!strcmp(which, "cuts")) return cuts();
  if (!strcmp(which, "recursion")) return recurse(0);
  if (!strcmp(which, "heap")) return heap();
  return 2;
}
