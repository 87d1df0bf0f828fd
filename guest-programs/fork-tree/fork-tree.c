/* fork(): one process becomes two. This guest grows a small family tree and takes it down again.
 *
 * What to look at:
 *  - fork() returns twice: 0 in the child, the child's pid in the parent;
 *  - memory is copied (as late as possible: copy-on-write), so the child's `depth` is its own;
 *  - an exit status travels to the parent through wait4(); here it counts the processes of a subtree.
 *
 * Names, not pids, are printed: pids differ from run to run on a busy system, the tree does not. */
#include "sys.h"
#include "text.h"

enum { DEPTH = 3, CHILDREN = 2 };

/* Grows the subtree of the calling process and gives the number of processes in it. */
static int grow(char *name, int depth) {
  static const char *const indents[] = {"", "  ", "    ", "      "};
  print("%s%s\n", indents[depth], name);
  if (depth == DEPTH) return 1;

  int processes = 1;
  size_t end = strlen(name);
  for (int child = 0; child < CHILDREN; child++) {
    long pid = sys_fork();
    if (pid == 0) {
      /* This write goes to the child's copy of the page: the parent's name stays as it is. */
      name[end] = '.';
      name[end + 1] = (char)('1' + child);
      name[end + 2] = 0;
      sys_exit_group(grow(name, depth + 1));
    }
    if (pid < 0) sys_exit_group(255);

    /* Waiting before the next fork() keeps the output in order. */
    int status = 0;
    if (sys_wait4(pid, &status, 0) != pid || !WIFEXITED(status)) sys_exit_group(255);
    processes += WEXITSTATUS(status);
  }
  if (name[end] != 0) sys_exit_group(255);
  return processes;
}

int main(void) {
  char name[32] = "root";
  int processes = grow(name, 0);
  print("%d processes lived, ", processes);

  /* With no child left there is nothing to wait for. */
  long result = sys_wait4(-1, 0, 0);
  print("none is left (wait4 says %s)\n", errno_name(result));
  return processes == 15 && result == -ECHILD ? 0 : 1;
}
