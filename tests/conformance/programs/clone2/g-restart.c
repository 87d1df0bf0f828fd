/* Section G: what the call was made for. A saved tree of processes is built again, every number as it was.
 *
 * The "image" is a table of tasks as a checkpoint would list them. A coordinator, pid 1 of a fresh namespace, creates the
 * tasks without a living parent; then every task creates its own children, joins its session and group, and reports itself.
 * The steps are the same for all and separated by barriers:
 *
 *   create everybody | start groups | join groups | the ghosts die | report | leave
 *
 * A ghost is a task that was dead when the image was taken, but whose number lives on as that of a session or a group. */
#include "call.h"

struct saved_task {
  int pid;     /* in the container: the namespace of the coordinator */
  int inner;   /* in the container's nested namespace, 0 for a task that is not in there */
  int ppid, tgid, pgid, sid; /* numbers of the container */
  int creator; /* who must create it; differs from ppid where a session is inherited from a ghost */
  int ghost;
};

struct image {
  const struct saved_task *tasks;
  int count;
};

static const struct image *image;
static int first_outer_pid; /* 0: the namespaces around the container choose for themselves */

/* --- what the processes share ------------------------------------------------------------------------------------------- */

enum barrier { CREATED, GROUPS_STARTED, GROUPS_JOINED, GHOSTS_BURIED, BARRIERS };
enum { FAILED = BARRIERS, FAILED_PID, RELEASED, OUTER_WORDS };

static void give_up(int result, int pid) {
  shared->words[FAILED_PID] = pid;
  shared->words[FAILED] = result;
}

static void reap_all_children(void) {
  while (sys_wait4(-1, 0, __WALL) > 0);
}

/* How many processes come to a barrier: all tasks but the threads and, later, the ghosts; and the coordinator. */
static int participants(enum barrier barrier) {
  int count = 1;
  for (int i = 0; i < image->count; i++) {
    const struct saved_task *task = &image->tasks[i];
    count += task->tgid == task->pid && !(task->ghost && barrier == GHOSTS_BURIED);
  }
  return count;
}

/* Waits for all the others. Gives 0 when one of them could not be created: then everybody goes home. */
static int pass(enum barrier barrier) {
  __atomic_fetch_add((int *)&shared->words[barrier], 1, __ATOMIC_SEQ_CST);
  wait_until(shared->words[barrier] == participants(barrier) || shared->words[FAILED], "all tasks are at a barrier");
  return !shared->words[FAILED];
}

static const struct saved_task *find(int pid) {
  for (int i = 0; i < image->count; i++)
    if (image->tasks[i].pid == pid) return &image->tasks[i];
  return 0;
}

static struct facts *facts_of(const struct saved_task *task) { return &shared->facts[task - image->tasks]; }

/* A container number as the task sees it in its own namespace: 0 for somebody outside. */
static int seen_by(const struct saved_task *viewer, int pid) {
  if (!viewer->inner) return pid;
  const struct saved_task *task = find(pid);
  return task ? task->inner : 0;
}

/* --- making the forest -------------------------------------------------------------------------------------------------- */

static const struct saved_task coordinator = {.pid = 1};
static void become(const struct saved_task *task) __attribute__((noreturn));

static int run_thread(void *task, unsigned long rsp) {
  (void)rsp;
  wait_until(shared->words[GHOSTS_BURIED] || shared->words[FAILED], "the tree is complete");
  report(facts_of(task));
  wait_until(shared->words[RELEASED] || shared->words[FAILED], "everything is checked");
  return 0;
}

/* The heart of it: one call with the saved numbers, outermost first. */
static void create(const struct saved_task *self, const struct saved_task *task) {
  int list[3], count = 0;
  int is_thread = task->tgid != task->pid, begins_namespace = task->inner && !self->inner;
  if (first_outer_pid) list[count++] = first_outer_pid + (int)(task - image->tasks);
  list[count++] = task->pid;
  if (task->inner && !begins_namespace) list[count++] = task->inner;

  struct clone_struct how = choosing(count);
  if (begins_namespace) how.flags |= CLONE_NEWPID;
  /* A sibling: the creator only lends its session. */
  if (task->creator != task->ppid && self->ppid == task->ppid) how.flags |= CLONE_PARENT;
  long result;
  if (is_thread) {
    how.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
    how.child_stack = (uint64_t)new_stack();
    result = start_function(&how, list, run_thread, (void *)task);
  } else {
    result = start(&how, list);
    if (result == 0) become(task);
  }
  if (result < 0) give_up((int)result, task->pid);
  else expect_value(result, list[count - 1], "the result");
}

/* Children that must keep the session which their creator is about to leave come first. */
static int keeps_old_session(const struct saved_task *self, const struct saved_task *task) {
  return self->sid == self->pid && task->sid != self->sid && task->sid != task->pid && task->tgid == task->pid;
}

static void create_children(const struct saved_task *self, int with_old_session) {
  for (int i = 0; i < image->count && !shared->words[FAILED]; i++) {
    const struct saved_task *task = &image->tasks[i];
    int creator = task->tgid != task->pid ? task->tgid : task->creator;
    if (creator == self->pid && keeps_old_session(self, task) == with_old_session) create(self, task);
  }
}

static void leave(void) {
  reap_all_children();
  sys_exit_group(0);
}

static void bury_ghosts_of(const struct saved_task *self) {
  for (int i = 0; i < image->count; i++)
    if (image->tasks[i].ghost && image->tasks[i].ppid == self->pid) reap_good(seen_by(self, image->tasks[i].pid));
}

static void join_group(const struct saved_task *self) {
  int group = seen_by(self, self->pgid);
  if (SYS1(getpgid, 0) != group) expect_value(SYS2(setpgid, 0, group), 0, "setpgid");
}

static void become(const struct saved_task *self) {
  create_children(self, 1);
  if (self->sid == self->pid) expect(SYS0(setsid) > 0, "setsid failed in task %d", self->pid);
  create_children(self, 0);
  if (!pass(CREATED)) leave();
  if (self->pgid == self->pid) join_group(self);
  if (!pass(GROUPS_STARTED)) leave();
  join_group(self);
  if (!pass(GROUPS_JOINED)) leave();
  if (self->ghost) sys_exit_group(0);
  bury_ghosts_of(self);
  if (!pass(GHOSTS_BURIED)) leave();
  report(facts_of(self));
  wait_until(shared->words[RELEASED], "everything is checked");
  leave();
  sys_exit_group(0);
}

/* --- comparing ---------------------------------------------------------------------------------------------------------- */

static void compare_number(const struct saved_task *task, const char *name, int got, int container_number) {
  int wanted = seen_by(task, container_number);
  expect(got == wanted, "%s of task %d: wanted %d, got %d", name, task->pid, wanted, got);
}

static void compare(const struct saved_task *task) {
  const struct facts *facts = facts_of(task);
  wait_until(facts->pid, "a task has reported");
  compare_number(task, "gettid()", facts->tid, task->pid);
  compare_number(task, "getpid()", facts->pid, task->tgid);
  compare_number(task, "getppid()", facts->ppid, task->ppid);
  compare_number(task, "getpgid()", facts->pgid, task->pgid);
  compare_number(task, "getsid()", facts->sid, task->sid);
  /* A thread's /proc/self is its whole process. */
  const struct saved_task *leader = find(task->tgid);
  int outer = first_outer_pid ? first_outer_pid + (int)(leader - image->tasks) : 0;
  if (task->inner) expect_pids(facts, outer, leader->pid, leader->inner);
  else expect_pids(facts, outer, leader->pid);
}

/* Runs in the coordinator. Gives 0, or the errno of the call that failed; in both cases nobody is left. */
static int restart(const struct image *wanted) {
  image = wanted;
  for (int i = 0; i < OUTER_WORDS; i++) shared->words[i] = 0;
  memset(shared->facts, 0, sizeof shared->facts);
  create_children(&coordinator, 0);
  int good = pass(CREATED) && pass(GROUPS_STARTED) && pass(GROUPS_JOINED);
  if (good) {
    bury_ghosts_of(&coordinator);
    good = pass(GHOSTS_BURIED);
  }
  for (int i = 0; good && i < image->count; i++)
    if (!image->tasks[i].ghost) compare(&image->tasks[i]);
  shared->words[RELEASED] = 1;
  return shared->words[FAILED];
}

/* --- the images ----------------------------------------------------------------------------------------------------------- */

#define IMAGE(table) ((struct image){table, sizeof(table) / sizeof *(table)})
/* pid, inner, ppid, tgid, pgid, sid, creator, ghost */

/* A root with three children, one of which leads a second session with two more, and a thread. */
static const struct saved_task family[] = {
    {40, 0, 1, 40, 40, 40, 1, 0},        {17, 0, 40, 17, 40, 40, 40, 0},      {305, 0, 40, 305, 305, 305, 40, 0},
    {9, 0, 40, 9, 9, 40, 40, 0},         {23, 0, 305, 23, 305, 305, 305, 0},  {1200, 0, 305, 1200, 1200, 305, 305, 0},
    {77, 0, 40, 17, 40, 40, 0, 0},
};

/* Two tasks in the container; the second nested namespace has an init (1) and members 2 to 4, out of order. */
static const struct saved_task nested[] = {
    {40, 0, 1, 40, 40, 40, 1, 0},    {41, 0, 40, 41, 40, 40, 40, 0},  {50, 1, 40, 50, 50, 50, 40, 0},
    {61, 4, 50, 61, 50, 50, 50, 0},  {52, 3, 50, 52, 52, 50, 50, 0},  {53, 2, 52, 53, 52, 50, 52, 0},
};

/* Session 30: its leader is dead, a sibling and an orphan are left of it, the orphan with a group of its own (33, orphaned,
 * because the parent of its members is in another session or in the group). Group 35: its leader is dead. Task 37 is in an
 * older session than its parent 45. */
static const struct saved_task haunted[] = {
    {40, 0, 1, 40, 40, 40, 1, 0},    {30, 0, 40, 30, 30, 30, 40, 1},  {31, 0, 40, 31, 30, 30, 30, 0},
    {33, 0, 1, 33, 33, 30, 30, 0},   {34, 0, 33, 34, 33, 30, 33, 0},  {35, 0, 40, 35, 35, 40, 40, 1},
    {36, 0, 40, 36, 35, 40, 40, 0},  {45, 0, 40, 45, 45, 45, 40, 0},  {37, 0, 45, 37, 40, 40, 45, 0},
};

/* --- the cases -------------------------------------------------------------------------------------------------------------- */

static void rebuild(const struct image *wanted, int depth) {
  IN_NEW_PID_NS(depth) {
    int result = restart(wanted);
    expect(result == 0, "task %d could not be created: %s", shared->words[FAILED_PID], errno_name(result));
    reap_all_children();
  }
}

static void rebuilds_a_family(long unused) {
  (void)unused;
  rebuild(&IMAGE(family), 1);
}

static void rebuilds_a_nested_namespace(long unused) {
  (void)unused;
  first_outer_pid = far_free_pid();
  rebuild(&IMAGE(nested), 1);
}

static void rebuilds_around_ghosts(long unused) {
  (void)unused;
  rebuild(&IMAGE(haunted), 1);
}

static void rebuilds_one_level_deeper(long unused) {
  (void)unused;
  rebuild(&IMAGE(family), 2);
  rebuild(&IMAGE(nested), 2);
}

static void reports_a_taken_pid(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) {
    struct clone_struct how = choosing(1);
    struct held occupant;
    int taken = 1200;
    expect_value(start_held(&how, &taken, &occupant), taken, "the occupant's pid");
    expect_value(restart(&IMAGE(family)), -TAKEN, "the restart");
    expect_value(shared->words[FAILED_PID], taken, "the task that could not be created");
    for (int i = 0; i < (int)(sizeof family / sizeof *family); i++) {
      if (family[i].pid == taken) continue;
      /* Who is only waited for by us is reaped here; the others by their parents. */
      if (family[i].ppid == 1) sys_wait4(family[i].pid, 0, 0);
      wait_until(!pid_exists(family[i].pid), "a task of the failed restart is gone");
    }
    release(&occupant);
    expect_value(restart(&IMAGE(family)), 0, "the restart once the pid is free");
    reap_all_children();
  }
}

static const struct test_case cases[] = {
    {136, SHARED, "a saved tree of six processes, two sessions and a thread is rebuilt with " CALL ", every number as it was", rebuilds_a_family, 0},
    {137, SHARED, "a saved tree with a nested namespace is rebuilt with " CALL ", the outer pids chosen too", rebuilds_a_nested_namespace, 0},
    {138, SHARED, "a saved tree with a dead session leader and an orphaned group is rebuilt with " CALL, rebuilds_around_ghosts, 0},
    {139, SHARED, "a saved tree is rebuilt one level deeper with " CALL ", the outermost pids automatic", rebuilds_one_level_deeper, 0},
    {140, SHARED, "a rebuild that meets a taken pid reports it, leaves nothing, and works once the pid is free, with " CALL, reports_a_taken_pid, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
