/* Children two pid namespaces down, with their pids chosen in both: clone3(set_tid), exit, wait. */
#include "bench.h"

struct clone_request {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static long clone_with(uint64_t flags, int *tids, uint64_t count) {
  struct clone_request request = {0};
  request.flags = flags;
  request.exit_signal = SIGCHLD;
  request.set_tid = (uint64_t)tids;
  request.set_tid_size = count;
  return SYS2(clone3, &request, sizeof request);
}

static int work(long count) {
  for (long n = count; n > 0; n--) {
    int wanted[] = {(int)(n % 1000) + 1000, (int)(n % 1000) + 5000};
    long pid = clone_with(0, wanted, 2);
    if (pid == 0) sys_exit_group(0);
    if (pid != wanted[0] || sys_wait4(pid, 0, 0) != pid) return 1;
  }
  return 0;
}

/* Does the rest as pid 1 of a new namespace, and ends as that does. */
static int inside(int depth, long count) {
  if (depth == 0) return work(count);
  long pid = clone_with(CLONE_NEWPID, 0, 0);
  if (pid == 0) sys_exit_group(inside(depth - 1, count));
  int status = 1;
  return pid < 0 || sys_wait4(pid, &status, 0) != pid || status != 0;
}

int main(int argc, char **argv) { return inside(2, iterations(argc, argv)); }
