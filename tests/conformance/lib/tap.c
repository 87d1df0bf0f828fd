#include "tap.h"
#include "family.h"
#include "proc.h"

enum { SECONDS_FOR_A_CASE = 20 };

struct shared *shared;
int on_trapgate;

void case_fails(int line, const char *form, ...) {
  va_list arguments;
  va_start(arguments, form);
  if (!shared->failed) {
    size_t length = format(shared->message, sizeof shared->message, "line %d: ", line);
    format_list(shared->message + length, sizeof shared->message - length, form, arguments);
    shared->failed = 1;
  }
  va_end(arguments);
  sys_exit_group(1);
}

void case_skips(const char *reason) {
  if (!shared->skipped) {
    format(shared->message, sizeof shared->message, "%s", reason);
    shared->skipped = 1;
  }
  sys_exit_group(0);
}

void check_refusal(int line, const char *call, long result, int number, long children_before) {
  if (result != -number) case_fails(line, "%s: wanted %s, got %ld %s", call, errno_name(number), result, errno_name(result));
  long children = count_children();
  if (children != children_before) case_fails(line, "%s: refused, but there are %ld children instead of %ld", call, children, children_before);
}

static int matches_arguments(const struct test_case *test, int argc, char **argv) {
  if (argc < 2) return 1;
  for (int i = 1; i < argc; i++)
    if (parse_number(argv[i]) == test->number) return 1;
  return 0;
}

/* Buries the case's process and whatever it left behind. What it left becomes ours, because we are a subreaper. */
static void bury_strays(void) {
  for (int tries = 0; tries < 2000; tries++) {
    long pid = sys_wait4(-1, 0, WNOHANG | __WALL);
    if (pid == -ECHILD) return;
    if (pid > 0) continue;
    kill_children();
    sleep_us(1000);
  }
}

/* Gives the wait status, or -1 when the case had to be killed. */
static int wait_for_case(long pid, long seconds) {
  long waited_us = 0, pause_us = 100, patience_us = seconds * 1000000;
  for (;;) {
    int status = 0;
    if (sys_wait4(pid, &status, WNOHANG | __WALL) == pid) return status;
    if (waited_us > patience_us) break;
    /* After a failure the other processes of the case may wait for ever: they get half a second more. */
    if (shared->failed && patience_us > waited_us + 500000) patience_us = waited_us + 500000;
    sleep_us(pause_us);
    waited_us += pause_us;
    if (pause_us < 10000) pause_us += pause_us / 2;
  }
  sys_kill(pid, SIGKILL);
  return -1;
}

static void restore_pid_max(void) {
  if (shared->old_pid_max) write_number("/proc/sys/kernel/pid_max", shared->old_pid_max);
}

/* The variable alone is not enough: somebody may set it on a real Linux, whose pid_max all users share. No such kernel has
 * clone2, so the call itself is the proof that this is the machine. */
static int may_set_pid_max(void) { return on_trapgate && sys_clone2(0, 0) != -ENOSYS; }

static int run_case(const struct test_case *test) {
  memset(shared, 0, sizeof *shared);
  if ((test->tags & SETS_PID_MAX) && !may_set_pid_max()) {
    format(shared->message, sizeof shared->message, "changes pid_max, which belongs to the whole computer");
    shared->skipped = 1;
    return 1;
  }
  long pid = sys_fork();
  if (pid == 0) {
    test->run(test->argument);
    sys_exit_group(0);
  }
  if (pid < 0) {
    format(shared->message, sizeof shared->message, "no process for the case: %s", errno_name(pid));
    return 0;
  }
  long seconds = SECONDS_FOR_A_CASE * (test->tags & SLOW ? 10 : 1);
  int status = wait_for_case(pid, seconds);
  bury_strays();
  restore_pid_max();
  if (shared->skipped && !shared->failed) return 1;
  if (!shared->failed && status != 0) {
    if (status == -1) format(shared->message, sizeof shared->message, "hangs: killed after %ld seconds", seconds);
    else format(shared->message, sizeof shared->message, "ended with wait status 0x%x", (unsigned)status);
    shared->failed = 1;
  }
  return !shared->failed;
}

static int is_selected(const struct suite *suite, const struct test_case *test, int argc, char **argv) {
  if (suite->only_tag && !(test->tags & suite->only_tag)) return 0;
  return matches_arguments(test, argc, argv);
}

/* A YAML scalar in single quotes: a quote inside is doubled. */
static void print_message(void) {
  char quoted[2 * sizeof shared->message];
  size_t length = 0;
  for (const char *byte = shared->message; *byte; byte++) {
    if (*byte == '\'') quoted[length++] = '\'';
    quoted[length++] = *byte;
  }
  quoted[length] = 0;
  print("  ---\n  message: '%s'\n  ...\n", quoted);
}

static int run_suite(const struct suite *suite, int argc, char **argv) {
  int planned = 0, failures = 0, number = 0;
  for (int i = 0; i < suite->count; i++) planned += is_selected(suite, &suite->cases[i], argc, argv);
  SYS2(prctl, PR_SET_CHILD_SUBREAPER, 1);
  print("TAP version 14\n1..%d\n", planned);
  for (int i = 0; i < suite->count; i++) {
    const struct test_case *test = &suite->cases[i];
    if (!is_selected(suite, test, argc, argv)) continue;
    int good = run_case(test);
    print("%sok %d - %s [%s.%d]%s%s\n", good ? "" : "not ", ++number, test->name, suite->list, test->number,
          shared->skipped ? " # SKIP " : "", shared->skipped ? shared->message : "");
    if (!good) print_message();
    failures += !good;
  }
  return failures != 0;
}

/* Pid 1 has duties: it must reap orphans, and signals without a handler do not reach it. The tests run in its child. */
static int run_below_init(void) {
  long child = sys_fork();
  if (child == 0) return -1;
  for (;;) {
    int status = 0;
    long pid = sys_wait4(-1, &status, __WALL);
    if (pid == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
    if (is_error(pid) && pid != -EINTR) return 125;
  }
}

int tap_main(int argc, char **argv, char **envp, const struct suite *suite) {
  const char *trapgate = environment_value(envp, "TRAPGATE");
  on_trapgate = trapgate && strcmp(trapgate, "1") == 0;
  if (suite->needs_clone2 && !on_trapgate && sys_clone2(0, 0) == -ENOSYS) {
    print("TAP version 14\n1..0 # SKIP clone2 is not in this kernel\n");
    return 0;
  }
  if (sys_getpid() == 1) {
    int status = run_below_init();
    if (status >= 0) return status;
  }
  long memory = sys_mmap(0, (sizeof *shared + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (is_error(memory)) {
    print("Bail out! no shared memory: %s\n", errno_name(memory));
    return 1;
  }
  shared = (struct shared *)memory;
  return run_suite(suite, argc, argv);
}
