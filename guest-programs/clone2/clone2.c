/* clone2(): a fork() whose caller chooses the child's process id - in its own pid namespace and in every namespace around it.
 *
 * Why would anyone want that? Because a checkpointed program remembers pids: a parent the pid of its child, a lock the pid of
 * its owner. Restarted, it must get the same numbers back. clone2() was posted for Linux in September 2009 for that purpose
 * and was never merged; years later clone3() got the same ability under the name set_tid.
 *
 * How pids nest: a task in a nested pid namespace has one pid in each namespace from its own out to the first one. The line
 * "NSpid:" in /proc/PID/status shows them all, outermost first, and clone2() takes its list in the same order:
 *
 *     level 0 (the machine)   1 ... 1400              pids[0]
 *     level 1                        2400             pids[1]
 *     level 2                             3400        pids[2]
 *     level 3                                  4400   pids[3]   the caller's own namespace comes last
 *
 * A list shorter than the nesting speaks of the innermost namespaces; the outer ones choose for themselves. An entry of 0
 * leaves that one namespace the choice. A namespace made by the call itself (CLONE_NEWPID) is not in the list: its first
 * task is always pid 1. */
#include "proc.h"
#include "sys.h"
#include "text.h"

enum { LEVELS = 4, ANY = 0 };

static int failures;

/* "1400 2400 any 4400" for a list in which 0 means that the kernel chooses. */
static const char *list_text(const int *pids, int count, const char *zero, char *to, size_t size) {
  size_t length = 0;
  to[0] = 0;
  for (int i = 0; i < count; i++) {
    const char *space = i ? " " : "";
    if (pids[i] == ANY) length += format(to + length, size - length, "%s%s", space, zero);
    else length += format(to + length, size - length, "%s%d", space, pids[i]);
  }
  return to;
}

static void print_header(void) {
  print("  %-28s %-7s %-24s %s\n", "who", "level", "asked for", "NSpid");
  print("  %-28s %-7s %-24s %s\n", "---", "-----", "---------", "-----");
}

/* The request of one call, which the child looks up in its copy of the parent's memory to compare it with what it got. */
struct request {
  const char *who;
  int level;       /* of the caller; so the list may have level + 1 entries */
  int count;       /* entries in pids */
  int pids[LEVELS];
  int new_namespace;
};

/* Runs in the child: reads its own NSpid line and compares. Entry i of a list of n speaks of level (level + 1 - n + i). */
static int check_row(const struct request *request) {
  int got[LEVELS + 1], levels = request->level + 1, good;
  char asked[64], seen[64];
  long count = read_nspid("self", got, LEVELS + 1);
  good = count == levels + request->new_namespace;
  for (int i = 0; i < request->count && good; i++) {
    int wanted = request->pids[i], level = levels - request->count + i;
    if (wanted != ANY && got[level] != wanted) good = 0;
  }
  if (request->new_namespace && count > 0 && got[count - 1] != 1) good = 0;
  if (sys_getpid() != got[count > 0 ? count - 1 : 0]) good = 0;
  print("  %-28s %-7d %-24s %-24s %s\n", request->who, request->level + request->new_namespace,
        request->count ? list_text(request->pids, request->count, "any", asked, sizeof asked) : "(nothing)",
        list_text(got, count > 0 ? (int)count : 0, "0", seen, sizeof seen), good ? "as asked" : "WRONG");
  return good ? 0 : 1;
}

/* One call of clone2. The child checks its row, goes on with `inside` (if any) and exits; the parent waits for it. */
static void create(const struct request *request, int (*inside)(void)) {
  struct clone_struct how = {0};
  how.flags = SIGCHLD | (request->new_namespace ? CLONE_NEWPID : 0);
  how.nr_pids = (uint32_t)request->count;

  long pid = sys_clone2(&how, request->pids);
  if (pid == 0) {
    int bad = check_row(request);
    sys_exit_group(inside ? inside() || bad : bad);
  }
  if (pid < 0) {
    print("  %-28s clone2 failed: %s\n", request->who, errno_name(pid));
    failures++;
    return;
  }
  int status = -1;
  int own_entry = request->count ? request->pids[request->count - 1] : ANY;
  /* The result is the child's pid as the caller sees it, so it is the last entry of the list. */
  if (own_entry != ANY && pid != own_entry) failures++;
  if (sys_wait4(pid, &status, 0) != pid || status != 0) failures++;
}

/* Each function below runs inside one more namespace than the one above it (and above it in the story is below it in the
 * file). The caller is always pid 1 of its namespace. */
static int in_level_3(void) {
  create(&(struct request){"a pid at every level", 3, 4, {1400, 2400, 3400, 4400}, 0}, 0);
  create(&(struct request){"level 1 left to the kernel", 3, 4, {1500, ANY, 3500, 4500}, 0}, 0);
  create(&(struct request){"only the two innermost", 3, 2, {3600, 4600}, 0}, 0);
  create(&(struct request){"the same number everywhere", 3, 4, {1700, 1700, 1700, 1700}, 0}, 0);
  create(&(struct request){"a plain fork", 3, 0, {0}, 0}, 0);
  return failures != 0;
}

static int in_level_2(void) {
  create(&(struct request){"init of level 3", 2, 3, {1300, 2300, 3300}, 1}, in_level_3);
  return failures != 0;
}

static int in_level_1(void) {
  create(&(struct request){"init of level 2", 1, 2, {1200, 2200}, 1}, in_level_2);
  return failures != 0;
}

static void choose_pids(void) {
  print("Pids chosen, from outside to inside:\n\n");
  print_header();
  create(&(struct request){"a child of this program", 0, 1, {1000}, 0}, 0);
  create(&(struct request){"init of level 1", 0, 1, {1100}, 1}, in_level_1);
}

static void refuse(const char *why, const struct clone_struct *how, const int *pids, int wanted) {
  long result = sys_clone2(how, pids);
  if (result == 0) sys_exit_group(0);
  int good = result == -wanted;
  if (result > 0) sys_wait4(result, 0, 0);
  print("  %-54s %-8s %s\n", why, result > 0 ? "a child" : errno_name(result), good ? "as it should be" : "WRONG");
  failures += !good;
}

/* Gives up all capabilities in a child, because they do not come back. */
static void refuse_without_privilege(void) {
  long pid = sys_fork();
  if (pid == 0) {
    struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct cap_data nothing[2] = {{0}};
    struct clone_struct how = {.flags = SIGCHLD, .nr_pids = 1};
    int pids[] = {1800};
    SYS2(capset, &header, nothing);
    failures = 0;
    refuse("choosing without CAP_SYS_ADMIN", &how, pids, EPERM);
    sys_exit_group(failures);
  }
  int status = -1;
  if (sys_wait4(pid, &status, 0) != pid || status != 0) failures++;
}

static void refusals(void) {
  struct clone_struct one = {.flags = SIGCHLD, .nr_pids = 1}, five = {.flags = SIGCHLD, .nr_pids = 5};
  int own[] = {(int)sys_getpid()}, list[] = {1801, 1802, 1803, 1804, 1805};
  print("\nWhat clone2 refuses, and how:\n\n");
  refuse("a pid that is taken (this program's own)", &one, own, EBUSY);
  refuse("more entries than there are namespaces", &five, list, EINVAL);
  refuse_without_privilege();
  refuse("a struct that is not in memory (a null pointer)", 0, 0, EFAULT);
}

int main(void) {
  if (sys_clone2(0, 0) == -ENOSYS) {
    print("This kernel has no clone2(): Linux never merged it. Run this program inside the machine:\n"
          "  trapgate run build/guests/clone2\n");
    return 1;
  }
  choose_pids();
  refusals();
  print("\n%s\n", failures ? "Something was not as specified." : "Every pid is as it was asked for.");
  return failures ? 1 : 0;
}
